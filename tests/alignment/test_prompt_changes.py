"""Iterations: moves as counted by hand, and effects that scikit-learn and scipy find on the same resamples."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from alignir.alignment import prompt_changes
from alignir.alignment.bootstrap import Resampling
from alignir.data.scales import FOUR
from alignir.evaluation import agreement
from alignir.frames import PAIR, SCORES

NA = pd.NA


def labels(grades: dict[tuple[str, str], object]) -> pd.DataFrame:
    frame = pd.DataFrame([(*pair, grade) for pair, grade in grades.items()], columns=[*PAIR, "relevance"])
    return frame.astype({"relevance": "Int64"})


def drawn(rng, pairs, without: float = 0.0) -> pd.DataFrame:
    """Random labels of the pairs, a share of them without one."""
    grades = [NA if rng.random() < without else int(rng.integers(4)) for _ in pairs]
    return labels(dict(zip(pairs, grades, strict=True)))


PAIRS = [(f"q{query}", f"d{doc}") for query in range(8) for doc in range(3 + query)]


def test_every_pair_is_in_the_flow_once_under_its_label_before_and_after():
    rng = np.random.default_rng(0)
    before, after = drawn(rng, PAIRS, 0.2), drawn(rng, PAIRS, 0.2)
    found = prompt_changes.flow(prompt_changes.side_by_side(before, after.sample(frac=1, random_state=0)))
    for row, column in product((*FOUR.grades, prompt_changes.NO_LABEL), repeat=2):
        sides = zip(before["relevance"], after["relevance"], strict=True)
        states = [tuple("no label" if grade is NA else grade for grade in pair) for pair in sides]
        assert found.loc[row, column] == states.count((row, column))
    assert found.to_numpy().sum() == len(PAIRS)


def test_labels_that_nobody_gave_keep_their_row_and_column():
    one = labels({("q", "d"): 3})
    found = prompt_changes.flow(prompt_changes.side_by_side(one, one))
    assert list(found.index) == list(found.columns) == [0, 1, 2, 3, "no label"]
    assert found.to_numpy().sum() == found.loc[3, 3] == 1


def test_the_furthest_moves_come_first_and_lost_and_gained_labels_last():
    names = [("q", name) for name in "abcdefg"]
    before = labels(dict(zip(names, [0, NA, 3, 2, 1, NA, 2], strict=True)))
    after = labels(dict(zip(names, [1, 2, 0, 2, 3, NA, NA], strict=True)))
    found = prompt_changes.moved(prompt_changes.side_by_side(before, after))
    assert found["doc_id"].tolist() == ["c", "e", "a", "b", "g"]
    assert found["move"].tolist()[:3] == [-3, 2, 1]
    assert found["move"].isna().tolist() == [False] * 3 + [True] * 2


def test_nothing_moves_between_the_same_labels():
    same = drawn(np.random.default_rng(0), PAIRS, 0.2)
    assert prompt_changes.moved(prompt_changes.side_by_side(same, same)).empty


def certain(difference: float, resampled: list[float]) -> tuple[float, float, float]:
    """The symmetric interval and p-value as `comparison.compare` describes them, in words of numpy."""
    distances = np.abs(np.array(resampled) - difference)
    reach = np.quantile(distances, 0.95)
    further = sum(distance >= abs(difference) - 1e-12 for distance in distances)
    return difference - reach, difference + reach, (1 + further) / (1 + len(distances))


@pytest.mark.parametrize("relevant_from", [None, (2, 2), (2, 1)])
def test_the_effect_on_kappa_is_scikit_learns_on_the_same_resampled_queries(relevant_from):
    rng = np.random.default_rng(0)
    baseline, before, after = drawn(rng, PAIRS), drawn(rng, PAIRS, 0.1), drawn(rng, PAIRS, 0.3)

    def kappas(query_ids):
        for side in (before, after):
            both = agreement.joined(baseline, side)
            taken = pd.concat([both[both["query_id"] == query_id] for query_id in query_ids])
            yield agreement.kappa(taken, relevant_from)

    queries = sorted({query_id for query_id, _ in PAIRS})
    left, right = kappas(queries)
    differences = []
    for places in np.random.default_rng(1).integers(0, len(queries), (100, len(queries))):
        one, other = kappas([queries[place] for place in places])
        differences.append(other - one)
    found = prompt_changes.effect_on_kappa(baseline, before, after, Resampling(100, seed=1), relevant_from)
    assert found.tolist() == pytest.approx([left, right, right - left, *certain(right - left, differences)])


def scores(values: np.ndarray) -> pd.DataFrame:
    rows = [(f"s{i}", f"q{j}", "m", value) for (i, j), value in np.ndenumerate(values)]
    return pd.DataFrame(rows, columns=SCORES)


def test_the_effect_on_tau_is_scipys_on_the_same_resampled_queries():
    rng = np.random.default_rng(0)
    baseline = rng.normal(size=(12, 1)) + rng.normal(size=(12, 9))
    before, after = (baseline + rng.normal(0, size, baseline.shape) for size in (2, 1))

    def difference(places):
        tau = [
            kendalltau(side[:, places].mean(axis=1), baseline[:, places].mean(axis=1)).statistic
            for side in (before, after)
        ]
        return (*tau, tau[1] - tau[0])

    estimate = difference(np.arange(9))
    resampled = [difference(places)[2] for places in np.random.default_rng(1).integers(0, 9, (100, 9))]
    sides = [scores(side).sample(frac=1, random_state=0) for side in (baseline, before, after)]
    found = prompt_changes.effect_on_tau(*sides, Resampling(100, seed=1))
    assert found.tolist() == pytest.approx([*estimate, *certain(estimate[2], resampled)])


def test_the_same_labels_have_no_effect_and_swapped_ones_the_opposite():
    rng = np.random.default_rng(0)
    baseline, before, after = (drawn(rng, PAIRS) for _ in range(3))
    same = prompt_changes.effect_on_kappa(baseline, before, before, Resampling())
    assert same[["difference", "ci_low", "ci_high", "p_value"]].tolist() == [0, 0, 0, 1]
    there = prompt_changes.effect_on_kappa(baseline, before, after, Resampling())
    back = prompt_changes.effect_on_kappa(baseline, after, before, Resampling())
    assert there[["difference", "ci_low", "ci_high"]].tolist() == pytest.approx(
        [-back["difference"], -back["ci_high"], -back["ci_low"]]
    )


@pytest.mark.filterwarnings("error")
def test_without_a_kappa_or_a_second_query_there_is_no_interval():
    rng = np.random.default_rng(0)
    ones, nothing = (labels(dict.fromkeys(PAIRS, grade)) for grade in (1, NA))
    for after in (ones, nothing):  # one grade on both sides; no label at all
        found = prompt_changes.effect_on_kappa(ones, drawn(rng, PAIRS), after, Resampling(20))
        assert found[["after", "difference", "ci_low", "ci_high", "p_value"]].isna().all()
    one_query = [pair for pair in PAIRS if pair[0] == "q7"]
    found = prompt_changes.effect_on_kappa(*(drawn(rng, one_query) for _ in range(3)), Resampling(20))
    assert not math.isnan(found["difference"])
    assert found[["ci_low", "ci_high", "p_value"]].isna().all()


@pytest.mark.filterwarnings("error")
def test_the_setting_of_the_bootstrap_is_obeyed():
    rng = np.random.default_rng(0)
    baseline, before, after = (drawn(rng, PAIRS) for _ in range(3))
    sides = [scores(rng.random((12, 9))) for _ in range(3)]
    certainty = ["ci_low", "ci_high", "p_value"]
    for found in (
        prompt_changes.effect_on_kappa(baseline, before, after, Resampling(0)),
        prompt_changes.effect_on_tau(*sides, Resampling(0)),
    ):
        assert not math.isnan(found["difference"])
        assert found[certainty].isna().all()
    over = {over: prompt_changes.effect_on_tau(*sides, Resampling(over=over)) for over in ("queries", "systems")}
    assert over["queries"]["difference"] == over["systems"]["difference"]
    assert over["queries"]["ci_low"] != over["systems"]["ci_low"]
    of_kappa = [prompt_changes.effect_on_kappa(baseline, before, after, Resampling(over=over)) for over in over]
    assert of_kappa[0].equals(of_kappa[1])
