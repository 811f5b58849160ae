"""How often do the 95% intervals of ranks, and of scores, hold the truth?

    python scripts/bench/ranks.py --samples 100
    python scripts/bench/ranks.py --samples 100 --data DATA

Systems have true means (standard deviation .09, or a tenth of it: all but equal) and noise of .2 by query, half of its
variance common to all; with --data, a folder with TREC DL 2019, also the moments of its systems' nDCG@10. Scores of so
many queries are drawn from these normal populations. Printed are the mean share over systems, and the least of any
system, of three intervals: of ranks by resampled queries, of ranks from who beats whom (1 + beaten_by to S - beats),
and of scores; and the mean widths of the two of ranks.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

N_SYSTEMS, QUALITY, NOISE = 46, 0.09, 0.2


def populations(data: Path | None) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(what it is, the systems' true means, the covariance of their scores over queries)"""
    truth = np.random.default_rng(0).normal(0, QUALITY, N_SYSTEMS)
    covariance = NOISE**2 * (np.eye(N_SYSTEMS) + 1) / 2
    means = {"synthetic": (truth, covariance)}
    if data is not None:
        table = pd.read_csv(data / "reference" / "ndcg10_per_topic.tsv.gz", sep="\t", dtype={"qid": str})
        wide = table.pivot(index="system", columns="qid", values="ndcg_cut_10").to_numpy()
        means["DL19"] = wide.mean(axis=1), np.cov(wide)
    for name, (mean, noise) in means.items():
        yield name, mean, noise
        yield f"{name}, all but equal", mean / 10, noise


def main() -> int:
    from alignir.alignment.bootstrap import Resampling
    from alignir.alignment.ranks import ranks, standing
    from alignir.tables import table

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=100, help="of each population (default: 100)")
    parser.add_argument("--queries", type=int, nargs="+", default=[43, 200])
    parser.add_argument("--data", type=Path, help="a folder with TREC DL 2019")
    args = parser.parse_args()
    rng, lines = np.random.default_rng(0), []
    for (name, truth, covariance), n_queries in product(list(populations(args.data)), args.queries):
        systems, true_ranks = [f"s{place}" for place in range(len(truth))], ranks(truth)
        held, widths = [], []
        for number in range(args.samples):
            scores = rng.multivariate_normal(truth, covariance, n_queries, method="eigh").T
            found = standing(scores, systems, Resampling(500, seed=number))
            ends = {
                "resamples": (found["rank_low"], found["rank_high"]),
                "tests": (1 + found["beaten_by"], len(truth) - found["beats"]),
            }
            inside = [(low <= true_ranks) & (true_ranks <= high) for low, high in ends.values()]
            held.append([*inside, (found["ci_low"] <= truth) & (truth <= found["ci_high"])])
            widths.append([(high - low).mean() for low, high in ends.values()])
        shares = np.mean(held, axis=0)  # (3, S)
        shown = [f"{share.mean():.3f} ({share.min():.2f})" for share in shares]
        lines.append([name, str(n_queries), *shown, *(f"{width:.1f}" for width in np.mean(widths, axis=0))])
    columns = ["systems", "queries", "resamples", "tests", "scores", "width, resamples", "width, tests"]
    print(table.render([table.Table("95% intervals that hold the truth (least of a system)", columns, lines)], "rich"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
