"""Draw the figures of all recorded runs, each as NAME.png and NAME.svg; one alone
also as a pdf.

examples:
  alignir figures
  alignir figures --out drawn --figure labels --figure tau
  alignir figures --out labels.pdf --figure labels
"""

import sys
from argparse import ArgumentParser

from alignir.commands import options, output
from alignir.figures.choices import KINDS


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__, options.listed("figures", KINDS))
    parser.add_argument(
        "--figure",
        choices=KINDS,
        action="append",
        metavar="FIGURE",
        help="one of the figures below only; may be repeated (default: all)",
    )
    output.add_out(parser, "them", "figures")
    options.add_runs(parser)
    return parser


def run(args) -> int:
    from alignir.figures import canvas
    from alignir.progress import bar
    from alignir.report import gallery
    from alignir.tracking.recordings import Recordings
    from alignir.tracking.runs import read_finished

    output.check_out(args.out, output.FIGURES)
    recordings = Recordings(read_finished(args.tracking_uri, args.experiment))
    kinds = list(dict.fromkeys(args.figure or KINDS))
    drawings = gallery.drawings(recordings, kinds)
    output.check_one(args.out, drawings, "figures")
    with bar("drawing", len(drawings), "figures", after=2) as advance:
        for name, draw in drawings.items():
            figure = draw()
            for path in output.paths(args.out, name, output.DRAWN):
                canvas.save(figure, path)
            advance(1)
    for name in drawings:
        print(output.paths(args.out, name, output.DRAWN)[0])
    lacking = {
        "calibration": "no judge gave probabilities (prompt.decoding=logits)",
        "size": "no two judges are known to be of different sizes (model.parameters)",
        "cost": "no judge is known to have cost anything: no tokens, seconds or price",
    }
    for kind, why in lacking.items():
        if kind in kinds and not any(name.startswith(kind) for name in drawings):
            print(f"{kind}: {why}", file=sys.stderr)
    return 0
