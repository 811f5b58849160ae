r"""Show what the ledger of answers holds, or export one judge's labels of a
dataset as TREC qrels.

alignir ledger export --help says more of the export.

examples:
  alignir model=scripted
  alignir ledger
  alignir ledger export --model scripted --prompt zeshot --dataset demo \
      --out labels.qrels
"""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

from alignir.commands import options


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    parser.add_argument(
        "--ledger", type=Path, default=Path("ledger"), metavar="FOLDER", help="the ledger (default: %(default)s)"
    )
    commands = parser.add_subparsers(dest="command", metavar="show|export", help="(default: show)")
    commands.add_parser("show", help="what it holds")
    about = "Write one judge's labels of a dataset as TREC qrels"
    export = commands.add_parser("export", help=about, description=about)
    for name in ("model", "prompt", "dataset"):
        export.add_argument(
            f"--{name}", required=True, metavar="CHOICE", help=f"a choice of {name}=, as in alignir --help (required)"
        )
    export.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the file to write; with .gz it is gzipped (required)"
    )
    options.add_settings(export, "dataset.path=DATA")
    return parser


def run(args) -> int:
    return write_labels(args) if args.command == "export" else show(args.ledger)


def show(folder: Path) -> int:
    from alignir.errors import InputError
    from alignir.labelling.answers import READERS
    from alignir.labelling.ledger import Ledger
    from alignir.tables import table

    if not folder.is_dir():
        raise InputError(f"no ledger at {folder.absolute()}")
    rows = []
    for chapter in Ledger(folder).chapters():
        answers = chapter.answers
        form = chapter.judge["prompt"]["form"]
        read = (READERS["strict"](a.response, form, a.finish_reason)[1] for a in answers.itertuples())
        statuses = Counter(read).most_common()
        rows.append(
            [
                chapter.judge["model"]["name"],
                chapter.judge["prompt"]["name"],
                chapter.judge["prompt"]["decoding"],
                str(chapter.judge.get("repeat", 0)),
                f"{len(answers):,}",
                ", ".join(f"{status} {count:,}" for status, count in statuses),
                f"{answers['prompt_tokens'].sum():,}",
                f"{answers['output_tokens'].sum():,}",
                f"{chapter.bytes:,}",
                str(chapter.aside),
            ]
        )
    columns = [
        "model",
        "prompt",
        "decoding",
        "repeat",
        "pairs",
        "status",
        "tokens in",
        "tokens out",
        "bytes",
        "set aside",
    ]
    print(table.render([table.Table(f"Ledger {folder}", columns, rows)], "rich"), end="")
    return 0


def write_labels(args) -> int:
    import gzip

    from alignir.config import composed_cell
    from alignir.errors import InputError
    from alignir.experiment.inputs import read_inputs
    from alignir.labelling.labels import Labelling, judge_of, majority, read_all
    from alignir.labelling.ledger import Ledger, pair_keys

    choices = [f"{name}={getattr(args, name)}" for name in ("model", "prompt", "dataset")]
    cell = composed_cell([*choices, *args.settings])
    if cell.llm is None:
        raise InputError(f"{args.model} gives labels without an answer, so the ledger has none of it")
    inputs = read_inputs(cell, to_ask=False)
    pairs, prompt = inputs.pairs, inputs.prompt
    keys = pair_keys(pairs, prompt.fields)
    chapters = [judge_of(cell.llm, prompt, repeat) for repeat in range(cell.llm.repeats)]
    answers = [Ledger(args.ledger).load(judge).reindex(keys) for judge in chapters]
    rounds = [
        Labelling(read_all(pairs, each, prompt.form, cell.reader, prompt.scale), prompt.scale) for each in answers
    ]
    labels = (majority(rounds) if len(rounds) > 1 else rounds[0]).labels
    known = labels.dropna(subset="relevance")
    if known.empty:
        raise InputError(f"the ledger {args.ledger} has no label of {' '.join(choices)}")
    lines = "".join(f"{row.query_id} 0 {row.doc_id} {row.relevance}\n" for row in known.itertuples())
    content = lines.encode()
    args.out.write_bytes(gzip.compress(content) if args.out.suffix == ".gz" else content)
    print(f"{len(known):,} labels of {len(labels):,} pairs written to {args.out}")
    return 0
