"""Selection: which queries tell most of the order of systems: arrays in, indices out."""

import numpy as np

from alignir.alignment.bootstrap import taus


def highest(values: np.ndarray, n: int) -> np.ndarray:
    """Indices of the `n` highest values; of a tie the first."""
    return np.argsort(-values, kind="stable")[:n]


def greedy_order(values: np.ndarray, n: int) -> np.ndarray:
    """The first `n` queries of forward selection from values (S, Q): indices, best first.

    Each step takes the query whose addition gives the highest tau_b between the means over the chosen queries and over
    all; of a tie the first index. A selection that ties all systems has no tau_b and comes last.
    """
    full, total = values.mean(axis=1)[None], np.zeros(len(values))
    chosen: list[int] = []
    left = np.arange(values.shape[1])
    while len(chosen) < n:
        found = taus((total + values[:, left].T) / (len(chosen) + 1), full)
        best = np.argmax(np.nan_to_num(found, nan=-np.inf))
        chosen.append(left[best])
        total = total + values[:, left[best]]
        left = np.delete(left, best)
    return np.array(chosen, dtype=int)


def inclusion(sizes: np.ndarray, n: int) -> np.ndarray:
    """Probabilities (Q,) proportional to sizes (Q,) that sum to n and are 1 at most.

    What would be above 1 is 1, and the rest is shared among the others, again in proportion to size.
    """
    sizes = np.asarray(sizes, dtype=float)
    certain = np.zeros(len(sizes), dtype=bool)
    while True:
        shares = np.where(certain, 0, sizes)
        found = np.where(certain, 1.0, (n - certain.sum()) * shares / max(shares.sum(), np.finfo(float).tiny))
        if (found <= 1).all():
            return found
        certain |= found > 1


def systematic(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices drawn without replacement, each with its probability; as many as the probabilities' sum, a whole number.

    They are laid end to end in random order; one point in each unit of length, all at the same random offset, draws.
    """
    order = rng.permutation(len(probabilities))
    ends = np.cumsum(probabilities[order])
    n = round(ends[-1])
    ends[-1] = n  # the sum of the floats may be just below
    return order[np.searchsorted(ends, np.arange(n) + rng.random(), side="right")]


def from_strata(values: np.ndarray, n: int, strata: int, rng: np.random.Generator) -> np.ndarray:
    """`n` indices of values (Q,), each with probability n / Q: the same share, to one, of each stratum.

    Strata are runs of equally many values (to one) in rising order; those that give one more are drawn.
    """
    groups = np.array_split(np.argsort(values, kind="stable"), strata)
    shares = np.array([n * len(group) / len(values) for group in groups])
    sizes = np.floor(shares + 1e-9).astype(int)  # a whole number may come out as just below
    sizes[systematic((shares - sizes).clip(min=0), rng)] += 1
    return np.concatenate([rng.choice(group, size, replace=False) for group, size in zip(groups, sizes, strict=True)])
