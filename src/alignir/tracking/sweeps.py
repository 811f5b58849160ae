"""Sweeps: in MLflow a sweep is a run, and its cells lie under it. No reader of cells takes it for one."""

import hashlib
from collections.abc import Mapping

from alignir.tracking import stores

UNDER = "mlflow.parentRunId"  # the tag of a run that lies under another one


def tags(folder: str) -> dict[str, str]:
    """What the run of the sweep in this folder is found by: a digest, since a query can say no path with a quote."""
    return {"sweep.folder": folder, "sweep.key": _key(folder)}


def is_one(tags: Mapping[str, str]) -> bool:
    """Whether a run is that of a sweep, by its tags."""
    return "sweep.key" in tags


def under_way(client, experiment_id: str, folder: str) -> str | None:
    """The id of the run of this sweep; None where there is none: its store could not be reached when it began."""
    query = f"attributes.status = 'RUNNING' and tags.`sweep.key` = '{_key(folder)}'"
    found = next(stores.pages(client.search_runs, [experiment_id], query), None)
    return found and found.info.run_id


def _key(folder: str) -> str:
    return hashlib.sha256(folder.encode()).hexdigest()[:16]
