"""View: at which address people see the runs of an experiment in MLflow."""

from pathlib import Path

from alignir.tracking import stores

LOCAL = "http://127.0.0.1:5000"  # where `mlflow ui` serves a file or database


def runs_address(store: str, experiment_id: str) -> str:
    """Where a browser shows the runs of an experiment; `store` is the tracking URI.

    A file or database is served at this address by `mlflow ui`. The experiment's own address shows no runs.

    >>> runs_address("sqlite:///mlruns/mlflow.db", "1")
    'http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning'
    """
    server = stores.shown(store).rstrip("/") if store.startswith(("http://", "https://")) else LOCAL
    return f"{server}/#/experiments/{experiment_id}/runs?workflowType=machine_learning"


def serving(store: str) -> str:
    """The command that serves the runs of a file or database at that address; empty where a server has them.

    >>> serving("sqlite:///other.db"), serving("http://host:5000")
    ('mlflow ui --backend-store-uri sqlite:///other.db', '')
    """
    if store.startswith(("http://", "https://")):
        return ""
    file = stores.file_of(store)
    if file is not None and file.is_relative_to(Path.cwd()):
        store = f"sqlite:///{file.relative_to(Path.cwd())}"
    return f"mlflow ui --backend-store-uri {stores.shown(store)}"
