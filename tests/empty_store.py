"""A new SQLite store of MLflow is a copy of one made before: its migrations take a second, in some 300 tests."""

import os
import sqlite3
from pathlib import Path
from tempfile import gettempdir

import mlflow
from filelock import FileLock
from mlflow.store.db import utils

MADE = Path(gettempdir()) / f"alignir-tests-{os.getuid()}-mlflow-{mlflow.__version__}.db"
_initialize_tables = utils._initialize_tables


def _copied(engine) -> None:
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return _initialize_tables(engine)
    target = engine.raw_connection()
    try:
        with FileLock(f"{MADE}.lock"):
            if not MADE.exists():
                _initialize_tables(engine)
                copy = sqlite3.connect(f"{MADE}.part")
                target.driver_connection.backup(copy)
                copy.close()
                os.replace(f"{MADE}.part", MADE)
                return None
        source = sqlite3.connect(MADE)
        source.backup(target.driver_connection)
        source.close()
    finally:
        target.close()
    return None


utils._initialize_tables = _copied
