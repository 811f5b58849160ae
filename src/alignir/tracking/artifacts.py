"""Artifacts: the files of recorded runs, each brought here once, and tables of them kept while there is room."""

import atexit
import shutil
import tempfile
from collections import OrderedDict
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pandas as pd

from alignir.tracking import stores

ROOM = 256e6  # bytes of tables that are kept


def found(uri: str | None, run_id: str, place: str, name: str) -> Path | None:
    """A file among a run's artifacts; None where there is none of this name.

    `place` is the run's artifact URI. A file of this machine is read where it lies.
    """
    parts = urlsplit(place)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        file = Path(url2pathname(parts.path)) / name
        return file if file.is_file() else None
    return _brought(uri, run_id, name)


def table(file: Path) -> pd.DataFrame:
    """A parquet or csv table; what the caller does to it is not done to the one that is kept."""
    if file not in _kept:
        frame = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, dtype={"system": str})
        _kept[file] = frame, float(frame.memory_usage(deep=True).sum())
        while len(_kept) > 1 and sum(size for _, size in _kept.values()) > ROOM:
            _kept.popitem(last=False)
    _kept.move_to_end(file)
    frame, _ = _kept[file]
    return frame.copy()


_kept: OrderedDict[Path, tuple[pd.DataFrame, float]] = OrderedDict()  # with its bytes, the longest unused first


@cache
def _brought(uri: str | None, run_id: str, name: str) -> Path | None:
    """A file that a server has, in a folder of this process; the list of them is asked for, not each by an error."""
    if name not in _names(uri, run_id):
        return None
    return Path(stores.client(uri).download_artifacts(run_id, name, str(_own_folder(run_id))))


@cache
def _names(uri: str | None, run_id: str) -> frozenset[str]:
    return frozenset(file.path for file in stores.client(uri).list_artifacts(run_id))


@cache
def _own_folder(run_id: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="alignir-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
