"""BEIR: a folder as BEIR and MTEB have them: corpus.jsonl, queries.jsonl, and qrels/SPLIT.tsv under a header."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from alignir.data import finding, trec
from alignir.data.collections import Dataset, checked, read_second
from alignir.data.lines import COMPRESSED, form
from alignir.data.scales import meaning
from alignir.data.texts import DOCUMENTS, mains, read_queries, wanted
from alignir.errors import InputError

# What BEIR takes for a document, and its retrievers search: the title, and the text after it.
TITLED = DOCUMENTS._replace(before=("title",))


def beir(
    name: str,
    path: str | Path,
    split: str = "test",
    second: str | Path | None = None,
    query: Sequence[str] | None = None,
    passage: Sequence[str] | None = None,
    scale: Mapping | None = None,
    grades: Mapping | None = None,
    cut: Sequence[float] | None = None,
) -> Dataset:
    """A folder in BEIR's form; each file may be compressed, and have another of the endings of `texts`.

    Of the corpus only judged documents are kept, until a retriever searches it. `query` and `passage` name the fields
    that make up a text, where they are others than `text`, and `title` and `text`. A document that has no text at all
    is as one that is not there.
    """
    folder = finding.folder_of(path, name, "beir")
    corpus, queries_files, qrels_file = (
        finding.documents_of(folder),
        finding.queries_of(folder),
        _qrels_of(folder, split),
    )
    said = meaning(scale, grades, cut)
    qrels = trec.read_qrels(qrels_file, said)
    further = partial(wanted, files=corpus, kind=TITLED, parts=passage or ())
    dataset = checked(
        name,
        read_queries(queries_files, parts=query or ()),
        further(set(qrels["doc_id"])),
        qrels,
        sources=(queries_files[0], corpus[0], qrels_file),
        runs=folder / "runs" if (folder / "runs").is_dir() else None,
        lenient=True,
        scale=said.scale_for(qrels["relevance"]),
    )
    return replace(
        dataset,
        second=read_second(second, qrels, said),
        further=further,
        everything=cache(partial(mains, corpus, TITLED, passage or ())),
    )


def _qrels_of(folder: Path, split: str) -> Path:
    splits: dict[str, Path] = {}
    for file in sorted((folder / "qrels").iterdir()) if (folder / "qrels").is_dir() else ():
        whole = file.name.removesuffix(file.suffix) if file.suffix in COMPRESSED else file.name
        splits.setdefault(whole.removesuffix(form(file)), file)
    if split not in splits:
        there = f"there are {', '.join(splits)}" if splits else "there are none"
        raise InputError(f"no split {split} in {(folder / 'qrels').absolute()} (dataset.split): {there}")
    return splits[split]
