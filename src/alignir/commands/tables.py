"""Print tables of all recorded runs: the paper's, and those that explain them.

examples:
  alignir tables
  alignir tables --table baseline --table compare
  alignir tables --table judges
  alignir tables --table top --top 5,10
  alignir tables --table systems --by pair
  alignir tables --format markdown --out tables.md
  alignir tables --expect model=lexical,scripted prompt=zeshot,basic
"""

from argparse import ArgumentParser

from alignir.commands import options, output
from alignir.tables.choices import ALONE, BY, DIGITS, FIRST, KINDS, SORTS
from alignir.tables.table import NOTES

ENDINGS = {"rich": "txt", "markdown": "md", "latex": "tex", "html": "html", "csv": "csv"}  # by format


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__, options.listed("tables", KINDS))
    parser.add_argument(
        "--table",
        choices=KINDS,
        action="append",
        metavar="TABLE",
        help=f"one of the tables below only; may be repeated (default: {', '.join(FIRST)})",
    )
    options.add_format(
        parser,
        "rich is for a terminal; latex says in its first line which packages it needs; html is a page of its own; csv "
        "has no notes, and with several tables a line `# title` before each",
    )
    parser.add_argument(
        "--intervals", action="store_true", help="95%% intervals in Table 2 too (default: Table 1 only)"
    )
    parser.add_argument(
        "--top",
        metavar="K,K...",
        help="among how many of the best systems tau is given, in Table 1, --table top and judges (default: the runs' "
        "setting `top`)",
    )
    parser.add_argument(
        "--digits",
        type=int,
        choices=range(1, 7),
        metavar="N",
        help=f"decimals of tau (default: {DIGITS} beside intervals, {ALONE} elsewhere)",
    )
    parser.add_argument(
        "--sort",
        choices=SORTS,
        default=SORTS[0],
        help="how judges stand in Tables 1 and 2: the highest tau with the baseline labels first, or by name "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--notes",
        choices=NOTES,
        default=NOTES[0],
        help="what stands under tables; short: without the definitions of words (default: %(default)s)",
    )
    parser.add_argument(
        "--reference",
        action="append",
        default=[],
        metavar="NAME",
        help="in --table compare, by what judges are compared only: baseline, or an online metric such as clicks; may "
        "be repeated (default: all)",
    )
    parser.add_argument(
        "--matrix", action="store_true", help="in --table compare, every two judges (default: each with the best)"
    )
    parser.add_argument(
        "--by",
        choices=BY,
        default=BY[0],
        help="of what --table systems has a row: a system, a pair of which one beats the other, or a system and query "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--expect",
        nargs="+",
        default=[],
        metavar="SETTING",
        help="name the cells that are missing of the sweep `alignir -m SETTING...`, such as experiment=paper (default: "
        "of all combinations of what was recorded)",
    )
    options.add_runs(parser)
    output.add_out(parser, "them", without="they are printed")
    return parser


def run(args) -> int:
    from alignir.commands.options import check_from, numbers
    from alignir.tables import kinds, table
    from alignir.tables.choices import Choices
    from alignir.tables.missing import Grid
    from alignir.tracking.recordings import Recordings
    from alignir.tracking.runs import read_failures, read_finished

    output.check_out(args.out)
    top = None if args.top is None else numbers("--top", args.top)
    if top:
        check_from("--top", top[0], 2)
    recordings = Recordings(read_finished(args.tracking_uri, args.experiment))
    cells, origin = None, ""
    if args.expect:
        from alignir.config import swept_names

        cells, origin = swept_names(args.expect), " ".join(args.expect)
    chosen = Choices(
        expected=Grid(cells, origin, tuple(read_failures(args.tracking_uri, args.experiment))),
        with_intervals=args.intervals,
        top=None if top is None else tuple(top),
        by=args.by,
        digits=args.digits,
        sort=args.sort,
        references=tuple(args.reference),
        matrix=args.matrix,
    )
    shown = kinds.tables(recordings, args.table or FIRST, chosen)
    if args.out:
        (file,) = output.paths(args.out, "tables", [ENDINGS[args.format]])
        file.write_text(table.render(shown, args.format, args.notes), encoding="utf-8")
    else:
        table.show(shown, args.format, args.notes)
    return 0
