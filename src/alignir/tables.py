"""Tables: rows of texts, printed for a terminal, a page, a paper or a program."""

import csv
import io
import os
import sys
from dataclasses import dataclass, field

FORMATS = ("rich", "markdown", "latex", "csv")


@dataclass(frozen=True)
class Table:
    """A table of texts, ready to print."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)


def render(shown: list[Table], form: str, width: int | None = None) -> str:
    """Tables as a text: `rich` for a terminal, or markdown, latex or csv."""
    return {"rich": _rich, "markdown": _markdown, "latex": _latex, "csv": _csv}[form](shown, width)


def show(shown: list[Table], form: str) -> None:
    """Print tables, as wide as the terminal is."""
    width = os.get_terminal_size().columns if sys.stdout.isatty() else None
    print(render(shown, form, width), end="")


def visible(text: str) -> str:
    """A text from outside, with what could steer a terminal or turn the order of letters around written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _rich(shown: list[Table], width: int | None) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(file=io.StringIO(), width=width or 200, force_terminal=False)
    for table in shown:
        console.print(table.title, markup=False, highlight=False)
        drawn = RichTable(box=box.SIMPLE_HEAD)
        for column, name in enumerate(table.columns):
            drawn.add_column(Text(name), justify="left" if column < 2 else "right")
        for row in _without_repeats(table):
            drawn.add_row(*map(Text, row))  # nothing in a cell is rich's markup
        console.print(drawn)
        for note in table.notes:
            console.print(f"  {note}", markup=False, highlight=False)
        console.print()
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def _markdown(shown: list[Table], width: int | None) -> str:
    parts = []
    for table in shown:
        lines = [table.columns, ["---" if column < 2 else "---:" for column in range(len(table.columns))]]
        lines += [[cell.replace("|", "\\|") for cell in row] for row in _without_repeats(table)]
        body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        parts.append(f"**{table.title}**\n\n{body}\n" + "".join(f"\n{note}  " for note in table.notes))
    return "\n\n".join(parts) + "\n"


def _latex(shown: list[Table], width: int | None) -> str:
    parts = []
    for table in shown:
        lines = [" & ".join(map(_escaped, row)) + r" \\" for row in [table.columns, *_without_repeats(table)]]
        body = "\n".join([r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"])
        form = "ll" + "r" * (len(table.columns) - 2)
        notes = "".join(f"\n\\par\\footnotesize {_escaped(note)}" for note in table.notes)
        parts.append(
            f"\\begin{{table}}\n\\caption{{{_escaped(table.title)}}}\n\\begin{{tabular}}{{{form}}}\n{body}\n"
            f"\\end{{tabular}}{notes}\n\\end{{table}}"
        )
    return "\n\n".join(parts) + "\n"


def _csv(shown: list[Table], width: int | None) -> str:
    text = io.StringIO()
    for place, table in enumerate(shown):
        if len(shown) > 1:
            text.write(("\n" if place else "") + f"# {table.title}\n")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(table.rows)
    return text.getvalue()


def _without_repeats(table: Table) -> list[list[str]]:
    """The rows as the poster prints them: a model's name only where it changes."""
    rows, last = [], None
    for row in table.rows:
        repeats = table.columns[0] == "model" and row[0] == last
        last = row[0]
        rows.append(["", *row[1:]] if repeats else row)
    return rows


def _escaped(text: str) -> str:
    specials = {
        "&": r"\&",
        "%": r"\%",
        "_": r"\_",
        "#": r"\#",
        "$": r"\$",
        "{": r"\{",
        "}": r"\}",
        "^": r"\^{}",
        "\\": r"\textbackslash{}",
    }
    symbols = {
        "–": "--",
        "↓": r"$\downarrow$",
        "→": r"$\to$",
        "≥": r"$\ge$",
        "≈": r"$\approx$",
        "≤": r"$\le$",
        "†": r"$^\dagger$",
        "°": r"$^\circ$",
        "±": r"$\pm$",
        "~": r"\textasciitilde{}",
    }
    return "".join({**specials, **symbols}.get(letter, letter) for letter in text)
