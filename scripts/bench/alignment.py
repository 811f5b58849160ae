"""How long does it take to read, score and align the systems of a large experiment, and how much memory?

    python scripts/bench/alignment.py
    python scripts/bench/alignment.py --systems 52 --queries 2000 --depth 100 --repeats 3

Writes made-up run files (gzipped TREC runs) and two sets of labels into a temporary folder, and runs each way in a
process of its own, in turns. Each reads all runs and scores them by nDCG@10 under both sets of labels:

  alignir       as its pipeline does, then tau_b with its bootstrap interval
  pytrec_eval   alone, on dictionaries that are in memory already: making them is not counted
  ir_measures   by its own readers, one run at a time, if it is installed

The nDCG@10 of all ways must be the same.
"""

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

POOL = 3  # passages that a query has, as a multiple of the depth
STEPS = ("read", "score", "align", "all")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", type=int, default=52)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--depth", type=int, default=100, help="results for each query (default: 100)")
    parser.add_argument("--repeats", type=int, default=3, help="of each way; the fastest is printed (default: 3)")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.folder:
        if args.way:
            print(json.dumps({**WAYS[args.way](args.folder), "memory": peak()}))
        else:
            write(args.folder, args)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        again = [sys.executable, __file__, *sys.argv[1:], "--folder", folder]  # a child: this process stays small
        subprocess.run(again, check=True)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*.run.gz"))
        measured = {way: [] for way in WAYS}
        for _ in range(args.repeats):
            for way, runs in measured.items():
                done = subprocess.run([*again, "--way", way], check=True, stdout=subprocess.PIPE, text=True)
                runs.append(json.loads(done.stdout))
    show(args, size, measured)
    return 0


def show(args, size: int, measured: dict[str, list[dict]]) -> None:
    """Print the fastest repeat of each way, and check that all scores are the same."""
    from alignir.tables import table

    rows, notes, means = [], [], {}
    for way, runs in measured.items():
        if "missing" in runs[0]:
            notes.append(runs[0]["missing"])
            continue
        for run in runs:
            means[way] = run.pop("means")
            run["all"] = sum(run[step] for step in STEPS if step in run)
        best = min(runs, key=lambda run: run["all"])
        spread = f"{min(run['all'] for run in runs):.1f}-{max(run['all'] for run in runs):.1f}"
        seconds = [f"{best[step]:.1f}" if step in best else "–" for step in STEPS]
        rows.append([way, spread, *seconds, f"{max(run['memory'] for run in runs) / 1e6:.2f}"])
    for way, found in means.items():
        worst = max(abs(one - other) for one, other in zip(found, means["alignir"], strict=True))
        assert worst < 1e-9, f"{way} and alignir differ by {worst} in nDCG@10"
    notes.append(f"nDCG@10 of all ways is the same to 1e-9; {args.repeats} repeats in turns, the fastest is shown")
    title = (
        f"Alignment: {args.systems} systems x {args.queries} queries x top {args.depth}, "
        f"{size / 1e6:.0f} MB of gzipped runs, 2 sets of labels"
    )
    columns = ["way", "fastest-slowest, s", *(f"{step}, s" for step in STEPS), "GB at peak"]
    table.show([table.Table(title, columns, rows, notes)], "rich")


def write(folder: Path, args) -> None:
    """Runs that find better passages the better their system is, baseline labels, and labels that differ from them."""
    import numpy as np

    rng = np.random.default_rng(0)
    (folder / "runs").mkdir()
    pool = POOL * args.depth
    doc_ids = rng.permutation(args.queries * pool).reshape(args.queries, pool) + 1_000_000
    quality = rng.normal(size=(args.queries, pool))
    for name, noise in (("baseline", 0.0), ("judge", 0.5)):
        seen = quality[:, : args.depth] + noise * rng.normal(size=(args.queries, args.depth))
        grades = np.digitize(seen, [0.2, 1.0, 1.8])
        lines = [
            f"{query} 0 {doc_id} {grade}\n"
            for query in range(args.queries)
            for doc_id, grade in zip(doc_ids[query, : args.depth], grades[query], strict=True)
        ]
        (folder / f"{name}.txt").write_text("".join(lines))
    for number in range(args.systems):
        system = f"system{number:02d}"
        noise = rng.uniform(0.5, 3)
        scores = quality + noise * rng.normal(size=quality.shape)
        best = np.argsort(-scores, axis=1)[:, : args.depth]
        found, of = np.take_along_axis(doc_ids, best, 1).tolist(), np.take_along_axis(scores, best, 1).tolist()
        lines = [
            f"{query} Q0 {doc_id} {rank} {score:.6f} {system}\n"
            for query in range(args.queries)
            for rank, (doc_id, score) in enumerate(zip(found[query], of[query], strict=True), 1)
        ]
        with gzip.open(folder / "runs" / f"{system}.run.gz", "wt", compresslevel=6) as file:
            file.writelines(lines)


def by_alignir(folder: Path) -> dict:
    import numpy as np
    import pandas as pd

    from alignir.alignment import bootstrap, tau
    from alignir.data import run_paths, trec
    from alignir.data.ranked import Runs
    from alignir.evaluation import measures, scores

    start = time.perf_counter()
    labels = {name: trec.read_qrels(folder / f"{name}.txt") for name in ("baseline", "judge")}
    files = run_paths.run_files(folder / "runs")
    runs = pd.concat([trec.read_run(file, system) for system, file in files.items()], ignore_index=True)
    read = time.perf_counter()
    query_ids = list(labels["baseline"]["query_id"].unique())
    scored = {
        name: scores.evaluate(qrels, Runs(runs, tuple(files), tuple(query_ids))) for name, qrels in labels.items()
    }
    done = time.perf_counter()
    tau.against_baseline(scored["judge"], scored["baseline"])
    left, right, *_ = bootstrap.matrices(scored["judge"], scored["baseline"])
    bootstrap.tau_interval(left, right, np.random.default_rng(0), B=1000)
    end = time.perf_counter()
    means = [*(scores.means(scored[name])[measures.NDCG].sort_index() for name in labels)]
    return {"read": read - start, "score": done - read, "align": end - done, "means": np.concatenate(means).tolist()}


def by_pytrec_eval(folder: Path) -> dict:
    import pytrec_eval

    def nested(path: Path, kind: type, column: int) -> dict[str, dict]:
        found = {}
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt") as file:
            for line in file:
                fields = line.split()
                found.setdefault(fields[0], {})[fields[2]] = kind(fields[column])
        return found

    qrels = [nested(folder / f"{name}.txt", int, 3) for name in ("baseline", "judge")]
    runs = [nested(file, float, 4) for file in sorted((folder / "runs").iterdir())]
    means = []
    start = time.perf_counter()
    for labels in qrels:
        evaluator = pytrec_eval.RelevanceEvaluator(labels, {"ndcg_cut_10"})
        for run in runs:
            values = [row["ndcg_cut_10"] for row in evaluator.evaluate(run).values()]
            means.append(sum(values) / len(values))
    return {"score": time.perf_counter() - start, "means": means}


def by_ir_measures(folder: Path) -> dict:
    try:
        import ir_measures
    except ImportError:
        return {"missing": "ir_measures is not installed, so it was not compared"}
    start = time.perf_counter()
    qrels = [list(ir_measures.read_trec_qrels(str(folder / f"{name}.txt"))) for name in ("baseline", "judge")]
    ndcg = ir_measures.nDCG @ 10
    evaluators = [ir_measures.evaluator([ndcg], labels) for labels in qrels]
    read, score, means = time.perf_counter() - start, 0.0, []
    for path in sorted((folder / "runs").iterdir()):  # one run in memory at a time
        start = time.perf_counter()
        with gzip.open(path, "rt") as file:
            run = list(ir_measures.read_trec_run(file))
        middle = time.perf_counter()
        means.append([evaluator.calc_aggregate(run)[ndcg] for evaluator in evaluators])
        read, score = read + middle - start, score + time.perf_counter() - middle
    return {"read": read, "score": score, "means": [value for side in zip(*means, strict=True) for value in side]}


def peak() -> int:
    """Memory that the process has had at most, KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


WAYS = {"alignir": by_alignir, "pytrec_eval": by_pytrec_eval, "ir_measures": by_ir_measures}

if __name__ == "__main__":
    sys.exit(main())
