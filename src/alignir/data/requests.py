"""Requests: umbrela's and RankLLM's JSON lines, a query and its candidates with their texts in each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from alignir.data import finding, trec
from alignir.data.collections import Dataset, checked, read_second
from alignir.data.records import first_of, json_lines, texts_of
from alignir.data.scales import meaning
from alignir.data.texts import DOCUMENTS, QUERIES, Texts, as_texts, put
from alignir.errors import InputError
from alignir.formatting import counted
from alignir.frames import PAIR

EXPECTED = '{"query": {"qid": ..., "text": ...}, "candidates": [{"docid": ..., "doc": {"segment": ...}}, ...]}'


def requests(
    name: str,
    path: str | Path,
    qrels: str | Path | None = None,
    second: str | Path | None = None,
    passage: Sequence[str] | None = None,
    scale: Mapping | None = None,
    grades: Mapping | None = None,
    cut: Sequence[float] | None = None,
) -> Dataset:
    """The pairs that a file of requests asks about, or several files in a folder, with their labels in `qrels`.

    Pairs without a label have texts here, for `pool=runs@K`. `passage` names the fields of `doc` that make up the text
    of a passage; by default it is the first of `text`, `contents`, `body`, `segment` and `passage`.
    """
    if qrels is None:
        raise InputError("requests have no baseline labels: name a file of qrels with dataset.qrels=FILE")
    files = finding.files_of(path, "file of requests")
    asked, queries, passages = _read(files, passage or ())
    said = meaning(scale, grades, cut)
    judged = trec.read_qrels(qrels, said)
    both = judged[pd.MultiIndex.from_frame(judged[PAIR]).isin(asked)].reset_index(drop=True)
    if both.empty:
        raise InputError(f"{qrels}: has a label for none of the {len(asked):,} pairs that {path} asks about")
    source = str(files[0] if len(files) == 1 else path)
    dataset = checked(
        name, queries, passages, both, sources=(source, source, Path(qrels)), scale=said.scale_for(judged["relevance"])
    )
    notes = tuple(_notes(name, len(asked), len(judged), len(both)))
    return replace(dataset, second=read_second(second, both, said), notes=notes)


def _notes(name: str, n_asked: int, n_judged: int, n_both: int) -> Iterator[str]:
    if n_both < n_asked:
        yield f"{name}: {n_asked - n_both:,} of {counted(n_asked, 'pair')} that are asked about have no baseline label"
    if n_both < n_judged:
        yield f"{name}: {n_judged - n_both:,} of {counted(n_judged, 'label')} are of pairs that are not asked about"


def _read(files: list[Path], parts: Sequence[str]) -> tuple[set[tuple[str, str]], Texts, Texts]:
    """(pairs, queries, passages) of all requests; what stands in several has one text."""
    asked: set[tuple[str, str]] = set()
    queries, passages = _Side(QUERIES.key), _Side(DOCUMENTS.key)
    for file in files:
        for number, request in json_lines(file, EXPECTED):
            place = f"{file}:{number}"
            query, candidates = request.get("query"), request.get("candidates")
            if not isinstance(query, dict) or not isinstance(candidates, list):
                raise InputError(f"{place}: expected {EXPECTED}, found {', '.join(map(str, request))}")
            query_id = queries.add(place, "query", query, QUERIES.ids, QUERIES.texts)
            for candidate in candidates:
                flat = _flat(place, candidate)
                asked.add((query_id, passages.add(place, "candidate", flat, DOCUMENTS.ids, DOCUMENTS.texts, parts)))
    if not asked:
        raise InputError(f"{files[0]}: expected {EXPECTED}, found no candidate")
    return asked, queries.texts, passages.texts


def _flat(place: str, candidate: Any) -> dict[str, Any]:
    """A candidate's id and the fields of its `doc`, which may be its text, or lack."""
    if not isinstance(candidate, dict):
        raise InputError(f"{place}: expected a candidate with docid and doc, found {str(candidate)[:80]!r}")
    doc = candidate.get("doc", {})
    beside = {key: value for key, value in candidate.items() if key not in ("doc", "score")}
    return {**(doc if isinstance(doc, dict) else {"text": doc}), **beside}


class _Side:
    """The queries, or the passages, of all requests so far."""

    def __init__(self, key: str):
        self.key = key
        self.main: dict[str, str] = {}
        self.columns: dict[str, dict[str, str]] = {}
        self.where: dict[str, str] = {}

    def add(
        self,
        place: str,
        what: str,
        fields: dict[str, Any],
        ids: tuple[str, ...],
        spellings: tuple[str, ...],
        parts: Sequence[str] = (),
    ) -> str:
        """Keep one, and give its id."""
        of_id, spelled = first_of(ids, fields), first_of(spellings, fields)
        name = str(fields.get(of_id) or "")
        texts = texts_of({key: value for key, value in fields.items() if key != of_id})
        text = " ".join(filter(None, (texts.get(part, "") for part in parts or (spelled,))))
        if not name or not text.strip():
            lacking = "id" if not name else "text"
            raise InputError(f"{place}: expected {EXPECTED}, found a {what} without {lacking}: {str(fields)[:80]}")
        if self.main.setdefault(name, text) != text:
            raise InputError(f"{place}: the {what} {name} has another text than in {self.where[name]}")
        if name not in self.where:
            self.where[name] = place
            put(self.columns, name, texts)
        return name

    @property
    def texts(self) -> Texts:
        return as_texts(self.main, self.columns, self.key)
