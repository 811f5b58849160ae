"""Tables: rows of texts, printed for a terminal, a page, a paper or a program."""

import csv
import html
import io
import os
import re
import sys
from dataclasses import dataclass, field, replace

from alignir.tables import latex

FORMATS = ("rich", "markdown", "latex", "html", "csv")
A_LINE_OF_LETTERS = 70  # about as many as stand beside each other on a page of LaTeX's article
A_PAGE_OF_ROWS = 30
NEEDED = {"booktabs": r"\toprule", "graphicx": r"\resizebox"}  # packages
STYLE = """\
figure.table { margin: 0 0 2.5rem; }
figure.table figcaption { font-weight: 600; margin-bottom: .5rem; }
figure.table .scroll { overflow-x: auto; }
figure.table table { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid;
  font-variant-numeric: tabular-nums; }
figure.table th, figure.table td { padding: .25rem .75rem; white-space: nowrap; text-align: left; }
figure.table .number { text-align: right; }
figure.table thead tr { border-bottom: 1px solid; }
figure.table tbody tr:hover { background: #8882; }
figure.table ul { list-style: none; margin: .5rem 0 0; padding: 0; font-size: .85rem; max-width: 60rem; }
figure.table li { overflow-wrap: anywhere; margin-bottom: .2rem; }
:root { color-scheme: light dark; }
body { font: 1rem/1.45 system-ui, sans-serif; margin: 1.5rem; }
@media print { figure.table { break-inside: avoid; } figure.table .scroll { overflow: visible; } }
"""


@dataclass(frozen=True)
class Table:
    """A table of texts, ready to print."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)


def render(shown: list[Table], form: str, width: int | None = None) -> str:
    """Tables as a text: `rich` for a terminal, markdown, latex (its first line says which packages), html, or csv.

    html is a whole page that needs no other file. csv has no notes, and with several tables a line `# title` before
    each and an empty line between them.
    """
    return {"rich": _rich, "markdown": _markdown, "latex": _latex, "html": _html, "csv": _csv}[form](shown, width)


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
        lines += [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in _without_repeats(table)]
        body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        parts.append(f"**{table.title}**\n\n{body}\n" + "".join(f"\n{note}  " for note in table.notes))
    return "\n\n".join(parts) + "\n"


def _latex(shown: list[Table], width: int | None) -> str:
    """A float each; a table that does not fit one page becomes several, and one too wide is shrunk to the text."""
    parts = [_float(part) for table in shown for part in _pages(table)]
    needed = [package for package, command in NEEDED.items() if any(command in part for part in parts)]
    return "\n\n".join([f"% needs \\usepackage{{{','.join(needed)}}}", *parts]) + "\n"


def _pages(table: Table) -> list[Table]:
    """The table in parts that fit a page each, its notes under the last."""
    starts = range(0, len(table.rows), A_PAGE_OF_ROWS)
    parts = [replace(table, rows=table.rows[start : start + A_PAGE_OF_ROWS]) for start in starts]
    if len(parts) < 2:
        return [table]
    titles = [f"{table.title} ({number} of {len(parts)})" for number in range(1, len(parts) + 1)]
    parts = [replace(part, title=title, notes=[]) for part, title in zip(parts, titles, strict=True)]
    return [*parts[:-1], replace(parts[-1], notes=table.notes)]


def _float(table: Table) -> str:
    rows = [" & ".join(map(latex.escaped, row)) + r" \\" for row in [table.columns, *_without_repeats(table)]]
    form = "ll" + "r" * (len(table.columns) - 2)
    lines = [rf"\begin{{tabular}}{{{form}}}", r"\toprule", rows[0], r"\midrule", *rows[1:], r"\bottomrule"]
    body = "\n".join([*lines, r"\end{tabular}"])
    if _letters(table) > A_LINE_OF_LETTERS:
        body = f"\\resizebox{{\\textwidth}}{{!}}{{%\n{body}%\n}}"
    parts = [r"\begin{table}[htbp]", r"\centering", rf"\caption{{{_caption(table)}}}", body]
    if table.notes:
        notes = [rf"\noindent {latex.escaped(note)}\par" for note in table.notes]
        parts += [r"\par\smallskip{\footnotesize\raggedright", *notes, "}"]
    return "\n".join([*parts, r"\end{table}"])


def _caption(table: Table) -> str:
    return latex.escaped(re.sub(r"^Table \d+\. ", "", table.title))  # LaTeX counts itself


def _letters(table: Table) -> int:
    """How many letters a line takes, with the space between columns."""
    return sum(max(map(len, column)) + 2 for column in zip(table.columns, *table.rows, strict=True))


def _html(shown: list[Table], width: int | None) -> str:
    """A page that needs nothing else; `html_table` is what another page takes."""
    body = "\n".join(map(html_table, shown))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_in_html(shown[0].title if shown else 'No table')}</title>\n<style>\n{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def html_table(table: Table) -> str:
    """The table with its caption and notes as a `figure`, for STYLE; a wide one scrolls inside of it."""
    title = _in_html(table.title)
    head = _html_row(table.columns, '<th scope="col" class="{}">{}</th>')
    rows = [_html_row(row, '<td class="{}">{}</td>') for row in _without_repeats(table)]
    lines = [
        '<figure class="table">',
        f"<figcaption>{title}</figcaption>",
        f'<div class="scroll" role="region" tabindex="0" aria-label="{title}">',
        "<table>",
        f"<thead>{head}</thead>",
        "<tbody>",
        *rows,
        "</tbody>",
        "</table>",
        "</div>",
    ]
    notes = [f"<li>{_in_html(note)}</li>" for note in table.notes]
    return "\n".join([*lines, *(["<ul>", *notes, "</ul>"] if notes else []), "</figure>"])


def _html_row(cells: list[str], form: str) -> str:
    sides = ["text", "text", *["number"] * len(cells)]
    return f"<tr>{''.join(form.format(side, _in_html(cell)) for side, cell in zip(sides, cells, strict=False))}</tr>"


def _in_html(text: str) -> str:
    return html.escape(visible(text))


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
