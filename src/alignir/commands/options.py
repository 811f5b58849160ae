"""Options: what commands have in common on the command line."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from alignir.errors import InputError


def parser(prog: str, description: str, epilog: str = "") -> ArgumentParser:
    """A parser whose help prints the text of a command's module as it is written."""
    return ArgumentParser(
        prog=prog, description=description, epilog=epilog, formatter_class=RawDescriptionHelpFormatter
    )


def add_runs(parser: ArgumentParser, experiment: str = "alignir") -> None:
    """--experiment and --tracking-uri: which recorded runs a command reads."""
    parser.add_argument(
        "--experiment", default=experiment, help=f"the MLflow experiment to read (default: {experiment})"
    )
    parser.add_argument("--tracking-uri", help="MLflow's (default: mlruns/mlflow.db in the working folder)")


def add_figure(parser: ArgumentParser, name: str) -> None:
    """--out: the file of the one figure that a command draws."""
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


def check_out(path: Path) -> None:
    """Raise before any work is done, if a command's --out cannot be written for want of a folder."""
    if not path.absolute().parent.is_dir():
        raise InputError(f"--out {path}: there is no such folder")


def make_out(path: Path) -> None:
    """Make the folder that a command's --out names, if it is not there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {path}: expected a folder, or a place to make one: {error.strerror}") from error
