"""Users: what an experiment asks of them, whether they are simulated, observed or imported."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import pandas as pd

from alignir.data.ranked import Runs
from alignir.data.scales import FOUR, Scale


@runtime_checkable
class Users(Protocol):
    """Where online metrics come from. `qrels` are the labels that simulated users act on, on their scale."""

    @property
    def name(self) -> str: ...

    def check(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> None:
        """InputError where `measure` would raise one, without most of its work."""

    def measure(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> pd.DataFrame:
        """ONLINE of the systems and queries."""

    def draws_of(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> Iterator[pd.DataFrame]:
        """ONLINE as `measure` gives it; of users who are sampled, several independent draws, the first one first."""

    def definitions(self, scale: Scale = FOUR) -> str:
        """How the metrics were made, in a line to print under a table."""


@runtime_checkable
class Comparing(Protocol):
    """Users who may say of two systems which one is better."""

    def outcomes(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> pd.DataFrame | None:
        """OUTCOMES of pairs of the systems; None of users who were not asked."""
