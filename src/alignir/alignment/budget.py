"""Budget: how many queries, and so how many labels, does it take to put the systems in the order that all give?

Sides are values (S, Q) of the systems for every query; sizes are numbers of queries.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import taus, weighted_means
from alignir.alignment.selection import from_strata, greedy_order, highest, inclusion, systematic
from alignir.frames import BUDGET

STRATA = 4  # as conf/queries/stratified.yaml
OPTIMISTIC, HELD_OUT = "greedy", "greedy, other systems"


class Selection(NamedTuple):
    """Which queries are chosen at each of K sizes, and which systems are compared on them."""

    chosen: np.ndarray  # (K, Q) of bool
    systems: np.ndarray  # (S,) of bool


def selections(
    side: np.ndarray,
    pairs: np.ndarray,
    sizes: list[int],
    repetitions: int,
    rng: np.random.Generator,
    frequencies: np.ndarray | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> dict[str, list[Selection]]:
    """What each strategy of `queries` selects by a side (S, Q), the queries' judged pairs (Q,) and frequencies (Q,).

    `repetitions` of a random strategy, one of any other; `traffic` where there are frequencies, all above 0. `advance`
    is told of each repetition of what takes longest, the cross-validation.
    """
    n_queries, everyone = side.shape[1], np.ones(len(side), dtype=bool)
    difficulty = side.mean(axis=0)
    drawn: dict[str, Callable[[int], np.ndarray]] = {
        "random": lambda n: rng.choice(n_queries, n, replace=False),
        "stratified": lambda n: from_strata(difficulty, n, min(STRATA, n_queries), rng),
    }
    if frequencies is not None:
        drawn["traffic"] = lambda n: systematic(inclusion(frequencies, n), rng)
    found = {
        strategy: [Selection(_chosen([draw(n) for n in sizes], n_queries), everyone) for _ in range(repetitions)]
        for strategy, draw in drawn.items()
    }
    orders = {
        "most_judged": highest(pairs, n_queries),
        "discriminative": highest(side.var(axis=0), n_queries),
        OPTIMISTIC: _greedy(side, sizes),
    }
    found |= {
        strategy: [Selection(_chosen([order[:n] for n in sizes], n_queries), everyone)]
        for strategy, order in orders.items()
    }
    return found | {HELD_OUT: on_other_systems(side, sizes, repetitions, rng, advance)}


def on_other_systems(
    side: np.ndarray,
    sizes: list[int],
    repetitions: int,
    rng: np.random.Generator,
    advance: Callable[[int], None] = lambda done: None,
) -> list[Selection]:
    """Cross-validation of greedy selection: queries chosen with a random half of the systems, for the other half."""
    found = []
    for _ in range(repetitions):
        own = np.zeros(len(side), dtype=bool)
        own[rng.choice(len(side), len(side) // 2, replace=False)] = True
        order = _greedy(side[own], sizes)
        found.append(Selection(_chosen([order[:n] for n in sizes], side.shape[1]), ~own))
        advance(1)
    return found


def curve(selected: list[Selection], left: np.ndarray, right: np.ndarray, same: bool = False) -> np.ndarray:
    """tau_b of left's means over the chosen queries with right's over all, or with `same` over the same: (R, K).

    Where all queries are chosen it is the two sides' tau_b, to the last bit. NaN where either side ties all systems.
    """
    found = []
    for chosen, systems in selected:
        means = weighted_means(left[systems], chosen.astype(float))
        reference = chosen.astype(float) if same else np.ones((1, right.shape[1]))
        found.append(taus(means, weighted_means(right[systems], reference)))
    return np.array(found)


def rows(
    strategy: str, labels: str, selected: list[Selection], found: np.ndarray, pairs: np.ndarray, sizes: list[int]
) -> pd.DataFrame:
    """BUDGET of one strategy's curves (R, K): means over its repetitions, and where the middle 95% of them lie."""
    defined = pd.DataFrame(found)  # its statistics leave NaN out
    several = len(found) > 1
    table = {
        "strategy": strategy,
        "labels": labels,
        "n_queries": sizes,
        "pairs": np.mean([chosen @ pairs for chosen, _ in selected], axis=0),
        "tau_b": defined.mean().to_numpy(),
        "ci_low": defined.quantile(0.025).to_numpy() if several else np.nan,
        "ci_high": defined.quantile(0.975).to_numpy() if several else np.nan,
        "draws": len(found),
    }
    return pd.DataFrame(table)[BUDGET]


def enough(curve_rows: pd.DataFrame, tau: float, column: str = "tau_b") -> pd.Series | None:
    """The row of BUDGET with the fewest queries from which on the column stays at `tau` or above; None if none does."""
    curve_rows = curve_rows.sort_values("n_queries")
    below = np.flatnonzero(~(curve_rows[column] >= tau - 1e-9))  # a tau of 1 may come out as just below
    reached = curve_rows.iloc[below[-1] + 1 :] if len(below) else curve_rows
    return reached.iloc[0] if len(reached) else None


def _greedy(side: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Every query, best first as far as the largest size that is not all: the end needs no search."""
    n_queries = side.shape[1]
    best = greedy_order(side, max((n for n in sizes if n < n_queries), default=0))
    return np.concatenate([best, np.setdiff1d(np.arange(n_queries), best)])


def _chosen(selected: list[np.ndarray], n_queries: int) -> np.ndarray:
    """Indices of the queries chosen at each size, as (K, Q) of bool."""
    chosen = np.zeros((len(selected), n_queries), dtype=bool)
    for row, indices in zip(chosen, selected, strict=True):
        row[indices] = True
    return chosen
