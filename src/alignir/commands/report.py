"""Write all that recorded runs say into one page: the answer in sentences, tables,
figures, methods, and how to run each cell again.

The page, index.html in the folder --out, is one file that opens in any
browser, without network, and prints to PDF. Beside it stands explore.html, the
page of alignir explore, where the datasets are still what they were. With a
file as --out there is nothing but the page.

examples:
  alignir report
  alignir report --out reports/today
  alignir report --out report.html
"""

import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from alignir.commands import explore, options, output

EXPLORER, EXPLORED = "explore.html", 100_000  # the page, and how many pairs it is made of at most without being asked


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    output.add_out(parser, "the page", "report")
    options.add_runs(parser)
    return parser


def run(args) -> int:
    from alignir.figures.choices import KINDS
    from alignir.files import written_whole
    from alignir.report import entries, gallery
    from alignir.report.answer import answers
    from alignir.report.page import TABLES, page
    from alignir.tables.choices import Choices
    from alignir.tables.kinds import tables_by_kind
    from alignir.tables.missing import Grid
    from alignir.tracking.recordings import Recordings
    from alignir.tracking.runs import read_failures, read_finished

    output.check_out(args.out, ("html",))
    recordings = Recordings(read_finished(args.tracking_uri, args.experiment))
    numbered = entries.read(recordings)
    several = any(run.alignment["offline"].nunique() > 1 for run in recordings)
    kinds = [kind for kind in TABLES if kind != "measures" or several]
    failures = tuple(read_failures(args.tracking_uri, args.experiment))
    tables = tables_by_kind(recordings, kinds, Choices(Grid(failures=failures)))
    pictures = _pictures(gallery.drawings(recordings, KINDS))
    (file,) = output.paths(args.out, "index", ("html",))
    explorer = _explorer(args, recordings) if output.is_folder(args.out) else ""
    text = page(args.experiment, tables, pictures, numbered, _commands(numbered), answers(recordings), explorer)
    with written_whole(file) as whole:
        whole.write_text(text, encoding="utf-8")
    print(f"{file}: {len(recordings)} runs, {len(pictures)} figures, {file.stat().st_size / 1e6:.1f} MB")
    return 0


def _explorer(args, recordings) -> str:
    """The name of the explorer's page beside the report's; empty where it was not made, and why is said."""
    from alignir.errors import InputError
    from alignir.explore.page import settings_of

    settings = settings_of(recordings)
    pairs = sum({run.labelled: run.metrics["n_pairs"] for run in recordings if run.setting in settings}.values())
    why = f"{pairs:,.0f} pairs make it large; alignir explore --dataset NAME writes it" if pairs > EXPLORED else ""
    if settings and not why:
        try:
            explore.write(args.out / EXPLORER, args.experiment, recordings, settings)
            return EXPLORER
        except InputError as error:
            why = str(error)
    if why:
        print(f"alignir report: no {EXPLORER}: {why}", file=sys.stderr)
    return ""


def _pictures(drawings: dict) -> list:
    from alignir.figures import canvas
    from alignir.progress import bar
    from alignir.report.page import Picture

    pictures = []
    with tempfile.TemporaryDirectory() as folder, bar("drawing", len(drawings), "figures", after=2) as advance:
        for name, draw in drawings.items():
            figure, file = draw(), Path(folder) / "figure.svg"
            canvas.save(figure, file)
            title = " ".join(figure.get_suptitle().split())
            pictures.append(Picture(name, title, file.read_bytes()))
            advance(1)
    return pictures


def _commands(entries: list) -> dict:
    """How each entry's run is made again, by its number."""
    from functools import cache

    from alignir.config import composer
    from alignir.errors import InputError
    from alignir.progress import bar
    from alignir.report.page import Command
    from alignir.report.rerun import overrides

    compose = composer()
    composed = cache(lambda arguments: compose(list(arguments)))
    commands = {}
    with bar("composing", len(entries), "cells", after=2) as advance:
        for entry in entries:
            try:
                found = overrides(entry.run.names, entry.config, lambda arguments: composed(tuple(arguments)))
                commands[entry.number] = Command(tuple(found))
            except InputError as error:
                commands[entry.number] = Command(why_not=str(error))
            advance(1)
    return commands
