"""Lines: text files as TREC people have them, plain, gzipped or bzipped, each line with its number."""

import bz2
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from alignir.errors import InputError

COMPRESSED = (".gz", ".bz2")
UNREADABLE = (OSError, EOFError, zlib.error)  # what a broken file raises, compressed or not


def existing(path: str | Path, what: str) -> Path:
    """The path, if it is there; else an error that names it whole."""
    path = Path(path).expanduser()
    if not path.exists():
        raise InputError(f"no {what} at {path.absolute()}")
    return path


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file, of a compressed one those inside."""
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return bz2.open(path, "rb") if path.suffix == ".bz2" else open(path, "rb")


def lines(path: Path, blank: bool = False) -> Iterator[tuple[int, str]]:
    """(number from 1, line without its end) for each line that is not blank; with `blank` for every line."""
    try:
        with opened(path) as file:
            for number, raw in enumerate(file, 1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                except UnicodeDecodeError as error:
                    raise InputError(f"{path}:{number}: expected UTF-8 text, found the bytes {raw[:60]!r}") from error
                if blank or line.strip():
                    yield number, line
    except UNREADABLE as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def line_of(path: Path, *fields: str) -> str:
    """`file:line` of the first line that has these fields among its own; the file alone if none has."""
    wanted = set(fields)
    for number, line in lines(path):
        if wanted <= set(line.split()):
            return f"{path}:{number}"
    return str(path)


def form(path: Path) -> str:
    """The ending of a file's name that says what is in it, without that of its compression: .jsonl of x.jsonl.gz.

    >>> form(Path("corpus.jsonl.gz")), form(Path("qrels.robust2004.txt")), form(Path("qrels"))
    ('.jsonl', '.txt', '')
    """
    inner = path.with_suffix("") if path.suffix in COMPRESSED else path
    return inner.suffix.lower()


def is_number(value) -> bool:
    """Whether a cell, or a setting, is a number, be it infinite or NaN.

    >>> is_number("0.5"), is_number("nan"), is_number("relevance"), is_number(None)
    (True, True, False, False)
    """
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
