"""Draw the figures of all recorded runs, each as NAME.png and NAME.svg.

alignir figures --out figures
alignir figures --figure labels --figure tau
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from alignir.commands import options


def arguments(prog: str) -> ArgumentParser:
    from alignir.report import gallery

    kinds = "\n".join(f"{kind:<13}{what}" for kind, what in gallery.KINDS.items())
    parser = options.parser(prog, __doc__, kinds)
    parser.add_argument("--out", type=Path, default=Path("figures"), help="the folder, made if need be (%(default)s)")
    parser.add_argument(
        "--figure", choices=gallery.KINDS, action="append", help="one kind only; may be repeated (default: all)"
    )
    options.add_runs(parser)
    return parser


def run(args) -> int:
    from alignir.commands.options import make_out
    from alignir.figures import canvas
    from alignir.progress import bar
    from alignir.report import gallery
    from alignir.tracking.runs import read_finished

    make_out(args.out)
    recorded = read_finished(args.tracking_uri, args.experiment)
    kinds = list(dict.fromkeys(args.figure or gallery.KINDS))
    drawings = gallery.drawings(recorded, kinds)
    with bar("drawing", len(drawings), "figures", after=2) as advance:
        for name, draw in drawings.items():
            figure = draw()
            for form in ("png", "svg"):
                canvas.save(figure, args.out / f"{name}.{form}")
            advance(1)
    for name in drawings:
        print(args.out / f"{name}.png")
    if "calibration" in kinds and not any(name.startswith("calibration") for name in drawings):
        print("calibration: no judge gave probabilities (prompt.decoding=logits)", file=sys.stderr)
    return 0
