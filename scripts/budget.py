"""How many labels are enough to order these systems? tau_b of a part of the queries with all of them, by strategy.

python scripts/budget.py model=lexical
python scripts/budget.py dataset=trec_dl_2019 dataset.path=DATA model=replay model.labels=LABELS --out budget.png

Takes the settings of python -m alignir; no model is asked. The systems' order by the baseline labels of n queries is
compared with their order by those of all queries (which `queries=` chooses). Where the model's labels are there (a
grader such as lexical or replay, or an LLM whose answers are all in the ledger), so is the order by its labels of n
queries, against the baseline labels of all queries and against those of the same n: Table 1, measured on a part.
Strategies choose by the baseline labels. The interval is where 95% of the draws lie.

python scripts/budget.py model=lexical --human 20,50,100

With --human: what the model's labels of all pairs and so many human labels (the baseline's, of whole queries at random)
say together of each system's mean, as prediction-powered estimates, beside what either says alone.
"""

import argparse
import sys
from pathlib import Path

SIZES = "1,2,3,5,7,10,15,20,30,50,70,100,150,200"
MODEL, BOTH = "model", "both"  # kinds of curves: the model against all baseline labels, and against those of the same n


def main() -> int:
    from alignir import options, tables

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", nargs="*", help="as for python -m alignir, such as model=lexical")
    parser.add_argument("--queries", default=SIZES, help="how many, with commas; all comes last (default: %(default)s)")
    parser.add_argument("--human", help="numbers of human labels, with commas, to add to the model's")
    parser.add_argument("--frequencies", type=Path, help="of the queries, as for queries=traffic, which it adds")
    parser.add_argument("--draws", type=int, default=100, help="of each random strategy (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (default: 0)")
    parser.add_argument("--enough", type=float, default=0.9, help="the tau_b that would do (default: 0.9)")
    options.add_figure(parser, "budget.png")
    parser.add_argument("--format", choices=tables.FORMATS, default="rich", help="of the tables")
    args = parser.parse_args()
    return options.told(lambda: run(args))


def run(args) -> int:
    from alignir import options
    from alignir.__main__ import composed_cell
    from alignir.alignment.bootstrap import matrices
    from alignir.errors import InputError
    from alignir.evaluation.scores import evaluate
    from alignir.experiment.inputs import read_inputs
    from alignir.figures import canvas
    from alignir.figures.curves import budget_figure, human_figure
    from alignir.files import check_out
    from alignir.frames import BASELINE

    sizes = options.numbers("--queries", args.queries)
    if args.human:
        options.numbers("--human", args.human)
    if args.draws < 2:
        raise InputError(f"--draws {args.draws}: expected a number from 2")
    check_out(args.out)
    cell = composed_cell(args.settings)
    inputs = read_inputs(cell, to_ask=False)
    names = list(inputs.dataset.queries.index)
    baseline = evaluate(inputs.dataset.qrels, inputs.runs, names, inputs.systems)
    scores = model_scores(cell, inputs)
    judge, human, _, query_ids = matrices(baseline if scores is None else scores, baseline)
    pairs = inputs.dataset.qrels["query_id"].value_counts()[query_ids].to_numpy()
    title = f"{cell.names['dataset']}: {len(human)} systems, {len(names)} queries, {pairs.sum():,} pairs"
    if args.human:
        if scores is None:
            raise InputError(
                f"--human adds to a model's labels, and {cell.names['model']} has not labelled these pairs"
            )
        rows = measured_with_people(args, human, judge, pairs, cell.names["model"])
        title = f"{cell.names['model']}, {title}"
        canvas.save(human_figure(rows, title), args.out)
        return show(args, [human_table(rows, args.draws, pairs, title)])
    notes = []
    if scores is None:
        notes.append(f"{cell.names['model']} has not labelled these pairs, so only baseline labels are compared")
    sides = {BASELINE: (human, human, False)}
    if scores is not None:
        sides |= {MODEL: (judge, human, False), BOTH: (judge, human, True)}
    sizes = [n for n in sizes if n < len(names)] + [len(names)]
    curves = measured(args, human, pairs, sizes, sides, frequencies(args, inputs.dataset, query_ids))
    labels = {BASELINE: "baseline labels", MODEL: cell.names["model"], BOTH: f"{cell.names['model']}, same queries"}
    canvas.save(budget_figure(curves, labels, args.enough, title), args.out)
    shown = [curve_table(curves, labels, title, notes), enough_table(curves, labels, args.enough, title)]
    return show(args, shown)


def show(args, shown) -> int:
    from alignir import tables

    tables.show(shown, args.format)
    print(f"figure: {args.out}", file=sys.stderr)
    return 0


def model_scores(cell, inputs):
    """SCORES under the model's labels; None where an LLM would have to be asked."""
    from alignir.evaluation.scores import evaluate
    from alignir.labelling.labels import judge_of, label, unanswered
    from alignir.labelling.ledger import Ledger, pair_keys

    pairs, ledger = inputs.dataset.pairs(), Ledger(cell.ledger)
    if hasattr(cell.model, "grade"):
        cell.model.check(inputs.prompt)
    else:
        keyed = pairs.assign(key=pair_keys(pairs))
        for repeat in range(cell.model.repeats):
            if len(unanswered(keyed, ledger.load(judge_of(cell.model, inputs.prompt, repeat)))):
                return None
    labels = label(pairs, inputs.prompt, cell.model, ledger, cell.reader).labels
    return evaluate(labels, inputs.runs, list(inputs.dataset.queries.index), inputs.systems, missing=cell.missing)


def frequencies(args, dataset, query_ids):
    """The queries' frequencies in this order; None without a file."""
    from alignir.data.frequencies import frequencies_of
    from alignir.errors import InputError

    if args.frequencies is None:
        return None
    found = frequencies_of(dataset, args.frequencies)
    if (found == 0).any():
        raise InputError(f"{args.frequencies}: expected counts above 0, as every query must have a chance to be drawn")
    return found[query_ids].to_numpy()


def measured(args, human, pairs, sizes, sides, counts):
    """BUDGET of every strategy and pair of sides."""
    import numpy as np
    import pandas as pd

    from alignir.alignment import budget
    from alignir.progress import bar

    with bar("selecting", args.draws, "draws", after=2) as advance:
        selected = budget.selections(human, pairs, sizes, args.draws, np.random.default_rng(args.seed), counts, advance)
    return pd.concat(
        [
            budget.rows(strategy, labels, chosen, budget.curve(chosen, *side), pairs, sizes)
            for labels, side in sides.items()
            for strategy, chosen in selected.items()
        ],
        ignore_index=True,
    )


def measured_with_people(args, human, judge, pairs, model: str):
    """HUMAN of every number of human labels."""
    import numpy as np
    import pandas as pd

    from alignir import options
    from alignir.alignment import prediction_powered
    from alignir.errors import InputError
    from alignir.progress import bar

    unlabelled = np.isnan(judge).any(axis=0).sum()
    if unlabelled:
        raise InputError(
            f"--human: {unlabelled} of {len(pairs)} queries have no label by {model} at all, and its labels of all are "
            "needed; missing=zero takes them as 0"
        )
    rng, rows = np.random.default_rng(args.seed), []
    labels = options.numbers("--human", args.human)
    with bar("sampling", len(labels), "sizes", after=2) as advance:
        for number in labels:
            rows.append(prediction_powered.trials(human, judge, pairs, number, args.draws, rng))
            advance(1)
    return pd.concat(rows, ignore_index=True)


def human_table(rows, draws: int, pairs, title: str):
    """A row a number of human labels and way to estimate."""
    from alignir.tables import Table

    lines = []
    for row in rows.itertuples():
        numbers_of_row = (
            f"{round(row.bias, 3) + 0.0:+.3f}",
            f"{row.error:.3f}",
            f"{row.width:.3f}",
            f"{row.coverage:.0%}",
            tau(row),
        )
        cells = ("–" if "nan" in cell else cell for cell in numbers_of_row)
        lines.append([row.way, f"{row.labels:,}", f"{row.n_queries:,}", *cells])
    notes = [
        f"means over systems and {draws} random samples of whole queries, of {pairs.mean():.1f} judged "
        "pairs on average; against the means of all human labels",
        "error: root mean square; width, coverage: of 95% intervals, which need two queries; tau_b: with the order by "
        "all human labels, and where 95% of the samples lie",
        "both: prediction-powered, unbiased; tuned: the model counts as much as it helps; model only: the interval "
        "that would be reported, which does not know the model's bias",
    ]
    columns = ["estimates from", "human labels", "queries", "bias", "error", "width", "coverage", "tau_b"]
    return Table(f"Human labels beside a model's: {title}", columns, lines, notes)


def curve_table(curves, labels: dict[str, str], title: str, notes: list[str]):
    """A row a strategy and number of queries, a column a pair of sides."""
    from alignir.tables import Table

    kinds = list(curves["labels"].unique())
    lines = []
    for (strategy, n), rows in curves.groupby(["strategy", "n_queries"], sort=False):
        cells = [tau(row) for row in rows.itertuples()]
        lines.append([strategy, f"{n:,}", f"{rows['pairs'].iloc[0]:,.0f}", *cells])
    notes = [
        "tau_b of the systems' order by n queries with their order by the baseline labels of all, or of the same",
        f"where a strategy draws: mean of {curves['draws'].max()} draws, and where 95% of them lie",
        "greedy is optimistic, as it chooses with the very systems that are compared; other systems: chosen with one "
        "half of them, compared on the other, and so ending at that half's tau_b",
        *notes,
    ]
    columns = ["strategy", "queries", "judged pairs", *(labels[kind] for kind in kinds)]
    return Table(f"Budget: {title}", columns, lines, notes)


def enough_table(curves, labels: dict[str, str], enough: float, title: str):
    """A row a strategy, a column a pair of sides: the fewest queries, and their judged pairs."""
    from alignir.alignment import budget
    from alignir.tables import Table

    def fewest(rows, column):
        row = budget.enough(rows, enough, column)
        return "–" if row is None else f"{row['n_queries']:,} ({row['pairs']:,.0f})"

    kinds = list(curves["labels"].unique())
    lines = []
    for strategy, of_strategy in curves.groupby("strategy", sort=False):
        if strategy == budget.OPTIMISTIC:
            continue
        cells = []
        for kind in kinds:
            rows = of_strategy[of_strategy["labels"] == kind]
            cells += [fewest(rows, "tau_b"), fewest(rows, "ci_low") if rows["draws"].iloc[0] > 1 else ""]
        lines.append([strategy, *cells])
    columns = ["strategy", *(cell for kind in kinds for cell in (labels[kind], "in 97.5% of draws"))]
    notes = [
        "the fewest queries (judged pairs) above from which on the mean tau_b, or 97.5% of the draws, stay there",
        "greedy counts on other systems only; – not even all queries reach it",
    ]
    return Table(f"Enough for tau_b ≥ {enough:g}: {title}", columns, lines, notes)


def tau(row) -> str:
    if row.tau_b != row.tau_b:
        return "–"
    return f"{row.tau_b:.3f}" + (f" [{row.ci_low:.2f}, {row.ci_high:.2f}]" if row.ci_low == row.ci_low else "")


if __name__ == "__main__":
    sys.exit(main())
