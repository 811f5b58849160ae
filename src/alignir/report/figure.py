"""Figure: one that recorded runs give, not drawn yet."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from alignir.tracking.runs import Recorded

JUDGES = 9  # panels that fit a page


def pages(runs: dict[str, Recorded], most: int) -> Iterator[tuple[str, dict[str, Recorded]]]:
    """The runs of judges under the number of their page: on as few pages as hold them, about as many on each."""
    count = -(-len(runs) // most)
    ends = [round(len(runs) * number / count) for number in range(count + 1)]
    for number, (start, end) in enumerate(pairwise(ends), 1):
        yield str(number), dict(list(runs.items())[start:end])


class Figure(NamedTuple):
    place: tuple[str, ...]  # what names it among those of its kind: dataset, users, page, as far as there are such
    draw: Callable[[], object]  # a matplotlib Figure
