"""How often do 95% intervals of tau hold the tau of the population that the queries come from, and how wide are they?

    python scripts/bench/coverage.py --samples 150
    python scripts/bench/coverage.py --data DIR       # also populations with the moments of TREC DL 2019 under judges

A synthetic system has a true quality (standard deviation .09) and a judge its errors on systems (`judge`); queries add
noise to both sides, correlated by `correlation`. With --data (trec_dl_2019's form, with llm_labels/JUDGE.qrels.gz),
queries are drawn from a normal distribution with the means and covariances of the systems' nDCG@10 under the baseline
labels and under the judge's. symmetric and percentile are alignir's, the others those of `endless.py`. Printed of each
method in each setting: share of intervals that hold the truth (mean width as a share of symmetric's, root mean square
error of the estimate); of symmetric the width itself and the error of the sample's tau. Last a table of all settings.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import endless
import numpy as np
import pandas as pd

from alignir.alignment import bootstrap

JUDGES = (
    "umbrela_gpt4_zeroshot",
    "baseline3210_llama3-8b",
    "sun_decomposed_flant5-large",
    "genquery_similarity_llama3-8b",
)
HELD, NARROW = 0.93, 0.6  # what is wanted of a method: at least, at most
RESAMPLES = 500


class Sample(NamedTuple):
    """Of a population."""

    true_left: np.ndarray  # (S,)
    true_right: np.ndarray
    left: np.ndarray  # (S, Q)
    right: np.ndarray
    prior: np.ndarray | None = None  # (2, 2) covariance of a system's true means, where they are drawn
    noise: np.ndarray | None = None  # (2S, 2S) covariance of a query's values


def synthetic(
    n_systems: int, n_queries: int, correlation: float, judge: float, samples: int, rng: np.random.Generator
) -> Iterator[Sample]:
    """A new population each time."""
    for _ in range(samples):
        right = rng.normal(0.45, 0.09, n_systems)
        left = right + rng.normal(0, judge, n_systems)
        families = rng.normal(0, 0.08, (n_systems, 5))  # systems of a family fail on the same queries

        def noise(families=families):
            return rng.normal(0, 0.13, (n_systems, n_queries)) + families @ rng.normal(size=(5, n_queries))

        shared, own, difficulty = noise(), noise(), rng.normal(0, 0.15, n_queries)
        mixed = correlation * shared + np.sqrt(1 - correlation**2) * own
        one_side = 0.13**2 * np.eye(n_systems) + families @ families.T
        covariance = np.kron([[1, correlation], [correlation, 1]], one_side) + 0.15**2
        prior = np.full((2, 2), 0.09**2) + np.diag([judge**2, 0])
        shown = left[:, None] + mixed + difficulty, right[:, None] + shared + difficulty
        yield Sample(left, right, *shown, prior, covariance)


def like_dl19(
    left: np.ndarray, right: np.ndarray, n_queries: int, samples: int, rng: np.random.Generator
) -> Iterator[Sample]:
    """Samples of one normal population with the means and covariances of two sides (S, Q)."""
    both = np.vstack([left, right])
    means = both.mean(axis=1)
    spread = (both - means[:, None]) / np.sqrt(both.shape[1] - 1)
    for _ in range(samples):
        drawn = means[:, None] + spread @ rng.normal(size=(both.shape[1], n_queries))
        yield Sample(*np.split(means, 2), *np.split(drawn, 2))


def answers(sample: Sample, rng: np.random.Generator) -> dict[str, endless.Answer]:
    """Of every method, by its name."""
    left, right = sample.left, sample.right
    resampled = bootstrap.resampled_taus(left, right, rng, RESAMPLES)
    found = {method: endless.Answer(*bootstrap.ends(resampled, method), resampled[0]) for method in bootstrap.METHODS}
    found["basic"] = endless.basic(resampled)
    found["posterior"] = endless.posterior(left, right, rng)
    found["pairs"] = endless.pairs(left, right)
    for one, other in (("posterior", "basic"), ("pairs", "basic"), ("posterior", "pairs")):
        found[f"{one} or {other}"] = endless.hull(found[one], found[other])
    if sample.prior is not None:
        found["known"] = endless.known(left, right, rng, sample.prior, sample.noise)
    return found


def measured(drawn: Iterator[Sample], rng: np.random.Generator) -> pd.DataFrame:
    """A row a method: truth, held, width, ratio (to symmetric's) and error."""
    rows = []
    for sample in drawn:
        truth = bootstrap.taus(sample.true_left[None], sample.true_right[None])[0]
        for method, (low, high, estimate) in answers(sample, rng).items():
            rows.append((method, truth, low <= truth <= high, high - low, (estimate - truth) ** 2))
    found = pd.DataFrame(rows, columns=["method", "truth", "held", "width", "error"])
    found = found.groupby("method", sort=False).mean()
    return found.assign(error=np.sqrt(found["error"]), ratio=found["width"] / found.loc["symmetric", "width"])


def report(title: str, found: pd.DataFrame) -> None:
    """A line a setting."""
    cells = [
        f"{method} {row.held:.2f} ({row.width if method == 'symmetric' else row.ratio:.2f}, {row.error:.3f})"
        for method, row in found.iterrows()
    ]
    print(f"{title}, tau {found['truth'].iloc[0]:.2f}: {'; '.join(cells)}", flush=True)


def summary(found: pd.DataFrame) -> str:
    """The settings' `measured` together, as a markdown table: a row a method."""
    lines = [
        "| method | held: least | mean | width: least | mean | most | settings held | and narrow | error |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for method, rows in found.groupby(level="method", sort=False):
        held, narrow = rows["held"] >= HELD, rows["ratio"] <= NARROW
        numbers = rows["held"].min(), rows["held"].mean(), *(rows["ratio"].agg(["min", "mean", "max"]))
        cells = [*(f"{number:.2f}" for number in numbers), f"{held.sum()} of {len(rows)}", f"{(held & narrow).sum()}"]
        lines.append(f"| {method} | {' | '.join(cells)} | {rows['error'].mean():.3f} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=150, help="of each population (default: 150)")
    parser.add_argument("--data", type=Path, help="a folder with TREC DL 2019")
    args = parser.parse_args()
    groups: dict[str, list[pd.DataFrame]] = {}
    for number, (group, title, drawn) in enumerate(settings(args.samples, args.data)):
        found = measured(drawn, np.random.default_rng([1, number]))
        report(title, found)
        groups.setdefault(group, []).append(found)
    for group, some in groups.items():
        print(f"\n{group}, {args.samples} samples each\n\n{summary(pd.concat(some))}")
    return 0


def settings(samples: int, data: Path | None) -> Iterator[tuple[str, str, Iterator[Sample]]]:
    """(group, title, samples) of each; a setting's samples do not depend on which others are looked at."""
    for number, setting in enumerate(product((30, 50), (43, 200), (0, 0.5, 0.8), (0.01, 0.04, 0.1))):
        title = "{} systems, {} queries, correlation {}, judge {}".format(*setting)
        yield "Synthetic", title, synthetic(*setting, samples, np.random.default_rng([0, number]))
    if data is None:
        return
    from alignir.data import collections, trec
    from alignir.evaluation import scores
    from alignir.retrieval import run_files

    dataset = collections.folder("trec_dl_2019", data)
    runs = run_files.run_files(dataset, exclude=["rankllm_bm25*"])  # without the two that always tie
    baseline = scores.evaluate(dataset.qrels, runs)
    for number, (judge, n_queries) in enumerate(product(JUDGES, (43, 200))):
        labels = trec.read_qrels(data / "llm_labels" / f"{judge}.qrels.gz")
        sides = bootstrap.matrices(scores.evaluate(labels, runs), baseline)
        drawn = like_dl19(sides.left, sides.right, n_queries, samples, np.random.default_rng([2, number]))
        yield "DL19", f"{judge}, {len(runs.systems)} systems, {n_queries} queries", drawn


if __name__ == "__main__":
    sys.exit(main())
