"""Scores: measures as formulas, as in other libraries, as by trec_eval's rules, and as published for TREC DL 2019."""

from itertools import product
from math import log2

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of

from alignir.data import collections, trec
from alignir.data.lines import lines
from alignir.data.ranked import ranked
from alignir.data.scales import Scale
from alignir.errors import InputError
from alignir.evaluation import scores
from alignir.evaluation.measures import NDCG, check_measures, expected_reciprocal_rank, rank_biased_precision
from alignir.frames import QRELS, RUNS
from alignir.retrieval import run_files


@pytest.fixture
def read(small):
    dataset = collections.folder("small", small)
    return dataset, run_files.run_files(dataset, None, ["*"], [], "error").frame


def value(frame, system, query_id):
    (found,) = frame.loc[(frame["system"] == system) & (frame["query_id"] == query_id), "value"]
    return found


def test_ndcg_has_linear_gain(read):
    dataset, runs = read
    found = scores.evaluate(dataset.qrels, rankings_of(runs, ["q1", "q2"], ["bad", "good"]))
    assert value(found, "good", "q1") == pytest.approx(1.0)
    assert value(found, "bad", "q1") == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))
    assert value(found, "bad", "q2") == pytest.approx(1 / log2(3))


def test_a_query_that_a_system_lacks_scores_zero(read):
    dataset, runs = read
    lacking = runs[~((runs["system"] == "good") & (runs["query_id"] == "q2"))]
    found = scores.evaluate(dataset.qrels, rankings_of(lacking, ["q1", "q2"], ["bad", "good"]))
    assert value(found, "good", "q2") == 0
    assert scores.means(found).loc["good", NDCG] == pytest.approx(0.5)


def test_shifting_every_score_changes_nothing(read):
    dataset, runs = read
    shifted = scores.evaluate(
        dataset.qrels, rankings_of(runs.assign(score=runs["score"] + 5), ["q1", "q2"], ["bad", "good"])
    )
    assert shifted.equals(scores.evaluate(dataset.qrels, rankings_of(runs, ["q1", "q2"], ["bad", "good"])))


def labels(*grades):
    pairs = [("q1", "d1"), ("q1", "d2"), ("q2", "d3"), ("q2", "d4")]
    frame = pd.DataFrame([(*pair, grade) for pair, grade in zip(pairs, grades, strict=True)], columns=QRELS)
    return frame.astype({"relevance": "Int64"})


def test_a_missing_label_is_unjudged_and_no_zero():
    dropped = scores.judged(labels(3, pd.NA, 2, 0))
    assert len(dropped) == 3
    assert scores.judged(labels(3, pd.NA, 2, 0), "zero")["relevance"].tolist() == [3, 0, 2, 0]
    with pytest.raises(InputError, match="missing=guess: expected one of drop, zero, fallback"):
        scores.judged(labels(3, 1, 2, 0), "guess")


def test_a_query_without_any_label_is_undefined_and_left_out_of_the_mean(read):
    _, runs = read
    found = scores.evaluate(labels(3, 1, pd.NA, pd.NA), rankings_of(runs, ["q1", "q2"], ["bad", "good"]))
    assert np.isnan(value(found, "good", "q2"))
    assert scores.means(found).loc["good", NDCG] == pytest.approx(1.0)


UNKNOWN = ("ndcg@10", "map_10", "P_0", "P_010", "ndcg_5", "gm_map", "num_ret", "rbp_1.0", "rbp", "err_0", "err", "", 10)


@pytest.mark.parametrize("measure", UNKNOWN)
def test_an_unknown_measure_is_refused(read, measure):
    dataset, runs = read
    with pytest.raises(InputError, match=f"there is no measure {measure!r}; expected trec_eval's names"):
        scores.evaluate(dataset.qrels, rankings_of(runs, ["q1", "q2"], ["bad", "good"]), (NDCG, measure))


@pytest.mark.parametrize("measures", ["map", [], None, 10])
def test_measures_are_a_list(measures):
    with pytest.raises(InputError, match="expected a list of names"):
        check_measures(measures)


def one_system(grades: dict[str, dict[str, int]], rankings: dict[str, str]):
    """QRELS, and RUNS of one system `s` that ranks the documents in the order of the letters."""
    qrels = [(query_id, doc_id, grade) for query_id, judged in grades.items() for doc_id, grade in judged.items()]
    runs = [("s", query_id, doc, -float(r), r) for query_id, docs in rankings.items() for r, doc in enumerate(docs, 1)]
    return pd.DataFrame(qrels, columns=QRELS), pd.DataFrame(runs, columns=RUNS)


# x is not judged
JUDGED = {"1": {"a": 3, "b": 1, "c": 0, "d": 2, "e": 2}, "2": {"f": 1, "g": 3, "h": 0}}
RANKED = {"1": "caxdb", "2": "hgf"}


def of_one_system(*measures, relevant_from=2):
    scale = Scale((0, 1, 2, 3), relevant_from)
    """{(query_id, measure): value} of the system above."""
    qrels, runs = one_system(JUDGED, RANKED)
    found = scores.evaluate(qrels, rankings_of(runs, ["1", "2"], ["s"]), measures, scale=scale)
    return found.set_index(["query_id", "measure"])["value"].to_dict()


def test_gain_rbp_and_err_are_as_ir_measures_has_them():
    # by ir_measures 0.4.3 from the two rankings above: nDCG(gains={1: 1, 2: 3, 3: 7}) from pytrec_eval, which agrees
    # with nDCG(dcg="exp-log2") from gdeval to its 5 digits; RBP(rel=2, p=0.8), RBP(rel=1, p=0.5) from cwl_eval 1.0.12
    expected = {
        ("1", "ndcg_exp"): 0.5631644113361842,
        ("2", "ndcg_exp"): 0.6442869262030828,
        ("1", "ndcg_exp_cut_3"): 0.42495889834839423,
        ("2", "ndcg_exp_cut_3"): 0.6442869262030828,
        ("1", "rbp_0.8"): 0.2624,
        ("2", "rbp_0.8"): 0.16,
    }
    assert of_one_system("ndcg_exp", "ndcg_exp_cut_3", "rbp_0.8") == pytest.approx(expected)
    expected = {("1", "rbp_0.5"): 0.34375, ("2", "rbp_0.5"): 0.375}
    assert of_one_system("rbp_0.5", relevant_from=1) == pytest.approx(expected)
    # ERR@10 and ERR@3 from gdeval, which divides by 2^4 whatever the highest grade is
    down = np.array([[0, 3, 0, 2, 1], [0, 3, 1, 0, 0]])
    assert expected_reciprocal_rank(down, highest=4) == pytest.approx([0.25083, 0.23047], abs=5e-6)
    assert expected_reciprocal_rank(down[:, :3], highest=4) == pytest.approx([0.21875, 0.23047], abs=5e-6)


def test_exponential_gain_is_as_scikit_learn_has_it():
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(0)
    docs = [chr(ord("a") + place) for place in range(20)]
    grades = {str(q): dict(zip(docs, rng.integers(0, 4, 20).tolist(), strict=True)) for q in range(30)}
    qrels, runs = one_system(grades, {query_id: "".join(rng.permutation(docs)) for query_id in grades})
    found = scores.evaluate(qrels, rankings_of(runs, list(grades), ["s"]), ("ndcg_exp_cut_10",)).set_index("query_id")[
        "value"
    ]
    for query_id, graded in grades.items():
        score = runs[runs["query_id"] == query_id].set_index("doc_id")["score"]
        gain = [2 ** graded[doc] - 1 for doc in docs]
        assert found[query_id] == pytest.approx(ndcg_score([gain], [score[docs].to_list()], k=10))


def test_a_user_of_err_stops_once_satisfied():
    """ERR is the mean of 1 / the first satisfying rank over all ways in which results can satisfy."""
    for grades in ([0, 3, 1, 2], [2, 2, 0, 0], [0, 0, 0, 0], [3, 3, 3, 3]):
        chance = [(2**grade - 1) / 2**3 for grade in grades]
        expected = 0.0
        for satisfied in product([False, True], repeat=4):
            likely = np.prod([p if s else 1 - p for p, s in zip(chance, satisfied, strict=True)])
            expected += likely / (satisfied.index(True) + 1) if any(satisfied) else 0
        assert expected_reciprocal_rank(np.array([grades]))[0] == pytest.approx(expected)
    assert of_one_system("err_1") == {("1", "err_1"): 0, ("2", "err_1"): 0}
    assert of_one_system("err_2")["1", "err_2"] == pytest.approx(7 / 8 / 2)


def test_an_endless_relevant_ranking_has_an_rbp_of_1():
    assert rank_biased_precision(np.ones((1, 1000), dtype=bool), 0.9)[0] == pytest.approx(1)
    assert rank_biased_precision(np.array([[True, False, True]]), 0.5)[0] == pytest.approx(0.5 * (1 + 0.25))
    assert rank_biased_precision(np.array([[True, True], [False, True]]), 0.0).tolist() == [1, 0]


def test_binary_measures_count_from_the_first_relevant_grade():
    # query 1 is ranked c0 a3 x- d2 b1 and lacks e2
    expected = {
        1: {"map": (1 / 2 + 2 / 4 + 3 / 5) / 4, "recip_rank": 1 / 2, "P_5": 3 / 5, "recall_5": 3 / 4},
        2: {"map": (1 / 2 + 2 / 4) / 3, "recip_rank": 1 / 2, "P_5": 2 / 5, "recall_5": 2 / 3},
        3: {"map": 1 / 2, "recip_rank": 1 / 2, "P_5": 1 / 5, "recall_5": 1},
    }
    for level, values in expected.items():
        found = of_one_system(*values, relevant_from=level)
        assert {measure: found["1", measure] for measure in values} == pytest.approx(values)
    graded = ("ndcg_cut_10", "ndcg", "ndcg_rel", "Rndcg", "G", "ndcg_exp_cut_5", "err_5")
    assert of_one_system(*graded, relevant_from=1) == of_one_system(*graded, relevant_from=3)


CUT = ("ndcg_cut_7", "ndcg_exp_cut_3", "map_cut_5", "P_10", "recall_20", "success_1", "relative_P_4", "err_6")
WHOLE = ("map", "ndcg", "rbp_0.9", "bpref", "recip_rank", "Rprec", "11pt_avg", "iprec_at_recall_0.10", "infAP")


def many(n_results=40):
    """QRELS, and the rankings of three systems with many ties of scores."""
    rng = np.random.default_rng(1)
    pairs = list(product("pqrs", [f"d{number}" for number in range(60)]))
    qrels = pd.DataFrame([(*pair, int(rng.integers(0, 4))) for pair in pairs if rng.random() < 0.5], columns=QRELS)
    runs = [
        (system, query_id, f"d{number}", float(rng.integers(0, 6)), 0)
        for system, query_id in product(("a", "b", "c"), "pqrs")
        for number in rng.choice(60, n_results, replace=False)
    ]
    return qrels, rankings_of(ranked(pd.DataFrame(runs, columns=RUNS)), list("pqrs"), ["a", "b", "c"])


@pytest.mark.parametrize("measure", CUT)
def test_what_lies_below_the_cut_changes_nothing(measure):
    alone = scores.evaluate(*many(), (measure,))
    beside = scores.evaluate(*many(), (measure, "map")).query("measure == @measure").reset_index(drop=True)
    assert alone["value"].nunique() > 1 or measure == "success_1"
    pd.testing.assert_frame_equal(alone, beside, check_exact=True)


def test_every_measure_is_complete_and_keeps_what_is_missing_apart():
    qrels, rankings = many()
    qrels, runs = qrels[qrels["query_id"] != "p"], rankings.frame
    runs = runs[(runs["system"] != "b") | (runs["query_id"] != "q")]
    found = scores.evaluate(qrels, rankings_of(runs, list("pqrs"), ["a", "b", "c", "none"]), (*CUT, *WHOLE, "map"))
    assert found["measure"].drop_duplicates().tolist() == [*CUT, *WHOLE]
    assert found.groupby("measure").size().eq(4 * 4).all()
    values = found.pivot(index=["system", "query_id"], columns="measure", values="value")
    assert values.xs("p", level="query_id").isna().all(axis=None)
    assert values.drop("p", level="query_id").notna().all(axis=None)
    assert (values.loc[("b", "q")] == 0).all()
    assert (values.loc["none"].drop("p") == 0).all(axis=None)
    means = values.loc["a"].drop("p").mean()
    assert ((means > 0) & (means <= 1)).all()


def test_ndcg_of_all_46_dl19_systems_is_as_published(dl19):
    dataset = collections.folder("dl19", dl19)
    runs = run_files.run_files(dataset, None, ["*"], [], "error").frame
    found = scores.means(
        scores.evaluate(dataset.qrels, rankings_of(runs, list(dataset.queries.index), sorted(set(runs["system"]))))
    )[NDCG]
    published = pd.read_csv(dl19 / "systems.tsv", sep="\t").set_index("system")["ndcg10"]
    assert len(found) == len(published) == 46
    assert found.round(4).to_dict() == pytest.approx(published.to_dict(), abs=1e-9)


def test_per_topic_ndcg_of_every_system_is_as_computed_elsewhere(dl19):
    dataset = collections.folder("dl19", dl19)
    runs = run_files.run_files(dataset, None, ["*"], [], "error").frame
    found = scores.evaluate(dataset.qrels, rankings_of(runs, list(dataset.queries.index), sorted(set(runs["system"]))))
    reference = pd.read_csv(dl19 / "reference" / "ndcg10_per_topic.tsv.gz", sep="\t", dtype={"qid": str})
    both = found.merge(reference, left_on=["system", "query_id"], right_on=["system", "qid"])
    assert len(both) == 46 * 43
    assert (both["value"] - both["ndcg_cut_10"]).abs().max() < 1e-6


def test_real_run_files_keep_their_order(dl19):
    for name in ("rankllm_repllama", "p_bert"):  # one with ties, one without
        run = trec.read_run(dl19 / "runs" / f"{name}.run.gz", name)
        in_file: dict[str, list[str]] = {}
        for _, line in lines(dl19 / "runs" / f"{name}.run.gz"):
            in_file.setdefault(line.split()[0], []).append(line.split()[2])
        assert {query_id: group["doc_id"].tolist() for query_id, group in run.groupby("query_id")} == in_file


def test_the_judged_share_counts_results_that_have_a_label(read):
    dataset, runs = read
    known = dataset.qrels[dataset.qrels["doc_id"] != "d4"]
    lacking = runs[~((runs["system"] == "bad") & (runs["query_id"] == "q2"))]
    shares = scores.judged_at(known, rankings_of(lacking, ["q1", "q2"], ["bad", "good", "none"]))
    assert shares.drop("none").to_dict() == {"bad": 2 / 2, "good": 3 / 4}
    assert np.isnan(shares["none"])
    assert scores.judged_at(known, rankings_of(runs, ["q2"], ["bad", "good"]), k=1).to_dict() == {"bad": 0, "good": 1}


def test_a_missing_label_is_not_judged(read):
    _, runs = read
    assert scores.judged_at(labels(3, pd.NA, 2, 0), rankings_of(runs, ["q1", "q2"], ["good"]))["good"] == 3 / 4


def test_judged_shares_of_all_46_dl19_systems_are_as_published(dl19):
    dataset = collections.folder("dl19", dl19)
    runs = run_files.run_files(dataset, None, ["*"], [], "error").frame
    published = pd.read_csv(dl19 / "systems.tsv", sep="\t").set_index("system")
    for k in (10, 20):
        shares = scores.judged_at(
            dataset.qrels, rankings_of(runs, list(dataset.queries.index), list(published.index)), k
        )
        assert shares.to_dict() == pytest.approx(published[f"judged{k}"].to_dict(), abs=5.1e-5)
