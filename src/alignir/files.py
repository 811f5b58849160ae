"""Files: written whole or not at all, and read with a message where they are not what they should be."""

import contextlib
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from alignir.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The folder `conf` or `prompts` that comes with alignir: inside the package of a wheel, else in the checkout."""
    return next(folder for folder in (PACKAGE / name, PACKAGE.parents[1] / name) if folder.is_dir())


def state_of(setting, name: str = "") -> tuple:
    """(path, size, time of the last change) of every file that a setting names, of those in a folder too.

    A setting is what YAML has: a string, a number, or a list or dict of them. A folder is one that is called `path` or
    is written with a slash: a name may happen to be that of a folder. Equal settings of equal state read the same.
    """
    if isinstance(setting, Mapping):
        return tuple(state for key, value in setting.items() for state in state_of(value, str(key)))
    if isinstance(setting, list | tuple):
        return tuple(state for value in setting for state in state_of(value, name))
    if not isinstance(setting, str | Path) or not (path := Path(setting).expanduser()).exists():
        return ()
    if path.is_dir() and name != "path" and not {"/", os.sep} & set(str(setting)):
        return ()
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)


class Weights(Protocol):
    """The weights of a model: called, it gives their folder."""

    @property
    def sha256(self) -> str:
        """Of what it gives: the same weights under another name are the same."""

    def check(self) -> None:
        """InputError where it has none to give; loads nothing."""

    def __call__(self) -> Path: ...


def cache_folder() -> Path:
    """alignir's folder in the user's cache: $XDG_CACHE_HOME/alignir or ~/.cache/alignir."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "alignir"


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to: at the end it takes the place of `path`, on disk also after a power cut.

    When the writing fails, `path` stays as it was and nothing is left beside it.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield temporary
        _to_disk(temporary)
        os.replace(temporary, path)
        _to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # Windows opens no folder
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)  # it flushes only what may be written
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_parquet(path: Path, columns: tuple[str, ...] = ()) -> "pd.DataFrame":
    """A parquet table that has at least these columns."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as parquet: {error}") from error
    if not set(columns) <= set(table.columns):
        raise InputError(f"{path}: expected columns {', '.join(columns)}, found {', '.join(table.columns)}")
    return table
