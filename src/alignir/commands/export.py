r"""Write what is recorded in the forms of other tools: judges' labels, the
systems' results by topic; and the pairs that a judge would be asked about.

Of everything that is recorded, unless it is chosen, a file each, named for its
judge. alignir export labels --help says more.

examples:
  alignir model=scripted
  alignir export labels
  alignir export labels --model scripted --form umbrela --out judgments
  alignir export results --dataset demo
  alignir export requests --out REQUESTS-OF-DEMO.jsonl dataset=demo
"""

import hashlib
import re
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from alignir.commands import chosen, options, output
from alignir.errors import InputError
from alignir.files import written_whole

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from alignir.labelling.prompts import Prompt
    from alignir.tracking.runs import Recorded
    from alignir.tracking.shapes import Labelled, Setting

FORMS = {"qrels": "qrels", "umbrela": "jsonl", "csv": "csv", "opensearch": "json"}  # and the endings of their files
LETTERS = 120  # of a file's name, where settings make it longer
LABELS = "Write judges' labels, a file each: those of models, of somebody's files, of formulas alike"
RESULTS = "Write every system's value of every measure for every topic, under each judge's labels and the baseline's"
REQUESTS = "Write the pairs that a cell is about as umbrela's requests, JSON lines of a query and its candidates"


class Chosen(NamedTuple):
    """A recorded run that is written, and what its file is called, without an ending."""

    run: "Recorded"
    stem: str


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    kinds = parser.add_subparsers(dest="command", required=True, metavar="labels|results|requests", help="(required)")
    labels = kinds.add_parser("labels", help="judges' labels", description=LABELS)
    labels.add_argument(
        "--form",
        choices=FORMS,
        default="qrels",
        help="of the files (default: %(default)s); qrels and opensearch leave out pairs without a label",
    )
    results = kinds.add_parser("results", help="run, topic, measure, value in lines", description=RESULTS)
    for each in (labels, results):
        chosen.add_choice(each)
        output.add_out(each, "them", "export")
        options.add_runs(each)
    requests = kinds.add_parser("requests", help="the pairs of a cell", description=REQUESTS)
    output.add_out(requests, "them", "export")
    options.add_settings(requests, "dataset=folder dataset.path=DATA")
    return parser


def run(args) -> int:
    if args.command == "requests":
        return write_requests(args)
    output.check_out(args.out)
    return write_results(args) if args.command == "results" else write_labels(args)


def write_labels(args) -> int:
    found = list(_chosen(args, lambda run: run.labelled))
    output.check_one(args.out, [stem for _, stem in found], "files of labels")
    for run, stem in found:
        (path,) = output.paths(args.out, stem, [FORMS[args.form]])
        labels = run.frame("labels.parquet")
        _write(path, _in_form(args.form, run, labels))
        known = int(labels["relevance"].notna().sum())
        print(f"{known:,} labels of {len(labels):,} pairs written to {path}")
    return 0


def _in_form(form: str, run: "Recorded", labels: "pd.DataFrame") -> str:
    from alignir.data import exports

    if form == "qrels":
        return exports.qrels(labels)
    if form == "csv":
        return exports.csv(labels)
    prompt = _prompt(run)
    texts = _texts(run, labels, prompt.fields, needed=form == "opensearch")
    if form == "opensearch":
        name = " ".join(filter(None, (run.judge.model, run.judge.prompt)))
        return exports.opensearch(labels, texts["query"], name, f"alignir run {run.run_id}")
    asked = [prompt.render(*pair) for pair in texts[list(prompt.fields)].itertuples(index=False)]
    return exports.umbrela(labels, texts, asked, run.params.get("model.name") or run.judge.model)


def _texts(run: "Recorded", labels: "pd.DataFrame", fields: Sequence[str], needed: bool) -> "pd.DataFrame":
    """query, passage and other fields of each row of `labels`, as the run read them; empty where there is none."""
    from alignir.config import recorded_dataset
    from alignir.experiment.as_recorded import dataset_of

    everything = recorded_dataset(run.file("config.yaml"), run.params["dataset"])
    if needed:
        everything.need_texts()
    try:
        dataset_of(run, everything)
    except InputError as error:
        raise InputError(f"{error}, or take --form qrels or csv, which have no texts") from error
    return everything.pairs(labels, fields).fillna("")


def _prompt(run: "Recorded") -> "Prompt":
    """What the run recorded of its prompt: nothing, where nobody was asked."""
    from alignir.labelling.prompts import Prompt

    text = run.text("prompt.txt") if run.reads_prompt else ""
    return Prompt(run.judge.prompt, text, form="", max_tokens=1)  # of which nothing but the text is needed


def write_results(args) -> int:
    from alignir.data import exports
    from alignir.frames import BASELINE

    files = {}
    for run, stem in _chosen(args, lambda run: run.setting):
        files[_stem([BASELINE, *_where(run.setting)])] = run, BASELINE  # the same for each judge
        files[stem] = run, "model"
    output.check_one(args.out, files, "files of results")
    for stem, (run, side) in files.items():
        (path,) = output.paths(args.out, stem, ["results"])
        scores = run.frame("scores.parquet")
        scores = scores[scores["labels"] == side]
        _write(path, exports.results(scores))
        print(f"{scores['system'].nunique()} systems, {scores['query_id'].nunique()} topics written to {path}")
    return 0


def write_requests(args) -> int:
    from alignir.config import composed_cell
    from alignir.data import exports
    from alignir.experiment.inputs import read_inputs

    output.check_out(args.out)
    inputs = read_inputs(composed_cell(args.settings), to_ask=False)
    inputs.dataset.need_texts()
    pairs = inputs.pairs.dropna(subset="passage")
    (path,) = output.paths(args.out, "requests", ["jsonl"])
    _write(path, exports.requests(pairs))
    print(f"{pairs['query_id'].nunique():,} queries, {len(pairs):,} pairs written to {path}")
    return 0


def _chosen(args, compared) -> Iterator[Chosen]:
    """The runs that the options choose, the newest of each judge among those that are alike in what is `compared`."""
    newest = chosen.newest(args, compared)
    stems = [_stem([*chosen.who(judge), *_where(where)]) for judge, where in newest]
    for stem, run in zip(stems, newest.values(), strict=True):
        yield Chosen(run, stem if stems.count(stem) == 1 else f"{stem}-{run.run_id[:8]}")


def _where(where: "Labelled | Setting") -> list[str]:
    """The dataset, and for results what the systems were compared on."""
    choices = [where.dataset, getattr(where, "systems", ""), getattr(where, "queries", "")]
    return [*filter(None, (*choices, where.apart))]


def _stem(parts: list[str]) -> str:
    """The name of a file, of letters that every system takes, and not of more than it takes."""
    stem = "-".join(re.sub(r"[^\w.@=+]+", "_", part).strip("_") for part in parts)
    if len(stem) <= LETTERS:
        return stem
    return f"{stem[:LETTERS]}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}"


def _write(path: "Path", text: str) -> None:
    with written_whole(path) as file:
        file.write_text(text, encoding="utf-8")
