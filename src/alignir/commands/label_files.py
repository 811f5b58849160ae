"""Label files: labels that are named on the command line, with the scales that are said of them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from alignir.errors import InputError

if TYPE_CHECKING:
    from alignir.tables.label_files import Labels

ENDINGS = (".gz", ".bz2", ".qrels", ".txt", ".tsv", ".csv", ".parquet", ".jsonl", ".ndjson", ".json")


def add_scales(parser: ArgumentParser) -> None:
    """--scale and --relevant-from: of files, where their values do not say it."""
    parser.add_argument(
        "--scale",
        action="append",
        default=[],
        metavar="NAME=GRADES",
        help="the grades of a file's labels, such as gpt4=0,1,2,3,4 (default: as its values look)",
    )
    parser.add_argument(
        "--relevant-from",
        action="append",
        default=[],
        metavar="NAME=GRADE",
        help="its first relevant grade (default: of the upper half; of 0-3 it is 2, of 0-1 it is 1)",
    )
    parser.add_argument(
        "--duplicates",
        default="error",
        metavar="WHICH",
        help="which label of a pair counts that has several: error, first, last, mode, max (default: %(default)s)",
    )
    parser.add_argument(
        "--queries",
        type=Path,
        metavar="FILE",
        help="the queries' texts by query_id, where a file has texts in place of ids, as Quepid's (default: none)",
    )


def read(files: list[Path], args) -> "list[Labels]":
    """The labels of these files, the first of which is the baseline; names are what differs between their paths."""
    from alignir.data import judgements
    from alignir.data.scales import FOUR, meaning
    from alignir.data.texts import read_queries
    from alignir.tables.label_files import Labels

    queries = read_queries(args.queries).main if args.queries else None
    names = named(files)
    grades, relevant = _by_name("--scale", args.scale, names), _by_name("--relevant-from", args.relevant_from, names)
    found: list[Labels] = []
    by: tuple[str, str] | None = None
    for name, file in zip(names, files, strict=True):
        declared = {"grades": grades.get(name), "relevant_from": relevant[name][0] if name in relevant else None}
        said = meaning(declared)
        judged = judgements.read_values(file, args.duplicates, said)
        judged = judged if queries is None else judgements.with_ids(judged, queries)
        by = by or judged.by
        if judged.by != by:
            raise _not_joined(file, files[0], judged.by, by)
        scale = judgements.scale_beside(judged, said, found[0].scale if found else FOUR)
        found.append(Labels(name, judgements.graded(judged, args.duplicates, said, scale), scale))
    return found


def _not_joined(file: Path, baseline: Path, by: tuple[str, str], expected: tuple[str, str]) -> InputError:
    """The error for a file that names pairs otherwise than the baseline does."""
    sides = [f"{' and '.join(names)} in {path}" for names, path in ((by, file), (expected, baseline))]
    hint = (
        "texts of queries become ids with --queries FILE"
        if by[1] == expected[1]
        else "texts of passages are joined by model=replay, with those of a dataset"
    )
    return InputError(f"pairs are named by {sides[0]}, and by {sides[1]}: {hint}")


def named(files: list[Path]) -> list[str]:
    """A file's name without endings; with its folder, or as it is, where several have the same.

    >>> named([Path("a/qrels.txt"), Path("b/gpt4.qrels.gz")]), named([Path("a/qrels.txt"), Path("b/qrels.txt")])
    (['qrels', 'gpt4'], ['a/qrels', 'b/qrels'])
    >>> named([Path("a.txt"), Path("a.csv")])
    ['a.txt', 'a.csv']
    """
    plain = [_plain(file.name) for file in files]
    in_folders = [str(file.with_name(_plain(file.name))) for file in files]
    for names in (plain, in_folders, [str(file) for file in files]):
        if len(set(names)) == len(files):
            return names
    raise InputError(f"expected several files of labels, found the same one twice: {', '.join(map(str, files))}")


def _plain(name: str) -> str:
    while name.endswith(ENDINGS):
        name = name[: name.rindex(".")]
    return name


def _by_name(option: str, texts: list[str], names: list[str]) -> dict[str, list[int]]:
    """{name of a file: whole numbers} of an option that may be repeated."""
    found = {}
    for text in texts:
        name, _, values = text.rpartition("=")
        try:
            found[name] = [int(value) for value in values.split(",")]
        except ValueError:
            raise InputError(f"{option} {text}: expected NAME=NUMBERS, such as {names[-1]}=1") from None
        if name not in names:
            raise InputError(f"{option} {text}: there is no file {name}; there are {', '.join(names)}")
    return found
