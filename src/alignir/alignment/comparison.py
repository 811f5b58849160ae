"""Comparison: which of two judges orders the systems more like the reference, and which are worse than the best?

Judges and references are arrays (systems, queries) with the same rows and columns, NaN where there is no value; a
reference may have one column, one value a system for all queries together.
"""

from collections.abc import Container, Hashable, Iterable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import NONE, Resampling, joint_taus, middle, resampled_taus
from alignir.alignment.significance import ALPHA, holm

ROOM, LEAST_ROOM = 10, 2  # how many times below ALPHA the smallest p-value is that Holm's correction can give
MANY = 20_000  # resamples, beyond which LEAST_ROOM is enough: they take seconds

PAIRS = ["reference", "left", "right", "tau_left", "tau_right", "difference", "ci_low", "ci_high", "p_value", "p_holm"]
TO_BEST = ["reference", "judge", "best", "tau", "tau_best", "difference", "ci_low", "ci_high", "p_value", "p_holm"]

Sides = Mapping[Any, np.ndarray]
Triple = tuple[Hashable, Hashable, Hashable]  # reference, judge, other judge
Both = tuple[np.ndarray, np.ndarray]


def enough(resampling: Resampling, comparisons: int) -> Resampling:
    """The resampling with so many resamples that Holm's correction of so many comparisons can find something.

    A p-value is never below 1 / (1 + B), and Holm multiplies the smallest of m by m: with 1,000 resamples nothing can
    be significant among 55. So B is at least m ROOM / ALPHA = 200 m, or, where that is MANY, what LEAST_ROOM asks for,
    40 m. B stays as it is for a single comparison, which nothing corrects, and where it is 0.
    """
    if comparisons < 2 or not resampling.B:
        return resampling
    least, most = (round(comparisons * room / ALPHA) for room in (LEAST_ROOM, ROOM))
    return resampling._replace(B=max(resampling.B, min(most, max(least, MANY))))


def pairs_of(judges: int) -> int:
    return judges * (judges - 1) // 2


def compare(judges: Sides, references: Sides, resampling: Resampling) -> pd.DataFrame:
    """Which of two judges orders the systems more like a reference? One row for each reference and pair of judges.

    reference, left, right, tau_left, tau_right (tau_b with the reference), difference = tau_left - tau_right = d,
    ci_low, ci_high, p_value, p_holm. All are resampled together, by the same draws of queries (or of systems), which
    gives differences d*; B is `enough` for all pairs of a reference:

        p_value = (1 + number of |d* - d| >= |d|) / (1 + number of d*)     two-sided, never 0
        ci      = d +- the 95% quantile of |d* - d|                        symmetric, Hall, JRSS B 1988
                  the middle 95% of d*                                     percentile

    p_holm is Holm's over all pairs of a reference. A pair is compared on the queries that both judges and the reference
    know. The test is on the safe side, since resampling adds noise to means that are noisy: of 300 pairs of synthetic
    judges in each of 16 settings (30 systems, 43 and 200 queries), 0 to 1% had p <= .05 where the judges had the same
    means, 0 to 4% where they had the same tau with the reference. Noise costs a good judge more tau than a bad one, so
    d is too small where judges differ much: of 200 intervals, 91 to 97% held a true difference of 0 to .2, 62 to 86%
    one of .4.
    NaN where a tau is undefined, where there is one query only, and without resamples.
    """
    triples = [(reference, *pair) for reference in references for pair in combinations(judges, 2)]
    return _corrected(_differences(judges, references, triples, enough(resampling, pairs_of(len(judges)))))


def against_one(judges: Sides, one: Hashable, references: Sides, resampling: Resampling) -> pd.DataFrame:
    """Each judge beside `one` of them, which is `right`: PAIRS as in `compare`, with Holm's over all of these rows."""
    triples = [(reference, judge, one) for reference in references for judge in judges if judge != one]
    found = _differences(judges, references, triples, enough(resampling, len(triples)))
    return found.assign(p_holm=holm(found["p_value"].to_numpy()))


def _differences(judges: Sides, references: Sides, triples: list[Triple], resampling: Resampling) -> pd.DataFrame:
    """PAIRS without p_holm of these triples."""
    rows = []
    for triple, (left, right) in paired_taus(judges, references, triples, resampling).items():
        difference = left[0] - right[0]
        ends_and_p = certainty(difference, left[1:] - right[1:], resampling.method)
        rows.append((*triple, left[0], right[0], difference, *ends_and_p))
    return pd.DataFrame(rows, columns=PAIRS[:-1])


def together(judges: Sides, reference: np.ndarray, resampling: Resampling) -> np.ndarray:
    """Every judge's taus with a reference on the queries that all of them know, by the same draws: (J, 1 + B)."""
    queries = _known(reference, *judges.values())
    sides = [judge[:, queries] for judge in judges.values()]
    return joint_taus(sides, [_of(reference, queries)], resampling.rng(), resampling.B, resampling.over)[:, 0]


def against_best(
    judges: Sides, references: Sides, resampling: Resampling, lower_is_better: Container[Hashable] = ()
) -> pd.DataFrame:
    """Which judges order the systems less like a reference than the best judge does? A row a reference and judge.

    The best has the highest tau_b (the lowest, for a reference that is better when it is lower; of several the first)
    and no row of its own. reference, judge, best, tau, tau_best, difference = tau - tau_best, ci_low,
    ci_high and p_value as in `compare`, and p_holm: Holm's over these J - 1 comparisons only. Other pairs of judges
    say nothing about who is worse than the best, and correcting for them too would erase differences that are there.

    The best is chosen by the same data that it is compared on, so it may look better than it is, and the p-values do
    not know that it was chosen. That they are on the safe side (see `compare`) makes up for some of it. Measured with
    equally good judges, J = 2, 3 and 11 (30 systems, 43 and 200 queries, 200 samples in each of 16 settings):

        judges beside the best with p_holm <= .05       0 to 7% (J = 2), 0 to 4% (J = 3), 0 to 2% (J = 11)
        samples with any such judge, same true means    0 to 2% for every J
        same tau, errors on different systems           1 to 7% (J = 2 and 3), 2 to 11% (J = 11)
    """
    best = _best(judges, references, lower_is_better)
    triples = [
        (reference, judge, best[reference]) for reference in best for judge in judges if judge != best[reference]
    ]
    found = _differences(judges, references, triples, enough(resampling, len(judges) - 1))
    return _corrected(found.set_axis(TO_BEST[:-1], axis=1))


def certainty(
    difference: float, resampled: np.ndarray, method: str = "symmetric", level: float = 0.95
) -> tuple[float, float, float]:
    """(ci_low, ci_high, p_value) of a difference from its resampled ones, as in `compare`.

    NaN where the difference is, or where no resampled one is a number.
    """
    resampled = resampled[~np.isnan(resampled)]
    if np.isnan(difference) or len(resampled) == 0:
        return np.nan, np.nan, np.nan
    moved = np.abs(resampled - difference)
    # equal differences come out of different sums: 1e-12 keeps them equal
    p_value = (1 + np.count_nonzero(moved >= abs(difference) - 1e-12)) / (1 + len(moved))
    if method == "percentile":
        return *middle(resampled, level), p_value
    reach = np.quantile(moved, level)
    return float(difference - reach), float(difference + reach), p_value


class Change(NamedTuple):
    """tau_b before and after, their difference = after - before, and its 95% interval; NaN without resamples."""

    before: float
    after: float
    difference: float
    ci_low: float
    ci_high: float


def change(before: Both, after: Both, resampling: Resampling) -> Change:
    """What changed sides do to tau_b, of the two sides (S, Q) each time, by the same resamples."""
    first, second = (
        resampled_taus(*sides, resampling.rng(), resampling.B, resampling.over) for sides in (before, after)
    )
    difference = second[0] - first[0]
    low, high, _ = certainty(difference, second[1:] - first[1:], resampling.method)
    return Change(*map(float, (first[0], second[0], difference, low, high)))


def _corrected(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with p_holm: Holm's correction over all rows of a reference."""
    return table.assign(
        p_holm=table.groupby("reference", sort=False)["p_value"].transform(lambda p: holm(p.to_numpy()))
    )


def _best(judges: Sides, references: Sides, lower_is_better: Container[Hashable]) -> dict[Hashable, Hashable]:
    """The judge with the best tau_b by reference, on the queries that both know; none where no judge has a tau."""
    own = [(reference, judge, judge) for reference in references for judge in judges]
    best: dict[Hashable, tuple[float, Hashable]] = {}
    for (reference, judge, _), (taus, _) in paired_taus(judges, references, own, NONE).items():
        tau = -taus[0] if reference in lower_is_better else taus[0]
        if tau == tau and (reference not in best or tau > best[reference][0]):
            best[reference] = (tau, judge)
    return {reference: judge for reference, (_, judge) in best.items()}


def paired_taus(
    judges: Sides, references: Sides, triples: Iterable[Triple], resampling: Resampling
) -> dict[Triple, Both]:
    """For each (reference, judge, other judge) both judges' taus with the reference: the sample's, then B resamples'.

    Each on the queries that all three know. Where these are the same for all, as they mostly are, all are resampled at
    once.
    """
    alike: dict[bytes, list[Triple]] = {}
    for triple in triples:
        reference, *pair = triple
        known = _known(references[reference], *(judges[judge] for judge in pair))
        alike.setdefault(known.tobytes(), []).append(triple)
    found = {}
    for same, those in alike.items():
        queries = np.frombuffer(same, dtype=bool)
        rows = {judge: row for row, judge in enumerate(dict.fromkeys(name for triple in those for name in triple[1:]))}
        columns = {reference: place for place, reference in enumerate(dict.fromkeys(triple[0] for triple in those))}
        sides = [judges[judge][:, queries] for judge in rows]
        others = [_of(references[reference], queries) for reference in columns]
        taus = joint_taus(sides, others, resampling.rng(), resampling.B, resampling.over)
        for reference, one, other in those:
            found[reference, one, other] = taus[rows[one], columns[reference]], taus[rows[other], columns[reference]]
    return {triple: found[triple] for triple in triples}


def _known(reference: np.ndarray, *judges: np.ndarray) -> np.ndarray:
    """The queries (Q,) for which each of them has a value of some system; a reference of one column knows them all."""
    sides = (*judges, reference) if reference.shape[1] == judges[0].shape[1] else judges
    return np.logical_and.reduce([~np.isnan(side).all(axis=0) for side in sides])


def _of(reference: np.ndarray, queries: np.ndarray) -> np.ndarray:
    return reference[:, queries] if reference.shape[1] == len(queries) else reference
