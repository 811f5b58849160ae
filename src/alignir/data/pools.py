"""Pools: which pairs a model labels: the judged ones, all that systems show, or the holes in between."""

import pandas as pd

from alignir.errors import one_of
from alignir.frames import PAIR

POOLS = ("qrels", "runs@K", "holes@K")
WITHOUT_TEXT = ("error", "skip")


def pooled(pool: str, qrels: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """query_id, doc_id of the pairs to label.

    qrels    the judged pairs, in the order of the qrels
    runs@K   every result among the first K of any system, judged or not
    holes@K  those that nobody judged: a model fills the holes that the baseline labels leave, see `filled`
    """
    if pool == "qrels":
        return qrels[PAIR]
    first = runs.loc[runs["rank"] <= depth(pool), PAIR].drop_duplicates().astype(str)
    if holes(pool):
        first = first[~pd.MultiIndex.from_frame(first).isin(pd.MultiIndex.from_frame(qrels[PAIR]))]
    return first.sort_values(PAIR).reset_index(drop=True)  # a query's together, so that engines can reuse its prefix


def filled(pool: str, qrels: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """The labels that systems are scored by: the model's; with holes@K the baseline's too, where there are any."""
    return pd.concat([qrels, labels], ignore_index=True) if holes(pool) else labels


def holes(pool: str) -> bool:
    """Whether the model labels only what the baseline does not: then there is no pair on which both could agree."""
    return pool.startswith("holes@")


def depth(pool: str) -> int | None:
    """The K of a pool, None for the judged pairs; an error for a pool that there is not."""
    if pool == "qrels":
        return None
    kind, _, k = str(pool).partition("@")
    if kind not in ("runs", "holes") or not (k.isdecimal() and int(k) >= 1):
        raise one_of("pool", pool, [*POOLS[:2], f"{POOLS[2]}, with a whole K from 1"])
    return int(k)
