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
from pathlib import Path

from alignir.commands import options
from alignir.tables.choices import BY, FIRST, KINDS


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
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file to write to (default: they are printed)")
    return parser


def run(args) -> int:
    from alignir.commands.options import check_from, check_out, numbers
    from alignir.tables import kinds, table
    from alignir.tables.missing import Grid
    from alignir.tracking.recordings import Recordings
    from alignir.tracking.runs import read_failures, read_finished

    if args.out:
        check_out(args.out)
    top = None if args.top is None else numbers("--top", args.top)
    if top:
        check_from("--top", top[0], 2)
    recordings = Recordings(read_finished(args.tracking_uri, args.experiment))
    cells, origin = None, ""
    if args.expect:
        from alignir.config import swept_names

        cells, origin = swept_names(args.expect), " ".join(args.expect)
    expected = Grid(cells, origin, tuple(read_failures(args.tracking_uri, args.experiment)))
    shown = kinds.tables(recordings, args.table or FIRST, expected, args.intervals, top, args.by)
    if args.out:
        args.out.write_text(table.render(shown, args.format), encoding="utf-8")
    else:
        table.show(shown, args.format)
    return 0
