"""Floats: tables as LaTeX puts them on pages."""

import re
from dataclasses import replace

from alignir.formatting import is_best
from alignir.tables import latex
from alignir.tables.table import Table

A_LINE_OF_LETTERS = 70  # about as many as stand beside each other on a page of LaTeX's article
A_PAGE_OF_ROWS = 30
NEEDED = {"booktabs": r"\toprule", "graphicx": r"\resizebox"}  # packages
WAITING = 40  # floats that LaTeX may hold back: with a hundred it gives up


def document(shown: list[Table]) -> str:
    """A float each; a table that does not fit one page becomes several, and one too wide is shrunk to the text."""
    parts = [_float(part) for table in shown for part in _pages(table)]
    needed = [package for package, command in NEEDED.items() if any(command in part for part in parts)]
    for place in range(WAITING, len(parts), WAITING):
        parts[place] = "\\clearpage\n" + parts[place]
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
    rows = [" & ".join(map(_cell, row)) + r" \\" for row in [table.columns, *table.without_repeats()]]
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


def _cell(text: str) -> str:
    return rf"\textbf{{{latex.escaped(text)}}}" if is_best(text) else latex.escaped(text)


def _caption(table: Table) -> str:
    return latex.escaped(re.sub(r"^Table \d+\. ", "", table.title))  # LaTeX counts itself


def _letters(table: Table) -> int:
    """How many letters a line takes, with the space between columns."""
    return sum(max(map(len, column)) + 2 for column in zip(table.columns, *table.rows, strict=True))
