r"""Do labels put systems in the order that qrels do? Of the files that every
TREC track has: qrels, other labels, run files.

Nothing is recorded, no texts are read, no model is asked.

examples:
  alignir align --qrels DATA/qrels.txt --labels LABELS.qrels.gz --runs DATA/runs
  alignir align --qrels DATA/qrels.txt --labels LABELS.qrels.gz --runs DATA/runs \
    --measure nDCG@10 --measure AP
  alignir align --qrels DATA/qrels.txt --labels RATINGS.csv --runs DATA/runs \
      --queries DATA/queries.tsv
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from alignir.commands import label_files, options
from alignir.errors import InputError

if TYPE_CHECKING:
    from alignir.tables.label_files import Labels


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    parser.add_argument("--qrels", type=Path, required=True, metavar="FILE", help="the baseline labels (required)")
    parser.add_argument(
        "--labels",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="others; may be repeated (required)",
    )
    parser.add_argument("--runs", type=Path, required=True, metavar="FOLDER", help="of run files (required)")
    parser.add_argument(
        "--measure",
        action="append",
        metavar="MEASURE",
        help="such as nDCG@10 or AP; may be repeated (default: nDCG@10)",
    )
    parser.add_argument(
        "--users", metavar="USERS", help="also with metrics of simulated users, such as dbn (default: none)"
    )
    parser.add_argument("--B", type=int, default=1000, help="bootstrap resamples of the queries (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the resamples (default: %(default)s)")
    label_files.add_scales(parser)
    options.add_format(parser)
    return parser


def run(args) -> int:
    from alignir.alignment.bootstrap import Resampling
    from alignir.alignment.tau import against_baseline, against_users
    from alignir.evaluation.names import NDCG
    from alignir.evaluation.scores import evaluate
    from alignir.tables import label_files as tables
    from alignir.tables.table import show

    baseline, *judges = label_files.read([args.qrels, *args.labels], args)
    runs = runs_of(args.runs, baseline)
    resampling = Resampling(args.B, seed=args.seed)
    measures = args.measure or [NDCG]

    def scores(side):
        return evaluate(side.labels, runs, measures, scale=side.scale)

    people = scores(baseline)
    online, heads = users_of(args.users, baseline, runs) if args.users else (None, {})
    found = {}
    for side in [baseline, *judges]:
        offline = people if side is baseline else scores(side)
        rows = [] if side is baseline else [against_baseline(offline, people, resampling)]
        found[side.name] = [*rows, *([against_users(offline, online, resampling)] if online is not None else [])]
    show(tables.alignment(found, runs, resampling, [baseline, *judges], heads, args.format == "csv"), args.format)
    return 0


def runs_of(folder: Path, baseline: "Labels"):
    """The rankings of the run files for the queries that the baseline labels; what is odd about them is told."""
    import pandas as pd

    from alignir.data.collections import Dataset
    from alignir.retrieval.run_files import run_files

    query_ids = baseline.labels["query_id"].unique()
    judged = Dataset("", pd.Series("", query_ids), pd.Series(dtype=object), baseline.labels)
    runs = run_files(judged, folder, unknown="ignore")
    for note in runs.notes:
        print(note, file=sys.stderr)
    return runs


def users_of(name: str, baseline: "Labels", runs):
    """ONLINE of simulated users who act on the baseline labels, and what its metrics are called."""
    from alignir.config import composed_cell
    from alignir.users.simulated import Simulated

    cell = composed_cell(["model=lexical", f"user_model={name}"])
    users = cell.user_model
    if not isinstance(users, Simulated):
        raise InputError(f"--users {name}: expected users that are simulated, such as dbn")
    qrels = baseline.labels.dropna(subset="relevance")
    users.check(qrels, runs, baseline.scale)
    return users.measure(qrels, runs, baseline.scale), cell.heads
