"""Families: whose systems are left out, and what that does to tau."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, permutation_test, rankdata

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.families import shifts, without
from alignir.data import families, trec
from alignir.errors import InputError
from alignir.evaluation import measures
from alignir.evaluation.scores import evaluate, means
from alignir.frames import SCORES
from alignir.notebook.session import read_runs

SYSTEMS = ["RepLLaMA", "bm25", "openai_ada2", "rank_gpt_llama"]


def test_the_first_pattern_that_matches_gives_the_family_in_any_case():
    known = {"*llama*": "llama", "*GPT*": "gpt", "openai*": "gpt"}
    assert families.of_family("llama", SYSTEMS, known) == ["RepLLaMA", "rank_gpt_llama"]
    assert families.of_family("gpt", SYSTEMS, known) == ["openai_ada2"]
    assert families.of_family("qwen", SYSTEMS, known) == []


def test_nothing_is_left_out_where_no_family_is_known():
    assert families.of_family(None, SYSTEMS, {"*": "llama"}) == []
    assert families.of_family("llama", SYSTEMS, None) == []
    assert families.of_family("", SYSTEMS, {"bm25": ""}) == []


def test_families_are_read_from_a_file(tmp_path):
    (tmp_path / "systems.tsv").write_text(
        "system\tndcg\tfamily\nbm25\t.5\tsparse\nelsewhere\t.4\tsparse\nRepLLaMA\t.6\t\n"
    )
    assert families.of_family("sparse", SYSTEMS, str(tmp_path / "systems.tsv")) == ["bm25"]
    (tmp_path / "other.tsv").write_text("name\tfamily\n")
    with pytest.raises(InputError, match=r"other.tsv: expected columns system and family, found name, family"):
        families.of_family("sparse", SYSTEMS, str(tmp_path / "other.tsv"))
    with pytest.raises(InputError, match="no file of systems' families"):
        families.of_family("sparse", SYSTEMS, str(tmp_path / "nowhere.tsv"))


def test_families_of_dl19_are_those_of_its_table(dl19):
    table = pd.read_csv(dl19 / "systems.tsv", sep="\t")
    found = families.of_family("dense", list(table["system"]), str(dl19 / "systems.tsv"))
    assert found == list(table.loc[table["family"] == "dense", "system"])
    assert len(found) == 3


def frame(values: np.ndarray) -> pd.DataFrame:
    """SCORES of systems s0, s1, ... (rows) for queries q0, q1, ... (columns)."""
    rows = [(f"s{s}", f"q{q}", measures.NDCG, values[s, q]) for s, q in np.ndindex(values.shape)]
    return pd.DataFrame(rows, columns=SCORES)


def test_a_judge_that_lifts_its_own_systems_is_flagged():
    rng = np.random.default_rng(0)
    truth = np.linspace(0.2, 0.8, 16)[:, None] + rng.normal(0, 0.01, (16, 40))
    judged = truth + rng.normal(0, 0.01, (16, 40))
    judged[:4] += 0.8  # the four worst become the best
    own = ["s0", "s1", "s2", "s3"]
    found = without(own, frame(judged), frame(truth), Resampling(200, seed=1))
    assert found["left_out"] == 4
    assert found["tau_all"] == pytest.approx(kendalltau(judged.mean(axis=1), truth.mean(axis=1)).statistic)
    assert found["tau_b"] == pytest.approx(kendalltau(judged[4:].mean(axis=1), truth[4:].mean(axis=1)).statistic)
    assert found["difference"] == pytest.approx(found["tau_b"] - found["tau_all"])
    assert 0 < found["ci_low"] <= found["difference"] <= found["ci_high"]
    assert found["moved"] == 1


@pytest.mark.parametrize("over", ["queries", "systems"])
@pytest.mark.parametrize("method", ["symmetric", "percentile"])
def test_the_interval_of_the_difference_is_of_the_same_resamples_on_both_sides(over, method):
    rng = np.random.default_rng(3)
    truth = rng.random((7, 12))
    judged = truth + rng.normal(0, 0.3, truth.shape)
    found = without(["s2", "s5"], frame(judged), frame(truth), Resampling(60, over, method, seed=4))
    columns = sorted(range(12), key=str)  # queries by name
    n = 12 if over == "queries" else 7
    differences = []
    for draw in np.random.default_rng(4).integers(0, n, (60, n)):
        if over == "queries":
            sides, systems = [side[:, columns][:, draw].mean(axis=1) for side in (judged, truth)], np.arange(7)
        else:
            sides, systems = [side.mean(axis=1)[draw] for side in (judged, truth)], draw
        kept = ~np.isin(systems, [2, 5])
        tau = kendalltau(sides[0][kept], sides[1][kept]).statistic
        differences.append(tau - kendalltau(*sides).statistic)
    differences = [difference for difference in differences if difference == difference]  # drawn: two systems only
    reach = np.quantile(np.abs(np.array(differences) - found["difference"]), 0.95)
    ends = {
        "symmetric": (found["difference"] - reach, found["difference"] + reach),
        "percentile": tuple(np.quantile(differences, [0.025, 0.975])),
    }
    assert (found["ci_low"], found["ci_high"]) == pytest.approx(ends[method])


def test_without_resamples_there_is_no_interval():
    truth = np.random.default_rng(0).random((10, 20))
    found = without(["s3"], frame(truth), frame(truth), Resampling(0))
    assert found["difference"] == pytest.approx(0)
    assert all(np.isnan(found[name]) for name in ("ci_low", "ci_high", "moved"))


def test_queries_that_the_judge_labelled_nothing_for_are_left_out_on_both_sides():
    rng = np.random.default_rng(0)
    truth, judged = rng.random((2, 10, 20))
    judged[:, 8:] = np.nan
    found = without(["s3"], frame(judged), frame(truth), Resampling(50))
    same = without(["s3"], frame(judged[:, :8]), frame(truth[:, :8]), Resampling(50))
    assert found == same


def test_a_judge_that_treats_its_own_as_the_others_is_not_flagged():
    truth = np.random.default_rng(0).random((10, 20))
    found = without(["s3"], frame(truth), frame(truth), Resampling(50))
    assert (found["tau_all"], found["tau_b"]) == pytest.approx((1, 1))
    assert found["moved"] == 0


def test_one_remaining_system_has_no_order_to_compare():
    truth = np.random.default_rng(0).random((3, 20))
    found = without(["s0", "s1"], frame(truth), frame(truth), Resampling(50))
    assert found["tau_all"] == pytest.approx(1)
    assert all(np.isnan(found[name]) for name in ("tau_b", "ci_low", "ci_high", "moved"))


def test_llm_based_systems_are_those_that_a_pattern_or_a_file_says(tmp_path):
    known = {"*llama*": "llama", "openai*": "gpt"}
    assert families.by_family(SYSTEMS, known) == {
        "gpt": ["openai_ada2"], "llama": ["RepLLaMA", "rank_gpt_llama"]
    }  # fmt: skip
    assert families.llm_based(SYSTEMS, known) == ["RepLLaMA", "openai_ada2", "rank_gpt_llama"]
    assert families.llm_based(SYSTEMS, None) == []
    file = tmp_path / "systems.tsv"
    file.write_text(
        "system\tfamily\tllm\nbm25\tsparse\tno\nRepLLaMA\tdense\tYes\nelsewhere\tdense\tyes\nopenai_ada2\t\t\n"
    )
    assert families.llm_based(SYSTEMS, str(file)) == ["RepLLaMA"]
    file.write_text("system\tfamily\nRepLLaMA\tdense\n")
    assert families.llm_based(SYSTEMS, str(file)) == []
    file.write_text("system\tfamily\tllm\nRepLLaMA\tdense\tmaybe\n")
    with pytest.raises(InputError, match="expected yes, no or nothing in the column llm, found 'maybe'"):
        families.llm_based(SYSTEMS, str(file))


def against_others(moved: np.ndarray, own: np.ndarray) -> float:
    return moved[own].mean() - moved[~own].mean()


@pytest.mark.parametrize("method", ["symmetric", "percentile"])
def test_shifts_are_the_family_s_against_the_others_by_scipy(method):
    """The sample and every resample by loops; p by scipy's permutation_test, which tries every choice of systems."""
    rng = np.random.default_rng(6)
    truth = rng.random((8, 12))
    judged = truth + rng.normal(0, 0.3, truth.shape)
    judged[[2, 5, 6]] += 0.4
    resampling = Resampling(50, "systems", method, 7)  # of queries in any case
    row = shifts(frame(judged), frame(truth), {"own": ["s2", "s5", "s6"]}, resampling).iloc[0]
    own, by_name = np.isin(np.arange(8), [2, 5, 6]), sorted(range(12), key=str)
    found: dict[str, list[float]] = {"score": [], "rank": []}
    for draw in [np.arange(12), *np.random.default_rng(7).integers(0, 12, (50, 12))]:
        left, right = (side[:, by_name][:, draw].mean(axis=1) for side in (judged, truth))
        found["score"].append(against_others(left - right, own))
        found["rank"].append(against_others(rankdata(-right) - rankdata(-left), own))
    left, right = judged.mean(axis=1), truth.mean(axis=1)
    moved = {"score": left - right, "rank": rankdata(-right) - rankdata(-left)}
    for kind, (sample, *resampled) in found.items():
        reach = np.quantile(np.abs(np.array(resampled) - sample), 0.95)
        ends = (sample - reach, sample + reach) if method == "symmetric" else np.quantile(resampled, [0.025, 0.975])
        assert (row[kind], row[f"{kind}_low"], row[f"{kind}_high"]) == pytest.approx((sample, *ends))
        test = permutation_test(
            (moved[kind][own], moved[kind][~own]),
            lambda x, y: abs(x.mean() - y.mean()),
            alternative="greater",
            n_resamples=np.inf,
        )
        assert row[f"{kind}_p"] == pytest.approx(test.pvalue)
    assert row["n_systems"] == 3
    assert row["score_low"] > 0
    assert row["score_p"] < 0.05


def test_shifts_have_a_direction_and_ranks_know_no_scale():
    rng = np.random.default_rng(8)
    truth = rng.random((10, 20))
    own = {"own": ["s1", "s4"], "others": [f"s{n}" for n in range(10) if n not in (1, 4)]}
    wider = shifts(frame(2 * truth + 1), frame(truth), own, Resampling(20))
    assert wider["rank"].tolist() == [0, 0]
    assert wider["rank_p"].tolist() == [1, 1]
    assert wider["score"].tolist() == pytest.approx([-wider["score"].iloc[1], wider["score"].iloc[1]])
    there, back = (shifts(*pair, own, Resampling(0)) for pair in
                   ((frame(truth**2), frame(truth)), (frame(truth), frame(truth**2))))  # fmt: skip
    assert there["score"].tolist() == pytest.approx((-back["score"]).tolist())
    assert there["rank"].tolist() == (-back["rank"]).tolist()
    assert there["score_low"].isna().all()


def test_random_families_have_a_uniform_p_and_none_or_all_systems_are_no_family():
    """Of a judge that treats all alike p <= .1 comes about as often as it says; one of n systems has no p below 1/n."""
    rng = np.random.default_rng(9)
    found = []
    for _ in range(60):
        truth = rng.random((40, 4))
        sides = frame(truth + rng.normal(0, 0.1, truth.shape)), frame(truth)
        chosen = {"few": [f"s{n}" for n in rng.choice(40, 10, replace=False)]}
        found.append(shifts(*sides, chosen, Resampling(0))["score_p"].item())
    assert 0 < np.mean(np.array(found) <= 0.1) < 0.25
    assert np.mean(found) == pytest.approx(0.5, abs=0.12)
    alone, none, every = shifts(
        *sides, {"one": ["s3"], "none": ["s99"], "every": [f"s{n}" for n in range(40)]}, Resampling(0)
    )["score_p"]
    assert alone >= 1 / 40
    assert np.isnan([none, every]).all()


def test_queries_that_one_side_does_not_know_move_no_family():
    rng = np.random.default_rng(10)
    truth, judged = rng.random((2, 6, 9))
    fewer = judged.copy()
    fewer[:, 5:] = np.nan
    own = {"own": ["s0", "s2"]}
    known = shifts(frame(judged[:, :5]), frame(truth[:, :5]), own, Resampling(30))
    pd.testing.assert_frame_equal(shifts(frame(fewer), frame(truth), own, Resampling(30)), known)


def test_who_is_moved_on_dl19(dl19):
    """The two LLM-based systems, by name, under a judge that is milder to weak systems than to strong ones."""
    qrels = trec.read_qrels(dl19 / "qrels.txt")
    labels = trec.read_qrels(dl19 / "llm_labels" / "baseline3210_llama3-8b.qrels.gz")
    runs = read_runs(dl19 / "runs").of(qrels["query_id"].unique())
    judged, people = evaluate(labels, runs), evaluate(qrels, runs)
    known = families.by_family(runs.systems, {"*llama*": "llama", "*openai*": "gpt"})
    assert known == {"gpt": ["rankllm_openai_ada2"], "llama": ["rankllm_repllama"]}
    found = shifts(judged, people, known, Resampling(200)).set_index("family")
    left, right = (means(side).iloc[:, 0] for side in (judged, people))
    rise = right.rank(ascending=False) - left.rank(ascending=False)
    for family, (system,) in known.items():
        for kind, moved in (("score", left - right), ("rank", rise)):
            expected = moved[system] - moved.drop(system).mean()
            others = [value - moved.drop(name).mean() for name, value in moved.items()]
            assert found.loc[family, kind] == pytest.approx(expected)
            p = np.mean(np.abs(others) >= abs(expected) - 1e-12)  # every system in its place
            assert found.loc[family, f"{kind}_p"] == pytest.approx(p)
    assert found.loc["llama", ["score", "rank"]].tolist() == pytest.approx([-0.096, -18.4], abs=0.05)
    assert found.loc["llama", "score_high"] < 0
