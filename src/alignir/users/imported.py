"""Imported users: online metrics that somebody measured, from a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data.lines import existing
from alignir.data.ranked import Runs
from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError
from alignir.files import state_of
from alignir.frames import ALL, ONLINE
from alignir.users.observed import check_systems


@dataclass(frozen=True)
class External:
    """Metrics that somebody measured: a table `system, metric, value`, with `query_id` too if they are by query.

    A metric that lacks a system, or a system's queries, is an InputError: means over different queries cannot be
    compared.

    >>> External("ab_test.csv").definitions()
    'imported from ab_test.csv'
    """

    path: str
    name: str = "external"

    def check(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> None:
        """Raise where `measure` would."""
        self._at_hand(runs)

    def measure(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> pd.DataFrame:
        """ONLINE from the table, for the systems and queries at hand: a metric has all of them, or is refused."""
        table = self._at_hand(runs)
        if "query_id" not in table:
            table = table.assign(query_id=ALL)
        return table[ONLINE].reset_index(drop=True)

    def draws_of(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> Iterator[pd.DataFrame]:
        """What `measure` gives, once."""
        yield self.measure(qrels, runs, scale)

    def definitions(self, scale: Scale = FOUR) -> str:
        """How the metrics were made, in a line to print under a table."""
        return f"imported from {Path(self.path).name}"

    def _at_hand(self, runs: Runs) -> pd.DataFrame:
        """The table's rows of these systems and queries, if it has all of them for each metric."""
        systems, query_ids = set(runs.systems), runs.query_ids
        table = _read(self.path, state_of(self.path))
        if "query_id" in table:
            table = table[table["query_id"].isin(query_ids)]
        check_systems(self.path, "metrics", systems, table)
        table = table[table["system"].isin(systems)]
        for metric, rows in table.groupby("metric"):
            lacking = sorted(systems - set(rows["system"]))
            if lacking:
                raise InputError(f"{self.path}: the metric {metric} lacks the system {lacking[0]}")
            if "query_id" in rows and len(rows) < len(systems) * len(query_ids):
                counts = rows.groupby("system")["query_id"].nunique()
                raise InputError(
                    f"{self.path}: the metric {metric} has {counts.min()} of {len(query_ids)} queries for the system "
                    f"{counts.idxmin()}: means over different queries cannot be compared"
                )
        return table


@lru_cache(maxsize=1)
def _read(path: str, state: tuple) -> pd.DataFrame:
    """The table of a file in this state: a cell checks it before it is measured, and a sweep measures it many times."""
    return read_metrics(path)


def read_table(path: str | Path, what: str) -> tuple[Path, pd.DataFrame]:
    """(the path, the table there): texts of a csv or tsv, values of a parquet file; `what` it is, for messages."""
    path = existing(path, what)
    try:
        if path.suffix == ".parquet":
            return path, pd.read_parquet(path)
        return path, pd.read_csv(path, sep="\t" if ".tsv" in path.suffixes else ",", dtype=str)
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def read_metrics(path: str | Path) -> pd.DataFrame:
    """A table `system, metric, value` (csv, tsv or parquet), perhaps with `query_id`; metric names in lower case.

    A file that is not there or no such table, and a row without a finite value, or that is there twice, are an
    InputError with the file and the line.

    >>> read_metrics("nowhere.csv")
    Traceback (most recent call last):
    alignir.errors.InputError: no table of online metrics (path=FILE) at ...
    """
    path, table = read_table(path, "table of online metrics (path=FILE)")
    if not {"system", "metric", "value"} <= set(table.columns):
        raise InputError(f"{path}:1: expected the columns system, metric, value, found {', '.join(table.columns)}")
    values = pd.to_numeric(table["value"], errors="coerce")
    strange = table["metric"].dropna().astype(str).str.extract(r"([^\w.\- /])")[0].dropna()
    if len(strange):
        row = strange.index[0]
        raise InputError(
            f"{path}:{row + 2}: the metric {table.loc[row, 'metric']!r} cannot be recorded: "
            "use letters, digits and _.-/ only"
        )
    wrong = ~np.isfinite(values) | table["system"].isna() | table["metric"].isna()
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{path}:{row + 2}: expected a system, a metric and a finite value, found {_plain(table.iloc[row])}"
        )
    keys = [column for column in ("system", "query_id", "metric") if column in table]
    table = table.assign(value=values, metric=table["metric"].str.lower())
    table[keys] = table[keys].astype(str)
    repeated = table.duplicated(keys)
    if repeated.any():
        row = int(np.argmax(repeated))
        raise InputError(f"{path}:{row + 2}: {_plain(table.iloc[row][keys])} is there twice")
    if table.empty:
        raise InputError(f"{path}: expected rows of metrics, found none")
    return table


def _plain(row: pd.Series) -> str:
    return ", ".join(map(str, row.tolist()))
