"""Draw the figures of all recorded runs, each as NAME.png and NAME.svg.

python scripts/figures.py --out figures
python scripts/figures.py --figure labels --figure tau
"""

import argparse
import sys
from pathlib import Path


def main() -> int:
    from alignir import options
    from alignir.report import gallery

    kinds = "\n".join(f"{kind:<13}{what}" for kind, what in gallery.KINDS.items())
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=kinds, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("figures"), help="the folder, made if need be (%(default)s)")
    parser.add_argument(
        "--figure", choices=gallery.KINDS, action="append", help="one kind only; may be repeated (default: all)"
    )
    options.add_runs(parser)
    args = parser.parse_args()
    return options.told(lambda: run(args))


def run(args) -> int:
    from alignir.figures import canvas
    from alignir.files import make_out
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


if __name__ == "__main__":
    sys.exit(main())
