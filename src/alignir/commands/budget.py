r"""How many labels are enough to order these systems?

The systems' order by the labels of a part of the queries is compared, with
tau_b, with their order by those of all queries (which queries= chooses), for
every strategy of choosing them; strategies choose by the baseline labels. The
interval is where 95% of the draws lie. Where the model's labels are there (a
grader such as lexical or replay, or an LLM whose answers are all in the
ledger), so is the order by its labels of n queries, against the baseline
labels of all queries and against those of the same n: Table 1, measured on a
part. No model is asked.

With --human: what the model's labels of all pairs and so many human labels
(the baseline's, of whole queries at random) say together of each system's
mean, as prediction-powered estimates, beside what either says alone.

examples:
  alignir budget model=lexical
  alignir budget model=lexical --human 20,50,100
  alignir budget dataset=folder dataset.path=DATA model=replay \
      model.labels=LABELS.qrels.gz --out budget.png
"""

from argparse import ArgumentParser
from pathlib import Path

from alignir.commands import options, output

SIZES = "1,2,3,5,7,10,15,20,30,50,70,100,150,200"
MODEL, BOTH = "model", "both"  # kinds of curves: the model against all baseline labels, and against those of the same n


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    options.add_settings(parser, "model=lexical")
    parser.add_argument(
        "--queries",
        default=SIZES,
        metavar="N,N,...",
        help="how many queries; all of them comes last (default: %(default)s)",
    )
    parser.add_argument(
        "--human",
        metavar="N,N,...",
        help="numbers of human labels to add to the model's (default: only parts of labels)",
    )
    parser.add_argument(
        "--frequencies",
        type=Path,
        metavar="FILE",
        help="of the queries, as for queries=traffic, which becomes one of the strategies (default: it is none)",
    )
    options.add_draws(parser, 100, "draws of each random strategy")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (default: %(default)s)")
    options.add_enough(parser)
    output.add_out(parser, "the figure", without="none is drawn")
    options.add_format(parser)
    return parser


def run(args) -> int:
    from alignir.alignment.bootstrap import matrices
    from alignir.config import composed_cell
    from alignir.errors import InputError
    from alignir.evaluation.names import title as measure_title
    from alignir.experiment.inputs import read_inputs
    from alignir.figures.budget import budget_figure, human_figure
    from alignir.formatting import counted
    from alignir.frames import BASELINE
    from alignir.tables.budget import curve_table, enough_table, human_table

    sizes = options.numbers("--queries", args.queries)
    if args.human:
        options.numbers("--human", args.human)
    options.check_from("--draws", args.draws, 2)
    options.check_from("--seed", args.seed, 0)
    output.check_out(args.out, output.FIGURES)
    cell = composed_cell(args.settings)
    inputs = read_inputs(cell, to_ask=False)
    names = list(inputs.dataset.queries.index)
    baseline = scored(cell, inputs, inputs.dataset.qrels, "drop", inputs.dataset.scale)
    scores = model_scores(cell, inputs)
    judge, human, _, query_ids = matrices(baseline if scores is None else scores, baseline)
    pairs = inputs.dataset.qrels["query_id"].value_counts()[query_ids].to_numpy()
    counts = [counted(len(human), "system"), counted(len(names), "query"), counted(pairs.sum(), "pair")]
    title = f"{cell.called['dataset']}: {', '.join(counts)}, by {measure_title(cell.headline)}"
    if args.human:
        if scores is None:
            raise InputError(
                f"--human adds to a model's labels, and {cell.called['model']} has not labelled these pairs"
            )
        rows = measured_with_people(args, human, judge, pairs, cell.called["model"])
        title = f"{cell.called['model']}, {title}"
        output.draw(lambda: human_figure(rows, title), args.out, "budget")
        return show(args, [human_table(rows, args.draws, pairs, title)])
    notes = []
    if scores is None:
        notes.append(f"{cell.called['model']} has not labelled these pairs, so only baseline labels are compared")
    sides = {BASELINE: (human, human, False)}
    if scores is not None:
        sides |= {MODEL: (judge, human, False), BOTH: (judge, human, True)}
    sizes = [n for n in sizes if n < len(names)] + [len(names)]
    curves = measured(args, human, pairs, sizes, sides, frequencies(args, inputs.dataset, query_ids))
    labels = {BASELINE: "baseline labels", MODEL: cell.called["model"], BOTH: f"{cell.called['model']}, same queries"}
    output.draw(lambda: budget_figure(curves, labels, args.enough, title), args.out, "budget")
    shown = [curve_table(curves, labels, title, notes), enough_table(curves, labels, args.enough, title)]
    return show(args, shown)


def show(args, shown) -> int:
    from alignir.tables import table

    table.show(shown, args.format)
    return 0


def model_scores(cell, inputs):
    """SCORES under the model's labels; None where an LLM would have to be asked."""
    from alignir.labelling.labels import judge_of, label, unanswered
    from alignir.labelling.ledger import Ledger, pair_keys
    from alignir.labelling.models import check, judged_pairs

    pairs, ledger = judged_pairs(cell.model, inputs.prompt, inputs.dataset), Ledger(cell.ledger)
    if cell.llm is None:
        check(cell.model, inputs.prompt)
    else:
        keyed = pairs.assign(key=pair_keys(pairs, inputs.prompt.fields))
        for repeat in range(cell.llm.repeats):
            if len(unanswered(keyed, ledger.load(judge_of(cell.llm, inputs.prompt, repeat)))):
                return None
    labels = label(pairs, inputs.prompt, cell.llm or cell.model, ledger, cell.reader, inputs.scale).labels
    return scored(cell, inputs, labels, cell.missing, inputs.scale)


def scored(cell, inputs, labels, missing: str, scale):
    """SCORES by the cell's headline measure."""
    from alignir.evaluation.scores import evaluate

    return evaluate(labels, inputs.runs, [cell.headline], missing, scale, cell.unjudged)


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
