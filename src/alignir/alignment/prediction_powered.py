"""Prediction-powered estimates: each system's mean from a model's labels of all queries and human labels of a few.

A model's labels alone are biased; human labels of a few queries alone are noisy. Those of a random sample of queries
measure the model's bias, which is taken off its mean over all queries (Angelopoulos et al., Prediction-powered
inference, Science 2023; in surveys of finite populations the difference estimator, Cochran, Sampling Techniques).

What is sampled are queries, each with all its judged pairs. nDCG divides by the ideal ranking, which takes every label
of a query, so that no sample of its pairs gives an unbiased value. Of a measure that is linear in the grades (P_10, or
DCG without its ideal) pairs could be sampled, each weighed by 1 / P(sampled) (Horvitz and Thompson, JASA 1952).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import taus
from alignir.errors import InputError
from alignir.frames import HUMAN

MODEL, PEOPLE, BOTH, BOTH_TUNED = "model only", "human only", "both", "both, tuned"
POWERS: dict[str, float | str] = {PEOPLE: 0.0, BOTH: 1.0, BOTH_TUNED: "tuned"}


class Estimates(NamedTuple):
    """Of the systems' means (S,), with the ends of their confidence intervals; NaN where undefined."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def estimate(
    human: np.ndarray, model: np.ndarray, level: float = 0.95, power: float | str = 1.0, of_these: bool = True
) -> Estimates:
    """The systems' means under human labels, from human (S, Q) and a model's values (S, Q) of the same queries.

    A query that people did not judge is NaN in human, for all systems; those n that they judged must be a simple random
    sample of the N = Q. With D = human - power * model on the sample:

        value = power * mean_N(model) + mean_n(D)
        variance = (1 - n / N) s_D^2 / n               of the mean over these N queries
        variance = (1 - n / N) s_D^2 / n + s_H^2 / N   of that over all queries like them (`of_these=False`), s_H: human
        low, high = value -+ t_{n-1} sqrt(variance)

    Unbiased for every power that the sample did not choose: 1 is prediction-powered, 0 human labels alone. "tuned"
    chooses (as PPI++, Angelopoulos, Duchi and Zrnic, 2023) the one power that leaves least variance in what the order
    hangs on, the differences between systems: a model that is no help gets a power near 0. That is biased by the order
    of 1 / n.

    Intervals are NaN for one query. Values are not cut at 0 and 1, which would bias them.
    """
    from scipy.stats import t as student

    sampled = ~np.isnan(human).all(axis=0)
    n, n_queries = np.count_nonzero(sampled), human.shape[1]
    if np.isnan(model).any() or np.isnan(human[:, sampled]).any():
        raise InputError("expected a value of the model for every query, and human values of all systems or of none")
    if n == 0:
        raise InputError("expected a query with human labels, found none")
    if power == "tuned":
        power = tuned(human[:, sampled], model[:, sampled])
    difference = human[:, sampled] - power * model[:, sampled]
    value = power * model.mean(axis=1) + difference.mean(axis=1)
    if n == 1:
        return Estimates(value, *np.full((2, len(value)), np.nan))
    variance = (1 - n / n_queries) * difference.var(axis=1, ddof=1) / n
    if not of_these:
        variance += human[:, sampled].var(axis=1, ddof=1) / n_queries
    reach = student.ppf((1 + level) / 2, n - 1) * np.sqrt(variance)
    return Estimates(value, value - reach, value + reach)


def model_only(model: np.ndarray, level: float = 0.95) -> Estimates:
    """The systems' means of a model's values (S, Q) as if its labels were right: mean_N +- t_{N-1} s / sqrt(N).

    The interval is the one that would be reported, of all queries like these: it knows nothing of the model's bias.
    """
    return estimate(model, np.zeros_like(model), level, 0.0, of_these=False)


def tuned(human: np.ndarray, model: np.ndarray) -> float:
    """The power for human and model values (S, n) of a sample: the slope of human on the model's, both less the means
    of their query and of their system; one for all systems. 1 where the sample cannot tell.
    """
    human, model = (
        side - side.mean(axis=0) - side.mean(axis=1, keepdims=True) + side.mean() for side in (human, model)
    )
    spread = (model**2).sum()
    return float((human * model).sum() / spread) if spread > 1e-12 else 1.0


def trials(
    human: np.ndarray, model: np.ndarray, pairs: np.ndarray, labels: int, repetitions: int, rng: np.random.Generator
) -> pd.DataFrame:
    """HUMAN: how near each way would have come to the means of all human values (S, Q), over random samples.

    `labels` human labels are spent on whole queries, with `pairs` (Q,) to judge: on as many queries as the labels
    suffice for on average. To choose queries until the labels are used up would favour queries with few pairs. Where
    they suffice for none, only the model alone has values.
    """
    n_queries = human.shape[1]
    n = min(n_queries, int(labels / pairs.mean() + 1e-9))  # a whole number may come out as just below
    found: dict[str, list[Estimates]] = {way: [] for way in POWERS}
    spent = []
    for _ in range(repetitions if n else 0):
        sampled = rng.choice(n_queries, n, replace=False)
        seen = np.full(human.shape, np.nan)
        seen[:, sampled] = human[:, sampled]
        spent.append(pairs[sampled].sum())
        for way, power in POWERS.items():
            found[way].append(estimate(seen, model, power=power))
    truth = human.mean(axis=1)
    nothing = Estimates(*np.full((3, len(human)), np.nan))
    rows = [{"way": MODEL, "n_queries": 0, "pairs": 0.0, **_against(truth, [model_only(model)])}]
    for way, estimates in found.items():
        pairs_spent = np.mean(spent) if n else np.nan
        rows.append({"way": way, "n_queries": n, "pairs": pairs_spent, **_against(truth, estimates or [nothing])})
    return pd.DataFrame(rows).assign(labels=labels)[HUMAN]


def _against(truth: np.ndarray, estimates: list[Estimates]) -> dict[str, float]:
    """How near several estimates come to the true means (S,)."""
    value, low, high = (np.array(each) for each in zip(*estimates, strict=True))
    undefined = np.isnan(low)
    holds = (low <= truth + 1e-12) & (truth <= high + 1e-12)  # an interval of width 0 is off by rounding
    orders = pd.Series(taus(value, truth[None])).dropna()
    return {
        "bias": (value - truth).mean(),
        "error": np.sqrt(((value - truth) ** 2).mean()),
        "width": (high - low).mean(),
        "coverage": np.nan if undefined.any() else holds.mean(),
        "tau_b": orders.mean(),
        "ci_low": orders.quantile(0.025),
        "ci_high": orders.quantile(0.975),
        "draws": len(estimates),
    }
