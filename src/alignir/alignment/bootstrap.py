"""Bootstrap: how far could the alignment be from what other queries, or other systems, would show?"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.ties import settled
from alignir.errors import one_of
from alignir.frames import ALL

OVER = ("queries", "systems")
METHODS = ("symmetric", "percentile")
BLOCK = 500_000  # pairs of systems, over all resamples of a side, that are held at once: they fit a processor's cache
SIDES = 5  # of this size at once: larger arrays would be asked of the system anew each time


class Matrices(NamedTuple):
    """Two sides of values as arrays (systems, queries) with the same rows and columns; NaN where there is no value."""

    left: np.ndarray
    right: np.ndarray
    systems: list[str]
    query_ids: list[str]


class Resampling(NamedTuple):
    """The setting `bootstrap`, for all that resamples: B resamples over queries or systems, the same for every side."""

    B: int = 1000  # 0: no intervals, no p-values of comparisons
    over: str = "queries"
    method: str = "symmetric"  # of intervals
    seed: int = 0

    @classmethod
    def recorded(cls, params: Mapping[str, str]) -> "Resampling":
        """The setting of a recorded run, from its parameters `bootstrap.B` and so on; the default where it has none."""
        default = cls()
        B, over, method, seed = (params.get(f"bootstrap.{name}", getattr(default, name)) for name in cls._fields)
        return cls(int(B), over, method, int(seed))

    @property
    def text(self) -> str:
        """How an interval is made, in words."""
        if not self.B:
            return "none, as bootstrap.B=0"
        return f"{self.B:,} bootstrap resamples of the {self.over}, {self.method}, seed {self.seed}"

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    def interval(self, left: pd.DataFrame, right: pd.DataFrame) -> tuple[float, float]:
        """The 95% `tau_interval` of two frames as `matrices` takes them; NaN without resamples."""
        if not self.B:
            return np.nan, np.nan
        both = matrices(left, right)
        return tau_interval(both.left, both.right, self.rng(), self.B, over=self.over, method=self.method)


NONE = Resampling(B=0)


def matrices(left: pd.DataFrame, right: pd.DataFrame) -> Matrices:
    """Two long frames (SCORES or ONLINE, one measure or metric each), joined by system and query name.

    Systems are those with a value on both sides. Queries are those of either side: one that a side lacks is NaN there
    and left out of that side's means, as `scores.means` leaves it out. A side with one value a system for all queries
    together (query_id "all") is one column, beside the other side's many.
    """
    left, right = (side.pivot(index="system", columns="query_id", values="value") for side in (left, right))
    left, right = left.dropna(how="all").align(right.dropna(how="all"), join="inner", axis=0)
    if [ALL] not in (list(left), list(right)):
        left, right = left.align(right, join="outer", axis=1)
    query_ids = list(right if list(left) == [ALL] else left)
    return Matrices(left.to_numpy(float), right.to_numpy(float), list(left.index), query_ids)


def taus(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Kendall's tau_b of each row of left (B, S) with the same row of right (B, S), or with its one (1, S): shape (B,).

    tau_b = (concordant - discordant) / sqrt((pairs - ties left) (pairs - ties right)), as scipy's kendalltau. A system
    that is NaN on either side takes no part in that row; NaN where either side ties all systems.
    """
    found = np.empty(max(len(left), len(right)))
    size = _block(left.shape[1])
    for start in range(0, len(found), size):
        rows = slice(start, start + size)
        found[rows] = _taus(*(_orders([side if len(side) == 1 else side[rows]]) for side in (left, right)))[0, 0]
    return found


def tau_interval(
    left: np.ndarray,
    right: np.ndarray,
    rng: np.random.Generator,
    B: int = 1000,
    level: float = 0.95,
    over: str = "queries",
    method: str = "symmetric",
) -> tuple[float, float]:
    """(low, high) of tau_b between the systems' means of left (S, Q) and right (S, Q), from B bootstrap resamples.

    `over="queries"`: would other queries order these systems alike? The same queries are drawn on both sides; a side
    with one column (one value a system) stays as it is while the other is resampled.
    `over="systems"`: would other systems be ordered alike? A system drawn twice ties with itself on both sides, and
    tau_b leaves such a pair out of its numerator and its denominators, so only pairs of different systems count.

    `symmetric` (Hall, JRSS B 1988): the estimate +- the `level` quantile of its distance to the resampled ones, both on
    Greiner's scale sin(pi tau / 2), the correlation of two normal variables with that tau. `percentile`: the quantiles
    of the resampled taus. Resampling adds to the means the noise that they have already, and noise lowers tau: the
    percentile interval over queries lies too low, by about as much as the sample's tau itself does. Measured share of
    95% intervals that hold the population's tau:

        over queries    symmetric .90 to 1.00, percentile 0 to .97 and worst where tau is high, basic .67 to .95 (200
                        samples in each of 36 synthetic settings, 30 and 50 systems, 43 and 200 queries, and of normal
                        populations with the moments of DL19 under 4 judges)
        over systems    symmetric .93 to .98, percentile .95 to .99 (400 samples, 30 and 50 systems, tau .41 to .91)

    The price is width: with 43 queries the symmetric interval of a tau of .8 reaches up to 1.

    NaN where nothing can be resampled (one query, one system), or where tau is undefined, as it is for all systems
    tied; resamples without a tau are left out.
    """
    if over not in OVER:
        raise one_of("over", over, OVER)
    if method not in METHODS:
        raise one_of("method", method, METHODS)
    return ends(resampled_taus(left, right, rng, B, over), method, level)


def ends(found: np.ndarray, method: str = "symmetric", level: float = 0.95) -> tuple[float, float]:
    """The `tau_interval` of taus (1 + B,): the sample's, then those of its resamples."""
    estimate, resampled = found[0], found[1:][~np.isnan(found[1:])]
    if np.isnan(estimate) or len(resampled) == 0:
        return np.nan, np.nan
    if method == "percentile":
        return middle(resampled, level)
    centre = _greiner(estimate)
    reach = np.quantile(np.abs(_greiner(resampled) - centre), level)
    low, high = 2 / np.pi * np.arcsin(np.clip([centre - reach, centre + reach], -1, 1))
    return float(low), float(high)


def middle(resampled: np.ndarray, level: float) -> tuple[float, float]:
    """The ends of the middle `level` of resampled values: the percentile interval."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resampled_taus(
    left: np.ndarray, right: np.ndarray, rng: np.random.Generator, B: int, over: str = "queries"
) -> np.ndarray:
    """tau_b of the means of left (S, Q) and right (S, Q), then those of B bootstrap resamples: (1 + B,).

    Sides as `tau_interval` takes them. The resampled ones are NaN where there is only one query to draw from.
    """
    return joint_taus([left], [right], rng, B, over)[0, 0]


def joint_taus(
    judges: Sequence[np.ndarray],
    references: Sequence[np.ndarray],
    rng: np.random.Generator,
    B: int,
    over: str = "queries",
) -> np.ndarray:
    """`resampled_taus` of every judge (S, Q) with every reference (S, Q), all by the same B draws: (J, R, 1 + B)."""
    n_systems, n_queries = len(judges[0]), max(side.shape[1] for side in (*judges, *references))
    found = np.full((len(judges), len(references), 1 + B), np.nan)
    done, size = 0, _block(n_systems, len(judges) + len(references))
    for drawn in _draws(n_queries if over == "queries" else n_systems, rng, B, over, size):
        block = slice(done, done := done + len(drawn))
        found[:, :, block] = _taus(
            *(_orders([_means(side, drawn, over) for side in some]) for some in (judges, references))
        )
    return found


def sample_and_resamples(n: int, resampling: Resampling) -> np.ndarray:
    """The sample as it is, then its resamples: how often each of n queries is drawn, or which of n systems, (1 + B, n).

    The sample alone where there is only one to draw from.

    >>> sample_and_resamples(3, Resampling(B=2, over="systems")).shape, sample_and_resamples(1, Resampling(B=2)).shape
    ((3, 3), (1, 1))
    """
    return np.concatenate([*_draws(n, resampling.rng(), resampling.B, resampling.over, max(1, resampling.B))])


def _draws(n: int, rng: np.random.Generator, B: int, over: str, size: int) -> Iterator[np.ndarray]:
    """The rows of `sample_and_resamples`, `size` at once."""
    yield np.ones((1, n)) if over == "queries" else np.arange(n)[None]
    for start in range(0, B if n > 1 else 0, size):
        b = min(size, B - start)
        yield query_weights(n, b, rng) if over == "queries" else rng.integers(0, n, (b, n))


def _means(values: np.ndarray, drawn: np.ndarray, over: str) -> np.ndarray:
    """The systems' means of values (S, Q) in each of the draws: (b, S)."""
    return weighted_means(values, drawn) if over == "queries" else plain_means(values)[drawn]


def _block(n_systems: int, sides: int = 1) -> int:
    """How many resamples of so many systems are looked at together."""
    return max(1, BLOCK * SIDES // max(sides, SIDES) // max(1, n_systems * (n_systems - 1) // 2))


def query_weights(n_queries: int, B: int, rng: np.random.Generator) -> np.ndarray:
    """How often each query is drawn in each of B resamples: (B, Q), rows sum to Q."""
    drawn = rng.integers(0, n_queries, (B, n_queries)) + n_queries * np.arange(B)[:, None]
    return np.bincount(drawn.ravel(), minlength=B * n_queries).reshape(B, n_queries).astype(float)


def choices(n: int, count: int, most: int, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """(which of n are chosen where `count` are, (choices, n) of bool; whether these are all choices).

    All of them, or `most` random ones where there are more.

    >>> choices(3, 2, 10, np.random.default_rng(0))[0].astype(int).tolist()
    [[1, 1, 0], [1, 0, 1], [0, 1, 1]]
    """
    every = comb(n, count) <= most
    if every:
        places = np.array(list(combinations(range(n), count)), dtype=int).reshape(comb(n, count), count)
    else:
        places = rng.permuted(np.tile(np.arange(n), (most, 1)), axis=1)[:, :count]
    chosen = np.zeros((len(places), n), dtype=bool)
    np.put_along_axis(chosen, places, True, axis=1)
    return chosen, every


def weighted_means(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted means over the queries that have a value: values (S, Q), weights (B, Q) -> (B, S), or (1, S) for Q = 1.

    einsum adds up query by query, so that every system's sum takes the same steps: systems with equal values where the
    weights are not 0 get equal means to the last bit. The order of a matrix product's steps can differ between its
    columns.
    """
    if values.shape[1] == 1:
        return np.broadcast_to(values.T, (len(weights), len(values)))
    valued = ~np.isnan(values)
    by_query = np.ascontiguousarray(np.where(valued, values, 0.0).T), np.ascontiguousarray(weights.T)
    total = np.einsum("qs,qb->sb", *by_query).T
    # counts are whole numbers, exact in any order
    counts = weights.sum(axis=1, keepdims=True) if valued.all() else weights @ valued.T.astype(float)
    with np.errstate(invalid="ignore"):
        return total / counts


def plain_means(values: np.ndarray) -> np.ndarray:
    """Means (S,) of values (S, Q) over the queries that have one."""
    return weighted_means(values, np.ones((1, values.shape[1])))[0]


class _Orders(NamedTuple):
    """Which of every two systems is above by each of J sides, in each of b resamples."""

    signs: np.ndarray  # (b, J, pairs), float32: 1 the earlier one, -1 the later one, 0 level, or not known
    known: np.ndarray | None  # (b, J, pairs), float32: 1 where both means are numbers; None where all are
    untied: np.ndarray  # (b, J): how many pairs are not level


def _orders(sides: Sequence[np.ndarray]) -> _Orders:
    """Of the sides' means, (b, S) each."""
    shape = (len(sides), len(sides[0]), -1)
    means = np.ascontiguousarray(
        np.concatenate([settled(side) for side in sides]).T
    )  # (S, J b): each system against all after it, in one go
    signs = np.concatenate([_above(means[one], means[one + 1 :]) for one in range(len(means))])
    valued, known = ~np.isnan(means), None
    if not valued.all():
        both = np.concatenate([valued[one] & valued[one + 1 :] for one in range(len(means))])
        known = _by_resample(both, shape)
    signs = _by_resample(signs, shape)
    return _Orders(signs, known, np.einsum("bjp,bjp->bj", signs, signs).astype(float))


def _above(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """1, 0 or -1: one is above, level with or below the others; 0 too where either is NaN."""
    return (one > others).view(np.int8) - (one < others).view(np.int8)


def _by_resample(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Values (pairs, J b) of sides and resamples as (b, J, pairs), float32."""
    return np.ascontiguousarray(values.T).astype(np.float32).reshape(shape).transpose(1, 0, 2)


def _taus(left: _Orders, right: _Orders) -> np.ndarray:
    """tau_b of every side of one with every side of the other: (J, R, b); one may have a single row for all resamples.

    float32 sums whole numbers exactly up to 2^24, the pairs of 5,793 systems.
    """
    agreed = _products(left.signs, right.signs)
    of_left, of_right = left.untied[:, :, None], right.untied[:, None, :]
    if right.known is not None:
        of_left = _products(np.abs(left.signs), right.known)
    if left.known is not None:
        of_right = _products(left.known, np.abs(right.signs))
    with np.errstate(invalid="ignore"):
        return (agreed / np.sqrt(of_left) / np.sqrt(of_right)).transpose(1, 2, 0)


def _products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sums over pairs of systems, of every side of one (b, J, pairs) with every side of the other: (b, J, R)."""
    return np.matmul(left, right.transpose(0, 2, 1)).astype(float)


def _greiner(tau: np.ndarray) -> np.ndarray:
    """The correlation of two normal variables whose Kendall's tau this is."""
    return np.sin(np.pi / 2 * tau)
