"""Systems: run files by name, a grid of BM25, and query selection."""

import pytest

from alignir import datasets, queries, systems
from alignir.errors import InputError


def test_systems_are_chosen_by_name_patterns(small):
    dataset = datasets.folder("small", small)
    assert set(systems.runs(dataset, None, ["g*"], [], "error")["system"]) == {"good"}
    assert set(systems.runs(dataset, None, ["*"], ["g*"], "error")["system"]) == {"bad"}


@pytest.mark.parametrize(
    ("include", "exclude", "message"),
    [
        (["x*"], [], "no system 'x*'; there are: bad, good"),
        (["*"], ["x*"], "no system 'x*'; there are: bad, good"),
        (["*"], ["*"], "leave none of bad, good"),
    ],
)
def test_a_pattern_that_matches_nothing_is_an_error(small, include, exclude, message):
    with pytest.raises(InputError) as error:
        systems.runs(datasets.folder("small", small), None, include, exclude, "error")
    assert message in str(error.value)


def test_a_run_with_an_unknown_query_is_named_and_can_be_let_through(small):
    with open(small / "runs" / "good.run", "a") as file:
        file.write("q9 Q0 d1 1 1 t\n")
    dataset = datasets.folder("small", small)
    with pytest.raises(InputError, match=r"good\.run:5: the query q9 is not in the dataset small"):
        systems.runs(dataset, None, ["*"], [], "error")
    assert set(systems.runs(dataset, None, ["*"], [], "ignore")["query_id"]) == {"q1", "q2"}


def test_a_run_may_hold_queries_that_were_not_judged(small):
    with open(small / "queries.tsv", "a") as file:
        file.write("q3\tnobody judged this\n")
    with open(small / "runs" / "good.run", "a") as file:
        file.write("q3 Q0 d1 1 1 t\n")
    runs = systems.runs(datasets.folder("small", small), None, ["*"], [], "error")
    assert set(runs["query_id"]) == {"q1", "q2"}


def test_a_folder_without_run_files_is_named(small):
    for file in (small / "runs").iterdir():
        file.unlink()
    with pytest.raises(InputError, match=r"expected run files \(\*\.run or \*\.run\.gz\), found none"):
        systems.runs(datasets.folder("small", small), None, ["*"], [], "error")
    (small / "runs").rmdir()
    with pytest.raises(InputError, match=r"systems\.path=FOLDER"):
        systems.runs(datasets.folder("small", small), None, ["*"], [], "error")


GRID = {"scoring": ["lucene", "bm25l", "bm25+"], "k1_b": [[0.9, 0.4]], "stem": [False, True], "stop": [False, True]}


def test_bm25_makes_every_combination_and_only_results_that_share_a_term(small):
    dataset = datasets.folder("small", small)
    runs = systems.bm25(dataset, **GRID, k=100)
    assert runs["system"].nunique() == 3 * 1 * 2 * 2
    plain = runs[~runs["system"].str.contains("stem")]
    assert set(plain[plain["query_id"] == "q1"]["doc_id"]) == {"d1", "d2"}
    stemmed = runs[runs["system"].str.contains("stem")]
    assert set(stemmed[stemmed["query_id"] == "q2"]["doc_id"]) == {"d3", "d4"}  # pears find pear
    assert (runs[(runs["rank"] == 1) & (runs["query_id"] == "q1")]["doc_id"] == "d1").all()


def test_lucene_bm25_is_as_by_its_formula(small):
    """score = idf tf / (tf + k1 (1 - b + b length / mean length)), idf = ln(1 + (N - n + .5) / (n + .5))."""
    from math import log

    runs = systems.bm25(datasets.folder("small", small), ["lucene"], [[1.2, 0.75]], [False], [False], 100)
    lengths = {"d1": 4, "d2": 1, "d3": 2, "d4": 4}  # one-letter words are no terms: "a pear is a fruit" has 3
    lengths["d4"] = 3
    mean = sum(lengths.values()) / 4
    idf = {"red": log(1 + 3.5 / 1.5), "apples": log(1 + 2.5 / 2.5)}
    expected = sum(idf[t] / (1 + 1.2 * (1 - 0.75 + 0.75 * lengths["d1"] / mean)) for t in ("red", "apples"))
    (found,) = runs[(runs["query_id"] == "q1") & (runs["doc_id"] == "d1")]["score"]
    assert found == pytest.approx(expected, rel=1e-5)


def test_random_queries_are_the_same_for_the_same_seed():
    demo = datasets.demo("demo")
    drawn = queries.random(demo, 5, 1)
    assert drawn == queries.random(demo, 5, 1)
    assert len(set(drawn)) == 5
    assert drawn != queries.random(demo, 5, 2)
    assert set(queries.random(demo, 12, 3)) == set(queries.everything(demo))
    with pytest.raises(InputError, match=r"queries\.n=13: expected 1 to 12"):
        queries.random(demo, 13, 0)
