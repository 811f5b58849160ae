"""Datasets: queries, passages, baseline labels and, where there are any, the runs of systems."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data import finding, irds, trec
from alignir.data.digests import digest
from alignir.data.fields import MAIN, of_query, spellings
from alignir.data.lines import existing, line_of
from alignir.data.ranked import ranked
from alignir.data.scales import AS_WRITTEN, FOUR, Meaning, Scale, meaning, scale_of
from alignir.data.texts import Texts, as_texts, read_documents, read_queries
from alignir.errors import InputError
from alignir.frames import PAIR, QRELS

TEXT = ("text",)  # MS MARCO's one field, as it is written


@dataclass(frozen=True)
class Dataset:
    """What is judged: `qrels` are the pairs to label and their baseline labels."""

    name: str
    queries: pd.Series  # text by query_id: only queries that have a judged pair
    passages: pd.Series  # text by doc_id: of every judged one that has a text, and perhaps of others
    qrels: pd.DataFrame  # QRELS
    scale: Scale = FOUR  # of the qrels
    runs: Path | None = None  # the folder of run files that belongs to it
    # Queries that were left out because they have no judged pair; None: any others, as nothing says which there are.
    unjudged: frozenset[str] | None = frozenset()
    second: pd.DataFrame | None = None  # QRELS of other people than the baseline's, to compare people with people
    source: str = ""  # where passages' texts come from, to be named in messages
    lacking: str = ""  # which texts it was read without, and how to name them; empty: it has all
    notes: tuple[str, ...] = ()  # what a reader should know of how it was read, in a line each
    further: Callable[[set[str]], Texts] | None = None  # of passages that are not in `passages`
    everything: Callable[[], pd.Series] | None = None  # text by doc_id of all passages, where `passages` lacks some
    query_fields: pd.DataFrame = field(default_factory=pd.DataFrame)  # what queries have beside their text, by query_id
    passage_fields: pd.DataFrame = field(default_factory=pd.DataFrame)  # by doc_id; "" where one lacks the field

    @cached_property
    def collection(self) -> pd.Series:
        """The text of every passage, by doc_id: what `systems=bm25` searches; read when it is asked for."""
        self.need_texts()
        return self.everything() if self.everything else self.passages

    @cached_property
    def judged(self) -> pd.DataFrame:
        """`pairs` of the qrels, made once: the same for every judge of a sweep. Not to be changed."""
        return self.pairs()

    @cached_property
    def judged_digest(self) -> str:
        return digest(self.judged)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of what is judged: the texts of the pairs and their baseline labels with their scale, in any order."""
        pairs = self.qrels.sort_values(QRELS[:2])
        query, passage = _by_id(pairs["query_id"], self.queries), _by_id(pairs["doc_id"], self.passages).fillna("")
        whole = hashlib.sha256(f"{self.scale.grades} {self.scale.relevant_from}".encode())
        for parts in zip(pairs["query_id"], query, pairs["doc_id"], passage, pairs["relevance"], strict=True):
            whole.update("".join(f"{part}\0" for part in parts).encode())
        return whole.hexdigest()

    def need_texts(self) -> None:
        """InputError where it was read without texts."""
        if self.lacking:
            raise InputError(self.lacking)

    def of(self, query_ids: Iterable[str]) -> "Dataset":
        """The same collection with these queries only."""
        kept = set(query_ids)
        if kept.issuperset(self.queries.index):
            return self
        return replace(
            self,
            queries=self.queries[self.queries.index.isin(kept)],
            qrels=self.qrels[self.qrels["query_id"].isin(kept)].reset_index(drop=True),
            second=None if self.second is None else self.second[self.second["query_id"].isin(kept)],
        )

    def pairs(self, pool: pd.DataFrame | None = None, fields: Sequence[str] = MAIN) -> pd.DataFrame:
        """query_id, doc_id, query, passage: the texts of the judged pairs, or of the pool's, in their order.

        A passage of which the dataset has no text is NaN. Any other of the `fields` is a column, too, as `data.fields`
        understands it, and empty where a query or a document lacks it.
        """
        pairs = (self.qrels if pool is None else pool)[QRELS[:2]].copy()
        lacking = ~pairs["doc_id"].isin(self.passages.index)
        found = Texts(self.passages, self.passage_fields)
        if lacking.any() and self.further:
            more = self.further(set(pairs.loc[lacking, "doc_id"]))
            found = Texts(pd.concat([found.main, more.main]), pd.concat([found.fields, more.fields]))
        pairs["query"] = _by_id(pairs["query_id"], self.queries)
        passages = _by_id(pairs["doc_id"], found.main)
        pairs["passage"] = passages.where(passages.str.strip() != "")
        for name in fields:
            if name not in MAIN:
                column, table = self.field(name), self.query_fields if of_query(name) else found.fields
                ids = pairs["query_id" if of_query(name) else "doc_id"]
                pairs[name] = _by_id(ids, table[column]).fillna("")
        return pairs

    def field(self, name: str) -> str:
        """What the data call this field of queries or of documents; InputError where they have none."""
        own, other = self.passage_fields, self.query_fields
        whose, prefix = "documents", "query_"
        if of_query(name):
            own, other, whose, prefix = other, own, "queries", "doc_"
        for each in spellings(name):
            if each in own:
                return each
        there = ", ".join(map(str, own)) or "nothing but their text"
        hint = f"; ${prefix}{name} is there" if name in other else ""
        raise InputError(f"the {whose} of {self.name} have no field for ${name}: there is {there}{hint}")


def _by_id(ids: pd.Series, texts: pd.Series) -> pd.Series:
    """The text of each id, NaN where there is none: the same strings, where pandas' `map` would copy them."""
    return pd.Series(texts.reindex(ids).to_numpy(dtype=object), index=ids.index, dtype=object)


def demo(name: str, scale: Mapping | None = None) -> Dataset:
    """The small collection that ships with alignir: everyday questions, graded by hand."""
    return folder(name, Path(__file__).parent / "demo", scale=scale or FOUR._asdict())


def folder(
    name: str,
    path: str | Path | None = None,
    second: str | Path | None = None,
    queries: str | Path | None = None,
    documents: str | Path | None = None,
    qrels: str | Path | None = None,
    query: Sequence[str] | None = None,
    passage: Sequence[str] | None = None,
    scale: Mapping | None = None,
    grades: Mapping | None = None,
    cut: Sequence[float] | None = None,
) -> Dataset:
    """A folder with queries.tsv, passages.jsonl or .tsv, qrels.txt and, for `systems=runs`, runs/*.run; .gz too.

    Other names, forms and spellings are taken as well, see `finding`, `texts` and `qrel_forms`; `queries`, `documents`
    (a file, or a folder of them) and `qrels` name files that lie elsewhere. `query` and `passage` name the fields that
    make up the text of a query and of a passage, where that is not one field alone.

    Texts that are not there are no mistake, until something needs them: a judge's labels and runs do not. The passages
    are the collection that is searched. More texts, of what run files show beyond it, can lie in
    passages_*.jsonl or .tsv: they are read where a pool needs them. `second` is a qrels file of other people's labels.
    """
    here = None if path is None else finding.folder_of(path, name, "folder")
    qrels_file = finding.qrels_of(here, qrels)
    queries_files, no_queries = finding.if_there(finding.queries_of, here, queries)
    documents_files, no_documents = finding.if_there(finding.documents_of, here, documents)
    said = meaning(scale, grades, cut)
    asked = read_queries(queries_files, parts=query or ()) if queries_files else None
    judged = trec.read_qrels(qrels_file, said, None if asked is None else asked.main)
    further = [] if here is None else finding.further_in(here)
    of_documents = str(documents_files[0] if len(documents_files) == 1 else documents or here)
    dataset = checked(
        name,
        asked,
        read_documents(documents_files, parts=passage or ()) if documents_files else None,
        judged,
        sources=(queries_files[0] if queries_files else "", of_documents, qrels_file),
        scale=said.scale_for(judged["relevance"]),
        runs=here / "runs" if here and (here / "runs").is_dir() else None,
    )
    source = " or ".join([of_documents, *map(str, further)])
    return replace(
        dataset,
        second=read_second(second, judged, said),
        source=source,
        lacking=no_queries or no_documents,
        further=partial(_read_further, further, parts=passage or ()) if further else None,
    )


def read_second(path: str | Path | None, qrels: pd.DataFrame, said: Meaning = AS_WRITTEN) -> pd.DataFrame | None:
    if path is None:
        return None
    second = trec.read_qrels(existing(path, "second set of labels (dataset.second=FILE)"), said)
    if second.merge(qrels, on=PAIR).empty:
        raise InputError(f"{path}: has a label for none of the {len(qrels):,} judged pairs")
    return second


def _read_further(files: list[Path], doc_ids: set[str], parts: Sequence[str] = ()) -> Texts:
    found = [read_documents(file, wanted=doc_ids, parts=parts) for file in files]
    main, fields = pd.concat([each.main for each in found]), pd.concat([each.fields for each in found])
    first = ~main.index.duplicated()
    return Texts(main[first], fields[first].fillna(""))


def trec_dl_2019(
    name: str,
    path: str | Path | None = None,
    ir_dataset: str = "",
    second: str | Path | None = None,
    scale: Mapping | None = None,
    grades: Mapping | None = None,
    cut: Sequence[float] | None = None,
) -> Dataset:
    """TREC 2019 Deep Learning, passage ranking: from a local folder, or by the name that ir_datasets has for it."""
    if path is not None:
        return folder(name, path, second, scale=scale, grades=grades, cut=cut)
    source, said = irds.load(ir_dataset), meaning(scale, grades, cut)
    with irds.told(ir_dataset):
        qrels = irds.qrels(source, ir_dataset, said)
        queries, documents = irds.queries(source, TEXT), partial(irds.documents, source, parts=TEXT)
        passages = documents(set(qrels["doc_id"]))
    found = said.scale_for(qrels["relevance"])
    dataset = checked(name, queries, passages, qrels, sources=(ir_dataset,) * 3, scale=found)
    return replace(dataset, second=read_second(second, qrels, said), further=documents)


def rank_distillm(
    name: str,
    run: str | Path,
    last_rank: dict[int, int],
    n: int,
    seed: int,
    path: str | Path | None = None,
    ir_queries: str = "",
    ir_passages: str = "",
    relevant_from: int | None = None,
) -> Dataset:
    """Rank-DistiLLM (Schlatt et al., 2024): an LLM re-ranker's rankings, as a TREC run or as parquet.

    It holds ranks and no grades: `last_rank` gives the last rank of each grade above 0, so {3: 10, 2: 30, 1: 60} makes
    ranks 1-10 grade 3, 11-30 grade 2, 31-60 grade 1 and the rest 0. `n` queries are drawn with `seed`. The texts come
    from the file itself (parquet with `query` and `text`), from a local folder, or from ir_datasets.
    """
    run = existing(run, "Rank-DistiLLM run (set dataset.run=FILE)")
    ranking, queries, passages = _read_parquet(run) if run.suffix == ".parquet" else (_read_ranking(run), None, None)
    everything = np.sort(ranking["query_id"].unique())
    if n > len(everything):
        raise InputError(f"n={n}, but {run} has {len(everything)} queries")
    drawn = np.random.default_rng(seed).choice(everything, size=n, replace=False)
    ranking = ranking[ranking["query_id"].isin(set(drawn))]
    qrels = ranking[QRELS[:2]].assign(relevance=grade_by_rank(ranking["rank"].to_numpy(), last_rank))

    sources: tuple[str | Path, str | Path, str | Path] = (run, run, run)
    if path is not None:
        path = existing(path, f"folder for the dataset {name}")
        queries_files, passages_files = finding.queries_of(path), finding.documents_of(path)
        queries = read_queries(queries_files)
        passages = read_documents(passages_files, wanted=set(qrels["doc_id"]))
        sources = (queries_files[0], passages_files[0], run)
    elif queries is None or passages is None:
        with irds.told(ir_passages):
            queries = irds.queries(irds.load(ir_queries), TEXT).of(set(drawn))
            passages = irds.documents(irds.load(ir_passages), set(qrels["doc_id"]), TEXT)
        sources = (ir_queries, ir_passages, run)
    scale = scale_of(range(max(map(int, last_rank), default=1) + 1), relevant_from)
    return checked(name, queries, passages, qrels.reset_index(drop=True), sources=sources, scale=scale)


def grade_by_rank(ranks: np.ndarray, last_rank: dict[int, int]) -> np.ndarray:
    """The grade of each rank (from 1): the highest whose last rank is not yet passed, else 0."""
    grades = np.zeros(len(ranks), dtype=int)
    steps = sorted((int(g), int(r)) for g, r in last_rank.items())
    if [last for _, last in steps] != sorted({last for _, last in steps}, reverse=True):
        raise InputError(f"last_rank: expected last ranks that fall as the grade rises, found {last_rank}")
    for grade, last in steps:
        if grade < 1:
            raise InputError(f"last_rank: expected grades from 1, found {grade}")
        grades[ranks <= last] = grade
    return grades


def _read_ranking(run: Path) -> pd.DataFrame:
    return trec.read_run(run, "re-ranker")


def _read_parquet(path: Path) -> tuple[pd.DataFrame, Texts | None, Texts | None]:
    """(RUNS, query texts, passage texts): either text is None where the file has no such column."""
    spellings = {"qid": "query_id", "docno": "doc_id", "docid": "doc_id"}
    try:
        table = pd.read_parquet(path).rename(columns=spellings)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as parquet: {error}") from error
    if not {"query_id", "doc_id"} <= set(table.columns) or not {"score", "rank"} & set(table.columns):
        raise InputError(f"{path}: expected columns qid, docno and score (or rank), found {', '.join(table.columns)}")
    table[QRELS[:2]] = table[QRELS[:2]].astype(str)
    if "score" not in table:
        table["score"] = -table["rank"].astype(float)
    repeated = table.duplicated(QRELS[:2])
    if repeated.any():
        raise InputError(
            f"{path}: row {repeated.idxmax()} repeats the pair {' '.join(table.loc[repeated.idxmax(), QRELS[:2]])}"
        )
    if not np.isfinite(table["score"]).all():
        raise InputError(f"{path}: row {(~np.isfinite(table['score'])).idxmax()} has no finite score")
    ranking = ranked(table.assign(system="re-ranker"))
    queries = table.drop_duplicates("query_id").set_index("query_id")["query"] if "query" in table else None
    passages = table.drop_duplicates("doc_id").set_index("doc_id")["text"] if "text" in table else None
    return ranking, *(None if texts is None else Texts(texts, texts.to_frame("text")) for texts in (queries, passages))


def checked(
    name: str,
    queries: Texts | None,
    passages: Texts | None,
    qrels: pd.DataFrame,
    sources: tuple[str | Path, str | Path, str | Path],
    runs: Path | None = None,
    lenient: bool = False,
    scale: Scale = FOUR,
) -> Dataset:
    """The dataset, if every judged pair has both its texts; queries without a judged pair are left out.

    `sources` are those of the three, to be named. Where a collection is known to lack texts (`lenient`), a judged
    passage may have none: the pool says what becomes of it. Of texts that are None there are none at all: then the
    queries are those of the qrels, with an empty text.
    """
    queries_source, passages_source, qrels_source = sources
    for column, every, source in (("query_id", queries, queries_source), ("doc_id", passages, passages_source)):
        if every is None:
            continue
        texts = every.main[every.main.notna() & (every.main.str.strip() != "")]
        unknown = ~qrels[column].isin(texts.index)
        if unknown.all() or (unknown.any() and not (lenient and column == "doc_id")):
            query_id, doc_id, _ = qrels[unknown].iloc[0]
            where = _line_of(qrels_source, query_id, doc_id)
            what = f"query {query_id}" if column == "query_id" else f"passage {doc_id} (query {query_id})"
            raise InputError(f"{where}: the {what} has no text in {source}; {unknown.sum()} such pairs in all")
    known = queries is not None
    queries = queries or as_texts(dict.fromkeys(qrels["query_id"], ""), {}, "query_id")
    passages = passages or as_texts({}, {}, "doc_id")
    is_judged = queries.main.index.isin(set(qrels["query_id"]))
    return Dataset(
        name,
        queries.main[is_judged],
        passages.main,
        qrels,
        scale,
        runs,
        unjudged=frozenset(queries.main.index[~is_judged]) if known else None,
        source=str(passages_source),
        query_fields=queries.fields[is_judged],
        passage_fields=passages.fields,
    )


def _line_of(source: str | Path, query_id: str, doc_id: str) -> str:
    is_text = isinstance(source, Path) and source.suffix != ".parquet"
    return line_of(Path(source), query_id, doc_id) if is_text else str(source)
