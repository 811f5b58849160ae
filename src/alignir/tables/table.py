"""Tables: rows of texts that know their numbers, for a terminal, a page, a paper, a program or a notebook."""

import csv
import io
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alignir.formatting import Number, Numbers

if TYPE_CHECKING:
    from alignir.tables.frame import TableFrame

FORMATS = ("rich", "markdown", "latex", "html", "csv")


@dataclass(frozen=True)
class Table:
    """A table of texts, ready to print. A cell that shows a number is a Number, one that shows several is Numbers."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)
    records: "Table | None" = None  # for programs, which csv has in its place: once, where several tables share it

    def without_repeats(self) -> list[list[str]]:
        """The rows as the poster prints them: a model's name only where it changes."""
        rows, last = [], None
        for row in self.rows:
            repeats = self.columns[:1] == ["model"] and row[:1] == last
            last = row[:1]
            rows.append(["", *row[1:]] if repeats else row)
        return rows

    def to_frame(self) -> "TableFrame":
        """The table as a DataFrame that a notebook shows as the table.

        A column with numbers holds them as floats, shares as fractions, and NaN where a cell says – or `not run` or
        nothing; one with several numbers in a cell becomes several, as `interval low` and `interval high`; all others
        hold texts.
        """
        from alignir.tables.frame import TableFrame

        columns: list[tuple[str, list]] = []
        for name, *cells in zip(self.columns, *self.rows, strict=True):
            if any(isinstance(cell, Number) for cell in cells):
                columns.append((name, [getattr(cell, "value", float("nan")) for cell in cells]))
            elif several := [cell.values for cell in cells if isinstance(cell, Numbers)]:
                for part in several[0]:
                    found = [cell.values[part] if isinstance(cell, Numbers) else float("nan") for cell in cells]
                    columns.append((f"{name} {part}", found))
            else:
                columns.append((name, [str(cell) for cell in cells]))
        return TableFrame.of([self], columns)

    def _repr_html_(self) -> str:
        from alignir.tables import html

        return f"<style>{html.TABLE_STYLE}</style>\n{html.html_table(self)}"


def render(shown: list[Table], form: str, width: int | None = None) -> str:
    """Tables as a text: `rich` for a terminal, markdown, latex (its first line says which packages), html, or csv.

    html is a whole page that needs no other file. csv has no notes, the `records` of tables that have such, and with
    several tables a line `# title` before each and an empty line between them.
    """
    from alignir.tables import floats, html

    if form == "rich":
        return _rich(shown, width)
    return {"markdown": _markdown, "latex": floats.document, "html": html.page, "csv": _csv}[form](shown)


def show(shown: list[Table], form: str) -> None:
    """Print tables, as wide as the terminal is."""
    width = os.get_terminal_size().columns if sys.stdout.isatty() else None
    print(render(shown, form, width), end="")


def _rich(shown: list[Table], width: int | None) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    text = io.StringIO()
    console = Console(file=text, width=width or 200, force_terminal=False)
    for table in shown:
        console.print(table.title, markup=False, highlight=False)
        drawn = RichTable(box=box.SIMPLE_HEAD)
        for column, name in enumerate(table.columns):
            drawn.add_column(Text(name), justify="left" if column < 2 else "right", overflow="fold")
        for row in table.without_repeats():
            drawn.add_row(*map(Text, row))  # nothing in a cell is rich's markup
        console.print(drawn)
        for note in table.notes:
            console.print(f"  {note}", markup=False, highlight=False)
        console.print()
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _markdown(shown: list[Table]) -> str:
    parts = []
    for table in shown:
        lines = [table.columns, ["---" if column < 2 else "---:" for column in range(len(table.columns))]]
        lines += [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in table.without_repeats()]
        body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        parts.append(f"**{table.title}**\n\n{body}\n" + "".join(f"\n{note}  " for note in table.notes))
    return "\n\n".join(parts) + "\n"


def _csv(shown: list[Table]) -> str:
    text = io.StringIO()
    printed = list({id(each): each for each in (table.records or table for table in shown)}.values())
    for place, table in enumerate(printed):
        if len(printed) > 1:
            text.write(("\n" if place else "") + f"# {table.title}\n")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(table.rows)
    return text.getvalue()
