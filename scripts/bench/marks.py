"""How often is a judge called worse than the best (†) though all judges are equally good?

    python scripts/bench/marks.py --samples 300

A synthetic system has a true quality (standard deviation .09). A judge errs on systems (by `error`) and, on every
query, by noise of its own; noise of .15 is common to all sides. Judges are equally good in one of two ways: the same
true means of systems, or different ones that have exactly the same tau_b with the reference's. Printed are the share of
samples in which any judge has a †, and the share of the judges beside the best that have one.
"""

import argparse
import sys
from itertools import product

import numpy as np

N_SYSTEMS, NOISE = 30, 0.15


def same_means(truth: np.ndarray, n_judges: int, error: float, rng: np.random.Generator) -> np.ndarray:
    """True means (judges, systems), equal for all judges."""
    return np.repeat((truth + rng.normal(0, error, len(truth)))[None], n_judges, axis=0)


def same_tau(truth: np.ndarray, n_judges: int, error: float, rng: np.random.Generator) -> np.ndarray:
    """True means (judges, systems) that differ and have the same tau_b: of many drawn, some with the commonest tau."""
    from alignir.alignment.bootstrap import taus

    drawn = truth + rng.normal(0, error, (100 * n_judges, len(truth)))
    found = np.round(taus(drawn, truth[None]), 9)
    values, counts = np.unique(found, return_counts=True)
    return drawn[found == values[counts.argmax()]][:n_judges]


def sample(means: np.ndarray, truth: np.ndarray, noise: float, n_queries: int, rng: np.random.Generator):
    """({judge: values (S, Q)}, the reference's values (S, Q)) on queries drawn anew."""
    common, reference = rng.normal(0, NOISE, (2, len(truth), n_queries))
    judges = {
        number: of_one[:, None] + common + rng.normal(0, noise, common.shape) for number, of_one in enumerate(means)
    }
    return judges, truth[:, None] + common + reference


def main() -> int:
    from alignir.alignment.bootstrap import Resampling
    from alignir.alignment.comparison import against_best
    from alignir.alignment.significance import ALPHA

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=300, help="of each setting (default: 300)")
    parser.add_argument("--judges", type=int, nargs="+", default=[2, 3, 11])
    parser.add_argument("--queries", type=int, nargs="+", default=[43, 200])
    args = parser.parse_args()
    settings = product((same_means, same_tau), args.queries, (0.04, 0.1), (0.05, 0.15), args.judges)
    for equal, n_queries, error, noise, n_judges in settings:
        rng = np.random.default_rng(0)
        marks = np.zeros(args.samples)
        for place in range(args.samples):
            truth = rng.normal(0.45, 0.09, N_SYSTEMS)
            judges, reference = sample(equal(truth, n_judges, error, rng), truth, noise, n_queries, rng)
            found = against_best(judges, {"reference": reference}, Resampling(seed=place))
            marks[place] = (found["p_holm"] <= ALPHA).mean()
        print(
            f"{equal.__name__}, {n_queries} queries, error {error}, noise {noise}, {n_judges} judges: any † "
            f"{(marks > 0).mean():.3f}, a judge {marks.mean():.4f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
