"""Retrieval systems: their rankings, from run files, from a grid of BM25, or from pipelines that build on others."""

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from alignir.data import trec
from alignir.data.collections import Dataset
from alignir.errors import InputError, one_of


def run_files(
    dataset: Dataset,
    path: str | Path | None = None,
    include: Sequence[str] = ("*",),
    exclude: Sequence[str] = (),
    unknown: str = "error",
) -> pd.DataFrame:
    """RUNS read from the run files of a folder: the dataset's own, or `path`.

    `include` and `exclude` take name patterns (`*`, `?`); each must match a system. A query that the dataset does not
    have is an error, unless `unknown` is `ignore` (official TREC runs hold more queries than were judged).
    """
    folder = path or dataset.runs
    if folder is None:
        raise InputError(
            f"the dataset {dataset.name} has no run files: name a folder of *.run files with systems.path=FOLDER, "
            "or build systems with systems=bm25"
        )
    files = _selected(trec.run_files(folder), include, exclude)
    frame = pd.concat([trec.read_run(file, system) for system, file in files.items()], ignore_index=True)
    return _known(frame, dataset, files, unknown)


def _selected(files: dict[str, Path], include: Sequence[str], exclude: Sequence[str]) -> dict[str, Path]:
    excluded = matching(exclude, files)
    kept = {system: files[system] for system in matching(include, files) if system not in excluded}
    if not kept:
        raise InputError(f"include={include} exclude={exclude} leave none of {', '.join(files)}")
    return kept


def matching(patterns: Sequence[str], systems: Collection[str]) -> list[str]:
    """The systems that match any of the name patterns (`*`, `?`), in their own order; each pattern must match one."""
    for pattern in patterns:
        if not any(fnmatchcase(system, pattern) for system in systems):
            raise InputError(f"no system matches {pattern}; there are {', '.join(systems)}")
    return [system for system in systems if any(fnmatchcase(system, pattern) for pattern in patterns)]


def _known(frame: pd.DataFrame, dataset: Dataset, files: dict[str, Path], unknown: str) -> pd.DataFrame:
    if unknown not in ("error", "ignore"):
        raise one_of("unknown", unknown, ("error", "ignore"))
    frame = frame[~frame["query_id"].isin(dataset.unjudged)].reset_index(drop=True)
    strange = ~frame["query_id"].isin(dataset.queries.index)
    if not strange.any():
        return frame
    if unknown == "error":
        system, query_id = frame.loc[strange.idxmax(), ["system", "query_id"]]
        raise InputError(
            f"{trec.line_of(files[system], query_id)}: the query {query_id} is not in the dataset {dataset.name} "
            f"({frame.loc[strange, 'query_id'].nunique()} such queries in all). If the run rightly holds queries that "
            "were not judged, set systems.unknown=ignore"
        )
    return frame[~strange].reset_index(drop=True)
