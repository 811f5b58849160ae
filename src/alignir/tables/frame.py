"""Frame: tables as a DataFrame of numbers, for notebooks."""

import pandas as pd

from alignir.tables.table import Table


class TableFrame(pd.DataFrame):
    """A DataFrame that a notebook shows as the tables it was made of; whatever is made of it is a plain DataFrame."""

    _metadata = ["tables"]  # noqa: RUF012
    tables: list[Table]

    @classmethod
    def of(cls, tables: list[Table], columns: list[tuple[str, list]]) -> "TableFrame":
        """`columns` are names and values; a name may be there twice, as in a table."""
        frame = cls(dict(enumerate(values for _, values in columns)))
        frame.columns = pd.Index([name for name, _ in columns])
        frame.tables = tables
        return frame

    @property
    def _constructor(self):
        return pd.DataFrame

    def _repr_html_(self) -> str:
        return "\n".join(table._repr_html_() for table in self.tables)
