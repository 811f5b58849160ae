"""Which conclusions of Table 2 survive other assumptions about users? From the runs of experiment=sensitivity.

python -m alignir experiment=sensitivity model=llama8b,qwen32b prompt=zeshot,basic
python scripts/sensitivity.py --out sensitivity.png

Prints, for each judge and metric, tau_b with its range and how many of the other assumptions keep its sign and its
significance; and for each assumption, whether the judges keep their order. No label is asked for it.
"""

import argparse
import sys


def main() -> int:
    from alignir import options, tables

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="dbn", help="the user model to compare with (default: dbn)")
    options.add_runs(parser, "sensitivity")
    parser.add_argument("--format", choices=tables.FORMATS, default="rich")
    options.add_figure(parser, "sensitivity.png")
    args = parser.parse_args()
    return options.told(lambda: run(args))


def run(args) -> int:
    import pandas as pd

    from alignir import frames, summary, tables
    from alignir.errors import InputError
    from alignir.evaluation.measures import NDCG
    from alignir.figures import canvas, curves
    from alignir.files import check_out
    from alignir.frames import BASELINE
    from alignir.tracking.runs import read_runs

    check_out(args.out)
    rows = summary.alignment_rows(read_runs(args.tracking_uri, args.experiment))
    rows = sorted(
        (
            row
            for row in rows
            if row.offline == NDCG and row.reference != BASELINE and row.judge[0] not in frames.CEILING_AND_FLOORS
        ),
        key=lambda row: (row.judge[0] == BASELINE, row.judge),
    )
    if not rows:
        raise InputError(f"the experiment {args.experiment!r} has no finished run yet")
    shown, settings = [], sorted({row.setting for row in rows})
    for number, setting in enumerate(settings):
        frame = pd.DataFrame(
            [
                (" ".join(filter(None, row.judge)), row.names["user_model"], row.reference, row.tau_b, row.p_value)
                for row in rows
                if row.setting == setting
            ],
            columns=["judge", "user_model", "metric", "tau_b", "p_value"],
        )
        title = f"{setting[0]}, {setting[3]} systems, {setting[4]} queries, against {args.base}"
        shown += [survival_table(frame, args.base, title), order_table(frame, args.base, title)]
        out = args.out if len(settings) == 1 else args.out.with_stem(f"{args.out.stem}-{number + 1}")
        canvas.save(curves.sensitivity_figure(frame, args.base, title), out)
        print(f"figure: {out}", file=sys.stderr)
    tables.show(shown, args.format)
    return 0


def survival_table(frame, base: str, title: str):
    """A row a judge, a column a metric."""
    from alignir.alignment import sensitivity
    from alignir.tables import Table
    from alignir.users.metrics import NAMES

    found = sensitivity.survival(frame, base)
    cells = {
        (row.judge, row.metric): f"{number(row.base_tau)} [{number(row.low)}, {number(row.high)}] "
        f"{row.sign}/{row.significance} of {row.others}"
        for row in found.itertuples()
    }
    metrics = list(found["metric"].unique())
    metrics = [metric for metric in NAMES if metric in metrics] + [m for m in metrics if m not in NAMES]
    judges = list(dict.fromkeys(frame["judge"]))
    lines = [[judge, *(cells.get((judge, metric), "–") for metric in metrics)] for judge in judges]
    notes = [
        "tau_b [its range over all assumptions], and of the assumptions that move the metric's tau for any judge, how "
        "many keep its sign / on which side of p = 0.05 it is"
    ]
    columns = ["judge", *(NAMES.get(metric, metric) for metric in metrics)]
    return Table(f"What survives: {title}", columns, lines, notes)


def order_table(frame, base: str, title: str):
    """A row a user model, a column a metric."""
    from alignir.alignment import sensitivity
    from alignir.tables import Table
    from alignir.users.metrics import NAMES

    found = sensitivity.order(frame, base)
    cells = {(row.user_model, row.metric): number(row.order) + ("" if row.best else "*") for row in found.itertuples()}
    metrics = [metric for metric in NAMES if metric in set(found["metric"])]
    lines = [
        [user_model, *(cells.get((user_model, metric), "") for metric in metrics)]
        for user_model in dict.fromkeys(found["user_model"])
    ]
    notes = [
        "tau_b between the order of the judges (by alignment with the metric) and their order under the base; empty: "
        "the assumption does not move this metric; – there is no order; * another judge is the best"
    ]
    return Table(f"Order of judges: {title}", ["users", *(NAMES[metric] for metric in metrics)], lines, notes)


def number(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
