"""Outcomes of pairs: which of two systems users preferred, in A/B tests and interleaving, from a table."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data.ranked import Runs
from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError
from alignir.files import state_of
from alignir.formatting import counted
from alignir.frames import ONLINE, OUTCOMES
from alignir.users.imported import read_table
from alignir.users.interleaving import difference_of_wins
from alignir.users.metrics import LOWER_IS_BETTER

log = logging.getLogger(__name__)

WINS = ("wins_a", "wins_b")
SYSTEMS = ["system_a", "system_b"]


@dataclass(frozen=True)
class Pairs:
    """Outcomes of A/B tests or of interleaving: a table with a row for each pair of systems that users compared.

    Such users have no value of a system, so no online metrics: ONLINE is empty, and what they say is in `outcomes`.
    The table is as `read_outcomes` has it. Of a metric in `lower`, as of alignir's own with a ↓, lower is better.
    `sd` is the standard deviation of a session's value, where the table has only `n`.

    >>> Pairs("tests.csv").definitions()
    'outcomes of pairs from tests.csv; lower is better: sar, zrr, first_click'
    """

    path: str
    lower: Sequence[str] = ()
    sd: float | None = None
    name: str = "pairs"

    def __post_init__(self) -> None:
        if self.sd is not None and not self.sd > 0:
            raise InputError(f"sd: expected a number above 0, found {self.sd}")

    def check(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> None:
        """Raise where `outcomes` would; warn of pairs of other systems."""
        found, everything = self.outcomes(qrels, runs, scale), self._read()
        if left_out := len(everything) - len(found):
            log.warning(
                "%s: %d of %s are of systems that are not compared here, and are left out",
                self.path,
                left_out,
                counted(len(everything), "outcome"),
            )

    def measure(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> pd.DataFrame:
        """ONLINE without a row: users who compare two systems say nothing of one."""
        return pd.DataFrame({column: pd.Series(dtype=float if column == "value" else str) for column in ONLINE})

    def draws_of(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> Iterator[pd.DataFrame]:
        """What `measure` gives, once."""
        yield self.measure(qrels, runs, scale)

    def outcomes(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> pd.DataFrame:
        """OUTCOMES of pairs of the systems at hand: a metric may have any of them."""
        found = self._read()
        systems = set(runs.systems)
        known = found[found["system_a"].isin(systems) & found["system_b"].isin(systems)]
        if known.empty:
            pair = " and ".join(found.iloc[0][SYSTEMS])
            raise InputError(
                f"{self.path}: has no outcome of two of the systems {', '.join(sorted(systems))}; "
                f"the first is of {pair}"
            )
        return known.reset_index(drop=True)

    def definitions(self, scale: Scale = FOUR) -> str:
        """What was read, in a line to print under a table."""
        lower = f"outcomes of pairs from {Path(self.path).name}; lower is better: {', '.join(self._lower)}"
        return lower if self.sd is None else f"{lower}; standard deviation of a session's value {self.sd:g}"

    @property
    def _lower(self) -> list[str]:
        return list(dict.fromkeys([*LOWER_IS_BETTER, *(metric.lower() for metric in self.lower)]))

    def _read(self) -> pd.DataFrame:
        return _read(self.path, state_of(self.path), tuple(self._lower), self.sd)


@lru_cache(maxsize=1)
def _read(path: str, state: tuple, lower: tuple[str, ...], sd: float | None) -> pd.DataFrame:
    """The table of a file in this state."""
    return read_outcomes(path, lower, sd)


def read_outcomes(path: str | Path, lower: Sequence[str] = LOWER_IS_BETTER, sd: float | None = None) -> pd.DataFrame:
    """OUTCOMES from a table `system_a, system_b` (csv, tsv or parquet) with differences or wins, perhaps `metric`.

    `difference` is a's value less b's; of metrics in `lower` a smaller one is better. Its 95% interval is `ci_low`,
    `ci_high`, or follows from `n`, the sessions that each system had, and the standard deviation `sd` of a session (a
    column, or given): +-1.96 sd sqrt(2 / n). Without either it is unknown.

    `wins_a`, `wins_b` and perhaps `ties` are impressions of interleaving that each side won, w_a, w_b and t of n in
    all: the difference is (w_a + t / 2) / n - 1 / 2 (Chapelle et al., TOIS 2012), from -0.5 to 0.5. Its interval is
    Clopper and Pearson's of w_a / (w_a + w_b), on the same scale: it leaves 0 out where a sign test decides.

    A row that is wrong is an InputError with its line.
    """
    path, table = read_table(path, "table of outcomes of pairs (path=FILE)")

    def refuse(wrong, expected: str) -> None:
        if wrong.any():
            row = int(np.argmax(wrong))
            found = ", ".join(map(str, table.iloc[row].tolist()))
            raise InputError(f"{path}:{row + 2}: expected {expected}, found {found}")

    by_wins = set(WINS) <= set(table)
    if not set(SYSTEMS) <= set(table) or not (by_wins or "difference" in table):
        raise InputError(
            f"{path}:1: expected the columns system_a, system_b, and difference, or wins_a and wins_b, "
            f"found {', '.join(table.columns)}"
        )
    if table.empty:
        raise InputError(f"{path}: expected rows of outcomes, found none")
    if "metric" not in table:
        table = table.assign(metric="wins" if by_wins else "difference")
    names = table[[*SYSTEMS, "metric"]]
    refuse(names.isna().any(axis=1) | (names["system_a"] == names["system_b"]), "two systems and a metric")
    names = names.astype(str).assign(metric=names["metric"].str.lower())
    pair = pd.DataFrame(np.sort(names[SYSTEMS].to_numpy(), axis=1), index=names.index).assign(metric=names["metric"])
    refuse(pair.duplicated(), "each pair of systems once for a metric")

    def numbers(column: str) -> pd.Series:
        """NaN where the table has nothing."""
        if column not in table:
            return pd.Series(np.nan, table.index)
        found = pd.to_numeric(table[column], errors="coerce")
        refuse((table[column].notna() & ~np.isfinite(found)).to_numpy(), f"a finite number as {column}")
        return found

    if by_wins:
        wins_a, wins_b, ties = numbers("wins_a"), numbers("wins_b"), numbers("ties").fillna(0)
        counts = pd.concat([wins_a, wins_b, ties], axis=1)
        whole = (counts.isna() | (counts < 0) | (counts % 1 != 0)).any(axis=1)
        refuse(whole | (counts.sum(axis=1) == 0), "whole numbers of wins and ties from 0, not all of them 0")
        values = pd.DataFrame(
            [difference_of_wins(*row) for row in counts.itertuples(index=False)], columns=OUTCOMES[3:]
        )
        return pd.concat([names, values], axis=1)[OUTCOMES]
    difference, low, high, n = (numbers(column) for column in ("difference", "ci_low", "ci_high", "n"))
    refuse(difference.isna(), "a difference")
    refuse(low.isna() != high.isna(), "both ends of an interval, or none")
    refuse((low > difference) | (high < difference), "an interval that holds its difference")
    refuse(n <= 0, "a number of sessions n above 0")
    spread = numbers("sd") if "sd" in table else pd.Series(np.nan if sd is None else sd, table.index)
    reach = 1.959964 * spread * np.sqrt(2 / n)
    low, high = low.fillna(difference - reach), high.fillna(difference + reach)
    sign = np.where(names["metric"].isin(lower), -1, 1)
    ends = np.sort(np.column_stack([low * sign, high * sign]), axis=1)  # NaN stays: both ends are
    return names.assign(difference=difference * sign, ci_low=ends[:, 0], ci_high=ends[:, 1])[OUTCOMES]
