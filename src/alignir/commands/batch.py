r"""Ask in files: write the requests of a cell for a hosted batch API, which costs
half, or for vLLM's batch runner, and put their answers into the ledger.

  write   requests for all that the ledger lacks, in the form of OpenAI's Batch
          API: lines of JSON, as many files as its limits make necessary
  read    answers from files of results, and of errors; it can be repeated, and
          takes what is there: the same answer twice is one

The settings are those of the run, so that the run itself finds every answer in
the ledger and asks nothing. They need no address, and no key is written.
Between the two, send each file: upload it to the API, or

  vllm run-batch -i batch/requests-001.jsonl -o RESULTS/001.jsonl --model NAME

What failed is named with its reason, and written again by the next write. With
the --results it cuts passages that were too long for the model. Where answers
have no label, missing=fallback asks once more, constrained.

examples:
  alignir batch write model=endpoint model.name=NAME
  alignir batch read --results RESULTS model=endpoint model.name=NAME
  alignir batch write --out rest --results RESULTS \
      model=endpoint model.name=NAME
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from alignir.commands import options, output
from alignir.errors import InputError
from alignir.formatting import counted

if TYPE_CHECKING:
    from alignir.experiment.cells import Cell
    from alignir.experiment.inputs import Inputs
    from alignir.labelling.rounds import Round

SETTINGS = "model=endpoint model.name=NAME prompt=zeshot dataset=demo"
ENDINGS = (".jsonl", ".jsonl.gz")


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    kinds = parser.add_subparsers(dest="command", required=True, metavar="write|read", help="(required)")
    write = kinds.add_parser("write", help="the requests", description="Write requests for what the ledger lacks")
    output.add_out(write, "the requests", "batch")
    write.add_argument(
        "--requests", type=int, default=50_000, metavar="N", help="of a file at most (default: %(default)s, as OpenAI)"
    )
    write.add_argument(
        "--bytes",
        type=int,
        default=200_000_000,
        metavar="N",
        help="of a file at most (default: %(default)s, as OpenAI)",
    )
    read = kinds.add_parser("read", help="the answers", description="Put the answers of result files into the ledger")
    _add_results(write, False, "results so far: passages that were too long for the model are cut (default: none)")
    _add_results(
        read, True, "a file of results or of errors, or a folder of *.jsonl; several times, if need be (required)"
    )
    options.add_format(read, "how the failed requests are printed")
    for each in (write, read):
        options.add_settings(each, SETTINGS)
    return parser


def _add_results(parser: ArgumentParser, required: bool, text: str) -> None:
    parser.add_argument(
        "--results", type=Path, action="append", default=[], required=required, metavar="PATH", help=text
    )


def run(args) -> int:
    return write_requests(args) if args.command == "write" else read_results(args)


def write_requests(args) -> int:
    from alignir.labelling import batch
    from alignir.labelling.ledger import Ledger

    options.check_from("--requests", args.requests, 1)
    options.check_from("--bytes", args.bytes, 1)
    if any(args.out.glob(batch.NAME.replace("{:03d}", "*"))):
        raise InputError(f"--out {args.out}: there are requests already; remove them, or name another folder")
    files = [file for path in args.results for file in _files(path)]
    cell, inputs = _read(args.settings)
    ledger, asked = Ledger(cell.ledger), _rounds(cell, inputs)
    cuts = batch.cuts_of(files, asked)
    lines = (line for each in asked for line in batch.requests(each, ledger, cuts))
    output.check_folder(args.out)
    written = batch.write(lines, args.out, args.requests, args.bytes)
    for file, n in written.items():
        print(f"{counted(n, 'request')}, {file.stat().st_size:,} bytes written to {file}")
    if not written:
        print("nothing to ask: the ledger has every answer")
    return 0


def read_results(args) -> int:
    from alignir.labelling import batch
    from alignir.labelling.ledger import Ledger
    from alignir.tables import table

    files = [file for path in args.results for file in _files(path)]
    cell, inputs = _read(args.settings)
    ledger = Ledger(cell.ledger)
    found = batch.read(files, _rounds(cell, inputs, of_all=True), ledger)
    if found.other and not (found.new or found.known or found.failures):
        raise InputError(
            f"none of the {found.other:,} results is of these pairs, this model and this prompt: give the settings "
            "that the requests were written with"
        )
    missing = sum(len(each.missing(ledger)) for each in _rounds(cell, inputs))
    for text in batch.told(found, missing):
        print(f"alignir batch: {text}", file=sys.stderr)
    if not (found.other or found.new or found.known or found.failures):
        paths = ", ".join(map(str, args.results))
        raise InputError(f"--results {paths}: expected results, which are lines of JSON, and found none")
    if found.failures:
        rows = [list(failure) for failure in found.failures]
        failures = table.Table("Failed requests", list(batch.Failure._fields), rows)
        print(table.render([failures], args.format), end="")
    return 0


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"--results {path}: expected a file or a folder, found neither")
    found = sorted(file for file in path.iterdir() if file.name.endswith(ENDINGS) and not file.name.startswith("."))
    if not found:
        raise InputError(f"--results {path}: expected a folder with {' or '.join(f'*{each}' for each in ENDINGS)}")
    return found


def _read(settings: list[str]) -> "tuple[Cell, Inputs]":
    """The cell of these settings and what it reads."""
    from alignir.config import composed_cell
    from alignir.experiment.inputs import read_inputs
    from alignir.labelling.endpoint import Endpoint

    cell = composed_cell(settings)
    if not isinstance(cell.model, Endpoint):
        raise InputError(f"requests are for model=endpoint, found model={cell.names['model']}")
    return cell, read_inputs(cell)


def _rounds(cell: "Cell", inputs: "Inputs", of_all: bool = False) -> "list[Round]":
    """All that the cell asks, with `missing=fallback` also those constrained whose answers so far have no label; or,
    `of_all`, everything that it may come to ask."""
    import numpy as np

    from alignir.labelling.endpoint import Endpoint
    from alignir.labelling.labels import sample
    from alignir.labelling.ledger import Ledger
    from alignir.labelling.rounds import rounds, without_label

    assert isinstance(cell.model, Endpoint)
    judge = inputs.pairs, inputs.prompt, cell.model
    n, seed = cell.rejudge
    rejudged = sample(inputs.pairs, n, np.random.default_rng(seed)) if n else None
    constrained = None
    if cell.missing == "fallback":
        constrained = inputs.pairs if of_all else without_label(*judge, Ledger(cell.ledger), cell.reader)
    return rounds(*judge, rejudged, constrained)
