"""Stores: where MLflow keeps runs: a SQLite file, a database or a server, opened once."""

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from alignir.errors import InputError


def address(uri: str | None) -> str:
    """The tracking URI: by default MLflow's own variable, else its database in `mlruns/` of the working folder."""
    return uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path('mlruns/mlflow.db').absolute()}"


def file_of(store: str) -> Path | None:
    """The file of a store that is one: SQLite's."""
    if not store.startswith("sqlite:///"):
        return None
    return Path(store.removeprefix("sqlite:///").partition("?")[0]).absolute()


def near(file: Path) -> Path:
    """The file by its path from the working folder, if it is below it."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def shown(text: str) -> str:
    """Without the user and the password in a URI."""
    return re.sub("//[^/@ ]*@", "//", text)


def client(uri: str | None):
    """MLflow's client of a store that can be reached; an InputError where it cannot."""
    return _opened(address(uri))


@lru_cache(maxsize=4)
def _opened(store: str):
    """A client of the store, kept through a sweep: opening one takes a second; a SQLite database is made if need be."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    try:
        with alone(store):  # processes that make a database at once break its migrations
            return _reached(store)
    except Exception as error:  # of MLflow, of SQLAlchemy, of a database's driver, of the network
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        if isinstance(error, ModuleNotFoundError):
            reason += " (the database's driver: pip install 'alignir[postgres]' for postgresql+psycopg://...)"
        setting = "MLFLOW_TRACKING_URI" if store == os.environ.get("MLFLOW_TRACKING_URI") else "tracking.uri"
        raise InputError(
            f"{setting}: expected the address of an MLflow server (http://...) or of a database (sqlite:///FILE, "
            f"postgresql://...), found {shown(store)}, which cannot be opened: {shown(reason)[:400]}"
        ) from error


def _reached(store: str):
    """A client of a store that has answered once. One retry only: MLflow's own would go on for minutes, silently."""
    from mlflow import MlflowClient

    scheme = store.partition(":")[0].partition("+")[0]
    if scheme in ("postgresql", "mysql", "mssql"):
        import sqlalchemy

        engine = sqlalchemy.create_engine(store)
        engine.connect().close()
        engine.dispose()
    retries = os.environ.get("MLFLOW_HTTP_REQUEST_MAX_RETRIES")
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
    try:
        with quiet():
            client = MlflowClient(store)
            client.search_experiments(max_results=1)
    finally:
        del os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]
        if retries is not None:
            os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = retries
    return client


def experiment_id(client, store: str, name: str) -> str:
    """Of the experiment of this name, which is made if it is not there."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    file = file_of(store)
    place = file.parent / "artifacts" if file else None
    try:
        return client.create_experiment(name, artifact_location=place.as_uri() if place else None)
    except Exception as error:  # another process made it in between, or MLflow has no experiment of such a name
        found = client.get_experiment_by_name(name)
        if found is None:
            raise InputError(f"tracking.experiment={name}: MLflow cannot make it: {error}") from error
        return found.experiment_id


def pages(search, *arguments) -> Iterator:
    """Everything that one of MLflow's searches finds: a page ends at 1,000 without saying so."""
    token = None
    while True:
        page = search(*arguments, max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            break


@contextlib.contextmanager
def alone(store: str) -> Iterator[None]:
    """No other process does what this one does meanwhile, if the store is SQLite's; a server sees to that itself."""
    file = file_of(store)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    from filelock import FileLock

    with FileLock(file.parent / ".lock"):
        yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """MLflow and alembic tell of their set-up at length; only warnings are for people."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
