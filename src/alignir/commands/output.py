"""Output: `--out`, which means the same to every command: a name with an ending is a file, any other one a folder.

A folder is made if need be, and in it files have names of their own. Without --out no command writes anything but what
it is for, and only one whose purpose is files has a default.
"""

import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from alignir.errors import InputError

DRAWN = ("png", "svg")  # the forms of a figure in a folder
FIGURES = (*DRAWN, "pdf")  # and those of one that is a file


def add_out(parser: ArgumentParser, what: str, default: str | None = None, without: str = "") -> None:
    """--out, where `what` is written; `without`: what happens where it is not given and has no default."""
    if_not = f"default: {default or without}" if default or without else "required"
    parser.add_argument(
        "--out",
        type=Path,
        default=default and Path(default),
        required=not (default or without),
        metavar="PATH",
        help=f"where to write {what}: a name with an ending is a file, any other one a folder, made if need be "
        f"({if_not})",
    )


def is_folder(out: Path) -> bool:
    """Whether it names a folder: one that is there, or a name without an ending.

    >>> is_folder(Path("drawn")), is_folder(Path("tau.pdf"))
    (True, False)
    """
    return out.is_dir() or not out.suffix


def check_out(out: Path | None, forms: Collection[str] = ()) -> None:
    """Raise before any work is done, if --out cannot be written, or as a file is none of the forms; makes a folder."""
    if out is None:
        return
    if is_folder(out):
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"--out {out}: expected a folder, or a path where one can be made: {error.strerror}"
            ) from error
        return
    if forms and out.suffix[1:].lower() not in forms:
        endings = ", ".join(f".{form}" for form in forms)
        raise InputError(
            f"--out {out}: expected a file that ends in {endings}, or a folder, whose name has no ending or is there"
        )
    if not out.absolute().parent.is_dir():
        raise InputError(f"--out {out}: there is no such folder")


def check_folder(out: Path) -> None:
    """Raise if --out is a file, where a command writes as many files as it takes; makes the folder."""
    if not is_folder(out):
        raise InputError(f"--out {out}: expected a folder, whose name has no ending or is there")
    check_out(out)


def check_one(out: Path, files: Collection[str], what: str) -> None:
    """Raise if --out is a file and there are several of `what`, of these names, to write."""
    if len(files) > 1 and not is_folder(out):
        raise InputError(f"--out {out}: expected a folder for {len(files)} {what}: {', '.join(files)}")


def paths(out: Path, name: str, forms: Collection[str]) -> list[Path]:
    """Where something is written: the file that --out names, or in its folder `name` in each of these forms.

    >>> [str(path) for path in paths(Path("drawn"), "tau", ["png", "svg"])]
    ['drawn/tau.png', 'drawn/tau.svg']
    >>> [str(path) for path in paths(Path("a.pdf"), "tau", ["png", "svg"])]
    ['a.pdf']
    """
    return [out / f"{name}.{form}" for form in forms] if is_folder(out) else [out]


def named(kind: str, of: Sequence[str]) -> list[str]:
    """The names of files of a kind, one alone plainly; of several each says what it is of.

    >>> named("budget", ["demo"]), named("circularity", ["lexical demo", "gpt4 demo (path=a)"])
    (['budget'], ['circularity-lexical-demo', 'circularity-gpt4-demo-path-a'])
    """
    return [kind] if len(of) == 1 else ["-".join([kind, *re.findall(r"[\w.]+", each)]) for each in of]


def draw(make: Callable[[], object], out: Path | None, name: str) -> None:
    """Make a figure, write it where --out says, and say so; nothing without it."""
    if out is None:
        return
    from alignir.figures import canvas

    figure = make()
    for path in paths(out, name, DRAWN):
        canvas.save(figure, path)
        print(f"figure: {path}", file=sys.stderr)
