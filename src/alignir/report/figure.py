"""Figure: one that recorded runs give, not drawn yet."""

from collections.abc import Callable
from typing import NamedTuple


class Figure(NamedTuple):
    place: tuple[str, ...]  # what names it among those of its kind: dataset, users, page, as far as there are such
    draw: Callable[[], object]  # a matplotlib Figure
