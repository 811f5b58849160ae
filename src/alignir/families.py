"""Families: does a judge favour systems that are built on its own kind of model?"""

from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd

from alignir import trec
from alignir.alignment import tau_b
from alignir.bootstrap import matrices, tau_interval
from alignir.errors import InputError
from alignir.scores import NDCG, means


def of_family(family: str | None, systems: list[str], families: dict[str, str] | str | None) -> list[str]:
    """The systems of a family; none where the judge has no family or nothing is known of the systems.

    `families` gives the family of name patterns (`*`, `?`; the first that matches, in any case), or is a tab-separated
    file with the columns system and family.
    """
    if not family or not families:
        return []
    if isinstance(families, dict):
        known = {
            system: next((kin for pattern, kin in families.items() if fnmatchcase(system.lower(), pattern.lower())), "")
            for system in systems
        }
    else:
        known = _read(trec.existing(families, "file of systems' families (families=FILE)"))
    return [system for system in systems if known.get(system) == family]


def _read(path: Path) -> dict[str, str]:
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a tab-separated table: {error}") from error
    if not {"system", "family"} <= set(table.columns):
        raise InputError(f"{path}: expected columns system and family, found {', '.join(table.columns)}")
    return dict(zip(table["system"], table["family"], strict=True))


def without(
    own: list[str], scores: pd.DataFrame, baseline: pd.DataFrame, rng: np.random.Generator, B: int = 1000
) -> dict[str, float]:
    """Alignment of nDCG@10 between two SCORES with all systems, and without a judge's `own`.

    left_out: the number of its own systems; tau_all; tau_b of the others with its ci_low and ci_high (95%, from B
    bootstrap resamples of the queries, see bootstrap.tau_interval); moved: 1 where tau_all lies outside of that
    interval, 0 where it lies inside, NaN where any of these is undefined.
    """
    sides = [side[side["measure"] == NDCG] for side in (scores, baseline)]
    others = [side[~side["system"].isin(own)] for side in sides]
    tau_all, tau = (tau_b(*(means(side)[NDCG] for side in both))[0] for both in (sides, others))
    left, right, _, _ = matrices(*others)
    low, high = tau_interval(left, right, rng, B)
    beyond = max(low - tau_all, tau_all - high)
    moved = np.nan if np.isnan(beyond) else beyond > 1e-12  # scipy's tau of equal orders can be 1 - 1e-16
    found = {"left_out": len(own), "tau_all": tau_all, "tau_b": tau, "ci_low": low, "ci_high": high, "moved": moved}
    return {name: float(value) for name, value in found.items()}
