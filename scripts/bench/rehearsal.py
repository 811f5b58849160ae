"""What does the paper's grid take, at its real size, without the models?

    python scripts/bench/rehearsal.py
    python scripts/bench/rehearsal.py --scale 10 --one
    python scripts/bench/rehearsal.py --scale 0.1 --keep FOLDER

Makes up two collections in a temporary folder, one of 43 queries with 9,260 pairs and one of 2,000 queries with
200,000, and the runs of 52 systems, 100 results a query. Then it runs the grid with the scripted engine as 3 models
under 2 prompts, the same sweep again with skip=finished, and the tables, each in a process of its own. Prints wall and
processor time (user and system, of all threads), the peak of memory, and what lies on disk afterwards. `--scale`
multiplies the queries; `--one` runs one cell of the larger collection only.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

DEPTH, SYSTEMS, WORDS = 100, 52, 60
COLLECTIONS = {"small": (43, 9_260), "large": (2_000, 200_000)}  # queries and pairs
MODELS = ("first", "second", "third")
DATASET = """\
# @package _global_
defaults:
  - /dataset/folder
  - override /systems: runs
dataset:
  name: {name}
  path: {path}
"""


class Step(NamedTuple):
    """What a step took."""

    name: str
    wall: float  # s
    processor: float  # s
    memory: float  # GB, the peak
    disk: float  # GB in the folder when it ended


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1, help="times the queries of the paper (default: 1)")
    parser.add_argument("--one", action="store_true", help="one cell of the larger collection, not the grid")
    parser.add_argument("--keep", type=Path, help="a folder to work in, with the collections of the last time")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    names = ["large"] if args.one else list(COLLECTIONS)
    if args.make:
        for name in names:
            make(args.make, name, args.scale)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        choices = [f"dataset={','.join(names)}", "skip=finished"]
        choices += ["model=first"] if args.one else [f"model={','.join(MODELS)}", "prompt=zeshot,basic"]
        steps = []
        if not (folder / "conf").exists():
            steps.append(took("collections made", folder, __file__, *sys.argv[1:], "--make", str(folder)))
        sweep = ("-m", "alignir", "-m", *choices)
        steps.append(took("one cell" if args.one else "sweep", folder, *sweep))
        steps.append(took("the same again", folder, *sweep))
        steps.append(took("tables", folder, "-m", "alignir", "tables"))
    show(args, steps)
    return 0


def make(folder: Path, name: str, scale: float) -> None:
    """A collection whose systems find relevant passages the better the less noise is in their scores."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as csv

    def write(file: Path, *columns, separator: str = "\t") -> None:
        table = pa.table([pa.array(column) for column in columns], names=[f"c{n}" for n in range(len(columns))])
        options = csv.WriteOptions(include_header=False, delimiter=separator, quoting_style="none")
        csv.write_csv(table, file, options)

    queries, pairs = (max(2, round(size * scale)) for size in COLLECTIONS[name])
    a_query = pairs // queries + 1 if pairs % queries else pairs // queries
    rng, data = np.random.default_rng(0), folder / name
    (data / "runs").mkdir(parents=True)
    vocabulary = np.array([f"word{number}" for number in range(5_000)])
    query_ids = np.array([f"q{number}" for number in range(queries)])
    write(data / "queries.tsv", query_ids, [" ".join(words) for words in rng.choice(vocabulary, (queries, 6))])
    of_query = np.repeat(np.arange(queries), a_query)
    doc_ids = np.array([f"d{number}" for number in rng.permutation(10 * queries * a_query)[: queries * a_query]])
    openings = np.array([" ".join(words) for words in rng.choice(vocabulary, (20_000, WORDS - 1))])
    texts = [f"{openings[number % len(openings)]} own{number}" for number in range(len(doc_ids))]
    write(data / "passages.tsv", doc_ids, texts)
    grades = rng.choice(4, len(doc_ids), p=[0.56, 0.17, 0.19, 0.08])
    judged = slice(pairs)
    zeros = np.zeros(len(doc_ids), dtype=int)
    write(
        data / "qrels.txt", query_ids[of_query][judged], zeros[judged], doc_ids[judged], grades[judged], separator=" "
    )
    depth = min(DEPTH, a_query)
    ranks = np.tile(np.arange(1, depth + 1), queries)
    for number, noise in enumerate(np.linspace(0.5, 4, SYSTEMS)):
        scores = (grades + noise * rng.normal(size=len(grades))).reshape(queries, a_query)
        best = np.argsort(-scores, axis=1)[:, :depth]
        found = (best + a_query * np.arange(queries)[:, None]).ravel()
        columns = query_ids[of_query[found]], np.full(len(found), "Q0"), doc_ids[found], ranks, scores.ravel()[found]
        write(data / "runs" / f"system{number:02}.run", *columns, np.full(len(found), "made"), separator=" ")
    own = folder / "conf"
    for group in ("dataset", "model"):
        (own / group).mkdir(parents=True, exist_ok=True)
    (own / "dataset" / f"{name}.yaml").write_text(DATASET.format(name=name, path=data))
    for model in MODELS:
        (own / "model" / f"{model}.yaml").write_text(f"defaults: [scripted]\nname: {model}\n")


def took(name: str, folder: Path, *arguments: str) -> Step:
    """Run Python with these arguments in the folder, and measure the process."""
    log = folder / "log.txt"
    began = time.perf_counter()
    with open(log, "w") as out:
        process = subprocess.Popen([sys.executable, *arguments], cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(arguments)}\n{log.read_text()}")
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Step(name, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6, disk / 1e9)


def show(args, steps: list[Step]) -> None:
    from alignir.tables import table

    columns = ["step", "wall, s", "processor, s", "GB at peak", "GB on disk after"]
    rows = [[s.name, f"{s.wall:.1f}", f"{s.processor:.1f}", f"{s.memory:.2f}", f"{s.disk:.2f}"] for s in steps]
    title = f"{'One cell' if args.one else 'The grid'} at {args.scale:g} times the paper's size"
    print(table.render([table.Table(title, columns, rows)], "rich"), end="")


if __name__ == "__main__":
    sys.exit(main())
