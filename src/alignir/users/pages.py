"""Pages: the sessions of a log as arrays, by grade or by query-document pair, which click models are fitted to."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError
from alignir.frames import PAGE, PAIR, QRELS
from alignir.users.rates import rates_by_kind


@dataclass(frozen=True)
class Pages:
    """The sessions of a log as arrays: n sessions, k ranks.

    >>> pages = Pages(np.array([[3, 0, -1]]), np.array([[True, False, False]]), None)
    >>> pages.n_kinds, pages.shown.tolist(), pages.last_click.tolist(), pages.click_above.tolist()
    (4, [[True, True, False]], [0], [[0, 1, 1]])
    """

    kinds: (
        np.ndarray
    )  # (n, k) the place of the grade on the scale, or the number of the query-document pair; -1 where nothing is shown
    clicks: np.ndarray  # (n, k) bool
    pairs: pd.DataFrame | None  # query_id, doc_id of each number; None: kinds are grades
    scale: Scale = FOUR  # of the grades

    @property
    def n_kinds(self) -> int:
        """The number of grades, or one more than there are pairs: the last is any pair that is not among them."""
        return len(self.scale.grades) if self.pairs is None else len(self.pairs) + 1

    @property
    def shown(self) -> np.ndarray:
        """(n, k) whether a result is shown."""
        return self.kinds >= 0

    @property
    def last_click(self) -> np.ndarray:
        """The place of the last click (n,), from 0; -1 without a click."""
        return np.where(self.clicks, np.arange(self.kinds.shape[1]), -1).max(axis=1)

    @property
    def click_above(self) -> np.ndarray:
        """The rank (from 1) of the last click above each rank, 0 where there is none; (n, k)."""
        clicked = np.where(self.clicks, np.arange(1, self.kinds.shape[1] + 1), 0)
        return np.insert(np.maximum.accumulate(clicked, axis=1)[:, :-1], 0, 0, axis=1)


def pages_by_grade(log: pd.DataFrame, qrels: pd.DataFrame, depth: int, scale: Scale = FOUR) -> Pages:
    """The pages of LOG down to `depth`; a result that is not judged counts as the lowest grade, as in simulation.

    A log without a session is an InputError.

    >>> log = pd.DataFrame([("s1", "a", "q", 1, "d1", True), ("s1", "a", "q", 2, "d2", False)],
    ...                    columns=["session_id", "system", "query_id", "rank", "doc_id", "clicked"])
    >>> qrels = pd.DataFrame({"query_id": ["q"], "doc_id": ["d1"], "relevance": [3]})
    >>> pages_by_grade(log, qrels, depth=3).kinds.tolist()
    [[3, 0, -1]]
    """
    log = log.merge(qrels[QRELS], on=PAIR, how="left")
    grades = log["relevance"].fillna(scale.grades[0]).to_numpy(dtype=int)
    return replace(_laid_out(log, scale.places(grades), depth, None), scale=scale)


def pages_by_pair(log: pd.DataFrame, depth: int, pairs: pd.DataFrame | None = None) -> Pages:
    """The pages of LOG down to `depth`; `pairs` are those of other pages, if these are to be numbered alike.

    A log without a session is an InputError.

    >>> log = pd.DataFrame([("s1", "a", "q", 1, "d1", True), ("s1", "a", "q", 2, "d2", False)],
    ...                    columns=["session_id", "system", "query_id", "rank", "doc_id", "clicked"])
    >>> pages_by_pair(log, depth=3).kinds.tolist()
    [[0, 1, -1]]
    """
    if pairs is None:
        top = log[(log["rank"] <= depth).fillna(False)]
        pairs = top[PAIR].drop_duplicates().reset_index(drop=True)
    numbers = pd.MultiIndex.from_frame(pairs[PAIR]).get_indexer(pd.MultiIndex.from_frame(log[PAIR]))
    return _laid_out(log, np.where(numbers < 0, len(pairs), numbers), depth, pairs)


def _laid_out(log: pd.DataFrame, kind: np.ndarray, depth: int, pairs: pd.DataFrame | None) -> Pages:
    page = log.groupby(PAGE, sort=False).ngroup().to_numpy()
    if len(page) == 0:
        raise InputError("the log has no session to fit to")
    kinds = np.full((page.max() + 1, depth), -1, order="F")  # a rank's column in one piece: all work goes by rank
    clicks = np.zeros(kinds.shape, dtype=bool, order="F")
    rank = log["rank"].fillna(0).to_numpy(dtype=int)
    here = (rank >= 1) & (rank <= depth)
    kinds[page[here], rank[here] - 1] = kind[here]
    clicks[page[here], rank[here] - 1] = log["clicked"].to_numpy(dtype=bool)[here]
    return Pages(kinds, clicks, pairs)


def rates(pages: Pages, hits: np.ndarray, trials: np.ndarray, shrinkage: float) -> tuple[float, ...]:
    """sum of hits / sum of trials for each kind of the pages' results; `hits` and `trials` are (n, k).

    Shrunk towards the mean of all kinds by so many trials; kinds without a trial get the mean.

    >>> pages = Pages(np.array([[3, 0]]), np.array([[True, False]]), None)
    >>> [round(rate, 3) for rate in rates(pages, pages.clicks, pages.shown, shrinkage=1)]
    [0.25, 0.5, 0.5, 0.75]
    """
    shown = pages.shown
    return rates_by_kind(pages.kinds[shown], hits[shown], trials[shown], pages.n_kinds, shrinkage)


def first_attraction(pages: Pages) -> tuple[float, ...]:
    """Attraction to start fitting with: twice the click-through rate of each kind, from 0.01 to 0.9.

    Twice, since not everything that is shown is examined.

    >>> first_attraction(Pages(np.array([[3, 0]]), np.array([[True, False]]), None))
    (0.5, 0.9, 0.9, 0.9)
    """
    found = np.array(rates(pages, pages.clicks, pages.shown, 1.0))
    return tuple(np.clip(2 * found, 0.01, 0.9).tolist())
