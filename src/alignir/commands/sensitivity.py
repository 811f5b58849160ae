"""Which conclusions of Table 2 survive other assumptions about users?

Reads the runs of experiment=sensitivity. Prints, for each judge and metric,
tau_b with its range and how many of the other assumptions keep its sign and
its significance; and for each assumption, whether the judges keep their
order. No model is asked.

examples:
  alignir experiment=sensitivity model=lexical,scripted
  alignir sensitivity --out sensitivity.png
"""

import sys
from argparse import ArgumentParser

from alignir.commands import options


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    parser.add_argument("--base", default="dbn", help="the user model to compare with (default: %(default)s)")
    options.add_runs(parser, "sensitivity")
    options.add_format(parser)
    options.add_figure(parser, "sensitivity.png")
    return parser


def run(args) -> int:
    import pandas as pd

    from alignir import frames
    from alignir.commands.options import check_out
    from alignir.errors import InputError
    from alignir.evaluation.names import title as measure_title
    from alignir.figures import canvas, curves
    from alignir.formatting import counted
    from alignir.frames import BASELINE
    from alignir.tables import table
    from alignir.tables.names import headline, heads_of
    from alignir.tables.sensitivity import order_table, survival_table
    from alignir.tracking.recordings import Recordings
    from alignir.tracking.runs import read_runs

    check_out(args.out)
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
    for number, setting in enumerate(settings):
        frame = pd.DataFrame(
            [
                (" ".join(filter(None, row.judge)), row.users.title, row.reference, row.tau_b, row.p_value)
                for row in rows
                if row.setting == setting
            ],
            columns=["judge", "user_model", "metric", "tau_b", "p_value"],
        )
        size = f"{counted(setting.n_systems, 'system')}, {counted(setting.n_queries, 'query')}"
        measure = measure_title(headline(next(row.run for row in rows if row.setting == setting)))
        name = " ".join(filter(None, (setting.dataset, setting.apart)))
        title = f"{measure}, {name}, {size}, against {args.base}"
        at_base = (row.run for row in rows if row.setting == setting and row.users.title == args.base)
        heads = next((heads_of(run) for run in at_base), {})
        shown += [table_of(frame, args.base, title, heads) for table_of in (survival_table, order_table)]
        out = args.out if len(settings) == 1 else args.out.with_stem(f"{args.out.stem}-{number + 1}")
        canvas.save(curves.sensitivity_figure(frame, args.base, title, heads), out)
        print(f"figure: {out}", file=sys.stderr)
    table.show(shown, args.format)
    return 0
