"""How fast are simulated users? Exact metrics of 52 systems x 2,000 queries, and sampled sessions, by user model.

python scripts/bench/users.py --sessions 10000000

Sampling is compared with users who are simulated one after the other in plain Python, as one would write them down.
"""

import argparse
import random
import resource
import sys
import time


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", type=int, default=52)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument(
        "--sessions", type=int, default=10_000_000, help="to sample, of each model (default: %(default)s)"
    )
    parser.add_argument("--plain", type=int, default=100_000, help="sessions in plain Python (default: %(default)s)")
    args = parser.parse_args()

    import numpy as np

    from alignir.config import composed_cell
    from alignir.tables import table
    from alignir.users.simulation import exact, sampled

    rng = np.random.default_rng(0)
    n = args.systems * args.queries
    grades = rng.integers(0, 4, (n, 10))
    rows = []
    for name in ("dbn", "sdbn", "cascade", "dcm", "ccm", "pbm", "ubm"):
        users = composed_cell([f"user_model={name}"]).user_model
        shared = (users.dwell, users.metrics)
        seconds = min(timed(lambda: exact(users.model, grades, grades, *shared)) for _ in range(3))  # noqa: B023
        each = max(1, args.sessions // n)
        before = peak()
        sampling = timed(lambda: sampled(users.model, grades, grades, *shared, each, rng))  # noqa: B023
        rows.append(
            [
                name,
                f"{seconds:.3f}",
                f"{each * n:,}",
                f"{sampling:.1f}",
                f"{each * n / sampling:,.0f}",
                f"{(peak() - before) / 1000:.0f}",
            ]
        )
    users = composed_cell(["user_model=dbn"]).user_model
    taken = timed(lambda: plain(users, grades[: args.plain // 10].tolist(), 10))
    rows.append(["dbn, plain Python", "", f"{args.plain:,}", f"{taken:.1f}", f"{args.plain / taken:,.0f}", ""])
    columns = ["user model", "exact, s", "sessions", "sampling, s", "sessions/s", "MB more at peak"]
    title = f"Users: {args.systems} systems x {args.queries} queries, top 10"
    print(table.render([table.Table(title, columns, rows)], "rich"), end="")
    print(f"{peak() / 1e6:.2f} GB at peak; measuring {args.systems} systems whole: {whole(args, users):.2f} s")
    return 0


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak() -> int:
    """Memory that the process has had at most, KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def plain(users, rankings: list[list[int]], sessions: int) -> dict[str, float]:
    """The DBN's sessions, one user and one result at a time."""
    model, dwell, draw = users.model, users.dwell, random.Random(0)
    sums = dict.fromkeys(("clicks", "seconds", "satisfied", "no_click", "first", "last"), 0.0)
    for grades in rankings:
        for _ in range(sessions):
            first = last = 0
            for rank, grade in enumerate(grades, start=1):
                if draw.random() < model.attraction[grade]:
                    sums["clicks"] += 1
                    sums["seconds"] += dwell.mean[grade] * draw.lognormvariate(-(dwell.sigma**2) / 2, dwell.sigma)
                    first, last = first or rank, rank
                    if draw.random() < model.satisfaction[grade]:
                        sums["satisfied"] += 1
                        break
                if draw.random() >= model.continuation:
                    break
            sums["no_click"] += first == 0
            sums["first"] += first
            sums["last"] += last
    return sums


def whole(args, users) -> float:
    """Seconds from runs and qrels to the exact metrics, laying out included."""
    import numpy as np
    import pandas as pd

    from alignir.data.ranked import Runs

    rng = np.random.default_rng(0)
    systems = [f"system{number}" for number in range(args.systems)]
    query_ids = [f"query{number}" for number in range(args.queries)]
    runs = pd.DataFrame({"system": np.repeat(systems, args.queries * 10)})
    runs["query_id"] = np.tile(np.repeat(query_ids, 10), args.systems)
    first = rng.integers(0, 90, args.systems * args.queries)  # ten passages in a row of a hundred a query
    runs["doc_id"] = [f"{query_id}-{place}" for query_id, place in zip(
        runs["query_id"], (first[:, None] + np.arange(10)).ravel(), strict=True)]  # fmt: skip
    runs["rank"] = np.tile(np.arange(1, 11), args.systems * args.queries)
    qrels = runs[["query_id", "doc_id"]].drop_duplicates()
    qrels["relevance"] = rng.integers(0, 4, len(qrels))
    return timed(lambda: users.measure(qrels, Runs(runs, tuple(systems), tuple(query_ids))))


if __name__ == "__main__":
    sys.exit(main())
