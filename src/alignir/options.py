"""Options: what scripts have in common on the command line."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from alignir.errors import InputError


def told(run: Callable[[], int]) -> int:
    """What `run` returns, or 1 after a user's mistake, which is told on stderr under the script's name."""
    try:
        return run()
    except InputError as error:
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
        return 1


def add_runs(parser: ArgumentParser, experiment: str = "alignir") -> None:
    """--experiment and --tracking-uri: which recorded runs a script reads."""
    parser.add_argument(
        "--experiment", default=experiment, help=f"the MLflow experiment to read (default: {experiment})"
    )
    parser.add_argument("--tracking-uri", help="MLflow's (default: mlruns/mlflow.db in the working folder)")


def add_figure(parser: ArgumentParser, name: str) -> None:
    """--out: the file of the one figure that a script draws."""
    text = "the figure, a png, svg or pdf by its name (default: %(default)s)"
    parser.add_argument("--out", type=Path, default=Path(name), help=text)


def numbers(option: str, text: str) -> list[int]:
    """The whole numbers from 1 in a text with commas, each once, the smallest first."""
    try:
        found = sorted({int(number) for number in text.split(",")})
    except ValueError:
        raise InputError(f"{option} {text}: expected whole numbers with commas") from None
    if found[0] < 1:
        raise InputError(f"{option} {text}: expected numbers from 1")
    return found
