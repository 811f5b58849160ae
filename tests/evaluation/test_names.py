"""Names of measures: what people write, what is recorded, and that the numbers are those of whose names they are."""

import re
import shutil
from itertools import product

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of

from alignir.data.ranked import ranked
from alignir.data.scales import Scale
from alignir.errors import InputError
from alignir.evaluation import scores
from alignir.evaluation.names import recorded_name, recorded_names, title
from alignir.frames import QRELS, RUNS

WRITTEN = {  # what a person writes: the recorded name, and the name in tables
    "map": ("map", "map"),
    "nDCG": ("ndcg", "nDCG"),
    "NDCG@20": ("ndcg_cut_20", "nDCG@20"),
    "nDCG(dcg='exp-log2')@10": ("ndcg_exp_cut_10", "ndcg_exp_cut_10"),
    "RBP(p=0.8)": ("rbp_0.8", "rbp_0.8"),
    "RBP": ("rbp_0.8", "rbp_0.8"),
    "RBP(p=0.5,rel=2)": ("RBP-p.0.5-rel.2", "RBP(p=0.5,rel=2)"),
    "AP": ("AP-rel.1", "AP(rel=1)"),
    "MAP(rel=2)@100": ("AP-rel.2-cutoff.100", "AP(rel=2)@100"),
    "MRR@10": ("RR-rel.1-cutoff.10", "RR(rel=1)@10"),
    "Rprec": ("Rprec", "Rprec"),  # trec_eval has this name, too
    "Rprec(rel=2)": ("Rprec-rel.2", "Rprec(rel=2)"),
    "IPrec@0.1": ("IPrec-rel.1-recall.0.1", "IPrec(rel=1)@0.1"),
    "ERR@10": ("ERR-cutoff.10", "ERR@10"),
    "INST": ("INST", "INST"),
    "INST(T=2, max_rel=3)": ("INST-T.2.0-max_rel.3", "INST(T=2.0,max_rel=3)"),
    "BPM@10": ("BPM-cutoff.10", "BPM@10"),
    "Compat(p=0.95)": ("Compat", "Compat"),
    "nDCG(judged_only=True)@10": ("nDCG-judged_only.True-cutoff.10", "nDCG(judged_only=True)@10"),
    "nDCG(gains={3:7, 2:3})@5": ("nDCG-gains.2.3.3.7-cutoff.5", "nDCG(gains={2:3,3:7})@5"),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_name_is_recorded_reversibly_and_as_mlflow_takes_it(written):
    recorded, shown = WRITTEN[written]
    assert recorded_name(written) == recorded
    assert title(recorded) == shown
    assert recorded_name(shown) == recorded_name(recorded) == recorded
    assert re.fullmatch(r"[\w.-]+", recorded)


def test_the_same_measure_under_two_names_is_one():
    assert recorded_names(["nDCG@10", "ndcg_cut_10", "AP", "MAP(rel=1)"]) == ["ndcg_cut_10", "AP-rel.1"]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("ndcg@10", "no measure 'ndcg@10'; expected trec_eval's names, .* or ir_measures', such as nDCG@10"),
        ("AP(2)", "no measure 'AP\\(2\\)'"),
        ("exit()", "no measure"),
        (["map"], "no measure"),
        ("P@0", "P@0: cutoff=0 is out of its range"),  # pytrec_eval would end the process
        ("P", "P: the measure needs a cutoff"),
        ("ERR", "ERR: the measure needs a cutoff"),
        ("AP(rel=0)", "rel=0 is out of its range"),
        ("RBP(p=1)", "p=1.0 is out of its range"),
        ("AP(level=2)", "ir_measures says unsupported params"),
        ("NumRel", "nothing that is installed computes it"),
        ("alpha_nDCG@10", "nothing that is installed computes it"),
    ],
)
def test_what_is_no_measure_is_told(written, message):
    with pytest.raises(InputError, match=message):
        recorded_name(written)


def collection(ties=True):
    """QRELS on grades 0 to 3 and the rankings of two systems, a few of whose results are not judged."""
    rng = np.random.default_rng(3)
    pairs = list(product("123", [f"d{number:02}" for number in range(40)]))
    qrels = pd.DataFrame([(*pair, int(rng.integers(0, 4))) for pair in pairs if rng.random() < 0.6], columns=QRELS)
    runs = [
        (system, query_id, f"d{number:02}", float(rng.integers(0, 8)) if ties else float(place), 0)
        for system, query_id in product("ab", "123")
        for place, number in enumerate(rng.choice(40, 25, replace=False))
    ]
    return qrels, ranked(pd.DataFrame(runs, columns=RUNS))


def values_of(*measures, ties=True, **settings):
    qrels, runs = collection(ties)
    found = scores.evaluate(qrels, rankings_of(runs, list("123"), ["a", "b"]), measures, **settings)
    return found.set_index(["system", "query_id", "measure"])["value"]


def elsewhere(measure, ties=True, **settings):
    """By (system, query_id), as ir_measures computes it by itself."""
    import ir_measures

    qrels, runs = collection(ties)
    return {
        (system, found.query_id): found.value
        for system, run in runs.groupby("system")
        for found in ir_measures.iter_calc([ir_measures.parse_measure(measure)], qrels, run)
    }


SAME = {  # ours, and ir_measures' for the same number
    "ndcg_cut_10": "nDCG@10",
    "map": "AP(rel=2)",
    "P_10": "P(rel=2)@10",
    "recip_rank": "RR(rel=2)",
    "Rprec": "Rprec(rel=2)",
    "bpref": "Bpref(rel=2)",
    "rbp_0.8": "RBP(p=0.8,rel=2)",
    "AP(rel=3)": "AP(rel=3)",
    "Bpref": "Bpref",
    "infAP(rel=2)": "infAP(rel=2)",
    "SetF(rel=2)": "SetF(rel=2)",
    "nDCG(judged_only=True)@10": "nDCG(judged_only=True)@10",
    "nDCG(gains={1:1,2:3,3:7})@10": "nDCG(gains={1:1,2:3,3:7})@10",
    "INST": "INST(max_rel=3)",
    "INST(T=2)": "INST(max_rel=3,T=2.0)",
    "BPM@10": "BPM(max_rel=3)@10",
    "SDCG@10": "SDCG(max_rel=3)@10",
    "Judged@10": "Judged@10",
    "Compat(p=0.9)": "Compat(p=0.9)",
    "RR(rel=3)@4": "RR(rel=3)@4",
}


@pytest.mark.parametrize("measure", SAME)
def test_a_measure_is_what_ir_measures_makes_of_its_name(measure):
    """Without ties, of which the parts of ir_measures make different orders."""
    found = values_of(measure, ties=False).droplevel("measure")
    assert found.to_dict() == pytest.approx(elsewhere(SAME[measure], ties=False), abs=1e-12)
    assert found.nunique() > 1


@pytest.mark.parametrize("measure", ["INST", "Compat", "RR(rel=3)@3", "RBP(rel=2)", "BPM@5"])
def test_ties_stand_in_one_order_for_every_measure(measure):
    qrels, runs = collection()
    untied = runs.assign(score=-runs["rank"].astype(float))
    both = [scores.evaluate(qrels, rankings_of(each, list("123"), ["a", "b"]), [measure]) for each in (runs, untied)]
    pd.testing.assert_frame_equal(*both)


@pytest.mark.skipif(not shutil.which("perl"), reason="gdeval is a Perl script")
def test_err_is_gdevals_and_err_k_is_of_this_scale():
    found = values_of("ERR@10", "err_10", ties=False).unstack("measure")
    assert found["ERR-cutoff.10"].to_dict() == pytest.approx(elsewhere("ERR@10", ties=False), abs=5.1e-6)
    assert (found["err_10"] > found["ERR-cutoff.10"]).all()  # 7/8 and 7/16 satisfied by a result of grade 3


def test_a_grade_in_a_name_holds_whatever_the_first_relevant_one_is():
    one, two = (values_of("AP(rel=2)", "map", scale=Scale((0, 1, 2, 3), level)).unstack("measure") for level in (1, 2))
    assert one["AP-rel.2"].equals(two["AP-rel.2"])
    assert one["AP-rel.2"].to_numpy() == pytest.approx(two["map"].to_numpy())
    assert not one["map"].equals(two["map"])


CUT = ("nDCG(gains={3:7})@3", "BPM@4", "RR@2", "P(rel=3)@5", "Judged@3", "ERR@4", "SDCG@5", "NERR8@3", "NERR9@3")


@pytest.mark.parametrize("measure", CUT)
def test_what_lies_below_the_cutoff_changes_nothing(measure):
    alone = values_of(measure).droplevel("measure")
    beside = values_of(measure, "map").xs(recorded_name(measure), level="measure")
    assert alone.to_dict() == pytest.approx(beside.to_dict(), abs=1e-12)


def test_what_is_not_judged_makes_room_for_what_is_below_the_cutoff():
    alone = values_of("nDCG(judged_only=True)@3").droplevel("measure")
    beside = values_of("nDCG(judged_only=True)@3", "map").xs("nDCG-judged_only.True-cutoff.3", level="measure")
    assert alone.equals(beside)


def test_nothing_returned_is_0_and_nothing_judged_unknown():
    qrels, runs = collection()
    qrels, runs = qrels[qrels["query_id"] != "1"], runs[(runs["system"] != "b") | (runs["query_id"] != "2")]
    names = ["INST", "BPM@10", "Compat", "AP(rel=2)", "ERR@10", "RR@10"]
    found = scores.evaluate(qrels, rankings_of(runs, list("123"), ["a", "b", "none"]), names)
    values = found.pivot(index=["system", "query_id"], columns="measure", values="value")
    assert values.xs("1", level="query_id").isna().all(axis=None)
    assert (values.loc[("b", "2")] == 0).all()
    assert (values.loc["none"].drop("1") == 0).all(axis=None)
    assert (values.loc["a"].drop("1") > 0).all(axis=None)
    nothing = scores.evaluate(qrels.assign(relevance=0), rankings_of(runs, list("23"), ["a", "b"]), names)
    assert (nothing["value"] == 0).all()


def test_labels_that_do_not_use_the_whole_scale_are_no_warning(caplog, capfd):
    qrels, runs = collection()
    ones = qrels.assign(relevance=1)  # such as those of a floor
    scores.evaluate(ones, rankings_of(runs, list("123"), ["a", "b"]), ["INST", "BPM@10"])
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")
