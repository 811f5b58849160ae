"""Finding: which file of a folder holds the queries, the documents or the qrels, and what a folder looks like."""

from collections.abc import Callable
from pathlib import Path

from alignir.data.lines import COMPRESSED, existing, form, opened
from alignir.data.records import JSON_LINES
from alignir.data.texts import ENDINGS
from alignir.errors import InputError

# The names that such files have, the likeliest first: the first that is there counts.
QUERIES = ("queries", "topics")
DOCUMENTS = ("passages", "documents", "docs", "corpus", "collection", "segments")
SHOWN = 8  # files of a folder that a message names


def find(folder: Path, stems: tuple[str, ...], endings: tuple[str, ...], what: str, setting: str) -> Path:
    """The first file of a folder with one of these names and endings, also compressed."""
    for stem in stems:
        for ending in endings:
            for name in (stem + ending, *(stem + ending + compressed for compressed in COMPRESSED)):
                if (folder / name).is_file():
                    return folder / name
    usual = " or ".join(stems[0] + ending for ending in endings[:2])
    others = f" or {', '.join(stems[1:])}" if stems[1:] else ""
    raise InputError(
        f"no {what} in {folder.absolute()}: expected {usual} ({', '.join(endings[2:])}, .gz{others}), or any file with "
        f"{setting}=FILE; found {_shown(folder)}"
    )


def queries_of(folder: Path | None, named: str | Path | None = None) -> list[Path]:
    """The files named, or the folder's own."""
    endings = (".tsv", ".jsonl", ".csv", ".txt", ".json", ".parquet")
    return _named_or_found(named, folder, QUERIES, endings, "queries", "dataset.queries")


def documents_of(folder: Path | None, named: str | Path | None = None) -> list[Path]:
    endings = (".jsonl", ".tsv", ".csv", ".txt", ".json", ".parquet")
    return _named_or_found(named, folder, DOCUMENTS, endings, "passages", "dataset.documents")


def qrels_of(folder: Path | None, named: str | Path | None = None) -> Path:
    endings = (".txt", ".tsv", ".csv", ".qrels", ".parquet", ".jsonl")
    if named is not None:
        return existing(named, "file of qrels")
    return _named_or_found(None, folder, ("qrels",), endings, "qrels", "dataset.qrels")[0]


def if_there(
    find: Callable[[Path | None, str | Path | None], list[Path]], folder: Path | None, named: str | Path | None
) -> tuple[list[Path], str]:
    """(the files that `find` gives, why there are none): what is not named may lack."""
    try:
        return find(folder, named), ""
    except InputError as error:
        if named is not None:
            raise
        return [], str(error)


def _named_or_found(
    named: str | Path | None, folder: Path | None, stems: tuple[str, ...], endings: tuple[str, ...], *about: str
) -> list[Path]:
    what, setting = about
    if named is not None:
        return files_of(named, f"file or folder of {what}")
    if folder is None:
        raise InputError(f"{setting} has no value: set {setting}=FILE, or dataset.path=FOLDER of all files")
    return [find(folder, stems, endings, what, setting)]


def further_in(folder: Path) -> list[Path]:
    """Files of more texts than those of the collection: passages_*, in the order of their names."""
    endings = [ending + end for ending in (".jsonl", ".tsv") for end in ("", *COMPRESSED)]
    return sorted(file for ending in endings for file in folder.glob(f"passages_*{ending}"))


def files_of(path: str | Path, what: str) -> list[Path]:
    """The file, or all files of a folder and of those in it that can hold texts, by name."""
    path = existing(path, what)
    if path.is_file():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.is_file() and form(file) in ENDINGS)
    if not files:
        raise InputError(f"no {what} in {path.absolute()}: expected files {', '.join(ENDINGS)}, found {_shown(path)}")
    return files


def folder_of(path: str | Path, name: str, choice: str) -> Path:
    """The folder of a dataset, if it looks as this choice of `dataset=` reads it; else which one does."""
    path = existing(path, f"folder for the dataset {name}")
    if path.is_file():
        other = "requests" if form(path) in JSON_LINES and '"candidates"' in _start(path) else "files"
        settings = "dataset.path=FILE" if other == "requests" else "dataset.queries, dataset.documents, dataset.qrels"
        raise InputError(f"{path.absolute()}: expected a folder, found a file: take dataset={other} ({settings})")
    beir = (path / "qrels").is_dir() and any(file.name.startswith("corpus.") for file in path.iterdir())
    if choice == "folder" and beir:
        raise InputError(f"{path.absolute()}: this is BEIR's form, with a corpus and qrels/: read it with dataset=beir")
    if choice == "beir" and not beir and any(file.name.startswith("qrels.") for file in path.iterdir()):
        raise InputError(
            f"{path.absolute()}: expected BEIR's form, corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, found "
            f"{_shown(path)}: read it with dataset=folder"
        )
    return path


def _start(path: Path) -> str:
    with opened(path) as file:
        return file.read(1_000_000).decode(errors="replace")


def _shown(folder: Path) -> str:
    names = sorted(file.name + "/" * file.is_dir() for file in folder.iterdir() if not file.name.startswith("."))
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "") if names else "nothing"
