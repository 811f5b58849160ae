"""What is left of tau where systems re-rank their results by the judge's labels?

One, half and all systems of a recorded run put their results in the order of
the judge's labels; the judge and the baseline labels score what comes out. No
model is asked. Results without a label keep their ranks, or go last.

examples:
  alignir circularity
  alignir circularity --model lexical --depth 20 --out circle.svg
  alignir circularity --unlabelled last --format csv
"""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import TYPE_CHECKING

from alignir.commands import chosen, options, output

if TYPE_CHECKING:
    from alignir.tables.table import Table
    from alignir.tracking.runs import Recorded


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    chosen.add_choice(parser)
    parser.add_argument(
        "--depth", type=int, default=100, metavar="K", help="re-rank the first K results (default: %(default)s)"
    )
    parser.add_argument(
        "--unlabelled",
        choices=("keep", "last"),
        default="keep",
        help="what results without a label do in the table of systems that re-rank alone (default: %(default)s)",
    )
    options.add_draws(parser, 200, "random choices of the systems that re-rank")
    options.add_runs(parser)
    options.add_format(parser)
    output.add_out(parser, "the figures", without="none is drawn")
    return parser


def run(args) -> int:
    from alignir.tables import table
    from alignir.tables.names import in_order, judge_name, setting_titles

    output.check_out(args.out, output.FIGURES)
    options.check_from("--draws", args.draws, 1)
    options.check_from("--depth", args.depth, 1)
    newest = chosen.newest(args, lambda run: run.setting)
    settings = sorted({setting for _, setting in newest})
    found = [
        (newest[judge, setting], judge_name(judge), title)
        for setting, title in zip(settings, setting_titles(settings), strict=True)
        for judge in in_order(judge for judge, where in newest if where == setting)
    ]
    names = output.named("circularity", [f"{judge} {title}" for _, judge, title in found])
    if args.out:
        output.check_one(args.out, names, "figures")
    shown = []
    for (run, _, title), name in zip(found, names, strict=True):
        tables, figure = _of_judge(run, title, args)
        shown += tables
        output.draw(figure, args.out, name)
    table.show(shown, args.format)
    return 0


def _of_judge(run: "Recorded", where: str, args) -> "tuple[list[Table], Callable[[], object]]":
    """Two tables of a recorded run, and how to draw its figure."""
    from functools import partial

    import numpy as np

    from alignir.alignment import circularity
    from alignir.config import recorded_cell
    from alignir.experiment.circle import circles
    from alignir.figures.circularity import circle_figure
    from alignir.tables.circularity import WAYS, alone_table, circle_table
    from alignir.tables.names import judge_name
    from alignir.tables.notes import measure_note, size_note

    cell = recorded_cell(run.file("config.yaml"), run.names, run.uri)
    found = circles(run, cell, args.depth, tuple(WAYS))
    before = next(iter(found.values())).before
    few = {0, 1, len(before) // 2, len(before)}
    counts = sorted({*few, *np.linspace(0, len(before), 9).round().astype(int).tolist()})
    curves = {
        way: circularity.circle(before, circle.after, counts, args.draws, np.random.default_rng(0))
        for way, circle in found.items()
    }
    rows = {way: curve[curve["re_ranked"].isin(few)] for way, curve in curves.items()}
    losses = {way: circle.loss for way, circle in found.items()}
    after = {way: circle.after for way, circle in found.items()}
    title = f"{judge_name(run.judge)}, {where}"
    size, depth = size_note([run.setting]), f"re-ranked: the first {args.depth} results of a query"
    tables = [
        circle_table(rows, losses, cell.resampling, [size, measure_note(run), depth], title),
        alone_table(circularity.alone(before, after[args.unlabelled]), args.unlabelled, [size, depth], title),
    ]
    drawn = f"Systems re-rank by the labels of {title}"
    return tables, partial(circle_figure, curves, before, after, WAYS, drawn, run.headline)
