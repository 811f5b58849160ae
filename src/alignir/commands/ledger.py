"""Show what the ledger of answers holds: each judge's answers, and how they read.

alignir export writes the labels of recorded runs.

examples:
  alignir model=scripted
  alignir ledger
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
    return parser


def run(args) -> int:
    from alignir.errors import InputError
    from alignir.labelling.answers import READERS
    from alignir.labelling.ledger import Ledger
    from alignir.tables import table

    folder: Path = args.ledger
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
