"""Prediction-powered estimates: unbiased over all samples, with intervals that hold the truth as often as they say."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of
from scipy.optimize import minimize_scalar
from scipy.stats import kendalltau, ttest_1samp
from scipy.stats import t as student

from alignir.alignment import prediction_powered as pp
from alignir.alignment.bootstrap import matrices
from alignir.data import run_paths, trec
from alignir.errors import InputError
from alignir.evaluation.scores import evaluate


def both(seed: int = 0, n_systems: int = 3, n_queries: int = 8, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """(human, model) values (S, Q); the model flatters all systems, and some more than others."""
    rng = np.random.default_rng(seed)
    human = rng.random((n_systems, n_queries))
    return human, human + np.arange(n_systems)[:, None] + noise * rng.normal(size=human.shape)


def seen(human: np.ndarray, queries) -> np.ndarray:
    """Human values of these queries only."""
    found = np.full(human.shape, np.nan)
    found[:, list(queries)] = human[:, list(queries)]
    return found


def test_estimates_are_those_of_ppi_python():
    """ppi_mean_pointestimate of ppi-python 0.2.3 on the same numbers."""
    human = np.array([[0.9, 0.2, 0.5, 0.7], [0.4, 0.1, 0.8, 0.3]])
    model = np.array([[0.8, 0.4, 0.6, 0.9, 0.3, 0.5, 0.7, 0.2], [0.6, 0.2, 0.9, 0.1, 0.4, 0.8, 0.5, 0.3]])
    human = np.hstack([human, np.full((2, 4), np.nan)])
    for power, expected in ((0, [0.575, 0.4]), (0.5, [0.5125, 0.4125]), (1, [0.45, 0.425])):
        assert pp.estimate(human, model, power=power).value == pytest.approx(expected)


@pytest.mark.parametrize("power", [0, 0.3, 1, 2])
def test_over_all_samples_the_estimate_is_unbiased_and_its_variance_too(power):
    human, model = both()
    estimates = [pp.estimate(seen(human, queries), model, power=power) for queries in combinations(range(8), 3)]
    values = np.array([one.value for one in estimates])
    assert values.mean(axis=0) == pytest.approx(human.mean(axis=1))
    variances = np.array([((one.high - one.low) / 2 / student.ppf(0.975, 2)) ** 2 for one in estimates])
    assert variances.mean(axis=0) == pytest.approx(values.var(axis=0))


def test_with_all_queries_judged_it_is_the_human_mean_without_doubt():
    human, model = both()
    for power in pp.POWERS.values():
        found = pp.estimate(human, model, power=power)
        for side in found:
            assert side == pytest.approx(human.mean(axis=1))


def test_a_model_that_is_off_by_a_constant_for_each_system_needs_one_query():
    human, _ = both()
    found = pp.estimate(seen(human, [3]), human + np.array([[0.1], [-0.4], [7]]))
    assert found.value == pytest.approx(human.mean(axis=1))
    assert np.isnan([found.low, found.high]).all()


def test_a_model_alone_has_the_interval_of_the_t_test():
    _, model = both()
    found = pp.model_only(model, level=0.9)
    expected = ttest_1samp(model, 0, axis=1).confidence_interval(0.9)
    assert found.value == pytest.approx(model.mean(axis=1))
    assert np.array([found.low, found.high]) == pytest.approx(np.array([expected.low, expected.high]))


def test_without_a_finite_population_it_holds_the_mean_of_all_queries_like_these():
    rng, held = np.random.default_rng(0), {True: [], False: []}
    for _ in range(600):
        human = rng.normal(0.5, 0.2, (5, 60))
        model = human + rng.normal(0.1, 0.1, human.shape)
        for of_these, found in held.items():
            one = pp.estimate(seen(human, range(20)), model, of_these=of_these)
            found.append((one.low <= 0.5) & (one.high >= 0.5))
    assert np.mean(held[False]) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 3000))
    assert np.mean(held[True]) < 0.85


def test_tuned_power_leaves_the_least_variance_in_the_differences_between_systems():
    human, model = both(n_systems=5, n_queries=12)

    def variance(power):
        left = human - power * model
        return sum((left[one] - left[other]).var() for one, other in combinations(range(5), 2))

    assert pp.tuned(human, model) == pytest.approx(minimize_scalar(variance).x, abs=1e-6)


def test_tuned_power_is_near_0_for_a_model_that_knows_nothing_and_1_for_one_that_is_only_biased():
    rng = np.random.default_rng(0)
    human = rng.random((20, 100))
    assert pp.tuned(human, rng.random((20, 100))) == pytest.approx(0, abs=0.1)
    assert pp.tuned(human, human + rng.random((20, 1)) + rng.random((1, 100))) == pytest.approx(1)
    assert pp.tuned(human[:, :1], human[:, :1]) == 1  # one query: nothing to tell by
    assert pp.tuned(human, np.ones_like(human)) == 1


def test_what_is_missing_is_named_and_not_taken_for_0():
    human, model = both()
    with pytest.raises(InputError, match="expected a query with human labels, found none"):
        pp.estimate(np.full_like(human, np.nan), model)
    human[0, 0] = model[2, 3] = np.nan
    with pytest.raises(InputError, match="human values of all systems or of none"):
        pp.estimate(human, np.nan_to_num(model))
    with pytest.raises(InputError, match="a value of the model for every query"):
        pp.estimate(np.nan_to_num(human), model)


def test_trials_spend_human_labels_on_as_many_whole_queries_as_they_suffice_for():
    human, model = both()
    pairs = np.array([5, 15] * 4)
    for labels, n in ((9, 0), (10, 1), (39, 3), (80, 8), (1000, 8)):
        found = pp.trials(human, model, pairs, labels, 500, np.random.default_rng(0)).set_index("way")
        assert found["n_queries"].tolist() == [0, n, n, n]
        assert found.loc[pp.BOTH, "pairs"] == pytest.approx(10 * n, rel=0.05) or n == 0
        assert found.loc[pp.MODEL, "bias"] == pytest.approx((model - human).mean())
        assert found.loc[[*pp.POWERS], "bias"].isna().all() == (n == 0)
        assert found.loc[[*pp.POWERS], "coverage"].isna().all() == (n < 2)
    assert found.loc[[*pp.POWERS], "tau_b"].tolist() == pytest.approx([1, 1, 1])
    assert found.loc[pp.MODEL, "tau_b"] == pytest.approx(kendalltau(model.mean(axis=1), human.mean(axis=1)).statistic)


@pytest.fixture(scope="module")
def judged_by(dl19):
    """A function that gives (human, model, pairs of each query) of DL19's 46 systems for a published judge's labels."""
    qrels = trec.read_qrels(dl19 / "qrels.txt")
    names = sorted(qrels["query_id"].unique())
    runs = pd.concat([trec.read_run(file, system) for system, file in run_paths.run_files(dl19 / "runs").items()])
    systems = sorted(runs["system"].unique())
    baseline = evaluate(qrels, rankings_of(runs, names, systems))

    def sides(judge: str):
        labels = trec.read_qrels(dl19 / "llm_labels" / f"{judge}.qrels.gz")
        model, human, _, query_ids = matrices(evaluate(labels, rankings_of(runs, names, systems)), baseline)
        return human, model, qrels["query_id"].value_counts()[query_ids].to_numpy()

    return sides


JUDGES = ["umbrela_gpt4_zeroshot", "sun_decomposed_flant5-large", "genquery_similarity_llama3-8b"]


@pytest.mark.parametrize("judge", JUDGES)
def test_on_dl19_95_percent_intervals_hold_the_human_mean_about_as_often(judged_by, judge):
    """The systems of a sample share its queries, so that 400 samples count as 400, not as 400 x 46."""
    error = 3 * np.sqrt(0.95 * 0.05 / 400)
    for labels in (1100, 4400):
        found = pp.trials(*judged_by(judge), labels, 400, np.random.default_rng(0)).set_index("way")
        assert found.loc[[*pp.POWERS], "coverage"].to_numpy() == pytest.approx(0.95, abs=error)
        assert found.loc[[*pp.POWERS], "bias"].abs().max() < 0.1 * found.loc[pp.MODEL, "bias"]
        assert found.loc[pp.MODEL, "coverage"] < 0.2


def test_on_dl19_a_good_judge_makes_human_labels_worth_more_and_tuning_guards_against_a_bad_one(judged_by):
    good, bad = (
        pp.trials(*judged_by(judge), 4400, 200, np.random.default_rng(0)).set_index("way")
        for judge in ("umbrela_gpt4_zeroshot", "genquery_similarity_llama3-8b")
    )
    assert good.loc[pp.BOTH, "width"] < 0.85 * good.loc[pp.PEOPLE, "width"]
    assert good.loc[pp.BOTH, "tau_b"] > good.loc[pp.PEOPLE, "tau_b"]
    assert good.loc[pp.BOTH, "tau_b"] > good.loc[pp.MODEL, "tau_b"]
    assert bad.loc[pp.BOTH, "width"] > bad.loc[pp.PEOPLE, "width"] > bad.loc[pp.BOTH_TUNED, "width"]


def test_the_script_shows_what_each_way_is_worth(budget_script, tmp_path):
    done = budget_script("model=lexical", "--human", "5,50,360", "--draws", "20", "--format", "markdown")
    assert "| model only | 5 | 0 |" in done.stdout
    assert "| human only | 5 | 0 | – | – | – | – | – |" in done.stdout
    assert "| both | 50 | 5 |" in done.stdout
    assert "| both | 360 | 36 | +0.000 | 0.000 | 0.000 | 100% | 1.000 [1.00, 1.00] |" in done.stdout
    assert not (tmp_path / "budget.png").exists()  # nobody asked for it


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model=lexical", "--human", "many"], "--human many: expected whole numbers with commas"),
        (["model=scripted", "--human", "50"], "--human adds to a model's labels, and scripted has not labelled"),
    ],
)
def test_a_mistake_ends_with_one_message(budget_script, arguments, message):
    done = budget_script(*arguments, ok=False)
    assert message in done.stderr
    assert "Traceback" not in done.output


def test_a_query_without_any_label_by_the_model_is_named(budget_script, small):
    (small / "labels.txt").write_text("q1 0 d1 3\nq1 0 d2 1\n")
    settings = ["dataset=folder", f"dataset.path={small}", "model=replay", f"model.labels={small / 'labels.txt'}"]
    done = budget_script(*settings, "--human", "2", ok=False)
    assert "1 of 2 queries have no label by replay at all" in done.stderr
