"""Read the stored answers of recorded runs again, strictly and leniently: how
much does the reader decide?

Prints, for each run, the labels that differ, and kappa and tau_b with the
baseline labels under either reader. No model is asked.

examples:
  alignir model=scripted
  alignir reread
  alignir reread --format csv
"""

from argparse import ArgumentParser

from alignir.commands import options


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    options.add_format(parser, "how the table is printed")
    options.add_runs(parser)
    return parser


def run(args) -> int:
    from alignir.alignment.tau import against_baseline
    from alignir.config import recorded_cell
    from alignir.data.pools import filled
    from alignir.errors import InputError
    from alignir.evaluation import agreement
    from alignir.evaluation.scores import evaluate
    from alignir.experiment.inputs import read_inputs
    from alignir.formatting import number
    from alignir.frames import ANSWER, probabilities
    from alignir.labelling.answers import READERS
    from alignir.labelling.labels import read_all
    from alignir.tables import table
    from alignir.tracking.runs import read_runs

    lines = []
    for run in read_runs(args.tracking_uri, args.experiment):
        if not run.reads_prompt:
            continue  # it gave labels and no answers
        answers, cell = run.frame("labels.parquet"), recorded_cell(run.file("config.yaml"), run.names)
        inputs = read_inputs(cell, to_ask=False)
        qrels = inputs.dataset.qrels
        baseline = evaluate(qrels, inputs.runs, (cell.headline,), scale=inputs.dataset.scale)
        answer = [*ANSWER, *probabilities(inputs.scale.grades)]
        labels = {
            reader: read_all(answers, answers[answer], inputs.prompt.form, reader, inputs.scale) for reader in READERS
        }
        strict, lenient = (frame["relevance"] for frame in labels.values())
        differ = int(((strict != lenient).fillna(strict.isna() != lenient.isna())).sum())
        for reader, frame in labels.items():
            tau = against_baseline(
                evaluate(filled(cell.pool, qrels, frame), inputs.runs, (cell.headline,), cell.missing, inputs.scale),
                baseline,
            )["tau_b"].item()
            found = agreement.agreement(qrels, frame, inputs.dataset.scale, inputs.scale)
            numbers = map(number, (tau, found["kappa"], found["kappa_relevant"]))
            lines.append([cell.title, reader, str(frame["relevance"].notna().sum()), str(differ), *numbers])
    if not lines:
        raise InputError(f"no run of the experiment {args.experiment!r} has answers of an LLM to read")
    columns = ["run", "reader", "labels", "differ", "tau_b", "kappa", "kappa, yes or no"]
    print(table.render([table.Table("Answers read again", columns, lines)], args.format), end="")
    return 0
