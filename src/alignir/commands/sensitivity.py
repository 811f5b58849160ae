"""Which conclusions of Table 2 survive other assumptions about users?

Reads the runs of experiment=sensitivity. Prints, for each judge and metric,
tau_b with its range and how many of the other assumptions keep its sign and
its significance; which assumptions move tau far; and for each assumption,
whether the judges keep their order. No model is asked.

examples:
  alignir experiment=sensitivity model=lexical,scripted
  alignir sensitivity --out sensitivity.png
"""

from argparse import ArgumentParser

from alignir.commands import options, output


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    parser.add_argument("--base", default="dbn", help="the user model to compare with (default: %(default)s)")
    options.add_runs(parser, "sensitivity")
    options.add_format(parser)
    output.add_out(parser, "the figure", without="none is drawn")
    return parser


def run(args) -> int:
    from functools import partial

    import pandas as pd

    from alignir import frames
    from alignir.errors import InputError
    from alignir.evaluation.names import title as measure_title
    from alignir.figures.sensitivity import sensitivity_figure
    from alignir.formatting import counted
    from alignir.frames import BASELINE
    from alignir.tables import table
    from alignir.tables.names import headline, heads_of, judge_name, setting_titles
    from alignir.tables.sensitivity import order_table, outlying_table, survival_table
    from alignir.tracking.recordings import Recordings
    from alignir.tracking.runs import read_runs

    output.check_out(args.out, output.FIGURES)
    rows = [
        row
        for row in Recordings(read_runs(args.tracking_uri, args.experiment)).rows
        if row.offline == headline(row.run)
        and row.reference != BASELINE
        and row.judge.model not in frames.CEILING_AND_FLOORS
    ]
    rows.sort(key=lambda row: (row.judge.model == BASELINE, row.judge))
    if not rows:
        raise InputError(f"the experiment {args.experiment!r} has no finished run yet")
    shown, settings = [], sorted({row.setting for row in rows})
    titles = dict(zip(settings, setting_titles(settings), strict=True))
    names = dict(zip(settings, output.named("sensitivity", list(titles.values())), strict=True))
    if args.out:
        output.check_one(args.out, names.values(), "figures")
    for setting in settings:
        frame = pd.DataFrame(
            [
                (judge_name(row.judge), row.users.title, row.reference, row.tau_b, row.p_value)
                for row in rows
                if row.setting == setting
            ],
            columns=["judge", "user_model", "metric", "tau_b", "p_value"],
        )
        size = f"{counted(setting.n_systems, 'system')}, {counted(setting.n_queries, 'query')}"
        measure = measure_title(headline(next(row.run for row in rows if row.setting == setting)))
        title = f"{measure}, {titles[setting]}: {size}, against {args.base}"
        at_base = (row.run for row in rows if row.setting == setting and row.users.title == args.base)
        heads = next((heads_of(run) for run in at_base), {})
        shown += [
            table_of(frame, args.base, title, heads) for table_of in (survival_table, outlying_table, order_table)
        ]
        output.draw(partial(sensitivity_figure, frame, args.base, title, heads), args.out, names[setting])
    table.show(shown, args.format)
    return 0
