"""The functions of a session in plain Python: what `import alignir` offers, DataFrames in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from alignir.data import collections, run_paths, trec
from alignir.data.collections import Dataset
from alignir.data.lines import existing
from alignir.data.ranked import Runs, as_runs
from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError
from alignir.evaluation.names import NDCG
from alignir.frames import BASELINE, PAIR
from alignir.notebook.foreign import labels_of, rankings_of
from alignir.notebook.presets import preset

if TYPE_CHECKING:
    from alignir.experiment.results import Result
    from alignir.labelling.models import Model
    from alignir.labelling.prompts import Prompt
    from alignir.notebook.recordings import Experiment
    from alignir.users.users import Users

Rankings: TypeAlias = Runs | pd.DataFrame | Mapping[str, pd.DataFrame]


def demo(name: str = "demo", scale: Mapping[str, Any] | None = None) -> Dataset:
    """The small collection that ships with alignir: everyday questions, passages, and grades 0-3 given by hand.

    `scale` says another first relevant grade than 2: `{"grades": [0, 1, 2, 3], "relevant_from": 1}`.
    `queries` (Series of texts by query_id), `passages` (by doc_id), `qrels` (query_id, doc_id, relevance).

    >>> len(demo().queries), len(demo().qrels)
    (36, 360)
    """
    return collections.demo(name, scale)


def read_collection(path: str | Path, name: str = "", second: str | Path | None = None) -> Dataset:
    """A folder with queries.tsv, passages.jsonl or .tsv, and qrels.txt, each perhaps gzipped.

    `name` is what tables call it (the folder's by default), `second` a file of other people's qrels. InputError with
    file and line where something is wrong.

    >>> read_collection("no/such/folder")
    Traceback (most recent call last):
        ...
    alignir.errors.InputError: no folder for the dataset folder at ...no/such/folder
    """
    return collections.folder(name or Path(path).name, path, second)


def read_runs(path: str | Path) -> Runs:
    """The rankings of TREC run files: of one file, or of a folder's, those of `systems=runs`; a system a file.

    `frame` has system, query_id, doc_id, score, and rank from 1 in trec_eval's order: score descending as float32,
    then doc_id descending. InputError with file and line where something is wrong.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "bm25.run"
    >>> _ = file.write_text("q1 Q0 d2 1 0.5 x\\nq1 Q0 d1 2 0.9 x\\n")
    >>> read_runs(file).frame[["system", "doc_id", "rank"]].values.tolist()
    [['bm25', 'd1', 1], ['bm25', 'd2', 2]]
    """
    path = existing(Path(path), "run file or folder of run files")
    files = run_paths.run_files(path) if path.is_dir() else {run_paths.names([path])[0]: path}
    return as_runs(pd.concat([trec.read_run(file, system) for system, file in files.items()], ignore_index=True))


def bm25(dataset: Dataset, **settings: Any) -> Runs:
    """The rankings of 24 lexical systems over the dataset's passages, those of `systems=bm25`.

    Settings: `scoring` (bm25s's variants), `k1_b` (pairs of k1 and b), `stem` and `stop` (False, True or both), each a
    list, and `k`, results a query; every combination is a system.

    >>> runs = bm25(demo(), scoring=["lucene"], k1_b=[[0.9, 0.4]], stem=[True], stop=[True])
    >>> runs.systems, len(runs.query_ids)
    (('lucene-k0.9-b0.4-stem-stop',), 36)
    """
    from alignir.retrieval.bm25 import bm25 as search

    return as_runs(search(dataset, **settings), dataset.queries.index)


def label(
    dataset: Dataset | pd.DataFrame,
    model: str | Model = "lexical",
    prompt: str | Prompt = "zeshot",
    ledger: str | Path = "ledger",
    reader: str = "strict",
) -> pd.DataFrame:
    """LABELS of the judged pairs of a dataset, or of a frame with query_id, doc_id, query and passage.

    `model` and `prompt` are choices of `alignir --help` ("llama8b", "zeshot"), or objects (`alignir.VLLM(...)`,
    `alignir.read_prompt(...)`). Answers of an LLM are kept in the folder `ledger`, and nothing in it is asked again.
    A row a pair that has texts: relevance (Int64; <NA>: no label, never 0), status (only `ok` has a label), response,
    and what frames.py says of LABELS. InputError where the model cannot run here.

    >>> label(demo(), model="lexical")["relevance"].value_counts().sort_index().tolist()
    [126, 98, 79, 57]
    """
    from alignir.labelling.labels import label as ask
    from alignir.labelling.ledger import Ledger
    from alignir.labelling.models import check, fields_of, judged_pairs, scale_of
    from alignir.labelling.vllm import try_again

    try_again()
    judge = preset("model", model) if isinstance(model, str) else model
    text = preset("prompt", prompt)() if isinstance(prompt, str) else prompt
    check(judge, text)
    if isinstance(dataset, Dataset):
        given, baseline = judged_pairs(judge, text, dataset), dataset.scale
    else:
        given, baseline, fields = dataset, FOUR, fields_of(judge, text)
        if lacking := [name for name in fields if name not in given]:
            raise InputError(f"label: expected a column for each of {', '.join(fields)}, found no {', '.join(lacking)}")
    pairs = given.astype(dict.fromkeys(PAIR, str))
    return ask(pairs, text, judge, Ledger(Path(ledger)), reader, scale_of(judge, text, baseline)).labels


def evaluate(
    labels: pd.DataFrame,
    runs: Rankings,
    measures: Sequence[str] = (NDCG,),
    missing: str = "drop",
    scale: Scale = FOUR,
    unjudged: str = "not_relevant",
) -> pd.DataFrame:
    """SCORES: system, query_id, measure, value, by trec_eval's names or ir_measures' ("map", "nDCG@20", "AP(rel=2)").

    The column `measure` has the names that are recorded: `ndcg_cut_20`, `AP-rel.2`.

    `labels`: query_id, doc_id, relevance; `runs`: of `bm25`, `read_runs`, a frame system, query_id, doc_id, score, or
    {system: frame}. PyTerrier's names (qid, docno, label) are taken as they are. A query without any label is NaN; a
    pair without one is unjudged (`missing`: drop) or of grade 0 (zero); binary measures count what the scale says is
    relevant (`dataset.scale`, `alignir.Scale((0, 1), 1)`);
    results without a label are `unjudged`: not_relevant, or condensed, left out of the rankings.

    >>> qrels = pd.DataFrame({"qid": ["q"], "docno": ["d1"], "label": [3]})
    >>> run = pd.DataFrame({"qid": ["q", "q"], "docno": ["d2", "d1"], "score": [2.0, 1.0]})
    >>> evaluate(qrels, {"bm25": run})["value"].tolist()  # 3 / log2(3) of 3
    [0.630...]
    """
    from alignir.evaluation.scores import evaluate as score

    return score(labels_of(labels), rankings_of(runs), measures, missing, scale, unjudged)


def simulate(qrels: pd.DataFrame, runs: Rankings, users: str | Users = "dbn", scale: Scale = FOUR) -> pd.DataFrame:
    """ONLINE: system, query_id, metric, value: what users would do with each ranking, given the grades of `qrels`
    on their `scale`.

    `users` is a choice of `user_model=` ("dbn", "pbm", ...), a click model (`alignir.DBN(continuation=0.7)`), or users
    with all their settings (`alignir.Simulated(...)`). Metrics: clicks (a session), ctr (0-1), adt (s), ssr, sar and
    zrr (0-1), first_click and last_click (ranks); NaN where one is undefined.

    >>> qrels = pd.DataFrame({"qid": ["q"], "docno": ["d1"], "label": [3]})
    >>> run = pd.DataFrame({"qid": ["q"], "docno": ["d1"], "score": [1.0]})
    >>> online = simulate(qrels, run).set_index("metric")["value"]
    >>> float(online["clicks"]), float(online["sar"])
    (0.875, 0.125)
    """
    from alignir.users.simulated import Simulated
    from alignir.users.users import Users

    found = preset("user_model", users) if isinstance(users, str) else users
    if not isinstance(found, Users):  # a click model alone: who clicks, with the usual dwell times and metrics
        found = Simulated(model=found)
    qrels, rankings = labels_of(qrels), rankings_of(runs)
    found.check(qrels, rankings, scale)
    return found.measure(qrels, rankings, scale)


def align(scores: pd.DataFrame, reference: pd.DataFrame, B: int = 1000, seed: int = 0) -> pd.DataFrame:
    """ALIGNMENT: Kendall's tau_b between the systems' mean scores and a reference: SCORES by other labels, or ONLINE.

    offline, reference, tau_b (-1 to 1), p_value, ci_low and ci_high (95%, from `B` bootstrap resamples of the queries,
    symmetric; NaN with B=0), n_systems, n_queries (those that both sides know). A row a measure and metric. NaN where a
    side ties all systems: no order, so no agreement to speak of.

    >>> scores = pd.DataFrame({"system": list("abcd"), "query_id": "q", "measure": "map", "value": [1, 2, 3, 4]})
    >>> float(align(scores, scores.assign(value=[1, 2, 4, 3]), B=0)["tau_b"].iloc[0])
    0.666...
    """
    from alignir.alignment.bootstrap import Resampling
    from alignir.alignment.tau import against_baseline, against_users

    resampling = Resampling(B=B, seed=seed)
    if "metric" in reference:
        return against_users(scores, reference, resampling)
    return against_baseline(scores, reference, resampling)


def agreement(
    baseline: pd.DataFrame, labels: pd.DataFrame, baseline_scale: Scale = FOUR, scale: Scale = FOUR
) -> dict[str, float]:
    """How far two sets of labels give the same grades to the same pairs; pairs that either lacks are left out.

    kappa (Cohen's, on the grades), kappa_relevant (relevant or not, each side by its scale), kappa_quadratic, alpha
    (Krippendorff's, ordinal), exact (share of same grades), mae and bias (mean of label - baseline, in grades). NaN
    where a statistic is undefined, and of grades where the scales have different ones.

    >>> qrels = demo().qrels
    >>> agreement(qrels, qrels)["kappa"]
    1.0
    """
    from alignir.evaluation.agreement import agreement as agree

    return agree(labels_of(baseline), labels_of(labels), baseline_scale, scale)


def compare(judges: Mapping[str, pd.DataFrame], reference: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Which of two judges orders the systems more like the reference? A row for each pair of judges.

    `judges`: {name: SCORES of one measure}, `reference`: SCORES or ONLINE of one measure or metric. left, right,
    tau_left, tau_right, difference, ci_low, ci_high (95%), p_value (paired bootstrap of queries, two-sided), p_holm.
    Only systems and queries that all sides know count. InputError for fewer than two judges.

    >>> runs = bm25(demo())
    >>> scores = {model: evaluate(label(demo(), model), runs) for model in ("lexical",)}
    >>> scores["people"] = evaluate(demo().qrels, runs)
    >>> compare(scores, scores["people"])[["left", "right"]].values.tolist()
    [['lexical', 'people']]
    """
    from alignir.alignment.bootstrap import Resampling
    from alignir.alignment.comparison import compare as by_pairs

    if len(judges) < 2:
        raise InputError(f"compare: expected two judges or more, found {len(judges)}")
    sides = {name: _matrix(scores, name) for name, scores in {**judges, BASELINE: reference}.items()}
    known = [side.dropna(how="all", axis=1) for side in sides.values()]
    systems = sorted(set.intersection(*(set(side.index) for side in known)))
    query_ids = sorted(set.intersection(*(set(side.columns) for side in known)))
    if len(systems) < 2 or not query_ids:
        raise InputError("compare: expected systems and queries that all sides have, found none")
    arrays = {name: side.loc[systems, query_ids].to_numpy(float) for name, side in sides.items()}
    of_judges = {name: arrays[name] for name in judges}
    return by_pairs(of_judges, {BASELINE: arrays[BASELINE]}, Resampling(seed=seed)).drop(columns="reference")


def _matrix(scores: pd.DataFrame, name: str) -> pd.DataFrame:
    """A row a system, a column a query."""
    kinds = scores["metric" if "metric" in scores else "measure"].unique()
    if len(kinds) != 1:
        raise InputError(f"compare: expected one measure or metric in {name}, found {', '.join(kinds)}")
    return scores.pivot(index="system", columns="query_id", values="value")


def recorded(experiment: str = "alignir", tracking_uri: str | None = None) -> Experiment:
    """The recorded runs of an MLflow experiment: `.table("baseline")` is Table 1 as a DataFrame of numbers.

    `tracking_uri` is MLflow's; by default $MLFLOW_TRACKING_URI, else mlruns/mlflow.db in the working folder. InputError
    where there is none.

    >>> recorded("nothing", "sqlite:////nowhere/mlflow.db")
    Traceback (most recent call last):
        ...
    alignir.errors.InputError: no recorded runs in /nowhere: run alignir first
    """
    from alignir.notebook.recordings import Experiment

    return Experiment(experiment, tracking_uri)


def run(*settings: str) -> Result:
    """One cell of the grid, as `alignir SETTINGS...` does it: labelled, evaluated, recorded in MLflow.

    `run("model=lexical")` gives what was found: labelling, scores, baseline, online, alignment, agreement, notes. Hydra
    and MLflow are loaded. InputError where a setting cannot be used.

    >>> run("model=nothing")
    Traceback (most recent call last):
        ...
    alignir.errors.InputError: ...
    """
    from alignir.config import composed_job

    cell, recorder = composed_job(list(settings))
    from alignir.experiment.pipeline import run as run_cell
    from alignir.labelling.vllm import try_again

    try_again()
    found = run_cell(cell, recorder)
    assert found is not None  # only skip=finished leaves a cell out
    return found
