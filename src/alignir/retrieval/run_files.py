"""Retrieval systems: their rankings, from run files, from a grid of BM25, or from pipelines that build on others."""

from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from alignir.data import run_paths, trec
from alignir.data.collections import Dataset
from alignir.data.lines import line_of
from alignir.data.ranked import Runs, ranked, together
from alignir.data.run_paths import FILES
from alignir.errors import InputError, one_of
from alignir.formatting import counted


def run_files(
    dataset: Dataset,
    path: str | Path | None = None,
    include: Sequence[str] = ("*",),
    exclude: Sequence[str] = (),
    unknown: str = "error",
    files: str | Sequence[str] = FILES,
) -> Runs:
    """The rankings of the run files of a folder, the dataset's own or `path`, for the dataset's queries.

    `files` are the patterns of their paths in the folder (`**/*.{run,res}{,.gz}`); see `run_paths` for systems' names.
    `include` and `exclude` take name patterns (`*`, `?`); each must match a system. A query that the dataset does not
    have is an error, unless `unknown` is `ignore` (official TREC runs hold more queries than were judged); a system of
    which no query is known is left out then, with a note. So is it noted where ranks contradict scores.
    """
    if unknown not in ("error", "ignore"):
        raise one_of("unknown", unknown, ("error", "ignore"))
    folder = path or dataset.runs
    if folder is None:
        raise InputError(
            f"the dataset {dataset.name} has no run files: name a folder of run files with systems.path=FOLDER, "
            "or build systems with systems=bm25"
        )
    selected = _selected(run_paths.run_files(folder, files), include, exclude)
    notes: list[str] = []
    contradicting: list[str] = []
    known_systems: list[str] = []

    def rankings() -> Iterator[pd.DataFrame]:
        for system, file in sorted(selected.items()):
            results = _results(file, files)
            known = _known(results, dataset, file, unknown)
            if known.empty:
                notes.append(
                    f"{system}: left out, since none of its queries, such as {results['query_id'].iloc[0]!r}, is a "
                    f"judged query of the dataset {dataset.name} ({file})"
                )
                continue
            if number := trec.contradicted(known):
                contradicting.append(f"{system} ({number} of {counted(known['query_id'].nunique(), 'query')})")
            known_systems.append(system)
            yield ranked(known.assign(system=pd.Categorical([system]).repeat(len(known))))

    frame = together(rankings())
    if contradicting:
        notes.append(
            f"ranks contradict scores in {', '.join(contradicting)}: read by score, higher first, as trec_eval reads a "
            "run. Are the scores distances?"
        )
    return Runs(frame, tuple(known_systems), tuple(dataset.queries.index), tuple(notes))


def _results(file: Path, files: str | Sequence[str]) -> pd.DataFrame:
    try:
        return trec.read_results(file)
    except InputError as error:
        if ".run" in file.suffixes:
            raise
        patterns = files if isinstance(files, str) else ", ".join(files)
        raise InputError(f"{error}. If this is no run file, leave it out with systems.files, now {patterns}") from error


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


def _known(results: pd.DataFrame, dataset: Dataset, file: Path, unknown: str) -> pd.DataFrame:
    """The results for queries of the dataset."""
    if dataset.unjudged is not None:
        results = results[~results["query_id"].isin(dataset.unjudged)].reset_index(drop=True)
    strange = ~results["query_id"].isin(dataset.queries.index)
    if not strange.any():
        return results
    if unknown == "error" and dataset.unjudged is not None:
        query_id = results.loc[strange.idxmax(), "query_id"]
        raise InputError(
            f"{line_of(file, query_id)}: the query {query_id} is not in the dataset {dataset.name} "
            f"({results.loc[strange, 'query_id'].nunique()} such in this file). If the run rightly holds queries that "
            "were not judged, set systems.unknown=ignore"
        )
    return results[~strange].reset_index(drop=True)
