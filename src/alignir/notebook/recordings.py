"""What was recorded, for a notebook: the tables of an experiment as DataFrames of numbers."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from alignir.errors import one_of
from alignir.tables.choices import KINDS
from alignir.tables.frame import TableFrame
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import read_finished


class Experiment:
    """The recorded runs of an MLflow experiment, read once."""

    def __init__(self, name: str, tracking_uri: str | None = None):
        self.name, self.tracking_uri = name, tracking_uri
        self.recordings  # noqa: B018 - read now, so that a wrong name is told now

    @cached_property
    def recordings(self) -> Recordings:
        return Recordings(read_finished(self.tracking_uri, self.name))

    def table(self, kind: str) -> TableFrame:
        """The table of this kind (`alignir tables --table`) with numbers as floats; NaN for –, `not run` and nothing.

        A kind that has a table for each dataset or user model gives them as one, whose column `table` says which.
        """
        first, *others = self.tables(kind)
        alike = [first, *(other for other in others if list(other) == list(first))]
        if len(alike) == 1:
            return first
        titles = [table.tables[0].title for table in alike]
        together = pd.concat([pd.DataFrame(table) for table in alike], keys=titles, names=["table", None])
        together = together.reset_index(level="table").reset_index(drop=True)
        columns = [(name, together.iloc[:, place].tolist()) for place, name in enumerate(together)]
        return TableFrame.of([table for frame in alike for table in frame.tables], columns)

    def tables(self, kind: str) -> list[TableFrame]:
        """Every table of this kind; Table 1 is followed by those without a judge's own family, if there are any."""
        from alignir.tables.kinds import tables

        if kind not in KINDS:
            raise one_of("table", kind, KINDS)
        return [table.to_frame() for table in tables(self.recordings, [kind])]

    def __repr__(self) -> str:
        return f"{self.name}: {len(self.recordings)} recorded runs"
