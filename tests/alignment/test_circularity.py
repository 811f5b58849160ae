"""Circularity: every choice of systems by hand, and what re-ranking by two published judges does on TREC DL 2019."""

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from alignir.alignment.bootstrap import Resampling, choices
from alignir.alignment.circularity import HIGH, alone, circle, loss
from alignir.data import trec
from alignir.data.ranked import Runs
from alignir.evaluation.scores import evaluate, means
from alignir.frames import SCORES
from alignir.notebook.session import read_runs
from alignir.retrieval.fusion import rerank


def sides(rng: np.random.Generator, n: int) -> pd.DataFrame:
    names = [f"s{number}" for number in range(n)]
    return pd.DataFrame({"baseline": rng.random(n), "judge": rng.random(n)}, index=names)


def mixed(before: pd.DataFrame, after: pd.DataFrame, chosen: tuple[int, ...]) -> pd.DataFrame:
    found = before.copy()
    for place in chosen:
        found.iloc[place] = after.loc[before.index[place]]
    return found


def test_every_choice_of_systems_counts_where_there_are_few():
    rng = np.random.default_rng(0)
    before, after = sides(rng, 6), sides(rng, 6).sample(frac=1, random_state=0)
    found = circle(before, after, range(7), 100, rng).set_index("re_ranked")
    for count in range(7):
        every = [mixed(before, after, chosen) for chosen in combinations(range(6), count)]
        taus = [kendalltau(each["baseline"], each["judge"]).statistic for each in every]
        assert found.loc[count, "draws"] == comb(6, count) == len(every)
        assert found.loc[count, "tau_b"] == pytest.approx(np.mean(taus))
        assert found.loc[count, ["ci_low", "ci_high"]].tolist() == pytest.approx(np.quantile(taus, [0.025, 0.975]))
        assert found.loc[count, "above"] == pytest.approx(np.mean([(each["judge"] > HIGH).sum() for each in every]))
        assert found.loc[count, "judge"] == pytest.approx(np.mean([each["judge"] for each in every]))
        assert found.loc[count, "baseline"] == pytest.approx(np.mean([each["baseline"] for each in every]))


def test_random_choices_have_the_mean_of_all_of_them():
    rng = np.random.default_rng(1)
    before, after = sides(rng, 8), sides(rng, 8)
    (every,) = circle(before, after, [4], comb(8, 4), rng)["tau_b"]
    (drawn,) = circle(before, after, [4], comb(8, 4) - 1, rng)["tau_b"]
    assert drawn != every
    assert drawn == pytest.approx(every, abs=0.06)
    chosen, all_of_them = choices(40, 13, 500, rng)
    assert (chosen.shape, all_of_them) == ((500, 40), False)
    assert set(chosen.sum(axis=1)) == {13}
    assert chosen.mean(axis=0) == pytest.approx(13 / 40, abs=0.1)


def test_a_side_that_ties_all_systems_has_no_tau():
    before = sides(np.random.default_rng(2), 4)
    after = before.assign(judge=1.0)
    found = circle(before, after, [0, 4], 10, np.random.default_rng(0))
    assert found["tau_b"].notna().tolist() == [True, False]


def test_alone_a_system_is_ranked_among_the_others_as_they_were():
    rng = np.random.default_rng(3)
    before, after = sides(rng, 7), sides(rng, 7)
    before.iloc[1] = before.iloc[2]  # they share the better rank
    found = alone(before, after)
    for place, system in enumerate(before.index):
        each = mixed(before, after, (place,))
        for side in ("baseline", "judge"):
            assert found.loc[system, f"{side}_rank_before"] == before[side].rank(ascending=False, method="min")[system]
            assert found.loc[system, f"{side}_rank_after"] == each[side].rank(ascending=False, method="min")[system]
            assert found.loc[system, f"{side}_after"] == after.loc[system, side]


def frame(values: np.ndarray) -> pd.DataFrame:
    rows = [(f"s{s}", f"q{q}", "m", values[s, q]) for s, q in np.ndindex(values.shape)]
    return pd.DataFrame(rows, columns=SCORES)


def test_the_interval_of_the_loss_is_of_the_same_queries_before_and_after():
    rng = np.random.default_rng(4)
    values = rng.random((4, 9, 9))
    values[0, :, 7:] = np.nan  # the judge knows seven queries
    values[2, :, 7:] = np.nan
    found = loss(tuple(map(frame, values[:2])), tuple(map(frame, values[2:])), Resampling(80, seed=5))
    differences = []
    for draw in [np.arange(7), *np.random.default_rng(5).integers(0, 7, (80, 7))]:
        before, after = (
            kendalltau(*(side[:, draw].mean(axis=1) for side in both)).statistic for both in (values[:2], values[2:])
        )
        differences.append(after - before)
    assert found["difference"] == pytest.approx(differences[0])
    reach = np.quantile(np.abs(np.array(differences[1:]) - differences[0]), 0.95)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((differences[0] - reach, differences[0] + reach))
    without = loss(tuple(map(frame, values[:2])), tuple(map(frame, values[2:])), Resampling(0))
    assert np.isnan(without["ci_low"])
    assert without["difference"] == found["difference"]


@pytest.mark.parametrize(
    ("judge", "before", "expected", "bm25"),
    [
        (
            "umbrela_gpt4_zeroshot",
            0.870,
            {"keep": (0.707, 18), "last": (0.829, 22)},
            {"baseline_after": 0.712, "baseline_rank_after": 15, "judge_after": 0.930, "judge_rank_after": 1},
        ),
        (
            "sun_decomposed_flant5-large",
            0.890,
            {"last": (0.731, 14)},
            {"baseline_rank_after": 26, "judge_rank_after": 1},
        ),
    ],
)
def test_the_circle_of_dl19_closes(dl19, judge, before, expected, bm25):
    """46 systems re-rank 100 results; tau loses less where results without a label go last than where they stay."""
    qrels = trec.read_qrels(dl19 / "qrels.txt")
    labels = trec.read_qrels(dl19 / "llm_labels" / f"{judge}.qrels.gz")
    runs = read_runs(dl19 / "runs").of(qrels["query_id"].unique())

    def scored(rankings: Runs) -> pd.DataFrame:
        sides = {"baseline": qrels, "judge": labels}
        return pd.DataFrame({name: means(evaluate(side, rankings)).iloc[:, 0] for name, side in sides.items()})

    plain = scored(runs)
    for unlabelled, (tau, above) in expected.items():
        changed = scored(Runs(rerank(runs.frame, labels, 100, unlabelled), runs.systems, runs.query_ids))
        found = circle(plain, changed, (0, 46), 1, np.random.default_rng(0))
        assert found["tau_b"].tolist() == pytest.approx([before, tau], abs=5e-4)
        assert found["above"].tolist() == [0, above]
        assert alone(plain, changed).loc["bm25base_p", list(bm25)].to_dict() == pytest.approx(bm25, abs=5e-4)
