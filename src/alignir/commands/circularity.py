"""What is left of tau where systems re-rank their results by the judge's labels?

One, half and all systems of a recorded run put their results in the order of
the judge's labels; the judge and the baseline labels score what comes out. No
model is asked. Results without a label keep their ranks, or go last.

examples:
  alignir circularity
  alignir circularity --model lexical --depth 20 --out circle.svg
  alignir circularity --unlabelled last --format csv
"""

import sys
from argparse import ArgumentParser

from alignir.commands import chosen, options


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
    options.add_figure(parser, "circularity.png")
    return parser


def run(args) -> int:
    import numpy as np

    from alignir.alignment import circularity
    from alignir.config import recorded_cell
    from alignir.experiment.circle import circles
    from alignir.figures import canvas
    from alignir.figures.circularity import circle_figure
    from alignir.retrieval.fusion import UNLABELLED
    from alignir.tables import table
    from alignir.tables.circularity import WAYS, alone_table, circle_table
    from alignir.tables.names import by_dataset, in_order, judge_name, setting_titles
    from alignir.tables.notes import measure_note, size_note

    options.check_out(args.out)
    options.check_from("--draws", args.draws, 1)
    options.check_from("--depth", args.depth, 1)
    newest = chosen.newest(args, lambda run: run.setting)
    settings = sorted({setting for _, setting in newest}, key=by_dataset)
    titles = dict(zip(settings, setting_titles(settings), strict=True))
    shown = []
    for setting in settings:
        for judge in in_order(judge for judge, where in newest if where == setting):
            run = newest[judge, setting]
            cell = recorded_cell(run.file("config.yaml"), run.names, run.uri)
            found = circles(run, cell, args.depth, UNLABELLED)
            before, n_systems = found["keep"].before, len(found["keep"].before)
            few = sorted({0, 1, n_systems // 2, n_systems})
            many = sorted({*few, *np.linspace(0, n_systems, 9).round().astype(int).tolist()})
            curves = {
                way: circularity.circle(before, circle.after, many, args.draws, np.random.default_rng(0))
                for way, circle in found.items()
            }
            rows = {way: curve[curve["re_ranked"].isin(few)] for way, curve in curves.items()}
            losses = {way: circle.loss for way, circle in found.items()}
            title = f"{judge_name(judge)}, {titles[setting]}"
            notes = [size_note([setting]), measure_note(run), f"re-ranked: the first {args.depth} results of a query"]
            shown += [
                circle_table(rows, losses, cell.resampling, notes, title),
                alone_table(
                    circularity.alone(before, found[args.unlabelled].after), args.unlabelled, notes[::2], title
                ),
            ]
            figure = circle_figure(
                curves,
                before,
                {way: circle.after for way, circle in found.items()},
                WAYS,
                f"Systems re-rank by the labels of {title}",
                run.headline,
            )
            out = args.out if len(newest) == 1 else args.out.with_stem(f"{args.out.stem}-{len(shown) // 2}")
            canvas.save(figure, out)
            print(f"figure: {out}", file=sys.stderr)
    table.show(shown, args.format)
    return 0
