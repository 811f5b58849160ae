"""The user models' exact forms against brute force, against sampled users, and at their limits."""

from itertools import product

import numpy as np
import pytest

from alignir.errors import InputError
from alignir.users.click_models import CCM, DBN, DCM, PBM, SDBN, UBM, Cascade
from alignir.users.dwell import Dwell
from alignir.users.simulated import Simulated

ATTRACTION, SATISFACTION = (0.1, 0.125, 0.375, 0.875), (0.0, 0.125, 0.375, 0.875)
MODEL = DBN(ATTRACTION, SATISFACTION, 0.9)
EXAMINED = tuple(1 / rank for rank in range(1, 11))
BROWSED = tuple(tuple(0.9 ** (rank - last) for last in range(rank)) for rank in range(1, 11))
MODELS = {
    "dbn": MODEL,
    "sdbn": SDBN(ATTRACTION, SATISFACTION),
    "cascade": Cascade(ATTRACTION),
    "dcm": DCM(ATTRACTION, tuple(0.3 + 0.06 * rank for rank in range(10))),
    "ccm": CCM(ATTRACTION, (0.9, 0.8, 0.3)),
    "pbm": PBM(ATTRACTION, SATISFACTION, EXAMINED),
    "ubm": UBM(ATTRACTION, SATISFACTION, BROWSED),
}


def anyone(name: str, rng: np.random.Generator):
    """A model of this kind with random parameters."""
    a, s = tuple(rng.random(4)), tuple(rng.random(4))
    return {
        "dbn": lambda: DBN(a, s, float(rng.random())),
        "sdbn": lambda: SDBN(a, s),
        "cascade": lambda: Cascade(a),
        "dcm": lambda: DCM(a, tuple(rng.random(6))),
        "ccm": lambda: CCM(a, tuple(rng.random(3))),
        "pbm": lambda: PBM(a, s, tuple(rng.random(6))),
        "ubm": lambda: UBM(a, s, tuple(tuple(rng.random(rank)) for rank in range(1, 7))),
    }[name]()


def outcomes(model, rank: int, grade: int, last: int):
    """(probability, clicked, satisfied, goes on) of all that can happen at a rank (from 0) that the user has reached.

    `last` is the rank (from 1) of the click before, 0 for none. Written from the papers, one model at a time.
    """
    a = model.attraction[grade]
    match model:
        case DBN() | SDBN():
            s, gamma = model.satisfaction[grade], getattr(model, "continuation", 1.0)
            yield a * s, True, True, False
            yield a * (1 - s) * gamma, True, False, True
            yield a * (1 - s) * (1 - gamma), True, False, False
            yield (1 - a) * gamma, False, False, True
            yield (1 - a) * (1 - gamma), False, False, False
        case Cascade():
            yield a, True, True, False
            yield 1 - a, False, False, True
        case DCM():
            yield a * (1 - model.continuation[rank]), True, True, False
            yield a * model.continuation[rank], True, False, True
            yield 1 - a, False, False, True
        case CCM():
            kinds = ((1 - a, False, False), (a * (1 - a), True, False), (a * a, True, True))
            for (p, clicked, content), on in zip(kinds, model.continuation, strict=True):
                yield p * on, clicked, content, True
                yield p * (1 - on), clicked, content, False
        case PBM() | UBM():
            e = model.examination[rank] if isinstance(model, PBM) else model.examination[rank][last]
            s = model.satisfaction[grade]
            yield e * a * s, True, True, True
            yield e * a * (1 - s), True, False, True
            yield 1 - e * a, False, False, True


def patterns(model, grades: list[int]) -> dict[tuple[tuple[int, ...], bool], float]:
    """P(these ranks are clicked, from 1; the user is satisfied), for every pattern of clicks."""
    found: dict = {}

    def walk(rank: int, probability: float, clicked: tuple[int, ...], satisfied: bool, here: bool) -> None:
        if not here or rank == len(grades) or grades[rank] < 0:
            found[clicked, satisfied] = found.get((clicked, satisfied), 0.0) + probability
            return
        for p, click, content, on in outcomes(model, rank, grades[rank], clicked[-1] if clicked else 0):
            more = (*clicked, rank + 1) if click else clicked
            walk(rank + 1, probability * p, more, satisfied or content, on)

    walk(0, 1.0, (), False, True)
    return found


@pytest.mark.parametrize(("name", "k"), list(product(MODELS, range(1, 7))))
def test_expect_equals_enumeration_of_all_click_patterns(name, k):
    rng = np.random.default_rng(k)
    grades = rng.integers(-1, 4, (8, k))
    grades = np.where(np.cumsum(grades < 0, axis=1) > 0, -1, grades)  # nothing is shown below the first gap
    model, mark = anyone(name, rng), rng.random((8, k))
    found, marked = model.expect(grades), model.marked(grades, mark)
    for row, ranking in enumerate(grades):
        table = patterns(model, ranking.tolist())
        assert sum(table.values()) == pytest.approx(1, abs=1e-12)
        clicks, first, last = np.zeros((3, k))
        for (clicked, _), p in table.items():
            for rank in clicked:
                clicks[rank - 1] += p
            if clicked:
                first[clicked[0] - 1] += p
                last[clicked[-1] - 1] += p
        assert found.clicks[row] == pytest.approx(clicks, abs=1e-12)
        assert found.first[row] == pytest.approx(first, abs=1e-12)
        assert found.last[row] == pytest.approx(last, abs=1e-12)
        assert found.satisfied[row] == pytest.approx(sum(p for (_, yes), p in table.items() if yes), abs=1e-12)
        assert found.no_click[row] == pytest.approx(sum(p for (ranks, _), p in table.items() if not ranks), abs=1e-12)
        unmarked = sum(p * np.prod([1 - mark[row, rank - 1] for rank in ranks]) for (ranks, _), p in table.items())
        assert marked[row] == pytest.approx(1 - unmarked, abs=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_expect_agrees_with_400_000_sampled_users(name):
    rng, model = np.random.default_rng(0), MODELS[name]
    grades = rng.integers(0, 4, (3, 10))
    found, sessions = model.expect(grades), model.sample(grades, 400_000, rng)
    clicked = sessions.clicks.any(axis=2)
    for exact, drawn in (
        (found.clicks.sum(axis=1), sessions.clicks.sum(axis=2)),
        (found.satisfied, sessions.satisfied),
        (found.no_click, ~clicked),
        (found.first @ np.arange(1, 11), (sessions.clicks.argmax(axis=2) + 1) * clicked),
        (found.last @ np.arange(1, 11), (10 - sessions.clicks[:, :, ::-1].argmax(axis=2)) * clicked),
    ):
        error = drawn.std(axis=1) / np.sqrt(400_000)
        assert (np.abs(drawn.mean(axis=1) - exact) < 3 * error).all()


@pytest.mark.parametrize("name", MODELS)
def test_nothing_shown_means_nothing_happens(name):
    found = MODELS[name].expect(np.full((1, 10), -1))
    assert (found.clicks.sum(), found.satisfied[0], found.no_click[0]) == (0, 0, 1)
    assert not MODELS[name].sample(np.full((1, 10), -1), 100, np.random.default_rng(0)).clicks.any()


@pytest.mark.parametrize("name", MODELS)
def test_nothing_attractive_means_no_clicks(name):
    model = anyone(name, np.random.default_rng(0))
    settings = {field: getattr(model, field) for field in model.__dataclass_fields__}
    found = type(model)(**{**settings, "attraction": (0.0,) * 4}).expect(np.array([[3, 2, 1]]))
    assert (found.clicks.sum(), found.satisfied[0], found.no_click[0]) == (0, 0, 1)


@pytest.mark.parametrize("name", ["sdbn", "cascade", "dcm", "ccm", "dbn"])
def test_a_perfect_first_result_ends_every_session(name):
    sure, never = (0, 0, 0, 1), (0.0,) * 10
    model = {
        "dbn": DBN(sure, sure, 1.0),
        "sdbn": SDBN(sure, sure),
        "cascade": Cascade(sure),
        "dcm": DCM(sure, never),
        "ccm": CCM(sure, (1.0, 1.0, 0.0)),
    }[name]
    found = model.expect(np.array([[3, 3, 3]]))
    assert found.clicks[0].tolist() == [1, 0, 0]
    assert found.satisfied[0] == 1


def test_users_who_never_go_on_see_the_first_result_only():
    found = DBN(ATTRACTION, SATISFACTION, 0.0).expect(np.array([[2, 3, 3]]))
    assert found.clicks[0].tolist() == [0.375, 0, 0]
    assert found.no_click[0] == 1 - 0.375


@pytest.mark.parametrize("name", MODELS)
def test_the_first_rank_is_clicked_by_its_attraction_where_it_is_always_examined(name):
    clicked = MODELS[name].expect(np.array([[3, 0]])).clicks[0, 0]
    assert clicked == ATTRACTION[3] * (BROWSED[0][0] if name == "ubm" else 1)


def test_models_that_say_the_same_agree():
    grades = np.random.default_rng(0).integers(0, 4, (20, 6))
    same = [
        (SDBN(ATTRACTION, SATISFACTION), DBN(ATTRACTION, SATISFACTION, 1.0)),
        (Cascade(ATTRACTION), DCM(ATTRACTION, (0.0,) * 6)),
        (PBM(ATTRACTION, SATISFACTION, EXAMINED), UBM(ATTRACTION, SATISFACTION, rows_of(EXAMINED))),
    ]
    for left, right in same:
        left, right = left.expect(grades), right.expect(grades)
        for quantity in ("clicks", "satisfied", "no_click", "first", "last"):
            assert getattr(left, quantity) == pytest.approx(getattr(right, quantity), abs=1e-12)


def rows_of(examination: tuple[float, ...]) -> tuple[tuple[float, ...], ...]:
    """The PBM's examination as the UBM's: the same wherever the click before was."""
    return tuple((e,) * rank for rank, e in enumerate(examination, start=1))


def test_expected_clicks_do_not_grow_with_quality_but_satisfaction_does():
    best, worst = MODEL.expect(np.array([[3, 2, 1, 0, 0], [0, 0, 1, 2, 3]])).clicks.sum(axis=1)
    assert best < worst
    satisfied = MODEL.expect(np.array([[3, 2, 1, 0, 0], [0, 0, 1, 2, 3]])).satisfied
    assert satisfied[0] > satisfied[1]


def test_pairs_can_take_the_place_of_grades():
    pairs = SDBN((0.2, 0.4, 0.6, 0.8, 1.0), (0.1,) * 5).expect(np.array([[4, 0], [2, -1]]))
    assert pairs.clicks.tolist() == pytest.approx(np.array([[1.0, 0.9 * 0.2], [0.6, 0.0]]))


def test_dwell_is_log_normal_with_the_mean_that_is_asked_for():
    dwell, rng = Dwell((0, 20, 40, 60), 0.8), np.random.default_rng(0)
    grades = np.repeat([0, 1, 2, 3], 400_000).reshape(4, -1)
    drawn = dwell.sample(grades, rng)
    error = drawn.std(axis=1) / np.sqrt(400_000)
    assert (np.abs(drawn.mean(axis=1) - [0, 20, 40, 60]) <= 3 * error).all()
    assert np.log(drawn[1:]).std(axis=1) == pytest.approx(0.8, rel=0.01)
    long = (drawn >= 30).mean(axis=1)
    assert dwell.at_least(30, grades[:, 0]) == pytest.approx(long, abs=3 * 0.5 / np.sqrt(400_000))
    assert dwell.at_least(30, np.array([-1])) == 0


def test_dwell_without_spread_is_its_mean():
    dwell = Dwell((0, 20, 40, 60), 0.0)
    assert dwell.sample(np.arange(4), np.random.default_rng(0)).tolist() == [0, 20, 40, 60]
    assert dwell.at_least(40, np.arange(4)).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: DBN((0, 0, 0), (0,) * 4, 0.9), "satisfaction: expected 3 probabilities"),
        (
            lambda: DBN((0, 0, 0, 2), (0,) * 4, 0.9),
            "attraction: expected probabilities from 0 to 1, found (0, 0, 0, 2)",
        ),
        (lambda: DBN((0, 0, 0, "high")), "attraction: expected probabilities from 0 to 1"),
        (lambda: DBN(0.5, 0.5), "attraction: expected probabilities from 0 to 1, found 0.5"),
        (lambda: DBN(()), "attraction: expected probabilities from 0 to 1, found ()"),
        (lambda: DBN((0,) * 4, (0,) * 4, 1.1), "continuation: expected a probability from 0 to 1, found 1.1"),
        (lambda: DBN(continuation=(0.9,)), "continuation: expected a probability from 0 to 1, found (0.9,)"),
        (lambda: DBN((0,) * 4, (0, 0, 0, float("nan")), 1), "satisfaction: expected probabilities"),
        (lambda: CCM((0,) * 4, (0.5, 0.5)), "expected t1, t2, t3"),
        (lambda: UBM((0,) * 4, (0,) * 4, ((1,), (1,))), "expected 2 probabilities for rank 2"),
        (lambda: PBM(ATTRACTION, SATISFACTION, (1, 1)).expect(np.zeros((1, 3), int)), "expected values for 3 ranks"),
        (lambda: DCM(ATTRACTION, (1, 1)).expect(np.zeros((1, 3), int)), "expected values for 3 ranks"),
        (lambda: UBM(ATTRACTION, SATISFACTION, ((1,),)).sample(np.zeros((1, 3), int), 1, None), "for 3 ranks"),
        (
            lambda: Simulated(dwell=Dwell((1, 2, 3), 1)).definitions(),
            "dwell.mean: expected 4 values, one for each grade of 0-3, found 3",
        ),
        (lambda: Dwell((1, 2, 3, -4), 1), "mean: expected dwell times in s"),
        (lambda: Dwell((1, 2, 3, "long"), 1), "mean: expected dwell times in s"),
        (lambda: Dwell((1, 2, 3, 4), -1), "sigma: expected a number from 0"),
    ],
)
def test_what_is_no_probability_is_refused(wrong, message):
    with pytest.raises(InputError) as error:
        wrong()
    assert message in str(error.value)
    assert "user_model" not in str(error.value)  # a notebook has no such setting
