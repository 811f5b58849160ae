"""Systems: run files by name, a grid of BM25, pipelines that build on others, and query selection."""

import bz2
import gzip

import pandas as pd
import pytest

from alignir.config import composed_cell
from alignir.data import collections, run_paths
from alignir.data.ranked import ranked
from alignir.data.run_paths import FILES
from alignir.errors import InputError
from alignir.experiment import queries
from alignir.frames import PAIR
from alignir.labelling import graders
from alignir.retrieval import bm25, pipelines, run_files
from alignir.retrieval.fusion import rerank


def test_systems_are_chosen_by_name_patterns(small):
    dataset = collections.folder("small", small)
    assert set(run_files.run_files(dataset, None, ["g*"], [], "error").frame["system"]) == {"good"}
    assert set(run_files.run_files(dataset, None, ["*"], ["g*"], "error").frame["system"]) == {"bad"}


@pytest.mark.parametrize(
    ("include", "exclude", "message"),
    [
        (["x*"], [], "no system matches x*; there are bad, good"),
        (["*"], ["x*"], "no system matches x*; there are bad, good"),
        (["*"], ["*"], "leave none of bad, good"),
    ],
)
def test_a_pattern_that_matches_nothing_is_an_error(small, include, exclude, message):
    with pytest.raises(InputError) as error:
        run_files.run_files(collections.folder("small", small), None, include, exclude, "error")
    assert message in str(error.value)


def test_a_run_with_an_unknown_query_is_named_and_can_be_let_through(small):
    with open(small / "runs" / "good.run", "a") as file:
        file.write("q9 Q0 d1 1 1 t\n")
    dataset = collections.folder("small", small)
    with pytest.raises(InputError, match=r"good\.run:5: the query q9 is not in the dataset small"):
        run_files.run_files(dataset, None, ["*"], [], "error")
    assert set(run_files.run_files(dataset, None, ["*"], [], "ignore").frame["query_id"]) == {"q1", "q2"}


def test_a_run_may_hold_queries_that_were_not_judged(small):
    with open(small / "queries.tsv", "a") as file:
        file.write("q3\tnobody judged this\n")
    with open(small / "runs" / "good.run", "a") as file:
        file.write("q3 Q0 d1 1 1 t\n")
    runs = run_files.run_files(collections.folder("small", small), None, ["*"], [], "error").frame
    assert set(runs["query_id"]) == {"q1", "q2"}


def test_a_folder_without_run_files_is_named(small):
    for file in (small / "runs").iterdir():
        file.unlink()
    with pytest.raises(InputError, match=r"expected run files, .*input\.\*,run\.\*.* \(systems\.files\), found none"):
        run_files.run_files(collections.folder("small", small), None, ["*"], [], "error")
    (small / "runs").rmdir()
    with pytest.raises(InputError, match=r"systems\.path=FOLDER"):
        run_files.run_files(collections.folder("small", small), None, ["*"], [], "error")


LINES = "q1 Q0 d1 1 9 t\nq2 Q0 d3 1 9 t\n"
PATHS = {  # of run files: the names of their systems
    ("bm25.run", "bm25.v2.run.gz", "run.1.run"): ["bm25", "bm25.v2", "run.1"],
    ("bm25.res.gz", "dense.res.bz2", "x.trec", "y.txt"): ["bm25", "dense", "x", "y"],
    ("input.uogTr.gz", "input.uogTr.2", "input.run"): ["uogTr", "uogTr.2", "input"],
    ("input.bm25.gz", "late/input.bm25.gz"): ["bm25", "late/bm25"],
    ("run.msmarco-v1.bm25-default.dl19.txt", "run.msmarco-v1.bm25-rm3.dl19.txt"): ["bm25-default", "bm25-rm3"],
    ("bm25/run.txt", "dense/run.txt"): ["bm25", "dense"],
    ("bm25/1/output/run.txt.gz", "bm25/2/output/run.txt.gz", "dense/1/output/run.txt.gz"): [
        "bm25/1",
        "bm25/2",
        "dense/1",
    ],
    ("team/bm25.run", "team/dense.run"): ["bm25", "dense"],
    ("bm25.run", "old/bm25.run"): ["bm25", "old/bm25"],
    ("a/bm25.run", "b/bm25.run"): ["a", "b"],
    ("a/x.run", "a/y.run", "b/x.run"): ["a/x", "a/y", "b/x"],
    ("only.run",): ["only"],
    ("only/run.txt",): ["only"],
    ("run.a.b.txt",): ["a.b"],
    (".hidden.run", ".git/x.run", "x.md", "x.run"): ["x"],
}


@pytest.mark.parametrize("paths", PATHS)
def test_a_systems_name_is_what_differs_between_the_paths(small, paths):
    for path in paths:
        file = small / "runs" / "there" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = {".gz": gzip.open, ".bz2": bz2.open}.get(file.suffix, open)
        with opened(file, "wt") as writing:
            writing.write(LINES)
    runs = run_files.run_files(collections.folder("small", small), small / "runs" / "there")
    assert sorted(runs.systems) == sorted(PATHS[paths])


@pytest.mark.parametrize(
    ("files", "systems"),
    [
        ("*.run", ["bad", "good"]),
        ("**/*.out{,.gz}", ["x", "y"]),
        (["good.run", "in/x.*"], ["good", "in/x.out"]),
    ],
)
def test_which_files_are_runs_can_be_said_by_pattern(small, files, systems):
    (small / "runs" / "in").mkdir()
    (small / "runs" / "in" / "x.out").write_text(LINES)
    (small / "runs" / "in" / "y.out").write_text(LINES)
    runs = run_files.run_files(collections.folder("small", small), files=files)
    assert list(runs.systems) == systems


def test_two_files_of_one_name_are_both_named(small):
    (small / "runs" / "good.res").write_text(LINES)
    with pytest.raises(InputError, match=r"the system good has two run files: .*good\.res and .*good\.run"):
        run_files.run_files(collections.folder("small", small))


def test_a_file_that_is_no_run_says_how_to_leave_it_out(small):
    (small / "runs" / "README.txt").write_text("These are runs.\n")
    with pytest.raises(InputError, match=r"README\.txt:1: expected .*leave it out with systems\.files, now \*\*/\{"):
        run_files.run_files(collections.folder("small", small))
    assert len(run_files.run_files(collections.folder("small", small), files="*.run").systems) == 2


def test_the_shipped_pattern_is_the_functions_own():
    assert composed_cell(["systems=runs", "model=lexical"]).config["systems"]["files"] == FILES


def test_official_runs_keep_their_names(dl19):
    files = run_paths.run_files(dl19 / "runs")
    assert {system: f"{system}.run.gz" for system in files} == {system: file.name for system, file in files.items()}
    assert len(files) == 46


GRID = {"scoring": ["lucene", "bm25l", "bm25+"], "k1_b": [[0.9, 0.4]], "stem": [False, True], "stop": [False, True]}


def test_bm25_makes_every_combination_and_only_results_that_share_a_term(small):
    dataset = collections.folder("small", small)
    runs = bm25.bm25(dataset, **GRID, k=100)
    assert runs["system"].nunique() == 3 * 1 * 2 * 2
    plain = runs[~runs["system"].str.contains("stem")]
    assert set(plain[plain["query_id"] == "q1"]["doc_id"]) == {"d1", "d2"}
    stemmed = runs[runs["system"].str.contains("stem")]
    assert set(stemmed[stemmed["query_id"] == "q2"]["doc_id"]) == {"d3", "d4"}  # pears find pear
    assert (runs[(runs["rank"] == 1) & (runs["query_id"] == "q1")]["doc_id"] == "d1").all()


def test_lucene_bm25_is_as_by_its_formula(small):
    """score = idf tf / (tf + k1 (1 - b + b length / mean length)), idf = ln(1 + (N - n + .5) / (n + .5))."""
    from math import log

    runs = bm25.bm25(collections.folder("small", small), ["lucene"], [[1.2, 0.75]], [False], [False], 100)
    lengths = {"d1": 4, "d2": 1, "d3": 2, "d4": 4}  # one-letter words are no terms: "a pear is a fruit" has 3
    lengths["d4"] = 3
    mean = sum(lengths.values()) / 4
    idf = {"red": log(1 + 3.5 / 1.5), "apples": log(1 + 2.5 / 2.5)}
    expected = sum(idf[t] / (1 + 1.2 * (1 - 0.75 + 0.75 * lengths["d1"] / mean)) for t in ("red", "apples"))
    (found,) = runs[(runs["query_id"] == "q1") & (runs["doc_id"] == "d1")]["score"]
    assert found == pytest.approx(expected, rel=1e-5)


def grid(first=None, fusions=None, hybrids=(), rerankers=None, **settings) -> dict:
    """The settings of small pipelines: two BM25 and what is named."""
    two = {"scoring": ["lucene"], "k1_b": [[0.9, 0.4]], "stem": [False, True], "stop": [False], "k": 100}
    return {
        "first": first or {"bm25": lambda dataset: bm25.bm25(dataset, **two)},
        "dense": [],
        "fusions": fusions or {},
        "hybrids": list(hybrids),
        "rerankers": rerankers or {},
        "rrf_k": 60,
        "k": 100,
        **settings,
    }


def test_the_shipped_grid_is_50_valid_systems_and_always_the_same():
    cell = composed_cell(["model=lexical", "systems=pipelines"])
    runs = cell.systems(cell.dataset()).frame
    names = runs["system"].unique()
    assert len(names) == 50
    plain = {name for name in names if ":" not in name}
    assert {f"{name}:overlap" for name in plain} == set(names) - plain
    pd.testing.assert_frame_equal(runs, ranked(runs))
    assert (
        runs.groupby(["system", "query_id"])["rank"].apply(list).map(lambda r: r == list(range(1, len(r) + 1)))
    ).all()
    assert not runs.duplicated(["system", *PAIR]).any()
    assert (runs.groupby("system")["query_id"].nunique() == 36).all()

    from alignir import config

    config._read_systems.cache_clear()
    again = composed_cell(["model=lexical", "systems=pipelines"])
    pd.testing.assert_frame_equal(again.systems(again.dataset()).frame, runs)


def test_fusions_and_rerankers_combine_under_readable_names(small):
    rerankers = {
        "overlap": {"by": graders.Lexical((0.25, 0.5, 0.75)), "depth": 10},
        "judge": {"by": small / "qrels.txt", "depth": 10},
    }
    settings = grid(fusions={"both": ["*"]}, rerankers=rerankers)
    runs = pipelines.pipelines(collections.folder("small", small), **settings).frame
    first = ["lucene-k0.9-b0.4", "lucene-k0.9-b0.4-stem", "both"]
    assert set(runs["system"]) == {name + end for name in first for end in ("", ":overlap", ":judge")}


def test_run_files_can_be_first_stages_too(small):
    first = {"runs": lambda dataset: run_files.run_files(dataset, None, ["*"], [], "error")}
    settings = grid(first, {"rrf": ["g*", "b*"]}, rerankers={"judge": {"by": small / "qrels.txt", "depth": 2}})
    runs = pipelines.pipelines(collections.folder("small", small), **settings).frame
    assert set(runs["system"]) == {"bad", "good", "rrf", "bad:judge", "good:judge", "rrf:judge"}
    best = runs[(runs["rank"] == 1) & runs["system"].str.endswith(":judge")]
    assert set(zip(best["query_id"], best["doc_id"], strict=True)) == {("q1", "d1"), ("q2", "d3")}


def test_a_recorded_runs_labels_rerank_by_the_expected_grade(small, tmp_path):
    labels = pd.DataFrame(
        {
            "query_id": ["q1", "q1", "q2"],
            "doc_id": ["d1", "d2", "d3"],
            "relevance": pd.array([1, 1, None], dtype="Int64"),
            "expected": [0.7, 1.2, None],
        }
    )
    labels.to_parquet(tmp_path / "labels.parquet")
    settings = grid(rerankers={"judge": {"by": str(tmp_path / "labels.parquet"), "depth": 10}})
    dataset = collections.folder("small", small)
    runs = pipelines.pipelines(dataset, **settings).frame
    plain = runs[runs["system"] == "lucene-k0.9-b0.4"]
    found = runs[runs["system"] == "lucene-k0.9-b0.4:judge"]
    assert plain[plain["query_id"] == "q1"]["doc_id"].tolist() == ["d1", "d2"]
    assert found[found["query_id"] == "q1"]["doc_id"].tolist() == ["d2", "d1"]
    assert found["doc_id"].tolist() == rerank(plain, labels, 10)["doc_id"].tolist()


def test_a_second_run_reranks_by_the_labels_that_the_first_one_recorded(alignir, tmp_path):
    assert "50 systems, 36 queries" in alignir("model=lexical", "systems=pipelines").stdout
    (file,) = tmp_path.rglob("labels.parquet")
    judge = f"+systems.rerankers.judge={{by: {file}, depth: 10}}"
    assert "75 systems, 36 queries" in alignir("model=lexical", "systems=pipelines", judge).stdout


def test_a_result_whose_text_is_not_at_hand_keeps_its_rank(small):
    with open(small / "runs" / "good.run", "a") as file:
        file.write("q1 Q0 unknown 0 8.5 t\n")
    first = {"runs": lambda dataset: run_files.run_files(dataset, None, ["good"], [], "error")}
    settings = grid(first, rerankers={"overlap": {"by": graders.Lexical((0.1, 0.6, 0.9)), "depth": 10}})
    runs = pipelines.pipelines(collections.folder("small", small), **settings).frame
    found = runs[(runs["system"] == "good:overlap") & (runs["query_id"] == "q1")]
    assert found["doc_id"].tolist() == ["d1", "unknown", "d2"]


LUCENE = "lucene-k0.9-b0.4"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fusions": {"rrf": ["*", "x*"]}}, f"no system matches x\\*; there are {LUCENE}, {LUCENE}-stem"),
        ({"fusions": {"rrf": ["*-stem"]}}, r"a fusion needs two systems or more"),
        ({"fusions": {LUCENE: ["*"]}}, f"two systems have the name {LUCENE}"),
        ({"fusions": {"a+b": ["*"]}}, "expected letters, digits, '.', '_', '-', found 'a\\+b'"),
        ({"rerankers": {"a b": {"by": "qrels.txt", "depth": 1}}}, "found 'a b'"),
        ({"rerankers": {"judge": {"by": "nowhere.txt", "depth": 1}}}, "no file of labels to re-rank by at .*nowhere"),
        ({"rerankers": {"judge": {"by": "others.txt", "depth": 1}}}, "others.txt: has a label for none of the 2 pairs"),
        ({"rerankers": {"judge": {"by": "text.parquet", "depth": 1}}}, "text.parquet: cannot be read as parquet"),
        (
            {"rerankers": {"judge": {"by": "columns.parquet", "depth": 1}}},
            "expected columns .* found query_id, doc_id$",
        ),
        ({"rerankers": {"judge": {"by": "twice.parquet", "depth": 1}}}, "row 1 repeats the pair q1 d1"),
        (
            {"rerankers": {"judge": {"by": "qrels.txt", "depth": 0}}},
            "expected a depth in whole results from 1, found 0",
        ),
        ({"rerankers": {"overlap": {"by": graders.Lexical((3, 2, 1)), "depth": 1}}}, "expected rising shares"),
    ],
)
def test_a_mistake_in_a_grid_is_named(small, monkeypatch, settings, message):
    monkeypatch.chdir(small)
    (small / "others.txt").write_text("q7 0 d1 1\n")
    (small / "text.parquet").write_text("q1 0 d1 1\n")
    pairs = pd.DataFrame({"query_id": ["q1", "q1"], "doc_id": ["d1", "d1"]})
    pairs.to_parquet("columns.parquet")
    pairs.assign(relevance=1).to_parquet("twice.parquet")
    with pytest.raises(InputError, match=message):
        pipelines.pipelines(collections.folder("small", small), **grid(**settings))


def test_a_grid_without_first_stages_is_an_error(small):
    settings = {**grid(), "first": {}}
    with pytest.raises(InputError, match="expected at least one first stage"):
        pipelines.pipelines(collections.folder("small", small), **settings)


def test_random_queries_are_the_same_for_the_same_seed():
    demo = collections.demo("demo")
    drawn = queries.random(demo, 5, 1)
    assert drawn == queries.random(demo, 5, 1)
    assert len(set(drawn)) == 5
    assert drawn != queries.random(demo, 5, 2)
    assert set(queries.random(demo, 36, 3)) == set(queries.everything(demo))
    with pytest.raises(InputError, match=r"^n=37: expected 1 to 36"):
        queries.random(demo, 37, 0)
