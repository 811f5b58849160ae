"""Blocks: pairs in their order, cut into parts that are asked about apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

# Pairs of a block: many, so that an engine's batch is full most of the time; few at the end, when a worker should not
# wait for another one.
FEWEST, MOST = 32, 2048


@dataclass
class Block:
    """Pairs that a worker is given at once, by their indices in the sequence that was asked."""

    indices: list[int]
    deaths: int = 0  # of workers over it
    answered: set[int] = field(default_factory=set)  # places in `indices`

    def rest(self) -> "Block":
        """The pairs that were not answered."""
        left = [index for place, index in enumerate(self.indices) if place not in self.answered]
        return Block(left, self.deaths)


def blocks(queries: Sequence[str], workers: int, fewest: int = FEWEST, most: int = MOST) -> Iterator[range]:
    """Pairs in their order, by their indices, cut into blocks; `queries` has the query of each.

    A block is a share of what is left, and ends with a query's pairs where that makes it at most twice as large: what
    they have in common is computed once.

    >>> [list(block) for block in blocks(["a", "a", "a", "b", "c", "c"], workers=1, fewest=2)]
    [[0, 1, 2], [3, 4, 5]]
    """
    first, end = 0, 0
    while first < len(queries):
        size = min(most, max(fewest, (len(queries) - first) // (2 * workers)))
        end = min(first + size, len(queries))
        while end < min(first + 2 * size, len(queries)) and queries[end] == queries[end - 1]:
            end += 1
        yield range(first, end)
        first = end
