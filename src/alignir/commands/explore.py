r"""Write one page to look into recorded runs with: where does a judge go wrong?

The page is one file of HTML that opens in any browser from disk, without a
network or a server. Its views lead from one to the next:

  judges    tau with its interval, the tops, missed and false differences
  systems   ranks by the baseline and by each judge; a click shows the queries
            that moved a system
  queries   kappa, bias, and tau without the query; the worst first
  pairs     query, passage, everybody's labels side by side, the answers, and
            the place in every ranking; the largest disagreement first
  grade     grade blind: your own grades of the pairs that matter most for
            tau, kept in the browser and saved as a file of qrels

Such a file is dataset.second, beside the baseline (Table 1 then has a row for
second labels), or the baseline itself, which alignir budget --human adds to a
judge's labels. The dataset and the systems are read again from where they were
when the runs were recorded; where they changed, the runs have to be made anew.

examples:
  alignir explore --out explore.html
  alignir explore --dataset demo --out demo.html
  alignir dataset=folder dataset.path=DATA model=lexical \
      dataset.second=OTHER.qrels
"""

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from alignir.commands import options, output

if TYPE_CHECKING:
    from pathlib import Path

    from alignir.tracking.recordings import Recordings
    from alignir.tracking.shapes import Setting


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    output.add_out(parser, "the page", "explore.html")
    parser.add_argument("--dataset", metavar="NAME", help="only runs on this dataset (default: all)")
    options.add_runs(parser)
    return parser


def run(args) -> int:
    from alignir.errors import InputError
    from alignir.explore.page import count, settings_of
    from alignir.formatting import counted
    from alignir.tracking.recordings import Recordings
    from alignir.tracking.runs import read_finished

    output.check_out(args.out, ("html",))
    recordings = Recordings(read_finished(args.tracking_uri, args.experiment))
    settings = settings_of(recordings, args.dataset)
    if not settings:
        there_are = ", ".join(sorted({each.dataset for each in settings_of(recordings)})) or "none"
        raise InputError(f"no recorded runs of two systems or more on {args.dataset or 'any dataset'}: {there_are}")

    (file,) = output.paths(args.out, "explore", ("html",))
    write(file, args.experiment, recordings, settings)
    size = file.stat().st_size / 1e6
    print(f"{file}: {counted(count(recordings, settings), 'run')}, {size:.1f} MB; open it in a browser")
    return 0


def write(file: "Path", experiment: str, recordings: "Recordings", settings: "list[Setting]") -> None:
    """The page of these settings, with their datasets and systems read again."""
    from alignir.config import recorded_cell
    from alignir.experiment.as_recorded import rankings_of
    from alignir.explore.page import page
    from alignir.files import written_whole

    def read(run):
        return rankings_of(run, recorded_cell(run.file("config.yaml"), run.names, run.uri))

    text = page(experiment, recordings, settings, read)
    with written_whole(file) as whole:
        whole.write_text(text, encoding="utf-8")
