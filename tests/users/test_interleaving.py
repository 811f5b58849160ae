"""Interleaving: team-draft lists, who wins them, and the way to the table from the command line."""

import csv
import io
from itertools import product

import numpy as np
import pandas as pd
import pytest

from alignir.data.ranked import as_runs, ranked
from alignir.data.scales import FOUR
from alignir.errors import InputError
from alignir.users.click_models import CCM, DBN, DCM, PBM, SDBN, UBM, Cascade
from alignir.users.interleaving import coins, team_draft, wins
from alignir.users.simulated import Simulated


def drafted(a: list, b: list, flips: tuple) -> list[tuple[str, str]]:
    """(result, team) down one list, word for word as algorithm 2 of Radlinski et al. (CIKM 2008) has it."""
    found, flips = [], iter(flips)
    shown = lambda: [result for result, _ in found]  # noqa: E731
    size = lambda team: sum(each == team for _, each in found)  # noqa: E731
    while set(a) - set(shown()) and set(b) - set(shown()):
        if size("a") < size("b") or (size("a") == size("b") and next(flips)):
            found.append((next(result for result in a if result not in shown()), "a"))
        else:
            found.append((next(result for result in b if result not in shown()), "b"))
    return found


def sessions_of_a_dbn(attraction: list, satisfaction: list, gamma: float):
    """((clicked by rank), probability) of every session there can be."""
    if not attraction:
        yield (), 1.0
        return
    (a, *more), (s, *better) = attraction, satisfaction
    stays = gamma * (1 - s)
    for clicks, p in sessions_of_a_dbn(more, better, gamma):
        yield (False, *clicks), (1 - a) * gamma * p
        yield (True, *clicks), a * stays * p
    yield (False,) * (1 + len(more)), (1 - a) * (1 - gamma)
    yield (True,) + (False,) * len(more), a * (1 - stays)


def runs_of(**systems: list[str]):
    """Rankings for one query, q."""
    rows = [(name, "q", doc, -rank) for name, found in systems.items() for rank, doc in enumerate(found)]
    return as_runs(ranked(pd.DataFrame(rows, columns=["system", "query_id", "doc_id", "score"])), ["q"])


def qrels_of(**grades: int) -> pd.DataFrame:
    return pd.DataFrame(
        [("q", doc, grade) for doc, grade in grades.items()], columns=["query_id", "doc_id", "relevance"]
    )


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("k", [1, 3, 4])
def test_lists_are_those_of_the_published_algorithm(rng, k):
    a, b = (np.array([rng.permutation(6)[:k] for _ in range(200)]) for _ in range(2))
    a[:20, -1:] = -1  # a ranking that ends before
    first = coins((k + 1) // 2, rng)
    shown, by_a = team_draft(a, b, first)
    for row, flip in product(range(200), range(len(first))):
        one, other = ([str(doc) for doc in side[row] if doc >= 0] for side in (a, b))
        expected = drafted(one, other, (*first[flip], True, True))[:k]
        teams = ["a" if mine else "b" for mine in by_a[flip]]
        found = list(zip(map(str, shown[row, flip]), teams, strict=True))
        assert found[: len(expected)] == expected
        assert {doc for doc, _ in found[len(expected) :]} <= {"-1"}


@pytest.mark.parametrize("rounds", [1, 5, 8])
def test_each_team_has_the_same_chance(rng, rounds):
    first = coins(rounds, rng)
    assert len(first) == min(2**rounds, 64)
    assert (first.mean(axis=0) == 0.5).all()
    _, by_a = team_draft(np.arange(20)[None, :10], np.arange(10, 20)[None], coins(5, rng))
    assert (by_a.mean(axis=0) == 0.5).all()
    assert (by_a.sum(axis=1) == 5).all()


def test_who_wins_is_exact():
    model, teams = DBN(), np.array([True, False, False, True])
    for grades in product(range(4), repeat=4):
        a, s = [model.attraction[grade] for grade in grades], [model.satisfaction[grade] for grade in grades]
        by_winner = {1: 0.0, -1: 0.0, 0: 0.0}
        for clicks, p in sessions_of_a_dbn(a, s, model.continuation):
            by_winner[int(np.sign(np.dot(clicks, np.where(teams, 1, -1))))] += p
        assert sum(by_winner.values()) == pytest.approx(1)
        assert wins(model, np.array([grades]), teams[None])[0] == pytest.approx([by_winner[1], by_winner[-1]])


@pytest.mark.parametrize(
    "model", [DBN(), SDBN(), Cascade(), DCM(), CCM(), PBM(), UBM()], ids=lambda each: repr(each)[:4]
)
def test_exact_wins_are_those_of_many_sessions(rng, model):
    kinds = rng.integers(-1, 4, (6, 10))
    teams = np.tile(rng.random((6, 5, 1)) < 0.5, (1, 1, 2)).reshape(6, 10)
    teams[:, 1::2] = ~teams[:, ::2]
    n = 40_000
    clicks = model.sample(kinds, n, rng).clicks
    difference = (clicks * np.where(teams, 1, -1)[:, None]).sum(axis=2)
    found = wins(model, kinds, teams)
    for column, sign in enumerate((1, -1)):
        assert (np.sign(difference) == sign).mean(axis=1) == pytest.approx(found[:, column], abs=4 * 0.5 / np.sqrt(n))


def test_outcomes_are_a_mean_over_all_coins_and_sessions():
    rankings, grades = {"x": ["p", "q", "r"], "y": ["s", "p", "q"]}, {"p": 3, "q": 1, "r": 2, "s": 0}
    users = Simulated(DBN(), depth=3, interleaving="team_draft")
    found = users.outcomes(qrels_of(**grades), runs_of(**rankings), FOUR).iloc[0]
    difference = 0.0
    for flips in product([True, False], repeat=2):
        shown = drafted(rankings["x"], rankings["y"], flips)[:3]
        of = [
            [values[grades[doc]] for doc, _ in shown] for values in (users.model.attraction, users.model.satisfaction)
        ]
        sign = [1 if team == "a" else -1 for _, team in shown]
        for clicks, p in sessions_of_a_dbn(*of, users.model.continuation):
            difference += np.sign(np.dot(clicks, sign)) * p / 2 / 4
    assert found["difference"] == pytest.approx(difference)
    assert np.isnan(found["ci_low"])  # one query says nothing of others


def test_equal_systems_tie_and_better_ones_win(rng):
    docs = [f"d{place}" for place in range(12)]
    rows = [
        (system, f"q{query}", doc, score)
        for query in range(8)
        for system, order in (("one", docs), ("same", docs), ("worse", docs[::-1]))
        for doc, score in zip(order, range(12, 0, -1), strict=True)
    ]
    columns = ["system", "query_id", "doc_id", "score"]
    runs = as_runs(ranked(pd.DataFrame(rows, columns=columns)), [f"q{query}" for query in range(8)])
    qrels = pd.DataFrame(
        [(f"q{query}", doc, max(0, 3 - place - query % 2)) for query in range(8) for place, doc in enumerate(docs)],
        columns=["query_id", "doc_id", "relevance"],
    )
    for users in (Simulated(interleaving="team_draft"), Simulated(interleaving="team_draft", depth=14)):
        found = users.outcomes(qrels, runs, FOUR).set_index(["system_a", "system_b"])
        assert found.loc[("one", "same"), ["difference", "ci_low", "ci_high"]].tolist() == [0, 0, 0]
        assert found.loc[("one", "worse"), "ci_low"] > 0
        assert found.loc[("same", "worse"), "difference"] == found.loc[("one", "worse"), "difference"]
    assert Simulated().outcomes(qrels, runs, FOUR) is None
    sampled = Simulated(interleaving="team_draft", sessions=4000)
    counted = sampled.outcomes(qrels, runs, FOUR).set_index(["system_a", "system_b"])
    exact = Simulated(interleaving="team_draft").outcomes(qrels, runs, FOUR).set_index(["system_a", "system_b"])
    assert counted["difference"].to_numpy() == pytest.approx(exact["difference"].to_numpy(), abs=0.01)
    assert counted.loc[("one", "same"), "ci_low"] < 0 < counted.loc[("one", "same"), "ci_high"]
    pd.testing.assert_frame_equal(sampled.outcomes(qrels, runs, FOUR), counted.reset_index())  # by its seed


def test_a_system_alone_has_no_outcomes_and_another_way_is_refused():
    users = Simulated(interleaving="team_draft")
    assert users.outcomes(qrels_of(p=1), runs_of(x=["p"]), FOUR).empty
    with pytest.raises(InputError, match="interleaving=balanced: expected one of null, team_draft"):
        Simulated(interleaving="balanced")


def test_from_the_command_line_to_the_table(alignir):
    cell = ("systems=bm25", "systems.scoring=[lucene]", "bootstrap.B=0", "floor.shuffles=0")
    alignir("-m", "model=lexical,scripted", *cell, "user_model=sdbn", "user_model.interleaving=team_draft")
    tables = ("-m", "alignir", "tables", "--table", "pairs")
    shown = alignir(program=tables).stdout
    assert max(map(len, shown.splitlines()[:8])) <= 80
    assert "team-draft interleaving of every two systems, endless impressions" in " ".join(shown.split())
    rows = list(csv.DictReader(io.StringIO(alignir("--format", "csv", program=tables).stdout)))
    assert [row["labels"] for row in rows] == ["baseline", "lexical", "scripted zeshot"]
    assert {row["metric"] for row in rows} == {"wins"}
    assert int(rows[0]["signs"]) / int(rows[0]["signs_n"]) > 0.5
