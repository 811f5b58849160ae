"""Terminal: tables as text that is no wider than asked; a wide one in blocks, each with the names of its rows."""

import io
import textwrap
from collections.abc import Sequence

from alignir.formatting import Number, Numbers, is_best, visible
from alignir.tables.table import Table

HEAD = 3  # lines that a head takes at most, where its words allow
GAP = 2  # letters between columns
NARROW = 12  # letters of a column of texts at least


def text(shown: Sequence[Table], width: int, styled: bool = False) -> str:
    """Tables below each other in lines of at most `width` letters; `styled`: the best of a column in bold.

    A number is never cut or broken: what does not fit beside the names of the rows follows below, with these names
    again. Texts are broken between words, and within one only where it is wider than its column may be.

    >>> from alignir.formatting import number
    >>> print(text([Table("Two judges", ["model", "tau_b", "kappa"], [["a", number(0.5), number(0.25)]])], 16), end="")
    Two judges
    <BLANKLINE>
    model   tau_b
    ─────────────
    a      0.5000
    <BLANKLINE>
    model   kappa
    ─────────────
    a      0.2500
    <BLANKLINE>
    """
    return "".join(_one(table, width, styled) for table in shown)


def _one(table: Table, width: int, styled: bool) -> str:
    lines = [*textwrap.wrap(table.title, width, break_on_hyphens=False), ""]
    rows = table.without_repeats()
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in table.columns]
    n_names = _names(columns)
    layouts = []
    for head in range(1, HEAD + 1):
        widths = _widths(table.columns, columns, n_names, width, head)
        layouts.append((widths, _blocks(widths, n_names, width)))
    widths, blocks = min(layouts, key=lambda layout: len(layout[1]))
    for block in blocks:
        right = [place >= n_names and any(map(_is_number, columns[place])) for place in block]
        heads = [table.columns[place] for place in block]
        lines += [*_drawn(heads, [[row[place] for place in block] for row in rows], widths, block, right, styled), ""]
    notes = _filled(table.notes, width)
    return "\n".join([*lines, *notes, *([""] if notes else [])]) + "\n"


def _filled(notes: Sequence[str], width: int) -> list[str]:
    """Notes as lines of at most so many letters, each note's first two letters further left than its others."""
    lines = textwrap.TextWrapper(width, "  ", "    ", break_on_hyphens=False)
    return [line for note in notes for line in lines.wrap(note)]


def _is_number(cell: str) -> bool:
    return isinstance(cell, Number | Numbers)


def _names(columns: list[list[str]]) -> int:
    """How many columns name the rows: all before the first with a number, and at least one."""
    numbers = (place for place, cells in enumerate(columns) if any(map(_is_number, cells)))
    return max(1, next(numbers, 1))


def _widths(heads: list[str], columns: list[list[str]], n_names: int, width: int, lines: int) -> list[int]:
    """How wide each column is, its head in so many lines: as cells need, texts narrower where no line has room."""
    from rich.cells import cell_len

    widths = []
    for place, (head, cells) in enumerate(zip(heads, columns, strict=True)):
        longest = max((cell_len(visible(cell)) for cell in cells), default=0)
        widths.append(max(longest, _head(head, lines if place else 1)))
    numbers = any(_is_number(cell) for cells in columns[n_names:] for cell in cells)
    beside = max(widths[n_names:], default=0) if numbers else NARROW * 2
    beside = min(beside, width // 2)
    _narrowed(widths, range(n_names), width - beside - GAP)
    room = width - sum(widths[:n_names]) - GAP * n_names
    return [*widths[:n_names], *(min(each, room) for each in widths[n_names:])]


def _narrowed(widths: list[int], places: Sequence[int], room: int) -> None:
    """Take letters from the widest of these columns until they stand side by side."""
    while sum(widths[place] + GAP for place in places) - GAP > room:
        widest = max(places, key=lambda place: widths[place])
        if widths[widest] <= NARROW:
            return
        widths[widest] -= 1


def _head(head: str, lines: int) -> int:
    """The fewest letters in which a head takes so many lines."""
    shortest = max(map(len, head.split()), default=0)
    return next(width for width in range(shortest, len(head) + 1) if len(textwrap.wrap(head, width or 1)) <= lines)


def _blocks(widths: list[int], n_names: int, width: int) -> list[list[int]]:
    """Which columns stand side by side, by their places."""
    names = list(range(n_names))
    blocks, used = [names[:]], 0
    taken = sum(widths[place] + GAP for place in names)
    for place in range(n_names, len(widths)):
        if used and taken + used + widths[place] > width:
            blocks.append(names[:])
            used = 0
        blocks[-1].append(place)
        used += widths[place] + GAP
    return blocks


def _drawn(
    heads: list[str], rows: list[list[str]], widths: list[int], block: list[int], right: list[bool], styled: bool
) -> list[str]:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, GAP - 1, 0, 0), pad_edge=False)
    for head, place, number in zip(heads, block, right, strict=True):
        drawn.add_column(
            Text(head), justify="right" if number else "left", width=widths[place], overflow="fold", vertical="bottom"
        )
    for row in rows:
        drawn.add_row(*(Text(visible(cell), "bold" if styled and is_best(cell) else "") for cell in row))
    printed = io.StringIO()
    wide = sum(widths[place] + GAP for place in block) + 2
    Console(file=printed, width=wide, force_terminal=styled, color_system="standard" if styled else None).print(drawn)
    return [line.rstrip() for line in printed.getvalue().splitlines()]
