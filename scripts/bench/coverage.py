"""How often do 95% intervals of tau hold the tau of the population that the queries come from?

    python scripts/bench/coverage.py --samples 150
    python scripts/bench/coverage.py --data DIR       # also populations with the moments of TREC DL 2019 under judges

A synthetic system has a true quality (standard deviation .09) and a judge its errors on systems (`judge`); queries add
noise to both sides, correlated by `correlation`. With --data (trec_dl_2019's form, with llm_labels/JUDGE.qrels.gz),
queries are drawn from a normal distribution with the means and covariances of the systems' nDCG@10 under the baseline
labels and under the judge's. basic is the percentile interval mirrored at the estimate.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

JUDGES = (
    "umbrela_gpt4_zeroshot",
    "baseline3210_llama3-8b",
    "sun_decomposed_flant5-large",
    "genquery_similarity_llama3-8b",
)


def synthetic(
    n_systems: int, n_queries: int, correlation: float, judge: float, samples: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """(true left (S,), true right (S,), left (S, Q), right (S, Q)), a new population each time."""
    for _ in range(samples):
        right = rng.normal(0.45, 0.09, n_systems)
        left = right + rng.normal(0, judge, n_systems)
        families = rng.normal(0, 0.08, (n_systems, 5))  # systems of a family fail on the same queries

        def noise(families=families):
            return rng.normal(0, 0.13, (n_systems, n_queries)) + families @ rng.normal(size=(5, n_queries))

        shared, own, difficulty = noise(), noise(), rng.normal(0, 0.15, n_queries)
        mixed = correlation * shared + np.sqrt(1 - correlation**2) * own
        yield left, right, left[:, None] + mixed + difficulty, right[:, None] + shared + difficulty


def like_dl19(
    left: np.ndarray, right: np.ndarray, n_queries: int, samples: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """The same from one normal population with the means and covariances of two sides (S, Q)."""
    both = np.vstack([left, right])
    means = both.mean(axis=1)
    spread = (both - means[:, None]) / np.sqrt(both.shape[1] - 1)
    for _ in range(samples):
        drawn = means[:, None] + spread @ rng.normal(size=(both.shape[1], n_queries))
        yield *np.split(means, 2), *np.split(drawn, 2)


def report(title: str, drawn: Iterator, rng: np.random.Generator) -> None:
    """Print the share of intervals that hold the population's tau, and their mean width."""
    from alignir.alignment.bootstrap import tau_interval, taus

    truths, found, ends = [], [], {"symmetric": [], "percentile": [], "basic": []}
    for true_left, true_right, left, right in drawn:
        truths.append(taus(true_left[None], true_right[None])[0])
        found.append(taus(left.mean(axis=1)[None], right.mean(axis=1)[None])[0])
        seed = rng.integers(2**32)
        for method in ("symmetric", "percentile"):
            ends[method].append(tau_interval(left, right, np.random.default_rng(seed), 500, method=method))
        low, high = ends["percentile"][-1]
        ends["basic"].append((2 * found[-1] - high, 2 * found[-1] - low))
    shares = []
    for method, intervals in ends.items():
        low, high = np.array(intervals).T
        shares.append(f"{method} {np.mean((low <= truths) & (truths <= high)):.2f} (width {np.mean(high - low):.2f})")
    print(f"{title}: true tau {np.mean(truths):.2f}, sample's {np.mean(found):.2f}; {', '.join(shares)}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=150, help="of each population (default: 150)")
    parser.add_argument("--data", type=Path, help="a folder with TREC DL 2019")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    for setting in product((30, 50), (43, 200), (0, 0.5, 0.8), (0.01, 0.04, 0.1)):
        title = "{} systems, {} queries, correlation {}, judge {}".format(*setting)
        report(title, synthetic(*setting, args.samples, rng), rng)
    if args.data:
        from alignir.alignment import bootstrap
        from alignir.data import collections, trec
        from alignir.evaluation import scores
        from alignir.retrieval import run_files

        dataset = collections.folder("trec_dl_2019", args.data)
        runs = run_files.run_files(dataset, exclude=["rankllm_bm25*"])  # without the two that always tie
        baseline = scores.evaluate(dataset.qrels, runs)
        for judge in JUDGES:
            labels = trec.read_qrels(args.data / "llm_labels" / f"{judge}.qrels.gz")
            sides = bootstrap.matrices(scores.evaluate(labels, runs), baseline)
            for n_queries in (43, 200):
                drawn = like_dl19(sides.left, sides.right, n_queries, args.samples, rng)
                report(f"{judge}, {len(runs.systems)} systems, {n_queries} queries", drawn, rng)
    return 0


if __name__ == "__main__":
    sys.exit(main())
