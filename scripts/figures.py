"""Draw the figures of all recorded runs, each as NAME.png and NAME.svg.

python scripts/figures.py --out figures
python scripts/figures.py --figure labels --figure tau
"""

import argparse
import sys
from pathlib import Path


def main() -> int:
    from alignir import gallery
    from alignir.errors import InputError

    kinds = "\n".join(f"{kind:<13}{what}" for kind, what in gallery.KINDS.items())
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=kinds, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("figures"), help="the folder, made if need be (%(default)s)")
    parser.add_argument(
        "--figure", choices=gallery.KINDS, action="append", help="one kind only; may be repeated (default: all)"
    )
    parser.add_argument("--experiment", default="alignir", help="the MLflow experiment to read (default: alignir)")
    parser.add_argument("--tracking-uri", help="MLflow's (default: mlruns/mlflow.db in the working folder)")
    args = parser.parse_args()
    try:
        return run(args)
    except InputError as error:
        print(f"figures: {error}", file=sys.stderr)
        return 1


def run(args) -> int:
    from alignir import canvas, gallery
    from alignir.errors import InputError
    from alignir.progress import bar
    from alignir.tracking import read_runs

    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {args.out}: expected a folder, or a place to make one: {error.strerror}") from error
    recorded = read_runs(args.tracking_uri, args.experiment)
    if not recorded:
        raise InputError(f"the experiment {args.experiment!r} has no finished run yet: run python -m alignir first")
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
