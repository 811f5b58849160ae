"""Budget: curves of tau_b that are scipy's, and that end at the value of all queries to the last bit."""

import csv
import io
import math

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of
from scipy.stats import kendalltau

from alignir.alignment import budget
from alignir.alignment.bootstrap import matrices, taus, weighted_means
from alignir.alignment.tau import against_baseline
from alignir.data import run_paths, trec
from alignir.evaluation.scores import evaluate

SIZES = [1, 2, 5, 12]


def sides(seed: int = 0, n_systems: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    human = rng.normal(size=(n_systems, 1)) + rng.normal(size=(n_systems, 12))
    return human + rng.normal(size=human.shape), human


def selected(repetitions: int = 5, **settings):
    _, human = sides()
    return budget.selections(human, np.arange(12), SIZES, repetitions, np.random.default_rng(0), **settings)


def test_a_curve_is_scipys_tau_on_the_chosen_queries():
    left, right = sides()
    chosen = np.zeros((2, 12), dtype=bool)
    chosen[0, [1, 7]] = chosen[1, [0, 2, 3, 11]] = True
    systems = np.arange(10) != 4
    for same in (False, True):
        found = budget.curve([budget.Selection(chosen, systems)], left, right, same)
        expected = [
            kendalltau(
                left[systems][:, row].mean(axis=1),
                right[systems][:, row if same else slice(None)].mean(axis=1),
            ).statistic
            for row in chosen
        ]
        assert found == pytest.approx(np.array([expected]))


def test_every_strategy_chooses_as_many_queries_as_it_should_and_random_ones_anew():
    found = selected(frequencies=np.arange(1, 13))
    assert set(found) == {
        "random",
        "stratified",
        "traffic",
        "most_judged",
        "discriminative",
        "greedy",
        "greedy, other systems",
    }
    for strategy, selections in found.items():
        assert len(selections) == (5 if strategy in ("random", "stratified", "traffic", budget.HELD_OUT) else 1)
        assert all(selection.chosen.sum(axis=1).tolist() == SIZES for selection in selections)
    assert len({selection.chosen[2].tobytes() for selection in found["random"]}) > 1
    assert np.flatnonzero(found["most_judged"][0].chosen[1]).tolist() == [10, 11]


@pytest.mark.parametrize("same", [False, True])
def test_every_curve_ends_exactly_at_the_value_of_all_queries(same):
    left, right = sides()
    left[2] = left[7]  # twins
    left[:, 4] = np.nan  # a query without any label by the model
    everywhere = np.ones((1, 12))
    for selections in selected(frequencies=np.arange(1, 13)).values():
        ends = budget.curve(selections, left, right, same)[:, -1]
        full = [
            taus(weighted_means(left[systems], everywhere), weighted_means(right[systems], everywhere))[0]
            for _, systems in selections
        ]
        assert ends.tolist() == full


def test_greedy_is_measured_on_systems_that_had_no_part_in_the_choice():
    """What the left-out systems score must not matter to the choice."""
    _, human = sides(n_systems=11)
    for seed in range(5):
        (found,) = budget.on_other_systems(human, SIZES, 1, np.random.default_rng(seed))
        assert found.systems.sum() == 6
        changed = human.copy()
        changed[found.systems] = np.random.default_rng(9).normal(size=(6, 12))
        (again,) = budget.on_other_systems(changed, SIZES, 1, np.random.default_rng(seed))
        assert (again.chosen == found.chosen).all()
        assert (again.systems == found.systems).all()


def test_greedy_is_optimistic():
    """Where systems do not differ but by noise, it still seems to find queries that order them like all queries."""
    own, others, drawn = [], [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(20, 30))
        found = budget.selections(noise, np.ones(30), [5, 30], 4, rng)
        for strategy, taus_of in (("greedy", own), (budget.HELD_OUT, others), ("random", drawn)):
            taus_of.append(budget.curve(found[strategy], noise, noise)[:, 0].mean())
    assert np.mean(others) == pytest.approx(np.mean(drawn), abs=0.05)
    assert np.mean(own) > np.mean(others) + 0.3


def test_rows_are_means_and_the_middle_95_percent_of_the_draws():
    chosen = [np.eye(3, dtype=bool)[[i]] | np.eye(3, dtype=bool)[[0]] for i in (0, 1, 2)]
    selections = [budget.Selection(one, np.ones(2, dtype=bool)) for one in chosen]
    found = budget.rows("s", "baseline", selections, np.array([[0.1], [0.4], [np.nan]]), np.array([1, 10, 100]), [2])
    (row,) = found.to_dict("records")
    assert row["pairs"] == pytest.approx((1 + 11 + 101) / 3)
    assert (row["tau_b"], row["ci_low"], row["ci_high"]) == pytest.approx((0.25, 0.1075, 0.3925))
    (alone,) = budget.rows("s", "baseline", selections[:1], np.array([[0.1]]), np.array([1, 10, 100]), [2]).itertuples()
    assert math.isnan(alone.ci_low)


def test_enough_is_where_tau_has_come_to_stay():
    curve = pd.DataFrame({"n_queries": [20, 1, 2, 5, 10], "tau_b": [1 - 1e-16, 0.3, 0.95, np.nan, 0.92]}, index=[7] * 5)
    assert budget.enough(curve, 0.9)["n_queries"] == 10
    assert budget.enough(curve, 1)["n_queries"] == 20
    assert budget.enough(curve, 0.2).to_dict()["n_queries"] == 10
    assert budget.enough(curve.assign(tau_b=0.5), 0.9) is None


def tables(text: str) -> list[list[dict]]:
    parts = [part.partition("\n")[2] for part in text.split("# ") if part]
    return [list(csv.DictReader(io.StringIO(part))) for part in parts]


def test_the_script_ends_at_the_value_that_table_1_would_show(budget_script, tmp_path):
    done = budget_script("model=lexical", "--queries", "3,36", "--draws", "3", "--format", "csv", "--out", "drawn")
    curves, enough = tables(done.stdout)
    assert {row["queries"] for row in curves} == {"3", "36"}
    assert (tmp_path / "drawn" / "budget.png").stat().st_size > 10_000
    assert done.stderr.endswith("figure: drawn/budget.png\nfigure: drawn/budget.svg\n")
    table_1 = float(next(row for row in curves if row["queries"] == "36")["lexical"].split()[0])
    for row in curves:
        if row["queries"] == "36":
            assert (row["judged pairs"], row["baseline labels"][:5]) == ("360", "1.000")
            if row["strategy"] != budget.HELD_OUT:
                assert float(row["lexical"].split()[0]) == float(row["lexical, same queries"].split()[0]) == table_1
    assert [row["strategy"] for row in enough] == [
        "random",
        "stratified",
        "most_judged",
        "discriminative",
        "greedy, other systems",
    ]


def test_a_model_that_would_have_to_be_asked_is_left_out(budget_script):
    done = budget_script("model=scripted", "--queries", "3", "--draws", "2", "--format", "markdown")
    assert "scripted has not labelled these pairs" in done.stdout
    assert "same queries |" not in done.stdout


def test_answers_in_the_ledger_count_as_labels(budget_script, alignir):
    alignir("model=scripted")
    done = budget_script("model=scripted", "--queries", "3", "--draws", "2", "--format", "csv")
    text = alignir("--format", "csv", "--table", "alignment", program=("-m", "alignir", "tables")).stdout
    first, *_ = csv.DictReader(io.StringIO(text))
    recorded = float(first["tau_b"])
    assert float(tables(done.stdout)[0][1]["scripted"].split()[0]) == pytest.approx(recorded, abs=0.0005)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--queries", "a"], "--queries a: expected whole numbers with commas"),
        (["--queries", "0,2"], "--queries 0,2: expected numbers from 1"),
        (["--draws", "1"], "--draws 1: expected a number from 2"),
        (["--out", "nowhere/x.png"], "there is no such folder"),
        (["--out", "budget.txt"], "expected a file that ends in .png, .svg, .pdf, or a folder"),
        (["--frequencies", "nowhere"], "no file of query frequencies"),
        (["model=replay", "model.labels=nowhere"], "no file of labels"),
    ],
)
def test_a_mistake_ends_with_one_message(budget_script, arguments, message):
    done = budget_script(*arguments, ok=False)
    assert message in done.stderr
    assert "Traceback" not in done.output


def test_dl19s_curves_end_at_its_published_tau(dl19):
    """judges.tsv: tau over all 46 systems."""
    judge = "umbrela_gpt4_zeroshot"
    qrels = trec.read_qrels(dl19 / "qrels.txt")
    labels = trec.read_qrels(dl19 / "llm_labels" / f"{judge}.qrels.gz")
    names = sorted(qrels["query_id"].unique())
    runs = pd.concat([trec.read_run(file, system) for system, file in run_paths.run_files(dl19 / "runs").items()])
    systems = sorted(runs["system"].unique())
    scores, baseline = (evaluate(side, rankings_of(runs, names, systems)) for side in (labels, qrels))
    left, right, _, _ = matrices(scores, baseline)
    pairs = qrels["query_id"].value_counts()[names].to_numpy()
    selections = budget.selections(right, pairs, [5, 43], 3, np.random.default_rng(0))
    published = pd.read_csv(dl19 / "llm_labels" / "judges.tsv", sep="\t", index_col="judge").loc[judge, "tau_all46"]
    for strategy, chosen in selections.items():
        ends = budget.curve(chosen, left, right)[:, -1]
        if strategy != budget.HELD_OUT:
            assert ends == pytest.approx(published, abs=5e-5)
            assert ends == pytest.approx(against_baseline(scores, baseline)["tau_b"].item(), abs=1e-12)
        assert budget.curve(chosen, right, right)[:, -1] == pytest.approx(1, abs=1e-12)
