"""Foreign frames: labels and rankings as other tools name their columns, taken as they are."""

from collections.abc import Mapping

import pandas as pd

from alignir.data.ranked import Runs, as_runs, ranked
from alignir.errors import InputError
from alignir.frames import PAIR

# PyTerrier's names, and those of trec_eval's and ir_measures' tables.
COLUMNS = {"qid": "query_id", "docno": "doc_id", "docid": "doc_id", "label": "relevance", "name": "system"}


def labels_of(frame: pd.DataFrame) -> pd.DataFrame:
    """QRELS or LABELS from a frame with query_id, doc_id, relevance, or qid, docno, label; ids become strings."""
    found = _renamed(frame, (*PAIR, "relevance"))
    repeated = found.duplicated(PAIR)
    if repeated.any():
        raise InputError(f"labels: the pair {' '.join(found.loc[repeated.idxmax(), PAIR])} is there twice")
    return found


def rankings_of(runs: Runs | pd.DataFrame | Mapping[str, pd.DataFrame]) -> Runs:
    """Runs from a frame with system, query_id, doc_id, score (or qid, docno, score), or from {system: such a frame}.

    A frame without a system is one system, called `system`. The score decides the rank, as in trec_eval.
    """
    if isinstance(runs, Runs):
        return runs
    if isinstance(runs, Mapping):
        if not runs:
            raise InputError("runs: expected at least one system, found none")
        runs = pd.concat([frame.assign(system=str(system)) for system, frame in runs.items()], ignore_index=True)
    found = _renamed(runs, (*PAIR, "score"))
    if "system" not in found:
        found = found.assign(system="system")
    found = found.astype({"system": str, "score": float})
    repeated = found.duplicated(["system", *PAIR])
    if repeated.any():
        system, *pair = found.loc[repeated.idxmax(), ["system", *PAIR]]
        raise InputError(f"runs: {system} has the pair {' '.join(pair)} twice")
    return as_runs(ranked(found))


def _renamed(frame: pd.DataFrame, wanted: tuple[str, ...]) -> pd.DataFrame:
    names = {old: new for old, new in COLUMNS.items() if old in frame and new not in frame}
    found = frame.rename(columns=names).reset_index(drop=True)
    lacking = [column for column in wanted if column not in found]
    if lacking:
        spellings = [f"{new} (or {old})" for old, new in COLUMNS.items() if new in lacking]
        raise InputError(f"expected a column {spellings[0] if spellings else lacking[0]}, found {', '.join(frame)}")
    return found.astype(dict.fromkeys(PAIR, str))
