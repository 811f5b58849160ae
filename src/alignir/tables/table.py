"""Tables: rows of texts that know their numbers, for a terminal, a page, a paper, a program or a notebook."""

import csv
import io
import os
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from alignir.formatting import Number, Numbers, is_best

if TYPE_CHECKING:
    from alignir.tables.frame import TableFrame

FORMATS = ("rich", "markdown", "latex", "html", "csv")
NOTES = ("all", "short", "none")  # short: without the definitions of words
WIDE = 200  # letters of a line where nothing says how many there are


@dataclass(frozen=True)
class Table:
    """A table of texts, ready to print. A cell that shows a number is a Number, one that shows several is Numbers."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)
    records: "Table | None" = None  # for programs, which csv has in its place: once, where several tables share it

    def without_repeats(self) -> list[list[str]]:
        """The rows as the poster prints them: a model's, reference's or measure's name only where it changes."""
        rows, last = [], None
        for row in self.rows:
            repeats = self.columns[:1] in (["model"], ["reference"], ["measure"]) and row[:1] == last
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


class Definition(str):
    """A note that says what a word of a table means, and nothing of what was recorded."""


def with_best(rows: list[list[str]], lower: Mapping[int, bool]) -> list[list[str]]:
    """The rows with the best number of some columns marked, where they differ; `lower`: is it the lowest, by column.

    >>> rows = [["a", Number(".5", 0.5)], ["b", Number(".7", 0.7)], ["c", Number("–", float("nan"))]]
    >>> [row[1].best for row in with_best(rows, {1: False})]
    [False, True, False]
    """
    marked = [list(row) for row in rows]
    for place, is_lower in lower.items():
        cells = [row[place] for row in rows]
        found = {cell.value for cell in cells if isinstance(cell, Number) and cell.value == cell.value}
        if len(found) > 1:
            best = min(found) if is_lower else max(found)
            for row, cell in zip(marked, cells, strict=True):
                if isinstance(cell, Number) and cell.value == best:
                    row[place] = Number(cell, best, best=True)
    return marked


def differing(table: Table, names: int = 2) -> Table:
    """The table without the columns, behind those of the names, that say the same in all of several rows: as a note.

    Programs have all of them.
    """
    if len(table.rows) < 2:
        return table
    said = [{row[place] for row in table.rows} for place in range(len(table.columns))]
    kept = [place for place, cells in enumerate(said) if place < names or len(cells) > 1]
    same = [f"{table.columns[place]} {said[place].pop()}" for place in range(len(said)) if place not in kept]
    return replace(
        table,
        columns=[table.columns[place] for place in kept],
        rows=[[row[place] for place in kept] for row in table.rows],
        notes=[*([f"the same of all: {', '.join(same)}"] if same else []), *table.notes],
        records=table,
    )


def render(shown: list[Table], form: str, notes: str = NOTES[0], width: int = WIDE, styled: bool = False) -> str:
    """Tables as a text: `rich` for a terminal, markdown, latex (its first line says which packages), html, or csv.

    rich has lines of at most `width` letters; `styled`: with bold letters for a terminal. html is a whole page that
    needs no other file. csv has no notes, the `records` of tables that have such, and with several tables a line
    `# title` before each and an empty line between them. `notes`: one of NOTES; what several tables say stands
    once, under the last, but for latex, where each table is a float with its own.
    """
    from alignir.tables import floats, html, terminal

    shown = [replace(table, notes=_chosen(table.notes, notes)) for table in shown]
    if form in ("rich", "markdown", "html"):
        shown = _noted_once(shown)
    if form == "rich":
        return terminal.text(shown, width, styled)
    return {"markdown": _markdown, "latex": floats.document, "html": html.page, "csv": _csv}[form](shown)


def show(shown: list[Table], form: str, notes: str = NOTES[0]) -> None:
    """Print tables, as wide as the terminal is, or as $COLUMNS says where there is none."""
    width = shutil.get_terminal_size((WIDE, 0)).columns
    print(render(shown, form, notes, width, styled=sys.stdout.isatty() and "NO_COLOR" not in os.environ), end="")


def _chosen(notes: list[str], which: str) -> list[str]:
    if which == "none":
        return []
    return [note for note in notes if which == "all" or not isinstance(note, Definition)]


def _noted_once(shown: list[Table]) -> list[Table]:
    """The tables, with what several of them say, and definitions, under the last of them only.

    What only one says stays there, as does what another says otherwise: in other words after the same ones before ":".
    """
    said = Counter(note for table in shown for note in table.notes)
    heads = Counter(note.partition(":")[0] for note in said)

    def common(note: str) -> bool:
        return isinstance(note, Definition) or (said[note] > 1 and heads[note.partition(":")[0]] == 1)

    own = [replace(table, notes=[note for note in table.notes if not common(note)]) for table in shown]
    if own:
        own[-1] = replace(own[-1], notes=[*own[-1].notes, *filter(common, said)])
    return own


def _markdown(shown: list[Table]) -> str:
    parts = []
    for table in shown:
        lines = [table.columns, ["---" if column < 2 else "---:" for column in range(len(table.columns))]]
        lines += [[_marked_down(cell) for cell in row] for row in table.without_repeats()]
        body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        parts.append(f"**{table.title}**\n\n{body}\n" + "".join(f"\n{note}  " for note in table.notes))
    return "\n\n".join(parts) + "\n"


def _marked_down(cell: str) -> str:
    text = cell.replace("|", "\\|").replace("\n", " ")
    return f"**{text}**" if is_best(cell) else text


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
