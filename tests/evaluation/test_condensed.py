"""Condensed lists: results that a side does not judge are left out of the rankings before that side scores them."""

from itertools import product
from math import log2

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of
from scipy.stats import kendalltau

from alignir.config import composed_cell
from alignir.data import collections
from alignir.data.ranked import as_runs, ranked
from alignir.errors import InputError
from alignir.evaluation import scores
from alignir.evaluation.names import recorded_name
from alignir.experiment import results
from alignir.experiment.inputs import read_inputs
from alignir.experiment.queries import select
from alignir.frames import BASELINE, QRELS, RUNS
from alignir.labelling.graders import Lexical
from alignir.retrieval import run_files
from alignir.tables.choices import Choices
from alignir.tables.kinds import tables
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded

MEASURES = ("ndcg_cut_5", "map", "recip_rank", "P_5", "bpref", "ndcg_exp_cut_5", "rbp_0.8", "err_5", "ERR@5", "INST")
QUERIES = list("pqr")


def collection():
    """QRELS of half of what is returned, and three systems' rankings with ties of scores."""
    rng = np.random.default_rng(5)
    pairs = list(product(QUERIES, [f"d{number:02}" for number in range(40)]))
    qrels = pd.DataFrame([(*pair, int(rng.integers(0, 4))) for pair in pairs if rng.random() < 0.5], columns=QRELS)
    runs = [
        (system, query_id, f"d{number:02}", float(rng.integers(0, 6)), 0)
        for system, query_id in product("abc", QUERIES)
        for number in rng.choice(40, 25, replace=False)
    ]
    return qrels, ranked(pd.DataFrame(runs, columns=RUNS))


def by_hand(qrels: pd.DataFrame, runs: pd.DataFrame) -> dict[tuple[str, str], list[int]]:
    """The grades down each ranking (system, query) of what is judged, one result after the other."""
    grade = {(row.query_id, row.doc_id): row.relevance for row in qrels.itertuples()}
    found: dict[tuple[str, str], list[int]] = {}
    for row in runs.sort_values(["system", "query_id", "rank"]).itertuples():
        if (row.query_id, row.doc_id) in grade:
            found.setdefault((row.system, row.query_id), []).append(grade[row.query_id, row.doc_id])
    return found


def condensed(*measures, qrels=None, **settings):
    judged, runs = collection()
    rankings = rankings_of(runs, QUERIES, list("abc"))
    found = scores.evaluate(judged if qrels is None else qrels, rankings, measures, unjudged="condensed", **settings)
    return found.set_index(["measure", "system", "query_id"])["value"]


def test_every_measure_is_that_of_the_list_that_is_left_by_its_formula():
    qrels, runs = collection()
    found = condensed("ndcg_cut_5", "P_5", "recip_rank", "rbp_0.8", "err_5", "Judged@5")
    for (system, query_id), grades in by_hand(qrels, runs).items():
        ideal = sorted(qrels.loc[qrels["query_id"] == query_id, "relevance"], reverse=True)
        gain, best = (sum(grade / log2(r + 2) for r, grade in enumerate(some[:5])) for some in (grades, ideal))
        relevant = [grade >= 2 for grade in grades]
        reaches, err = 1.0, 0.0
        for rank, grade in enumerate(grades[:5], 1):
            err += reaches * (2**grade - 1) / 8 / rank
            reaches *= 1 - (2**grade - 1) / 8
        expected = {
            "ndcg_cut_5": gain / best,
            "P_5": sum(relevant[:5]) / 5,
            "recip_rank": 1 / (relevant.index(True) + 1),
            "rbp_0.8": sum(0.2 * 0.8**r for r, each in enumerate(relevant) if each),
            "err_5": err,
            "Judged-cutoff.5": 1,
        }
        assert {name: found[name, system, query_id] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_is_that_of_rankings_without_what_is_not_judged(measure):
    qrels, runs = collection()
    kept = runs.merge(qrels[["query_id", "doc_id"]]).drop(columns="rank")
    alone = scores.evaluate(qrels, rankings_of(ranked(kept), QUERIES, list("abc")), [measure])
    assert condensed(measure).to_numpy() == pytest.approx(alone["value"].to_numpy(), abs=1e-12)
    plain = scores.evaluate(qrels, rankings_of(runs, QUERIES, list("abc")), [measure])
    assert np.allclose(alone["value"], plain["value"]) is (measure == "bpref")  # which counts judged results only


@pytest.mark.parametrize(
    "measure", ["nDCG(judged_only=True)@5", "AP(rel=2,judged_only=True)", "P(rel=2,judged_only=True)@5"]
)
def test_trec_eval_does_the_same_where_it_is_asked_for_judged_documents_only(measure):
    """Its -J, through ir_measures."""
    import ir_measures

    qrels, runs = collection()
    parsed = ir_measures.parse_measure(measure)
    ours = {"nDCG": "ndcg_cut_5", "AP": "map", "P": "P_5"}[parsed.NAME]
    found = condensed(ours)[ours]
    for system, run in runs.groupby("system"):
        values = {each.query_id: each.value for each in ir_measures.iter_calc([parsed], qrels, run)}
        assert found[system].to_dict() == pytest.approx(values, abs=1e-12)
    asked = scores.evaluate(qrels, rankings_of(runs, QUERIES, list("abc")), [measure])["value"]
    assert found.to_numpy() == pytest.approx(asked.to_numpy(), abs=1e-12)


def test_46_systems_of_dl19_are_as_trec_eval_has_them(dl19):
    dataset = collections.folder("dl19", dl19)
    runs = as_runs(run_files.run_files(dataset, None, ["*"], [], "error"), dataset.queries.index)
    found = scores.evaluate(dataset.qrels, runs, unjudged="condensed")
    names = ["nDCG(judged_only=True)@10"]
    theirs = scores.evaluate(dataset.qrels, runs, names)
    assert len(found) == 46 * 43
    assert found["value"].to_numpy() == pytest.approx(theirs["value"].to_numpy(), abs=1e-12)
    plain = scores.evaluate(dataset.qrels, runs)["value"]
    assert (found["value"] > plain).sum() == 66


def test_where_all_is_judged_nothing_changes_to_the_last_digit():
    qrels, runs = collection()
    pairs = runs[["query_id", "doc_id"]].drop_duplicates()
    everything = pairs.merge(qrels, how="left").fillna({"relevance": 1}).astype({"relevance": int})
    rankings = rankings_of(runs, QUERIES, list("abc"))
    both = [scores.evaluate(everything, rankings, MEASURES, unjudged=each) for each in scores.UNJUDGED]
    pd.testing.assert_frame_equal(*both, check_exact=True)


def test_a_pair_without_a_label_is_left_out_unless_it_counts_as_zero():
    qrels, _ = collection()
    labels = qrels.astype({"relevance": "Int64"})
    labels.loc[::2, "relevance"] = pd.NA
    dropped = condensed("map", qrels=labels)
    assert dropped.equals(condensed("map", qrels=qrels.iloc[1::2]))
    zero = condensed("map", qrels=labels, missing="zero")
    assert zero.equals(condensed("map", qrels=labels.fillna({"relevance": 0}).astype({"relevance": int})))
    assert not zero.equals(dropped)


def test_a_ranking_of_which_nothing_is_left_scores_0():
    qrels, runs = collection()
    returned = set(runs.loc[runs["system"] == "a"].query("query_id == 'p'")["doc_id"])
    others = qrels[(qrels["query_id"] != "p") | ~qrels["doc_id"].isin(returned)]
    found = condensed("ndcg_cut_10", "rbp_0.8", "INST", qrels=others)
    assert [found[recorded_name(name), "a", "p"] for name in ("ndcg_cut_10", "rbp_0.8", "INST")] == [0, 0, 0]
    unknown = condensed("map", qrels=qrels[qrels["query_id"] != "p"])
    assert np.isnan(unknown["map", "a", "p"])


def test_another_word_is_told():
    qrels, runs = collection()
    with pytest.raises(InputError, match="unjudged=left_out: expected one of not_relevant, condensed"):
        scores.evaluate(qrels, as_runs(runs), unjudged="left_out")
    with pytest.raises(InputError, match="unjudged=left_out: expected one of"):
        read_inputs(composed_cell(["model=lexical", "unjudged=left_out"]))


QUICK = ("model=lexical", "systems=bm25", "systems.stem=[false]", "bootstrap.B=0", "floor.shuffles=1")


def test_each_side_of_a_cell_is_condensed_by_its_own_labels(tmp_path):
    inputs = read_inputs(composed_cell([*QUICK]))
    qrels = inputs.dataset.qrels
    some = qrels.iloc[::2].assign(iteration=0)[["query_id", "iteration", "doc_id", "relevance"]]
    (tmp_path / "some.qrels").write_text(some.to_csv(sep=" ", header=False, index=False))
    settings = [*QUICK, "model=replay", f"model.labels={tmp_path / 'some.qrels'}", "headline=map"]
    cell = composed_cell([*settings, "unjudged=condensed"])
    found = results.compute(cell, read_inputs(cell))
    plain = results.compute(composed_cell(settings), read_inputs(composed_cell(settings)))
    sides = []
    for labels, side in ((some, found.scores), (qrels, found.baseline)):
        kept = inputs.runs.frame.merge(labels[["query_id", "doc_id"]])
        alone = scores.evaluate(labels, rankings_of(ranked(kept), inputs.runs.query_ids, inputs.runs.systems), ["map"])
        assert side["value"].to_numpy() == pytest.approx(alone["value"].to_numpy(), abs=1e-12)
        sides.append(side.groupby("system")["value"].mean())
    row = found.alignment.query("labels == 'model' and reference == 'baseline'").iloc[0]
    assert row["tau_b"] == pytest.approx(kendalltau(*sides).statistic)
    pd.testing.assert_frame_equal(found.online, plain.online)  # users see every result
    pd.testing.assert_frame_equal(found.judged, plain.judged)
    assert not found.baseline.equals(plain.baseline)  # the references of one are not the other's

    def chosen(unjudged):
        def best(dataset, scores):
            return [str(scores["value"].mean())]

        return select(best, inputs.dataset, inputs.runs, "map", unjudged)

    assert chosen("condensed") == [str(found.baseline["value"].mean())]
    assert chosen("not_relevant") == [str(plain.baseline["value"].mean())]
    lexical = qrels.assign(relevance=[int(grade) for grade in Lexical().grade(inputs.dataset.pairs())])
    floor = scores.evaluate(lexical, inputs.runs, ["map"], unjudged="condensed").groupby("system")["value"].mean()
    row = found.alignment.query("labels == 'floor: lexical' and reference == 'baseline'").iloc[0]
    assert row["tau_b"] == pytest.approx(kendalltau(floor, sides[1]).statistic)
    tell_apart(found.alignment, plain.alignment)


def tell_apart(left: pd.DataFrame, right: pd.DataFrame) -> None:
    """Runs that treat them differently share no column, and the notes say which is which."""
    groups = {"dataset": "demo", "systems": "bm25", "queries": "all", "model": "m", "prompt": "zeshot"}
    params = {**groups, "user_model": "dbn", "headline": "map", "top": "[]"}
    ways = {"one": {"unjudged": "condensed"}, "two": {"unjudged": "not_relevant"}}
    runs = [
        Recorded(None, name, name, params | way, {}, {"n_systems": 12, "n_queries": 12}, alignment)
        for (name, way), alignment in zip(ways.items(), (left, right), strict=True)
    ]
    (table,) = tables(Recordings(runs), ["baseline"], Choices(top=()))
    assert table.columns[2:] == ["demo (unjudged=condensed)", "demo (unjudged=not_relevant)"]
    notes = [note for note in table.notes if note.startswith("map: trec_eval's, relevant from grade 2")]
    assert len(notes) == 2
    assert "a result without a label is left out of the ranking (condensed)" in notes[0]
    assert "a result without a label counts as grade 0" in notes[1]
    values = {(row.labels, row.reference): row.tau_b for row in left.itertuples()}
    assert table.rows[0][2].value == values["model", BASELINE]
