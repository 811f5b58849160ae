"""The DBN's closed form against brute force, against sampled users, and at its limits."""

from itertools import product

import numpy as np
import pytest

from alignir.errors import InputError
from alignir.user_models import DBN

MODEL = DBN((0.1, 0.125, 0.375, 0.875), (0.0, 0.125, 0.375, 0.875), 0.9)


def by_enumeration(model: DBN, grades: list[int]) -> tuple[np.ndarray, float, float]:
    """(clicks, P(satisfied), P(no click)) by walking through everything that can happen on one ranking."""
    clicks, satisfied, no_click = np.zeros(len(grades)), 0.0, 0.0

    def walk(rank: int, probability: float, clicked: bool) -> None:
        nonlocal satisfied, no_click
        if rank == len(grades) or grades[rank] < 0:
            no_click += 0.0 if clicked else probability
            return
        a, s = model.attraction[grades[rank]], model.satisfaction[grades[rank]]
        for click, content, on in product((True, False), repeat=3):
            if (content and not click) or (content and on):
                continue
            p = probability * (a * (s if content else 1 - s) if click else 1 - a)
            p *= 1.0 if content else (model.continuation if on else 1 - model.continuation)
            clicks[rank] += p if click else 0.0
            if content:
                satisfied += p
            elif on:
                walk(rank + 1, p, clicked or click)
            elif not (clicked or click):
                no_click += p

    walk(0, 1.0, False)
    return clicks, satisfied, no_click


@pytest.mark.parametrize("k", range(1, 6))
def test_expect_equals_enumeration(k):
    rng = np.random.default_rng(k)
    grades = rng.integers(-1, 4, (12, k))
    grades = np.where(np.cumsum(grades < 0, axis=1) > 0, -1, grades)  # nothing is shown below the first gap
    model = DBN(tuple(rng.random(4)), tuple(rng.random(4)), float(rng.random()))
    found = model.expect(grades)
    for row, ranking in enumerate(grades):
        clicks, satisfied, no_click = by_enumeration(model, ranking.tolist())
        assert found.clicks[row] == pytest.approx(clicks, abs=1e-12)
        assert found.satisfied[row] == pytest.approx(satisfied, abs=1e-12)
        assert found.no_click[row] == pytest.approx(no_click, abs=1e-12)


def test_expect_agrees_with_400_000_sampled_users():
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 4, (3, 10))
    found, sessions = MODEL.expect(grades), MODEL.sample(grades, 400_000, rng)
    for exact, drawn in (
        (found.clicks.sum(axis=1), sessions.clicks.sum(axis=2)),
        (found.satisfied, sessions.satisfied),
        (found.no_click, ~sessions.clicks.any(axis=2)),
    ):
        error = drawn.std(axis=1) / np.sqrt(400_000)
        assert (np.abs(drawn.mean(axis=1) - exact) < 3 * error).all()


def test_users_who_never_go_on_see_the_first_result_only():
    found = DBN(MODEL.attraction, MODEL.satisfaction, 0.0).expect(np.array([[2, 3, 3]]))
    assert found.clicks[0].tolist() == [0.375, 0, 0]
    assert found.no_click[0] == 1 - 0.375


def test_the_first_rank_is_always_examined():
    assert MODEL.expect(np.array([[3, 0]])).clicks[0, 0] == MODEL.attraction[3]


def test_nothing_attractive_means_no_clicks():
    found = DBN((0, 0, 0, 0), MODEL.satisfaction, 0.9).expect(np.array([[3, 3]]))
    assert (found.clicks.sum(), found.satisfied[0], found.no_click[0]) == (0, 0, 1)


def test_a_perfect_first_result_ends_every_session():
    found = DBN((0, 0, 0, 1), (0, 0, 0, 1), 1.0).expect(np.array([[3, 3, 3]]))
    assert found.clicks[0].tolist() == [1, 0, 0]
    assert found.satisfied[0] == 1


def test_nothing_shown_means_nothing_happens():
    found = MODEL.expect(np.full((1, 10), -1))
    assert (found.clicks.sum(), found.satisfied[0], found.no_click[0]) == (0, 0, 1)


def test_expected_clicks_do_not_grow_with_quality_but_satisfaction_does():
    best, worst = MODEL.expect(np.array([[3, 2, 1, 0, 0], [0, 0, 1, 2, 3]])).clicks.sum(axis=1)
    assert best < worst
    satisfied = MODEL.expect(np.array([[3, 2, 1, 0, 0], [0, 0, 1, 2, 3]])).satisfied
    assert satisfied[0] > satisfied[1]


@pytest.mark.parametrize(
    "wrong", [((0, 0, 0), (0,) * 4, 0.9), ((0, 0, 0, 2), (0,) * 4, 0.9), ((0,) * 4, (0,) * 4, 1.1)]
)
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(InputError):
        DBN(*wrong)
