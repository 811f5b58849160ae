"""Unlabelled: what tau_b could be at worst and at best, if the pairs without a label had any grades at all.

Labels are seldom missing at random: a judge whose answers cannot be read where it means 0 looks better than it is.
Two ranges say how much that could matter. `tried`: grades that were tried give these tau_b, so that it can be at least
as bad and as good. `bounds`: no grades give a tau_b outside. Neither assumes anything about what is missing.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment import ties
from alignir.alignment.bootstrap import taus
from alignir.data.ranked import Runs
from alignir.frames import PAIR

CLOSE = 1e-9  # means of nDCG that differ by no more are taken for equal
EXACT = 1e-12  # of the nDCG of one query
ROUNDS = 50  # of Dinkelbach's iteration at most; it needs four or five


class Range(NamedTuple):
    """The lowest and the highest of some tau_b."""

    low: float
    high: float


class Holes(NamedTuple):
    """A query with missing labels: DCG, and what it can be at most, by the grades that these could have.

    A grade is the sum of the scale's steps up to it: on (0, 1, 3), a 3 is a step of 1 and one of 2. So DCG is a sum
    over steps, and so is the ideal DCG: of as many of the first ranks' discounts as there are pairs that take a step.
    """

    place: int  # of the query in the runs
    labelled: np.ndarray  # (S,) each system's DCG from its results with a label
    discounts: np.ndarray  # (S, m) of the rank where a system shows a result without one; 0: not among its first k
    levels: np.ndarray  # (L,) the grades above 0
    ideal: np.ndarray  # (L, m + 1) the ideal DCG from a step of 1, if 0 to m of the missing labels take it
    sure: bool  # the lowest grade is above 0, so that all of them take the first step

    @property
    def steps(self) -> np.ndarray:
        return np.diff(self.levels, prepend=0)

    def ndcg(self, grades: np.ndarray) -> np.ndarray:
        """Of every system, for rows of grades (F, m) of the missing labels: shape (F, S)."""
        takers = (grades[:, :, None] >= self.levels).sum(axis=1)
        ideal = (self.ideal[np.arange(len(self.levels)), takers] * self.steps).sum(axis=1, keepdims=True)
        gained = self.labelled + grades @ self.discounts.T
        return np.divide(gained, ideal, out=np.zeros_like(gained), where=ideal > 0)


class Sides(NamedTuple):
    """What both ranges are made from."""

    settled: np.ndarray  # (S,) the sum of the judge's nDCG over the queries that lack no label
    holes: list[Holes]
    n_queries: int
    people: np.ndarray  # (S,) the baseline's means over the same queries


def ranges(
    labels: pd.DataFrame, runs: Runs, scores: pd.DataFrame, baseline: pd.DataFrame, grades: Sequence[int], k: int
) -> tuple[Range, Range]:
    """(tried, bounds) of tau_b between the systems' mean nDCG@k under LABELS, some of them missing, and the baseline's.

    Any of `grades` could be the missing ones'. `scores` and `baseline` are SCORES of nDCG@k alone. A query that has
    lost all of its labels counts here, as it would if it had them. NaN where no order is possible.

    tried   every missing label lowest; every one highest; those that a system shows highest and the others lowest, and
            the other way round, for each system; those highest that the baseline's better systems show rather than its
            worse ones, and the other way round
    bounds  the difference of two systems' means lies between its extremes; where that leaves their order open, they are
            in the wrong order at worst and in the right one at best, each pair of systems for itself

    >>> labels = pd.DataFrame({"query_id": "q", "doc_id": ["d", "e"], "relevance": pd.array([1, None], "Int64")})
    >>> ranked = [("a", "q", "d", 2.0, 1), ("a", "q", "e", 1.0, 2), ("b", "q", "e", 2.0, 1), ("b", "q", "d", 1.0, 2)]
    >>> runs = Runs(pd.DataFrame(ranked, columns=["system", *PAIR, "score", "rank"]), ("a", "b"), ("q",))
    >>> scores = pd.DataFrame({"system": ["a", "b"], "query_id": "q", "value": [1.0, 0.63]})
    >>> ranges(labels, runs, scores, scores, (0, 1, 2), 10)
    (Range(low=-1.0, high=1.0), Range(low=-1.0, high=1.0))
    """
    judged, people = (_wide(side, runs) for side in (scores, baseline))
    by_people = ~np.isnan(people).all(axis=0)
    holes = [hole for hole in _holes(labels, runs, grades, k) if by_people[hole.place]]
    known = by_people & ~np.isnan(judged).all(axis=0)
    known[[hole.place for hole in holes]] = True
    if not known.any():
        return Range(np.nan, np.nan), Range(np.nan, np.nan)
    complete = known.copy()
    complete[[hole.place for hole in holes]] = False
    settled = judged[:, complete].sum(axis=1)
    sides = Sides(settled, holes, int(known.sum()), ties.settled(people[:, known].mean(axis=1)))
    return _tried(sides, grades), _bounds(sides)


def _wide(scores: pd.DataFrame, runs: Runs) -> np.ndarray:
    """(S, Q)"""
    wide = scores.pivot(index="system", columns="query_id", values="value")
    return wide.reindex(index=list(runs.systems), columns=list(runs.query_ids)).to_numpy(float)


def _holes(labels: pd.DataFrame, runs: Runs, grades: Sequence[int], k: int) -> Iterator[Holes]:
    """The queries of the runs with missing labels, one by one."""
    incomplete = labels.loc[labels["relevance"].isna(), "query_id"].unique()
    labels = labels[labels["query_id"].isin(incomplete) & labels["query_id"].isin(runs.query_ids)]
    shown = runs.of(labels["query_id"].unique()).top(k).plain.merge(labels[PAIR], on=PAIR)
    shown["system"] = pd.Index(runs.systems).get_indexer(shown["system"])
    by_query, nothing = dict(list(shown.groupby("query_id"))), shown.iloc[:0]
    levels = np.array(sorted({grade for grade in grades if grade > 0}))
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.append(0.0, discount.cumsum())
    for query_id, pairs in labels.groupby("query_id"):
        results = by_query.get(query_id, nothing)
        discounts = np.zeros((len(runs.systems), len(pairs)))
        documents = pd.Index(pairs["doc_id"]).get_indexer(results["doc_id"])
        discounts[results["system"], documents] = discount[results["rank"] - 1]
        missing = pairs["relevance"].isna().to_numpy()
        have = pairs["relevance"].to_numpy(float, na_value=0.0)[~missing].clip(0)
        without = discounts[:, missing]
        seen = without.any(axis=0)
        without = np.hstack([without[:, seen], without[:, ~seen][:, :k]])  # k are enough of those that nobody shows
        takers = (have[:, None] >= levels).sum(axis=0)[:, None] + np.arange(without.shape[1] + 1)
        place = runs.query_ids.index(query_id)
        yield Holes(place, discounts[:, ~missing] @ have, without, levels, ideal[takers.clip(max=k)], min(grades) > 0)


def _tried(sides: Sides, grades: Sequence[int]) -> Range:
    n_systems = len(sides.people)
    better = sides.people - sides.people.mean()  # than the average system, for the baseline
    sums = np.tile(sides.settled, (2 * (n_systems + 2), 1))
    for hole in sides.holes:
        shown = hole.discounts > 0
        high = np.vstack([np.zeros_like(shown[:1]), shown, better @ hole.discounts > 0])
        sums += hole.ndcg(np.where(np.vstack([high, ~high]), max(grades), min(grades)))
    found = taus(sums / sides.n_queries, sides.people[None]).clip(-1, 1)
    found = found[~np.isnan(found)]
    return Range(float(found.min()), float(found.max())) if len(found) else Range(np.nan, np.nan)


def _bounds(sides: Sides) -> Range:
    left, right = np.triu_indices(len(sides.people), 1)
    least = sides.settled[left] - sides.settled[right]
    most = least.copy()
    for hole in sides.holes:
        apart, weights = hole.labelled[left] - hole.labelled[right], hole.discounts[left] - hole.discounts[right]
        most += _most(apart, weights, hole)
        least -= _most(-apart, -weights, hole)
    order = np.sign(sides.people[left] - sides.people[right])
    return _of_orders(order, least / sides.n_queries, most / sides.n_queries)


def _most(apart: np.ndarray, weights: np.ndarray, hole: Holes) -> np.ndarray:
    """The most that (apart (P,) + weights (P, m) @ grades) / ideal DCG can be: shape (P,).

    By Dinkelbach (Management Science 1967): the most is where max(numerator - most * denominator) = 0. The best grades
    for a given `most` are found step by step: it is taken by those missing labels of the largest weights that pay.
    Where the most is negative, more labels may take a step than the one before it, which no grades do: then it is a
    bound that need not be reached.
    """
    sums = np.pad(np.cumsum(-np.sort(-weights, axis=1), axis=1), ((0, 0), (1, 0)))  # of the largest 0 to m weights
    rows, most = np.arange(len(sums)), np.full(len(sums), -1.0)
    for _ in range(ROUNDS):
        above, below = apart.copy(), np.zeros(len(sums))
        for number, (step, ideal) in enumerate(zip(hole.steps, hole.ideal, strict=True)):
            takers = (sums - most[:, None] * ideal).argmax(axis=1)
            if hole.sure and number == 0:
                takers[:] = weights.shape[1]
            above += step * sums[rows, takers]
            below += step * ideal[takers]
        better = np.divide(above, below, out=np.zeros_like(above), where=below > 0)  # nDCG is 0 if nothing is relevant
        if not (better > most + EXACT).any():
            break
        most = np.maximum(most, better)
    return most


def _of_orders(order: np.ndarray, least: np.ndarray, most: np.ndarray) -> Range:
    """tau_b where pairs of systems are in this `order` (P,) for the baseline, and differ by `least` to `most`.

    An open pair that the baseline orders moves tau_b further if it is right or wrong than if it is a tie. One that ties
    for the baseline counts in the denominator only, if it is no tie for the judge: it moves tau_b towards 0.
    """
    up, down, tie = least > CLOSE, most < -CLOSE, (least >= -CLOSE) & (most <= CLOSE)
    undecided = ~(up | down | tie)
    agreed = float((order * up).sum() - (order * down).sum())
    ordered, certain = (order != 0).sum(), (up | down).sum()
    free, idle = (undecided & (order != 0)).sum(), (undecided & (order == 0)).sum()

    def tau_b(agreed: float, towards_0: bool) -> float:
        there = (certain + free + idle * towards_0) * ordered
        return float(agreed / np.sqrt(there)) if there else np.nan

    lowest, highest = agreed - free, agreed + free
    return Range(tau_b(lowest, lowest > 0), tau_b(highest, highest < 0))
