"""Options: what commands have in common on the command line.

A command's module begins with the text of its help: what it does, and examples that run, in lines of 79 letters at
most.
"""

import textwrap
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import NoReturn

from alignir.errors import InputError
from alignir.tables.table import FORMATS

WIDTH = 79  # letters of a line of help


class Parser(ArgumentParser):
    """Raises for a mistake, as everything else does that reads what a person wrote; argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} ({self.prog} --help says what there is)")


def parser(prog: str, description: str, epilog: str = "") -> Parser:
    """A parser whose help prints the text of a command's module as it is written."""
    return Parser(
        prog=prog,
        description=description,
        epilog=epilog,
        formatter_class=RawDescriptionHelpFormatter,
    )


def listed(title: str, texts: dict[str, str]) -> str:
    """A part of a help: a line a name with its text, more where it is too long for one."""
    longest = max(map(len, texts))
    lines = [f"{title}:"]
    for name, text in texts.items():
        first = f"  {name:<{longest}}  "
        filled = textwrap.TextWrapper(WIDTH, first, " " * len(first), break_on_hyphens=False, break_long_words=False)
        lines.append(filled.fill(text))
    return "".join(f"{line}\n" for line in lines)


def add_runs(parser: ArgumentParser, experiment: str = "alignir") -> None:
    """--experiment and --tracking-uri: which recorded runs a command reads."""
    parser.add_argument("--experiment", default=experiment, help="the MLflow experiment to read (default: %(default)s)")
    parser.add_argument(
        "--tracking-uri",
        metavar="URI",
        help="where MLflow keeps it, such as http://HOST:5000 "
        "(default: $MLFLOW_TRACKING_URI, else mlruns/mlflow.db in the working folder)",
    )


def add_format(parser: ArgumentParser, what: str = "how the tables are printed") -> None:
    """--format: the form of what a command prints."""
    parser.add_argument("--format", choices=FORMATS, default="rich", help=f"{what} (default: %(default)s)")


def add_settings(parser: ArgumentParser, example: str) -> None:
    """The settings of the main job, for a command that works on one of its cells."""
    parser.add_argument(
        "settings",
        nargs="*",
        default=[],
        metavar="SETTING",
        help=f"as for the main job, such as {example} (default: its own)",
    )


def add_draws(parser: ArgumentParser, default: int, what: str) -> None:
    """--draws: how often something random is repeated."""
    parser.add_argument("--draws", type=int, default=default, metavar="N", help=f"{what} (default: %(default)s)")


def add_enough(parser: ArgumentParser) -> None:
    """--enough: the agreement that a reader asks for."""
    parser.add_argument(
        "--enough", type=float, default=0.9, metavar="TAU", help="the tau_b that would do (default: %(default)s)"
    )


def numbers(option: str, text: str) -> list[int]:
    """The whole numbers from 1 in a text with commas, each once, the smallest first."""
    try:
        found = sorted({int(number) for number in text.split(",")})
    except ValueError:
        raise InputError(f"{option} {text}: expected whole numbers with commas") from None
    if found[0] < 1:
        raise InputError(f"{option} {text}: expected numbers from 1")
    return found


def check_from(option: str, number: int, least: int) -> None:
    """Raise if the number that an option was given is too small."""
    if number < least:
        raise InputError(f"{option} {number}: expected a number from {least}")
