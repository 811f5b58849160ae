"""Fitted user models: parameters recovered from sampled users, the maximum of the likelihood, and degenerate logs."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from test_click_models import ATTRACTION, MODELS, SATISFACTION, anyone, patterns

from alignir.errors import InputError
from alignir.users import fitting
from alignir.users.click_models import DBN, DCM, SDBN, UBM
from alignir.users.goodness_of_fit import constant, log_likelihood, perplexity
from alignir.users.pages import Pages, pages_by_grade, pages_by_pair

TRUTH = {
    **{name: model for name, model in MODELS.items() if name not in ("pbm", "ubm")},
    # clicks do not tell satisfaction here, and only the product of attraction and examination
    "pbm": replace(MODELS["pbm"], satisfaction=(0.0,) * 4),
    "ubm": UBM(ATTRACTION, (0.0,) * 4, ((1.0,), *MODELS["ubm"].examination[1:])),
}


def sampled(model, n: int, seed: int = 0, k: int = 10) -> Pages:
    rng = np.random.default_rng(seed)
    grades = rng.integers(0, 4, (n, k))
    return Pages(grades, model.sample(grades, 1, rng).clicks[:, 0, :], None)


def parameters(model) -> dict[str, np.ndarray]:
    """Every parameter by its name, the UBM's triangle of examination in a row."""
    found = {}
    for field in fields(model):
        values = getattr(model, field.name)
        rows = isinstance(values, tuple) and isinstance(values[0], tuple)
        found[field.name] = np.concatenate(values) if rows else np.atleast_1d(values)
    return found


@pytest.mark.parametrize("name", TRUTH)
def test_parameters_are_recovered_from_200_000_sessions(name):
    """To 0.01 by grade and in what holds for all; to 0.02 by rank, where users get rarer the deeper they read."""
    found, truth = parameters(fitting.fit(name, sampled(TRUTH[name], 200_000))), parameters(TRUTH[name])
    for parameter, values in found.items():
        if (name, parameter) == ("dcm", "continuation"):
            values, truth[parameter] = values[:-1], truth[parameter][:-1]  # nobody can tell who left at the last rank
        by_rank = parameter == "examination" or (name, parameter) == ("dcm", "continuation")
        assert values == pytest.approx(truth[parameter], abs=0.02 if by_rank else 0.01), parameter


@pytest.mark.parametrize("name", [name for name in TRUTH if name != "cascade"])
def test_no_other_parameters_make_the_clicks_more_likely(name):
    pages = sampled(TRUTH[name], 5_000, k=5)
    model = fitting.fit(name, pages, iterations=3000)
    best = log_likelihood(model, pages).sum()
    for field in fields(model):
        value = getattr(model, field.name)
        if name in ("pbm", "ubm") and field.name == "examination":
            continue  # a triangle; attraction is enough to see an optimum
        for place in range(np.size(value)):
            for change in (-0.003, 0.003):
                if isinstance(value, float):
                    moved = float(np.clip(value + change, 0, 1))
                else:
                    moved = tuple(np.clip(v + change, 0, 1) if i == place else v for i, v in enumerate(value))
                other = replace(model, **{field.name: moved})
                assert log_likelihood(other, pages).sum() <= best + 1e-4, (field.name, place, change)


@pytest.mark.parametrize("name", TRUTH)
def test_the_likelihood_of_clicks_is_that_of_enumeration(name):
    rng = np.random.default_rng(3)
    model, grades = anyone(name, rng), [3, 0, 2, 1]
    table: dict = {}
    for (ranks, _), p in patterns(model, grades).items():
        table[ranks] = table.get(ranks, 0.0) + p
    clicks = np.array([[rank in ranks for rank in (1, 2, 3, 4)] for ranks in table])
    found = log_likelihood(model, Pages(np.tile(grades, (len(table), 1)), clicks, None))
    assert np.exp(found) == pytest.approx(list(table.values()), abs=1e-9)


def test_counting_is_quick_and_biased():
    """Users who went on after their last click and found nothing count as satisfied: why `fit` does not count."""
    counted = fitting.count("sdbn", sampled(TRUTH["sdbn"], 50_000))
    assert isinstance(counted, SDBN)
    assert counted.attraction == pytest.approx(ATTRACTION, abs=0.03)
    assert (np.subtract(counted.satisfaction, SATISFACTION) > 0).all()
    counted = fitting.count("dcm", sampled(TRUTH["dcm"], 50_000))
    assert isinstance(counted, DCM)
    assert (np.subtract(counted.continuation, TRUTH["dcm"].continuation) < 0).all()


def test_counting_an_sdbn_by_hand():
    pages = Pages(np.array([[3, 0, 1], [3, 1, 0], [0, 0, 0]]), np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0]], bool), None)
    found = fitting.count("sdbn", pages)
    assert found.attraction[3] == pytest.approx(1, abs=1e-5)  # shown and clicked twice
    assert found.attraction[1] == pytest.approx(1, abs=1e-5)  # once in sight, once below the last click
    assert found.attraction[0] == pytest.approx(0, abs=1e-5)
    assert found.satisfaction[3] == pytest.approx(1 / 2)  # one of two clicks was the last
    with pytest.raises(InputError, match="sdbn, dcm"):
        fitting.count("dbn", pages)


@pytest.mark.parametrize("name", fitting.MODELS)
@pytest.mark.parametrize(
    "clicks",
    [np.zeros((50, 4), bool), np.ones((50, 4), bool), np.ones((1, 4), bool), np.eye(4, dtype=bool)],
    ids=["no clicks", "every result clicked", "one session", "one click a session"],
)
def test_degenerate_logs_give_probabilities(name, clicks):
    for kinds in (np.full(clicks.shape, 2), np.where(np.arange(4) < 2, 0, -1) + 0 * clicks):
        pages = Pages(kinds, clicks & (kinds >= 0), None)
        model = fitting.fit(name, pages)
        for values in parameters(model).values():
            assert ((values >= 0) & (values <= 1)).all()
        assert np.isfinite(log_likelihood(model, pages)).all()
        assert np.isfinite(perplexity(model.expect(kinds).clicks, pages)[:2]).all()


def table(pages: list[list[tuple[str, bool]]]) -> pd.DataFrame:
    """LOG of pages of (doc_id, clicked), each a session with the same query."""
    rows = [
        (f"s{page}", "a", "q", rank, doc_id, clicked, np.nan)
        for page, results in enumerate(pages)
        for rank, (doc_id, clicked) in enumerate(results, start=1)
    ]
    return pd.DataFrame(rows, columns=["session_id", "system", "query_id", "rank", "doc_id", "clicked", "dwell_s"])


def test_pages_are_laid_out_by_grade_with_unjudged_as_zero():
    log = table([[("x", True), ("y", False), ("z", True)], [("y", True)]])
    qrels = pd.DataFrame({"query_id": "q", "doc_id": ["x", "z"], "relevance": [3, 1]})
    pages = pages_by_grade(log, qrels, depth=2)
    assert pages.kinds.tolist() == [[3, 0], [0, -1]]
    assert pages.clicks.tolist() == [[True, False], [True, False]]


def test_pairs_are_shrunk_towards_their_mean_and_new_pairs_get_it():
    log = table([[("x", True)], [("x", True)], [("y", False)], [("y", False)]])
    pages = pages_by_pair(log, depth=1)
    assert pages.pairs["doc_id"].tolist() == ["x", "y"]
    free, shrunk = (fitting.fit("cascade", pages, shrinkage).attraction for shrinkage in (0, 2))
    assert free == pytest.approx((1, 0, 0.5), abs=1e-5)
    assert shrunk == pytest.approx(((2 + 2 * 0.5) / 4, (2 * 0.5) / 4, 0.5))
    others = pages_by_pair(table([[("y", False), ("new", True)]]), depth=2, pairs=pages.pairs)
    assert others.kinds.tolist() == [[1, 2]]


def test_perplexity_of_a_coin_is_two_and_of_certainty_one():
    pages = Pages(np.array([[0, 0, -1], [0, 0, -1]]), np.array([[1, 0, 0], [0, 0, 0]], bool), None)
    found = perplexity(np.array([[0.5, 0, 0.5]] * 2), pages)
    assert found[:2] == pytest.approx([2, 1], abs=1e-5)
    assert np.isnan(found[2])
    assert constant(pages, by_rank=False).tolist() == [0.25] * 3
    assert constant(pages, by_rank=True).tolist() == [0.5, 0, 0.25]


def test_perplexity_of_the_true_users_is_lowest():
    pages = sampled(MODELS["dbn"], 20_000)
    scores = {name: np.mean(perplexity(model.expect(pages.kinds).clicks, pages)) for name, model in MODELS.items()}
    assert min(scores, key=scores.get) == "dbn"
    likelihoods = {name: log_likelihood(model, pages).mean() for name, model in MODELS.items()}
    assert max(likelihoods, key=likelihoods.get) == "dbn"


def test_a_model_that_cannot_be_fitted_is_named():
    with pytest.raises(InputError, match="name=dnb: expected one of dbn, sdbn"):
        fitting.fit("dnb", sampled(DBN(ATTRACTION, SATISFACTION, 0.9), 10))
    with pytest.raises(InputError, match="no session"):
        pages_by_pair(table([]), depth=10)
