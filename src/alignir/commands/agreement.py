r"""How far do files of labels agree? With a baseline, and with each other.

No texts, no runs, no model: two files of labels are enough. Nothing is
recorded.

examples:
  alignir agreement DATA/qrels.txt LABELS.qrels.gz
  alignir agreement DATA/qrels.txt LABELS.qrels.gz --relevant-from LABELS=1
  alignir agreement DATA/qrels.txt LABELS.qrels.gz RATINGS.csv \
      --queries DATA/queries.tsv
"""

from argparse import ArgumentParser
from pathlib import Path

from alignir.commands import label_files, options


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    parser.add_argument(
        "baseline", type=Path, metavar="BASELINE", help="labels taken for the truth, as qrels (required)"
    )
    parser.add_argument("labels", type=Path, nargs="+", metavar="LABELS", help="files of other labels (required)")
    label_files.add_scales(parser)
    options.add_format(parser)
    return parser


def run(args) -> int:
    from alignir.tables import label_files as tables
    from alignir.tables.table import show

    baseline, *judges = label_files.read([args.baseline, *args.labels], args)
    shown = [tables.with_baseline(baseline, judges)]
    if len(judges) > 1:
        shown += tables.of_every_two(judges)
    show(shown, args.format)
    return 0
