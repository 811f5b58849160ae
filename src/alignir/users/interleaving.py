"""Interleaving: whose results do users click more, where one list shows the best of two systems?"""

from itertools import combinations, product

import numpy as np
import pandas as pd

from alignir.data.ranked import Runs
from alignir.frames import OUTCOMES, PAIR
from alignir.progress import bar
from alignir.users.behaviour import ClickModel

ALL_FLIPS = 64  # lists of two rankings: so many are all of them down to a depth of 12; of deeper ones so many are drawn
AT_ONCE = 1 << 16  # lists in memory at a time
LEVEL = 0.95  # of intervals


def team_draft(a: np.ndarray, b: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lists of two rankings by team draft (n, lists, k), and whether a's team put each rank there (lists, k).

    Radlinski, Kurup and Joachims (CIKM 2008, algorithm 2): in each round a coin says which system picks first; each
    picks its highest result that is not in the list yet, which is then one of its team. The list ends, with -1, where
    one of them has no more. `a` and `b` are rankings of k documents' numbers (n, k), -1 where there is none; `first`
    (lists, rounds of two) is whether a picks first.

    >>> shown, by_a = team_draft(np.array([[7, 8, 9]]), np.array([[8, 7, 5]]), np.array([[True, False]]))
    >>> shown.tolist(), by_a.tolist()
    ([[[7, 8, 5]]], [[True, False, False]])
    """
    n, k = a.shape
    by_a = first[:, np.arange(k) // 2] ^ (np.arange(k) % 2 == 1)
    same = (b[:, :, None] == a[:, None, :]) & (b >= 0)[:, :, None]
    shared = same.any(axis=2)
    documents = np.concatenate([a, b], axis=1)
    place_of_b = np.where(shared, same.argmax(axis=2), np.arange(k, 2 * k))  # among the documents
    left = np.repeat((documents >= 0)[:, None], len(first), axis=1)  # not in the list yet
    shown = np.full((n, len(first), k), -1)
    rows, lists = np.ogrid[:n, : len(first)]
    for rank in range(k):
        of_a, of_b = left[:, :, :k], left[rows[:, :, None], lists[:, :, None], place_of_b[:, None]]
        both = of_a.any(axis=2) & of_b.any(axis=2)
        picked = np.where(by_a[:, rank], of_a.argmax(axis=2), place_of_b[rows, of_b.argmax(axis=2)])
        shown[:, :, rank] = np.where(both, documents[rows, picked], -1)
        left[rows, lists, picked] = False
    return shown, by_a


def wins(model: ClickModel, kinds: np.ndarray, by_a: np.ndarray) -> np.ndarray:
    """P(a wins) and P(b wins) of each list, (n, 2): more of its own team's results are clicked. What is left is a tie.

    `kinds` (n, k) is what the model sees of each result, -1 where there is none, and `by_a` (n, k) whose it is. With D
    the clicks on a's results less those on b's, from -h to h, and E[z^D] = 1 - `marked` with marks of 1 - z on a's
    results and 1 - 1/z on b's, P(D = d) is a discrete Fourier transform over the roots of unity, exact for any model:

        P(D = d) = 1 / (2h + 1) sum_j E[z_j^D] z_j^-d,  z_j = exp(2 pi i j / (2h + 1))

    >>> from alignir.users.click_models import PBM
    >>> certain = PBM((0.5, 1.0), (0.0, 0.0), (1.0, 1.0))
    >>> wins(certain, np.array([[1, 0]]), np.array([[True, False]])).round(3).tolist()
    [[0.5, 0.0]]
    """
    most = int(np.maximum(by_a.sum(axis=1), (~by_a).sum(axis=1)).max(initial=0))
    points = 2 * most + 1
    found = np.full((len(kinds), 2), most / points)  # of z = 1, whose expectation is 1
    for point in range(1, most + 1):  # the other half are their conjugates
        root = np.exp(2j * np.pi * point / points)
        expected = 1 - model.marked(kinds, 1 - np.where(by_a, root, root.conjugate()))
        of_a = (root ** -np.arange(1, most + 1)).sum() / points
        found += 2 * np.column_stack([(expected * of_a).real, (expected * of_a.conjugate()).real])
    return found


def outcomes(
    model: ClickModel, runs: Runs, kinds: np.ndarray, sessions: int | None, rng: np.random.Generator
) -> pd.DataFrame:
    """OUTCOMES of team-draft interleaving of every two systems: what users do on lists of the first k results.

    `kinds` (systems, queries, k) is what the model sees of each result. An impression is won by the team with more
    clicks. The difference is (wins of a + ties / 2) / impressions - 1 / 2, as `pairs.read_outcomes` has it of counts.

    Without `sessions` it is what endless impressions of each query would show, exact but for lists of more than 12
    results, for which coins are drawn; its interval is Student's over the queries. With them, so many impressions of
    each query are drawn, and the interval is that of their counts.
    """
    k = kinds.shape[2]
    numbered = runs.top(k).frame[PAIR].drop_duplicates()
    documents = runs.grades(numbered.assign(relevance=np.arange(len(numbered))), k)
    kind_of = np.full(len(numbered) + 1, -1)  # the last is that of no document, which is numbered -1
    kind_of[documents] = kinds
    pairs = list(combinations(range(len(runs.systems)), 2))
    chances = _chances(model, documents, kind_of, np.array(pairs).reshape(-1, 2), coins((k + 1) // 2, rng))
    if sessions is None:
        values = _over_queries(chances)
    else:
        left = 1 - chances.sum(axis=2, keepdims=True)
        drawn = rng.multinomial(sessions, np.clip(np.concatenate([chances, left], axis=2), 0, 1)).sum(axis=1)
        values = np.array([difference_of_wins(*counts) for counts in drawn.tolist()])
    names = [(runs.systems[a], runs.systems[b], "wins") for a, b in pairs]
    return pd.concat(
        [pd.DataFrame(names, columns=OUTCOMES[:3], dtype=str), pd.DataFrame(values, columns=OUTCOMES[3:])], axis=1
    )


def coins(rounds: int, rng: np.random.Generator) -> np.ndarray:
    """Whether a picks first in each round, (lists, rounds): all there are, or as many as ALL_FLIPS, half of them drawn.

    The other half of those are the same coins turned over, so that each system has the same chance in any case.

    >>> coins(1, np.random.default_rng(0)).tolist()
    [[False], [True]]
    """
    if 2**rounds <= ALL_FLIPS:
        return np.array(list(product([False, True], repeat=rounds)))
    drawn = rng.random((ALL_FLIPS // 2, rounds)) < 0.5
    return np.concatenate([drawn, ~drawn])


def _chances(
    model: ClickModel, documents: np.ndarray, kind_of: np.ndarray, pairs: np.ndarray, first: np.ndarray
) -> np.ndarray:
    """P(a wins) and P(b wins) of an impression by pair and query, (pairs, queries, 2), as a mean over the coins."""
    _, n_queries, k = documents.shape
    found = np.zeros((len(pairs) * n_queries, 2))
    size = max(1, AT_ONCE // len(first))
    with bar("interleaving", len(found), "rankings", after=2) as advance:
        for start in range(0, len(found), size):
            pair, query = np.divmod(np.arange(start, min(start + size, len(found))), n_queries)
            a, b = pairs[pair].T
            shown, by_a = team_draft(documents[a, query], documents[b, query], first)
            by_list = wins(model, kind_of[shown].reshape(-1, k), np.tile(by_a, (len(pair), 1)))
            found[start : start + size] = by_list.reshape(len(pair), len(first), 2).mean(axis=1)
            advance(len(pair))
    return found.reshape(len(pairs), n_queries, 2).round(12)  # equal systems tie, whatever the last digits say


def _over_queries(chances: np.ndarray) -> np.ndarray:
    """(difference, low, high) by pair, from chances (pairs, queries, 2); NaN ends of a single query."""
    from scipy.stats import t

    by_query = (chances[:, :, 0] - chances[:, :, 1]) / 2
    mean, n = by_query.mean(axis=1), by_query.shape[1]
    if n < 2:
        return np.column_stack([mean, np.full((len(mean), 2), np.nan)])
    reach = t.ppf((1 + LEVEL) / 2, n - 1) * by_query.std(axis=1, ddof=1) / np.sqrt(n)
    return np.column_stack([mean, mean - reach, mean + reach])


def difference_of_wins(wins_a: float, wins_b: float, ties: float) -> tuple[float, float, float]:
    """(difference, low, high) of counted impressions, as `pairs.read_outcomes` has them; NaN ends where nobody won.

    >>> [round(value, 3) for value in difference_of_wins(60, 40, 100)]
    [0.05, -0.001, 0.098]
    """
    from scipy.stats import binomtest

    n, decided = wins_a + wins_b + ties, int(wins_a + wins_b)
    if not decided:
        return 0.0, np.nan, np.nan
    ends = binomtest(int(wins_a), decided).proportion_ci(LEVEL, method="exact")
    low, high = (float((end - 0.5) * decided / n) for end in (ends.low, ends.high))
    return (wins_a + ties / 2) / n - 0.5, low, high
