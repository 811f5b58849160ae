"""Print the paper's tables from recorded runs: Table 1, Table 2 and the distribution of the labels."""

from argparse import ArgumentParser
from pathlib import Path

from alignir.commands import options


def arguments(prog: str) -> ArgumentParser:
    from alignir.tables import kinds, table

    parser = options.parser(prog, __doc__)
    parser.add_argument(
        "--format",
        choices=table.FORMATS,
        default="rich",
        help="rich (default) for a terminal; latex says in its first line which packages it needs; html is a page of "
        "its own; csv has no notes, and with several tables a line `# title` before each",
    )
    parser.add_argument(
        "--table",
        choices=kinds.KINDS,
        action="append",
        help="one table only; may be repeated (default: the first three)",
    )
    parser.add_argument("--intervals", action="store_true", help="95%% intervals in Table 2 too")
    parser.add_argument(
        "--expect",
        nargs="+",
        default=[],
        metavar="ARGUMENT",
        help="name the cells that are missing of the sweep `python -m alignir -m ARGUMENT...`, such as "
        "experiment=paper (default: of all combinations of what was recorded)",
    )
    options.add_runs(parser)
    parser.add_argument("--out", type=Path, help="write to this file instead of printing")
    return parser


def run(args) -> int:
    from alignir.commands.options import check_out
    from alignir.tables import kinds, table
    from alignir.tables.missing import Grid
    from alignir.tracking.runs import read_failures, read_finished

    if args.out:
        check_out(args.out)
    recorded = read_finished(args.tracking_uri, args.experiment)
    cells, origin = None, ""
    if args.expect:
        from alignir.config import swept_names

        cells, origin = swept_names(args.expect), " ".join(args.expect)
    expected = Grid(cells, origin, tuple(read_failures(args.tracking_uri, args.experiment)))
    shown = kinds.tables(recorded, args.table or kinds.KINDS[:3], expected, args.intervals)
    if args.out:
        args.out.write_text(table.render(shown, args.format), encoding="utf-8")
    else:
        table.show(shown, args.format)
    return 0
