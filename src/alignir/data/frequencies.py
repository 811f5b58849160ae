"""Frequencies: how often users ask each query, from a file."""

import math
from pathlib import Path

import pandas as pd

from alignir.data.collections import Dataset
from alignir.data.lines import existing, is_number, lines
from alignir.errors import InputError


def frequencies_of(dataset: Dataset, path: str | Path | None) -> pd.Series:
    """The frequency of each of the dataset's queries, by query_id."""
    if path is None:
        raise InputError("queries.path has no value: name the file of query frequencies with queries.path=FILE")
    counts = read_frequencies(path).reindex(dataset.queries.index)
    unknown = counts.index[counts.isna()]
    if len(unknown):
        raise InputError(
            f"{path}: has no frequency for the query {unknown[0]} of {dataset.name}; "
            f"{len(unknown)} of {len(counts)} such queries in all"
        )
    return counts


def read_frequencies(path: str | Path) -> pd.Series:
    """Frequencies by query_id, from `query_id<TAB>count` lines."""
    path = existing(path, "file of query frequencies (queries.path=FILE)")
    counts: dict[str, float] = {}
    where: dict[str, int] = {}
    header = ""
    for number, line in lines(path):
        if line.startswith("#"):
            continue
        query_id, *rest = (cell.strip() for cell in line.split("\t"))
        if not (counts or header) and len(rest) == 1 and not is_number(rest[0]):
            header = line
            continue
        count = float(rest[0]) if len(rest) == 1 and is_number(rest[0]) else math.nan
        if not (query_id and math.isfinite(count) and count >= 0):
            raise InputError(f"{path}:{number}: expected 'query_id<TAB>count' with a count from 0, found {line[:80]!r}")
        if query_id in where:
            raise InputError(f"{path}:{number}: the query_id {query_id} is already in line {where[query_id]}")
        counts[query_id], where[query_id] = count, number
    if not counts:
        raise InputError(f"{path}: expected 'query_id<TAB>count' lines, found none")
    return pd.Series(counts, dtype=float)
