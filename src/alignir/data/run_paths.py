"""Run files: which files of a folder are runs, and what their systems are called."""

from collections.abc import Sequence
from pathlib import Path, PurePath

from alignir.data.lines import COMPRESSED, existing
from alignir.errors import InputError

# NAME.run, NAME.res of PyTerrier, NAME/run.txt of TIRA, input.NAME of TREC, run.COLLECTION.NAME.TOPICS.txt of Anserini.
FILES = "**/{*.{run,res,trec,txt},input.*,run.*}{,.gz,.bz2}"
ENDINGS = (".run", ".res", ".trec", ".txt")


def run_files(folder: str | Path, files: str | Sequence[str] = FILES) -> dict[str, Path]:
    """The run files of a folder by system: those that match the pattern, or one of them.

    A pattern takes `*`, `**`, `?`, `[...]` and `{a,b}`. A system's name is what differs between the paths; where two
    files give the same name, that is an error.
    """
    from wcmatch import glob

    folder = existing(folder, "folder of run files")
    patterns = [files] if isinstance(files, str) else list(files)
    found = glob.glob(patterns, root_dir=str(folder), flags=glob.BRACE | glob.GLOBSTAR | glob.NODIR)
    if not found:
        raise InputError(
            f"{folder.absolute()}: expected run files, {' or '.join(patterns)} (systems.files), found none"
        )
    paths = sorted(PurePath(path) for path in set(found))
    systems: dict[str, Path] = {}
    for path, system in zip(paths, names(paths), strict=True):
        if system in systems:
            raise InputError(f"the system {system} has two run files: {systems[system]} and {folder / path}")
        systems[system] = folder / path
    return systems


def names(paths: Sequence[PurePath]) -> list[str]:
    """What differs between the paths, without the endings of run files.

    Folders that all paths begin or end with are left off, and so are parts of Anserini's names. A name of our own form,
    NAME.run, stays whole, whatever is in it.

    >>> names([PurePath("a.run.gz"), PurePath("b.1.run"), PurePath("input.c.gz"), PurePath("d.res.gz")])
    ['a', 'b.1', 'c', 'd']
    >>> names([PurePath("run.msmarco.bm25.dl19.txt"), PurePath("run.msmarco.bm25-rm3.dl19.txt")])
    ['bm25', 'bm25-rm3']
    >>> names([PurePath("bm25/output/run.txt"), PurePath("dense/output/run.txt")])
    ['bm25', 'dense']
    """
    split = [_parts(path, _endings(paths)) for path in paths]
    if len(split) == 1:  # nothing differs: it is the file's name, and the folder's where that says nothing
        (folders, stem), *_ = split
        return [folders[-1] if folders and stem in (["run"], ["input"]) else ".".join(stem)]
    whole = [[f"{folder}/" for folder in folders] + [f"{part}." for part in stem] for folders, stem in split]
    for end in (0, -1):
        while all(len(parts) > 1 for parts in whole) and len({parts[end] for parts in whole}) == 1:
            whole = [parts[1:] if end == 0 else parts[:-1] for parts in whole]
    return ["".join(parts)[:-1] for parts in whole]


def _endings(paths: Sequence[PurePath]) -> tuple[str, ...]:
    """Those of run files, and what else all these files end with."""
    others = {_plain(path).suffix for path in paths}
    known = any(path.name.startswith(("input.", "run.")) for path in paths)
    return (*ENDINGS, *others) if len(paths) > 1 and len(others) == 1 and others != {""} and not known else ENDINGS


def _parts(path: PurePath, endings: Sequence[str]) -> tuple[list[str], list[str]]:
    """(folders, parts of the file's name)."""
    name = _plain(path).name
    ending = next((ending for ending in endings if name.endswith(ending) and name != ending), "")
    stem = name.removesuffix(ending)
    first, _, rest = stem.partition(".")
    folders = list(path.parts[:-1])
    if rest and ending != ".run" and first in ("input", "run"):
        return folders, [rest] if first == "input" else rest.split(".")
    return folders, [stem]


def _plain(path: PurePath) -> PurePath:
    """Without the ending of its compression."""
    return path.with_suffix("") if path.suffix in COMPRESSED else path
