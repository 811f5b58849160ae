"""Datasets: queries, passages, baseline labels and, where there are any, the runs of systems."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data import trec
from alignir.data.ranked import ranked
from alignir.errors import InputError
from alignir.frames import GRADES, PAIR, QRELS


@dataclass(frozen=True)
class Dataset:
    """What is judged: `qrels` are the pairs to label and their baseline labels."""

    name: str
    queries: pd.Series  # text by query_id: only queries that have a judged pair
    passages: pd.Series  # text by doc_id: at least every judged one; the collection that `systems=bm25` searches
    qrels: pd.DataFrame  # QRELS
    runs: Path | None = None  # the folder of run files that belongs to it
    unjudged: frozenset[str] = frozenset()  # queries that were left out because they have no judged pair
    second: pd.DataFrame | None = None  # QRELS of other people than the baseline's, to compare people with people
    source: str = ""  # where passages' texts come from, to be named in messages
    further: Callable[[set[str]], pd.Series] | None = None  # texts of passages that are not in `passages`, by doc_id

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of what is judged: the texts of the pairs and their baseline labels, in any order."""
        pairs = self.qrels.sort_values(QRELS[:2])
        digest = hashlib.sha256()
        for query_id, doc_id, relevance in pairs.itertuples(index=False):
            for field in (query_id, self.queries[query_id], doc_id, self.passages[doc_id], str(relevance)):
                digest.update(field.encode() + b"\0")
        return digest.hexdigest()

    def of(self, query_ids: Iterable[str]) -> "Dataset":
        """The same collection with these queries only."""
        kept = set(query_ids)
        return replace(
            self,
            queries=self.queries[self.queries.index.isin(kept)],
            qrels=self.qrels[self.qrels["query_id"].isin(kept)].reset_index(drop=True),
            second=None if self.second is None else self.second[self.second["query_id"].isin(kept)],
        )

    def pairs(self, pool: pd.DataFrame | None = None) -> pd.DataFrame:
        """query_id, doc_id, query, passage: the texts of the judged pairs, or of the pool's, in their order.

        Every judged passage has a text; another one's is NaN where the dataset has none.
        """
        pairs = (self.qrels if pool is None else pool)[QRELS[:2]].copy()
        lacking = set(pairs["doc_id"]) - set(self.passages.index)
        texts = pd.concat([self.passages, self.further(lacking)]) if lacking and self.further else self.passages
        pairs["query"] = pairs["query_id"].map(self.queries)
        passages = pairs["doc_id"].map(texts).astype(object)
        pairs["passage"] = passages.where(passages.str.strip() != "")
        return pairs


def demo(name: str) -> Dataset:
    """The small collection that ships with alignir: everyday questions, graded by hand."""
    return folder(name, Path(__file__).parent / "demo")


def folder(name: str, path: str | Path, second: str | Path | None = None) -> Dataset:
    """A folder with queries.tsv, passages.jsonl or .tsv, qrels.txt and, for `systems=runs`, runs/*.run; .gz too.

    The passages are the collection that is searched. More texts, of what run files show beyond it, can lie in
    passages_*.jsonl or .tsv: they are read where a pool needs them. `second` is a qrels file of other people's labels.
    """
    path = trec.existing(path, f"folder for the dataset {name}")
    queries_file = trec.find(path, ["queries.tsv"], "queries")
    passages_file = trec.find(path, ["passages.jsonl", "passages.tsv"], "passages")
    qrels_file = trec.find(path, ["qrels.txt"], "qrels")
    qrels = trec.read_qrels(qrels_file)
    dataset = _checked(
        name,
        trec.read_queries(queries_file),
        trec.read_passages(passages_file),
        qrels,
        sources=(queries_file, passages_file, qrels_file),
        runs=path / "runs" if (path / "runs").is_dir() else None,
    )
    endings = (".jsonl", ".jsonl.gz", ".tsv", ".tsv.gz")
    further = sorted(file for ending in endings for file in path.glob(f"passages_*{ending}"))
    source = " or ".join(map(str, [passages_file, *further]))
    return replace(
        dataset,
        second=_read_second(second, qrels),
        source=source,
        further=partial(_read_further, further) if further else None,
    )


def _read_second(path: str | Path | None, qrels: pd.DataFrame) -> pd.DataFrame | None:
    if path is None:
        return None
    second = trec.read_qrels(trec.existing(path, "second set of labels (dataset.second=FILE)"))
    if second.merge(qrels, on=PAIR).empty:
        raise InputError(f"{path}: has a label for none of the {len(qrels):,} judged pairs")
    return second


def _read_further(files: list[Path], doc_ids: set[str]) -> pd.Series:
    texts = pd.concat([trec.read_passages(file, doc_ids) for file in files])
    return texts[~texts.index.duplicated()]


def trec_dl_2019(
    name: str, path: str | Path | None = None, ir_dataset: str = "", second: str | Path | None = None
) -> Dataset:
    """TREC 2019 Deep Learning, passage ranking: from a local folder, or by the name that ir_datasets has for it."""
    if path is not None:
        return folder(name, path, second)
    source = _ir_dataset(ir_dataset)
    try:
        qrels = pd.DataFrame([(q.query_id, q.doc_id, q.relevance) for q in source.qrels_iter()], columns=QRELS)
        qrels["relevance"] = qrels["relevance"].clip(lower=0)
        queries = pd.Series({q.query_id: q.text for q in source.queries_iter()}, dtype=object)
        passages = _ir_passages(source, qrels["doc_id"])
    except Exception as error:
        raise _not_downloaded(ir_dataset, error) from error
    dataset = _checked(name, queries, passages, qrels, sources=(ir_dataset,) * 3)
    return replace(dataset, second=_read_second(second, qrels), further=partial(_ir_passages, source))


def rank_distillm(
    name: str,
    run: str | Path,
    last_rank: dict[int, int],
    n: int,
    seed: int,
    path: str | Path | None = None,
    ir_queries: str = "",
    ir_passages: str = "",
) -> Dataset:
    """Rank-DistiLLM (Schlatt et al., 2024): an LLM re-ranker's rankings, as a TREC run or as parquet.

    It holds ranks and no grades: `last_rank` gives the last rank of each grade above 0, so {3: 10, 2: 30, 1: 60} makes
    ranks 1-10 grade 3, 11-30 grade 2, 31-60 grade 1 and the rest 0. `n` queries are drawn with `seed`. The texts come
    from the file itself (parquet with `query` and `text`), from a local folder, or from ir_datasets.
    """
    run = trec.existing(run, "Rank-DistiLLM run (set dataset.run=FILE)")
    ranking, queries, passages = _read_parquet(run) if run.suffix == ".parquet" else (_read_ranking(run), None, None)
    everything = np.sort(ranking["query_id"].unique())
    if n > len(everything):
        raise InputError(f"n={n}, but {run} has {len(everything)} queries")
    drawn = np.random.default_rng(seed).choice(everything, size=n, replace=False)
    ranking = ranking[ranking["query_id"].isin(set(drawn))]
    qrels = ranking[QRELS[:2]].assign(relevance=grade_by_rank(ranking["rank"].to_numpy(), last_rank))

    sources: tuple[str | Path, ...] = (run, run, run)
    if path is not None:
        path = trec.existing(path, f"folder for the dataset {name}")
        queries_file = trec.find(path, ["queries.tsv"], "queries")
        passages_file = trec.find(path, ["passages.jsonl", "passages.tsv"], "passages")
        queries = trec.read_queries(queries_file)
        passages = trec.read_passages(passages_file, set(qrels["doc_id"]))
        sources = (queries_file, passages_file, run)
    elif queries is None or passages is None:
        try:
            wanted = set(drawn)
            texts = {q.query_id: q.text for q in _ir_dataset(ir_queries).queries_iter() if q.query_id in wanted}
            queries = pd.Series(texts, dtype=object)
            passages = _ir_passages(_ir_dataset(ir_passages), qrels["doc_id"])
        except Exception as error:
            raise _not_downloaded(ir_passages, error) from error
        sources = (ir_queries, ir_passages, run)
    return _checked(name, queries, passages, qrels.reset_index(drop=True), sources=sources)


def grade_by_rank(ranks: np.ndarray, last_rank: dict[int, int]) -> np.ndarray:
    """The grade of each rank (from 1): the highest whose last rank is not yet passed, else 0."""
    grades = np.zeros(len(ranks), dtype=int)
    steps = sorted((int(g), int(r)) for g, r in last_rank.items())
    if [last for _, last in steps] != sorted({last for _, last in steps}, reverse=True):
        raise InputError(f"last_rank: expected last ranks that fall as the grade rises, found {last_rank}")
    for grade, last in steps:
        if grade not in GRADES:
            raise InputError(f"last_rank: expected grades {GRADES[0]}-{GRADES[-1]}, found {grade}")
        grades[ranks <= last] = grade
    return grades


def _read_ranking(run: Path) -> pd.DataFrame:
    return trec.read_run(run, "re-ranker")


def _read_parquet(path: Path) -> tuple[pd.DataFrame, pd.Series | None, pd.Series | None]:
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
    return ranking, queries, passages


def _checked(name, queries, passages, qrels, sources, runs=None) -> Dataset:
    """The dataset, if every judged pair has both its texts; queries without a judged pair are left out."""
    queries_source, passages_source, qrels_source = sources
    for column, texts, source in (("query_id", queries, queries_source), ("doc_id", passages, passages_source)):
        texts = texts[texts.notna() & (texts.str.strip() != "")]
        unknown = ~qrels[column].isin(texts.index)
        if unknown.any():
            query_id, doc_id, _ = qrels[unknown].iloc[0]
            where = trec.line_of(qrels_source, query_id, doc_id) if _is_text(qrels_source) else qrels_source
            what = f"query {query_id}" if column == "query_id" else f"passage {doc_id} (query {query_id})"
            raise InputError(f"{where}: the {what} has no text in {source}; {unknown.sum()} such pairs in all")
    judged = queries.index.isin(set(qrels["query_id"]))
    left_out = frozenset(queries.index[~judged])
    return Dataset(name, queries[judged], passages, qrels, runs, unjudged=left_out, source=str(passages_source))


def _is_text(source) -> bool:
    return isinstance(source, Path) and source.suffix != ".parquet"


def _ir_dataset(name: str):
    try:
        import ir_datasets
    except ImportError:
        raise InputError(
            f"{name} comes through ir_datasets, which is not installed: pip install 'alignir[ir-datasets]', "
            "or name a local folder with dataset.path=FOLDER"
        ) from None
    return ir_datasets.load(name)


def _ir_passages(source, doc_ids: Iterable[str]) -> pd.Series:
    found = source.docs_store().get_many(sorted(set(doc_ids)))
    return pd.Series({doc_id: doc.text for doc_id, doc in found.items()}, dtype=object)


def _not_downloaded(name: str, error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    reason = error.args[0] if error.args else type(error).__name__  # the rest is every download's own story
    return InputError(
        f"ir_datasets cannot give {name}: {reason}. With the files at hand, name their folder with dataset.path=FOLDER"
    )
