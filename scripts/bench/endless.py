"""Trials of the tau of endless queries: point estimates and 95% intervals that are not in alignir, as they do not hold.

`coverage.py` measures them. Sides left and right are (S, Q), without NaN. The systems' means are the true ones and
noise, whose covariance the queries show; what differs is what is assumed of the true means.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from alignir.alignment.bootstrap import taus

TAIL = 0.025
FAR = 3.5  # robust standard deviations from the median, beyond which a system has no part in the model
GROUPS = 10  # of queries, each left out once
NODES = (np.arange(8) + 0.5) / 8
Z = 1.96


class Answer(NamedTuple):
    low: float
    high: float
    estimate: float


def basic(resampled: np.ndarray) -> Answer:
    """Of taus (1 + B,): the percentile interval mirrored at the sample's, on Greiner's scale sin(pi tau / 2)."""
    z = np.sin(np.pi / 2 * resampled)
    low, high = 2 / np.pi * np.arcsin(np.clip(2 * z[0] - np.nanquantile(z[1:], [1 - TAIL, TAIL]), -1, 1))
    return Answer(low, high, resampled[0])


def posterior(left: np.ndarray, right: np.ndarray, rng: np.random.Generator, draws: int = 16, each: int = 25) -> Answer:
    """Empirical Bayes: right_i ~ t_6(scale v), left_i = b right_i + e_i, e_i ~ t_6(scale s), noise N(0, C / Q).

    b, v and the weights of the t distributions are at the maximum of the likelihood (EM); s has a flat prior and is
    drawn from its posterior, with v, and with C from a Bayesian bootstrap of the queries, each C shrunk by Ledoit and
    Wolf (JMVA 2004) towards one 2x2 covariance for all systems. Systems FAR from the others are held at their means.
    """
    values = np.stack([left, right])
    means = values.mean(axis=2)
    off = np.abs(means - np.median(means, axis=1, keepdims=True))
    kept = (off <= FAR * 1.4826 * np.median(off, axis=1, keepdims=True)).all(axis=0)
    values = values - values[:, kept].mean(axis=1, keepdims=True)
    means = values.mean(axis=2)
    of_kept, residuals = means[:, kept].ravel(), (values - means[:, :, None])[:, kept]
    S, n_queries = kept.sum(), left.shape[1]
    b, v, weights_right, weights_error = _em(of_kept, _shrunk(residuals))
    at = np.arange(S)
    steps = (np.linspace(0.01, 1.2, 50) * of_kept[:S].std()) ** 2
    found = np.tile(means, (draws * each, 1, 1))
    for draw in range(draws):
        noise = _shrunk(residuals * np.sqrt(rng.dirichlet(np.ones(n_queries)) * n_queries))
        prior = _prior(b, v * S / rng.chisquare(S) / weights_right, np.zeros(S))
        total = prior + noise
        slope = np.linalg.solve(total[S:, S:], total[S:, :S])
        h = np.sqrt(weights_error)
        eigen, vectors = np.linalg.eigh(h[:, None] * (total[:S, :S] - total[:S, S:] @ slope) * h)
        along = (vectors.T @ (h * (of_kept[:S] - slope.T @ of_kept[S:]))) ** 2
        spread = eigen + steps[:, None]
        likelihood = -0.5 * (np.log(spread) + along / spread).sum(axis=1)
        chances = np.exp(likelihood - likelihood.max())
        prior[at, at] += rng.choice(steps, p=chances / chances.sum()) / weights_error
        drawn = _given(of_kept, prior, noise, rng, each)
        found[draw * each : (draw + 1) * each][:, :, kept] = drawn.reshape(each, 2, S)
    return _of(taus(found[:, 0], found[:, 1]), TAIL)


def known(
    left: np.ndarray, right: np.ndarray, rng: np.random.Generator, prior: np.ndarray, noise: np.ndarray
) -> Answer:
    """What nobody can know: the 93% interval of who knows the prior (2, 2) of true means about .45 and the noise's C.

    By construction it holds in .93 of the populations; hardly any interval that does can be shorter on average (Pratt,
    JASA 1961).
    """
    S = len(left)
    means = np.r_[left.mean(axis=1), right.mean(axis=1)] - 0.45
    drawn = _given(means, np.kron(prior, np.eye(S)), noise / left.shape[1], rng, 400)
    return _of(taus(drawn[:, :S], drawn[:, S:]), 0.035)


def pairs(left: np.ndarray, right: np.ndarray, scales: tuple[float, ...] = (0.2, 1.0)) -> Answer:
    """tau = mean over pairs of systems of E[sign(left difference) sign(right difference)], with a jackknife interval.

    True differences of a pair come from a mixture of two normal distributions N(0, L_k), fitted to all pairs by EM as
    if they were independent; each pair's noise is its own 2x2 covariance. Interval: estimate +- 1.96 jackknife standard
    errors over GROUPS of queries, on the scale arctanh(sin(pi tau / 2)).
    """
    n_queries = left.shape[1]
    everything = _differences(left, right, np.ones((1, n_queries)))
    moment = (everything[0][:, :, :, None] * everything[0][:, :, None, :]).mean(axis=1)[0]
    start = np.stack([scale * moment[[0, 0, 1], [0, 1, 1]] for scale in scales])[None]
    fitted = _mixture(*everything, start, np.full((1, len(scales)), 1 / len(scales)), 40)
    without = (np.arange(n_queries) * GROUPS // n_queries != np.arange(GROUPS)[:, None]).astype(float)
    others = _differences(left, right, without)
    again = _mixture(*others, *(np.repeat(each, GROUPS, axis=0) for each in fitted), 8)
    found = np.r_[_agreement(*everything, *fitted), _agreement(*others, *again)]
    z = np.arctanh(np.clip(np.sin(np.pi / 2 * found), -0.9999, 0.9999))
    error = np.sqrt((GROUPS - 1) * z[1:].var())
    low, high = 2 / np.pi * np.arcsin(np.tanh([z[0] - Z * error, z[0] + Z * error]))
    return Answer(low, high, found[0])


def hull(one: Answer, other: Answer) -> Answer:
    """The shortest interval that holds both, with the estimate of the first."""
    return Answer(min(one.low, other.low), max(one.high, other.high), one.estimate)


def _of(found: np.ndarray, tail: float) -> Answer:
    return Answer(*np.quantile(found, [tail, 1 - tail]), found.mean())


def _given(means: np.ndarray, prior: np.ndarray, noise: np.ndarray, rng: np.random.Generator, n: int) -> np.ndarray:
    """Draws (n, 2S) of normal true means with this prior covariance, given the sample's with this noise."""
    gain = np.linalg.solve(prior + noise, prior).T
    covariance = prior - gain @ prior
    eigen, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    half = vectors * np.sqrt(np.clip(eigen, 0, None))
    return gain @ means + rng.normal(size=(n, len(means))) @ half.T


def _shrunk(residuals: np.ndarray) -> np.ndarray:
    """The covariance (2S, 2S) of the means of residuals (2, S, Q), shrunk."""
    _, S, n_queries = residuals.shape
    flat = residuals.reshape(2 * S, n_queries)
    sample = flat @ flat.T / (n_queries - 1)
    target = np.kron(np.einsum("asq,bsq->ab", residuals, residuals) / (n_queries - 1) / (S - 1), np.eye(S))
    variance = ((flat**2) @ (flat**2).T / n_queries - (flat @ flat.T / n_queries) ** 2).sum() / n_queries
    share = np.clip(variance / ((sample - target) ** 2).sum(), 0, 1)
    return ((1 - share) * sample + share * target) / n_queries


def _prior(b: float, of_right: np.ndarray, of_error: np.ndarray) -> np.ndarray:
    """The covariance (2S, 2S) of left = b right + error and right, from variances (S,) of right and error."""
    shared = np.diag(b * of_right)
    return np.block([[np.diag(b * b * of_right + of_error), shared], [shared, np.diag(of_right)]])


def _em(means: np.ndarray, noise: np.ndarray, nu: float = 6.0) -> tuple[float, float, np.ndarray, np.ndarray]:
    """b, v and the weights (S,) of right and error, from 25 steps of EM; a variance is scale / weight."""
    S = len(means) // 2
    of_left, of_right = means[:S].var(), means[S:].var()
    v, s = 0.4 * of_right, 0.2 * of_left
    b, weights_right, weights_error = np.sqrt(of_left / of_right), np.ones(S), np.ones(S)
    at = np.arange(S)
    for _ in range(25):
        prior = _prior(b, v / weights_right, s / weights_error)
        gain = np.linalg.solve(prior + noise, prior).T
        estimate, covariance = gain @ means, prior - gain @ prior
        moments = np.outer(estimate, estimate) + covariance
        ll, lr, rr = moments[at, at], moments[at, S + at], moments[S + at, S + at]
        b = (weights_error * lr).sum() / (weights_error * rr).sum()
        errors = ll - 2 * b * lr + b * b * rr
        s, v = (weights_error * errors).sum() / (S - 2), (weights_right * rr).sum() / (S - 1)
        weights_right, weights_error = (nu + 1) / (nu + rr / v), (nu + 1) / (nu + errors / s)
    return b, v, weights_right, weights_error


def _differences(left: np.ndarray, right: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For weights (G, Q) of 0, 1: differences (G, P, 2) of all pairs' means; their noise (G, P, 3): var, cov, var."""
    S, both = len(left), np.vstack([left, right])
    one, other = np.triu_indices(S, 1)
    n = weights.sum(axis=1)
    means = weights @ both.T / n[:, None]
    off = both - means[:, :, None]
    noise = (off * weights[:, None]) @ off.transpose(0, 2, 1) / (n * (n - 1))[:, None, None]

    def of_pairs(a: int, b: int) -> np.ndarray:
        i, j = one, other
        return noise[:, a + i, b + i] + noise[:, a + j, b + j] - noise[:, a + i, b + j] - noise[:, a + j, b + i]

    differences = np.stack([means[:, one] - means[:, other], means[:, S + one] - means[:, S + other]], axis=-1)
    return differences, np.stack([of_pairs(0, 0), of_pairs(0, S), of_pairs(S, S)], axis=-1)


def _components(differences: np.ndarray, noise: np.ndarray, L: np.ndarray, shares: np.ndarray) -> tuple:
    """Each component's (G, K, P) chance; means (left, right) and covariance (var, cov, var) of the true difference."""
    a, b = differences[:, None, :, 0], differences[:, None, :, 1]
    l1, l2, l3 = (L[:, :, None, part] for part in range(3))
    m1, m2, m3 = (L[:, :, None, part] + noise[:, None, :, part] for part in range(3))
    determinant = m1 * m3 - m2 * m2
    u, w = (m3 * a - m2 * b) / determinant, (m1 * b - m2 * a) / determinant
    log = np.log(shares)[:, :, None] - 0.5 * (np.log(determinant) + u * a + w * b)
    chances = np.exp(log - log.max(axis=1, keepdims=True))
    g11, g12 = (l1 * m3 - l2 * m2) / determinant, (l2 * m1 - l1 * m2) / determinant  # the gain L (L + noise)^-1
    g21, g22 = (l2 * m3 - l3 * m2) / determinant, (l3 * m1 - l2 * m2) / determinant
    covariance = l1 - g11 * l1 - g12 * l2, l2 - g11 * l2 - g12 * l3, l3 - g21 * l2 - g22 * l3
    return chances / chances.sum(axis=1, keepdims=True), l1 * u + l2 * w, l2 * u + l3 * w, *covariance


def _mixture(
    differences: np.ndarray, noise: np.ndarray, L: np.ndarray, shares: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """L (G, K, 3) and shares (G, K) after so many steps of EM."""
    for _ in range(steps):
        chances, a, b, v1, v2, v3 = _components(differences, noise, L, shares)
        total = chances.sum(axis=2)
        shares = (total + 1) / (total + 1).sum(axis=1, keepdims=True)
        moments = (a * a + v1, a * b + v2, b * b + v3)
        L = np.stack([(chances * moment).sum(axis=2) for moment in moments], axis=-1) / (total[:, :, None] + 1e-9)
        L = L + np.array([1e-8, 0, 1e-8])
    return L, shares


def _agreement(differences: np.ndarray, noise: np.ndarray, L: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(G,) mean over pairs of E[sign left sign right]: quantiles of right on either side of 0, left given right."""
    chances, a, b, v1, v2, v3 = _components(differences, noise, L, shares)
    v3 = np.maximum(v3, 1e-12)
    above, left_given_right = ndtr(b / np.sqrt(v3)), np.sqrt(np.maximum(v1 - v2 * v2 / v3, 1e-14))
    found = np.zeros_like(a)
    for node in NODES:
        for sign, chance, at in ((1, above, 1 - above + node * above), (-1, 1 - above, node * (1 - above))):
            right = ndtri(np.clip(at, 1e-12, 1 - 1e-12))  # in standard deviations from its mean
            left = a + v2 / np.sqrt(v3) * right
            found += sign * chance * (2 * ndtr(left / left_given_right) - 1) / len(NODES)
    return (chances * found).sum(axis=1).mean(axis=1)
