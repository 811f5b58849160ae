"""Collections of ir_datasets: any of its ids that has queries, documents and qrels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from alignir.data import irds
from alignir.data.collections import Dataset, checked, read_second
from alignir.data.scales import meaning
from alignir.errors import InputError

INSTEAD = "dataset=folder dataset.path=FOLDER"


def from_ir_datasets(
    name: str,
    id: str,
    query: Sequence[str] | None = None,
    passage: Sequence[str] | None = None,
    second: str | Path | None = None,
    scale: Mapping | None = None,
    grades: Mapping | None = None,
    cut: Sequence[float] | None = None,
) -> Dataset:
    """The collection of this id; of its documents only the judged ones are fetched, until a retriever searches all.

    `query` and `passage` name the fields that make up a text; by default it is what ir_datasets takes for it, mostly a
    title and the body.
    """
    source, said = irds.load(id), meaning(scale, grades, cut)
    with irds.told(id, INSTEAD):
        if lacking := [part for part in ("queries", "docs", "qrels") if not source.has(part)]:
            raise InputError(f"{id} has no {' and no '.join(lacking)}{_others(id)}")
        qrels = irds.qrels(source, id, said)
        queries = irds.queries(source, query or ())
        documents = partial(_documents, source, id, passage or ())
        passages = documents(set(qrels["doc_id"]))
    dataset = checked(
        name, queries, passages, qrels, sources=(id,) * 3, lenient=True, scale=said.scale_for(qrels["relevance"])
    )
    return replace(
        dataset,
        source=f"ir_datasets' {id}",
        second=read_second(second, qrels, said),
        further=documents,
        everything=cache(partial(_everything, source, id, passage or ())),
    )


def _documents(source, id: str, passage: Sequence[str], doc_ids: set[str]):
    with irds.told(id, INSTEAD):
        return irds.documents(source, doc_ids, passage)


def _everything(source, id: str, passage: Sequence[str]):
    with irds.told(id, INSTEAD):
        return irds.everything(source, passage)


def _others(id: str) -> str:
    """Those of its parts that have all three."""
    found = [each for each in irds.names() if each.startswith(f"{id}/") and irds.is_whole(each)]
    return f"; take one of {', '.join(found[:6])}{', ...' * (len(found) > 6)}" if found else ""
