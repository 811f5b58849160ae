"""`alignir circularity` and `--table families` of recorded runs: scores by hand, tables in every form, a jury's too."""

import contextlib
import csv
import io
import shutil

import numpy as np
import pandas as pd
import pytest

from alignir.commands import circularity, door
from alignir.config import composed_job, recorded_cell
from alignir.errors import InputError
from alignir.evaluation.scores import evaluate, means
from alignir.experiment import pipeline
from alignir.experiment.circle import circles
from alignir.retrieval.fusion import UNLABELLED, rerank
from alignir.tables import kinds
from alignir.tables.circularity import WAYS
from alignir.tables.table import FORMATS, render
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded, read_runs

SYSTEMS = ("bm25", "x-llama", "y-llama", "ada-openai", "dense")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five systems, six queries, two recorded judges of a part of the pairs, and a jury of them."""
    where = tmp_path_factory.mktemp("circle")
    rng = np.random.default_rng(0)
    (where / "data" / "runs").mkdir(parents=True)
    pairs = [(f"q{q}", f"d{d}") for q in range(6) for d in range(15)]
    (where / "data" / "queries.tsv").write_text("".join(f"q{q}\tquery {q}\n" for q in range(6)))
    (where / "data" / "passages.tsv").write_text("".join(f"d{d}\tpassage {d}\n" for d in range(15)))
    grades = dict(zip(pairs, rng.integers(0, 4, len(pairs)), strict=True))
    (where / "data" / "qrels.txt").write_text("".join(f"{q} 0 {d} {grade}\n" for (q, d), grade in grades.items()))
    for place, system in enumerate(SYSTEMS):
        lines = [f"{q} Q0 {d} 0 {g + (place + 1) * rng.normal()} t\n" for (q, d), g in grades.items()]
        (where / "data" / "runs" / f"{system}.run").write_text("".join(lines))
    for judge in ("one", "two"):
        told = [(q, d, min(3, g + rng.integers(0, 2))) for (q, d), g in grades.items() if rng.random() < 0.8]
        (where / f"{judge}.qrels").write_text("".join(f"{q} 0 {d} {grade}\n" for q, d, grade in told))
    with contextlib.chdir(where):
        for judge in ("one", "two"):
            record("model=replay", f"model.labels={judge}.qrels", f"model.name={judge}", "model.family=llama")
        record("model=jury", "model.judges=[one,two]", "model.vote=mean")
    return where


def record(*settings: str) -> None:
    data = ("dataset=folder", "dataset.path=data", "dataset.name=ours", "systems=runs")
    made, recorder = composed_job([*data, *settings, "bootstrap.B=40", "floor.shuffles=0"])
    assert pipeline.run(made, recorder) is not None


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def recorded():
    return {run.judge.model: run for run in read_runs(None, "alignir")}


@pytest.mark.parametrize("judge", ["one", "jury"])
@pytest.mark.parametrize("way", UNLABELLED)
def test_both_sides_score_what_the_judge_s_labels_re_rank(here, judge, way):
    run = recorded()[judge]
    cell = recorded_cell(run.file("config.yaml"), run.names, run.uri)
    found = circles(run, cell, 8, (way,))[way]
    dataset = cell.dataset()
    rankings, labels = cell.systems(dataset), run.frame("labels.parquet")
    for sides, runs in ((found.before, rankings), (found.after, rerank(rankings.frame, labels, 8, way))):
        for name, given in (("judge", labels), ("baseline", dataset.qrels)):
            expected = means(evaluate(given, runs)).iloc[:, 0]
            pd.testing.assert_series_equal(sides[name], expected, check_names=False)
    assert (found.after["judge"] >= found.before["judge"]).all()
    assert set(WAYS) == set(UNLABELLED)


def test_the_command_shows_two_tables_and_a_figure_for_each_judge(here, capsys):
    assert door._command("circularity", ["--format", "csv", "--depth", "10", "--out", "all"]) == 0
    shown = capsys.readouterr()
    tables = [list(csv.reader(io.StringIO(text))) for text in shown.out.split("\n\n")]
    assert len(tables) == 6
    figures = {file.name: file.stat().st_size for file in here.glob("all/*.png")}
    assert set(figures) == {f"circularity-{model}-ours.png" for model in recorded()}
    assert min(figures.values()) > 10_000
    circle, alone = tables[0], tables[1]
    assert circle[0][0].startswith("# The circle: systems re-rank by the judge's labels")
    assert [row[:2] for row in circle[2:]] == [[way, str(n)] for way in WAYS.values() for n in (0, 1, 2, 5)]
    assert sorted(row[0] for row in alone[2:]) == sorted(SYSTEMS)
    assert door._command("circularity", ["--model", "jury", "--out", "jury.svg", "--unlabelled", "last"]) == 0
    assert "results without a label go last; rank 1 is the best" in capsys.readouterr().out
    with pytest.raises(InputError, match="no recorded run is of these choices; there are one on ours"):
        door._command("circularity", ["--model", "nobody"])
    with pytest.raises(InputError, match=r"--out all.png: expected a folder for 3 figures: circularity-jury-ours, "):
        door._command("circularity", ["--out", "all.png"])
    with pytest.raises(InputError, match="--depth 0: expected a number from 1"):
        door._command("circularity", ["--depth", "0"])


def test_what_is_asked_for_tables_leaves_nothing_in_the_working_folder(here, capsys):
    cell = ["dataset=folder", "dataset.path=data", "dataset.name=ours", "systems=runs"]
    cell += ["model=replay", "model.labels=one.qrels", "model.name=one"]
    before = sorted(here.rglob("*"))
    for command, *arguments in (
        ["tables"],
        ["circularity", "--draws", "2"],
        ["budget", *cell, "--draws", "2", "--queries", "2"],
        ["budget", *cell, "--draws", "2", "--human", "30"],
        ["traffic", *cell, "--draws", "2", "--sessions", "1"],
    ):
        assert door._command(command, arguments) == 0
        shown = capsys.readouterr()
        assert "figure" not in shown.err
        assert "ours" in shown.out  # the dataset, as it is called everywhere
        assert "replay" not in shown.out.replace("model=replay", "")
        assert sorted(here.rglob("*")) == before, command


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("runs/bm25.run", lambda lines: lines[1:], r"the systems of run .* are not what they were: run its cell again"),
        ("qrels.txt", lambda lines: lines[:-1], r"the dataset ours is not what it was when run .*: run its cell again"),
    ],
)
def test_what_has_changed_since_is_no_circle(here, name, change, message):
    run = recorded()["one"]
    file = here / "data" / name
    before = file.read_text()
    file.write_text("".join(change(before.splitlines(keepends=True))))
    try:
        with pytest.raises(InputError, match=message):
            circles(run, recorded_cell(run.file("config.yaml"), run.names, run.uri), 8, ("keep",))
    finally:
        file.write_text(before)


def test_every_table_fits_80_columns_and_every_form(here):
    recordings = Recordings(read_runs(None, "alignir"))
    families = kinds.tables(recordings, ["families"])
    circle, _ = circularity._of_judge(recorded()["one"], "ours", circularity.arguments("").parse_args([]))
    assert [row[:2] for row in families[1].rows] == [["gpt", "1"], ["llama (own)", "2"], ["LLM-based", "3"]]
    for form in FORMATS:
        text = render([*families, *circle], form, width=80)
        assert "LLM-based" in text
        assert "ada-openai" in text
        if form == "rich":
            assert max(map(len, text.splitlines())) <= 80
            assert "…" not in text
    numbers = families[1].to_frame()
    assert {"shift shift", "shift low", "shift high", "p", "ranks shift"} <= set(numbers)


def test_families_are_those_that_were_recorded_whatever_their_file_is_today(here, tmp_path):
    file = tmp_path / "FAMILIES.tsv"
    file.write_text("system\tfamily\tllm\nx-llama\tdense\tyes\ndense\tdense\tno\n")
    record("model=replay", "model.labels=one.qrels", "model.name=filed", f"families={file}")
    for _ in range(2):
        found = kinds.tables(Recordings(read_runs(None, "alignir")), ["families"])
        (ours,) = (table for table in found if "filed" in table.title)
        assert [row[:2] for row in ours.rows] == [["dense", "2"], ["LLM-based", "1"]]
        file.unlink(missing_ok=True)


def test_what_people_judged_is_known_where_a_model_labels_the_holes(here, tmp_path, monkeypatch):
    shutil.copytree(here / "data", tmp_path / "data")
    qrels = tmp_path / "data" / "qrels.txt"
    qrels.write_text("".join(qrels.read_text().splitlines(keepends=True)[::2]))
    monkeypatch.chdir(tmp_path)
    record("model=lexical", "pool=holes@10")
    (run,) = read_runs(None, "alignir")
    found = circles(run, recorded_cell(run.file("config.yaml"), run.names, run.uri), 15, ("last",))["last"]
    assert found.after["judge"].min() > found.before["judge"].max()
    assert found.after["baseline"].min() > found.before["baseline"].mean()  # their labels are most of what re-ranks


def test_llm_based_systems_that_are_one_family_are_one_row(here, tmp_path):
    file = tmp_path / "FAMILIES.tsv"
    file.write_text("system\tfamily\tllm\nx-llama\tllama\tyes\ny-llama\tllama\tyes\n")
    record("model=replay", "model.labels=one.qrels", "model.name=single", f"families={file}")
    found = {table.title: table for table in kinds.tables(Recordings(read_runs(None, "alignir")), ["families"])}
    (ours,) = (table for title, table in found.items() if "single" in title)
    assert [row[:2] for row in ours.rows] == [["llama", "2"]]


def test_where_no_family_is_known_the_table_says_so_and_without_resamples_nothing_of_brackets(here, monkeypatch):
    runs = recorded()
    (table,) = kinds.tables(Recordings([runs["one"]]), ["families"])
    assert any(note.startswith("in brackets") for note in table.notes)
    runs["one"].params["bootstrap.B"] = "0"
    (table,) = kinds.tables(Recordings([runs["one"]]), ["families"])
    assert not any("brackets" in note for note in table.notes)
    monkeypatch.setattr(Recorded, "text", lambda run, name: "{}")
    (table,) = kinds.tables(Recordings([runs["one"]]), ["families"])
    assert table.rows == []
    assert table.notes[0].startswith("no family of these systems is known: ")
