"""Figure: one that recorded runs give, not drawn yet."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple


def pages(names: list[str], most: int) -> list[list[str]]:
    """The names in as few groups of at most so many as there can be, of about the same size."""
    count = -(-len(names) // most)
    ends = [round(len(names) * number / count) for number in range(count + 1)]
    return [names[start:end] for start, end in pairwise(ends)]


class Figure(NamedTuple):
    place: tuple[str, ...]  # what names it among those of its kind: dataset, users, page, as far as there are such
    draw: Callable[[], object]  # a matplotlib Figure
