"""Query selection: which of a dataset's queries the systems are compared on."""

import numpy as np

from alignir.datasets import Dataset
from alignir.errors import InputError


def everything(dataset: Dataset) -> list[str]:
    """Every query that has a judged pair."""
    return list(dataset.queries.index)


def random(dataset: Dataset, n: int, seed: int) -> list[str]:
    """`n` queries drawn without replacement; the same ones for the same seed, whatever the file's order."""
    names = np.sort(dataset.queries.index.to_numpy(dtype=str))
    if not 1 <= n <= len(names):
        raise InputError(f"queries.n={n}: expected 1 to {len(names)}, the queries of {dataset.name}")
    return [str(name) for name in np.random.default_rng(seed).choice(names, size=n, replace=False)]
