"""Degraded systems: each is worse than the one before it, by every way to look at it, and nobody has to believe it."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from conftest import write_small

from alignir.data import collections
from alignir.errors import InputError
from alignir.evaluation.scores import evaluate, means
from alignir.retrieval.degraded import HOW, degraded, names_of

SHARES = [0, 0.25, 0.5, 0.75, 1]


@pytest.fixture
def mixed(tmp_path):
    """Eight queries, 30 passages with random grades, two run files of 20 results: `good` knows the grades."""
    rng = np.random.default_rng(5)
    (tmp_path / "runs").mkdir()
    queries, docs = [f"q{n}" for n in range(8)], [f"d{n}" for n in range(30)]
    grades = {query: rng.integers(0, 4, 30) for query in queries}
    (tmp_path / "queries.tsv").write_text("".join(f"{query}\tred apples\n" for query in queries))
    (tmp_path / "passages.tsv").write_text("".join(f"{doc}\tapples\n" for doc in docs))
    (tmp_path / "qrels.txt").write_text(
        "".join(f"{q} 0 {doc} {grade}\n" for q in queries for doc, grade in zip(docs, grades[q], strict=True))
    )
    for name, noise in (("good", 1), ("bad", 9)):
        lines = []
        for query in queries:
            scores = grades[query] + noise * rng.normal(size=30)
            lines += [f"{query} Q0 {docs[at]} 0 {scores[at]} t\n" for at in np.argsort(-scores)[:20]]
        (tmp_path / "runs" / f"{name}.run").write_text("".join(lines))
    return collections.folder("mixed", tmp_path)


@pytest.mark.parametrize("how", HOW)
def test_no_rank_of_a_worse_system_has_seen_better_grades(mixed, how):
    runs = degraded(mixed, how=how, shares=SHARES, depth=10, seed=3)
    assert list(runs.systems) == list(names_of(SHARES))
    shown = runs.grades(mixed.qrels, 20)
    assert (shown >= 0).all()  # the rankings keep their length
    sums = shown.cumsum(axis=2)
    assert (np.diff(sums, axis=0) <= 0).all()
    assert (sums[0] > sums[-1]).any(axis=1).all()  # and every query gets worse in the end
    scores = means(evaluate(mixed.qrels, runs, ("ndcg_cut_10",)))["ndcg_cut_10"].loc[list(runs.systems)]
    assert (np.diff(scores) < 0).all()
    assert not runs.frame.duplicated(["system", "query_id", "doc_id"]).any()


def test_a_share_of_zero_is_the_good_run_which_is_the_one_with_the_best_results(mixed):
    from alignir.retrieval.run_files import run_files

    runs = degraded(mixed, shares=SHARES)
    assert "made of good" in runs.notes[-1]
    assert "made of bad" in degraded(mixed, system="bad", shares=SHARES).notes[-1]
    both = run_files(mixed).plain
    keys = ["query_id", "doc_id", "rank"]
    first, good = (frame[frame["system"] == name][keys] for frame, name in ((runs.frame, "worse-0"), (both, "good")))
    pd.testing.assert_frame_equal(first.reset_index(drop=True), good.reset_index(drop=True))


def test_moved_shows_the_same_first_results_and_replaced_others(mixed):
    for how in HOW:
        top = degraded(mixed, how=how, shares=[0, 1], depth=10).top(10).frame
        first, last = (set(map(tuple, top.loc[top["system"] == name, ["query_id", "doc_id"]].to_numpy()))
                       for name in ("worse-0", "worse-1"))  # fmt: skip
        assert (first == last) is (how == "moved")


def test_a_seed_decides_it(mixed):
    one, again, other = (degraded(mixed, seed=seed).frame for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)


def test_ranks_that_change_at_a_share_do_so_at_larger_ones(mixed):
    frame = degraded(mixed, shares=SHARES, depth=10).top(10).frame
    shown = {name: rows.set_index(["query_id", "rank"])["doc_id"] for name, rows in frame.groupby("system")}
    changed = [shown[name] != shown["worse-0"] for name in names_of(SHARES)]
    for less, more in pairwise(changed):
        assert (less <= more).all()
        assert less.sum() < more.sum()


def test_what_nobody_judged_is_taken_only_where_nothing_judged_is_worse(tmp_path):
    folder = write_small(tmp_path / "small")
    (folder / "qrels.txt").write_text("q1 0 d1 3\nq2 0 d3 2\nq2 0 d4 0\n")
    runs = degraded(collections.folder("small", folder), system="good", how="moved", shares=[0, 1])
    rows = runs.frame[runs.frame["system"] == "worse-1"]
    assert rows.groupby("query_id")["doc_id"].apply(list).to_dict() == {"q1": ["d2", "d1"], "q2": ["d4", "d3"]}


def test_without_run_files_it_is_bm25(tmp_path):
    runs = degraded(collections.demo("demo"), shares=[0, 1])
    assert "made of lucene" in runs.notes[-1]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"how": "spoiled"}, "how=spoiled: expected one of moved, replaced"),
        ({"shares": [0]}, "shares: expected two or more rising numbers from 0 to 1"),
        ({"shares": [0.5, 0.2]}, "shares: expected"),
        ({"shares": [0, 2]}, "shares: expected"),
        ({"depth": 0}, "expected a depth from 1"),
        ({"system": "nobody"}, "no system matches nobody"),
    ],
)
def test_settings_that_cannot_be_are_named(mixed, setting, message):
    with pytest.raises(InputError, match=message):
        degraded(mixed, **setting)


def test_where_everything_is_equally_good_nothing_can_get_worse(tmp_path):
    folder = write_small(tmp_path / "small")
    (folder / "qrels.txt").write_text("q1 0 d1 1\nq1 0 d2 1\nq2 0 d3 1\nq2 0 d4 1\n")
    with pytest.raises(InputError, match=r"no result of .* down to rank 10 can be moved"):
        degraded(collections.folder("small", folder), how="moved")
