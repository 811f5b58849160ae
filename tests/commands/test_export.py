"""`alignir export`: what is recorded comes back from other tools' forms as the same judge and the same pairs."""

import contextlib
import json
import shutil

import pandas as pd
import pytest
from conftest import write_small

from alignir.commands import door, export
from alignir.config import composed_cell, composed_job
from alignir.evaluation.scores import means
from alignir.experiment import pipeline
from alignir.experiment.inputs import read_inputs
from alignir.experiment.results import Result
from alignir.frames import PAIR
from alignir.labelling.labels import Labelling, label
from alignir.labelling.ledger import Ledger
from alignir.tracking.runs import read_runs

DATA = ("dataset=folder", "dataset.path=small", "dataset.name=small")
# As somebody's judge may leave them: of four pairs two have no label, one of them for a reason that the file says.
LABELS = "query_id,doc_id,relevance,status\nq1,d1,3,ok\nq1,d2,,refused\nq2,d3,0,ok\n"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder with the small dataset, and two judges of it recorded."""
    folder = tmp_path_factory.mktemp("recorded")
    write_small(folder / "small")
    (folder / "theirs.csv").write_text(LABELS)
    with contextlib.chdir(folder):
        recording(*DATA, "model=scripted", "measures=[ndcg_cut_10,P_10]")
        recording(*DATA, "model=replay", "model.labels=theirs.csv", "model.name=theirs")
    return folder


@pytest.fixture
def folder(recorded, tmp_path, monkeypatch):
    """The same to do something in."""
    shutil.copytree(recorded, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def recording(*settings: str) -> Result:
    made, recorder = composed_job([*settings, "bootstrap.B=0", "floor.shuffles=0"])
    result = pipeline.run(made, recorder)
    assert result is not None
    return result


def labelled(*settings: str) -> Labelling:
    """What a cell's judge says, unrecorded."""
    made = composed_cell(list(settings))
    inputs = read_inputs(made)
    return label(inputs.pairs, inputs.prompt, made.model, Ledger(made.ledger), made.reader, inputs.scale)


def exported(capsys, monkeypatch, *arguments: str, code: int = 0) -> str:
    monkeypatch.setattr("sys.argv", ["alignir", "export", *arguments])
    assert door.main() == code
    printed = capsys.readouterr()
    return printed.out if code == 0 else printed.err


def known(labels: pd.DataFrame) -> dict:
    return {tuple(row[:2]): row[2] for row in labels.dropna(subset="relevance")[[*PAIR, "relevance"]].to_numpy()}


def replayed(file: str, *settings: str) -> pd.DataFrame:
    judge = ("model=replay", f"model.labels={file}", "model.scale.grades=[0,1,2,3]", *settings)
    return labelled(*DATA, *judge).labels


@pytest.mark.parametrize(
    ("form", "ending", "statuses"),
    [
        ("qrels", "qrels", {"ok": 2, "absent": 2}),
        ("opensearch", "json", {"ok": 2, "absent": 2}),
        ("csv", "csv", {"ok": 2, "refused": 1, "absent": 1}),
        ("umbrela", "jsonl", {"ok": 2, "refused": 1, "absent": 1}),
    ],
)
def test_labels_come_back_as_they_were(folder, capsys, monkeypatch, form, ending, statuses):
    text = exported(capsys, monkeypatch, "labels", "--form", form)
    assert f"4 labels of 4 pairs written to export/scripted-zeshot-small.{ending}\n" in text
    assert f"2 labels of 4 pairs written to export/theirs-small.{ending}\n" in text
    scripted, theirs = read_runs(None, "alignir")
    assert known(replayed(f"export/scripted-zeshot-small.{ending}")) == known(scripted.frame("labels.parquet"))
    found = replayed(f"export/theirs-small.{ending}")
    assert known(found) == known(theirs.frame("labels.parquet")) == {("q1", "d1"): 3, ("q2", "d3"): 0}
    assert found["status"].value_counts().to_dict() == statuses


def test_umbrelas_lines_have_what_was_asked_and_answered(folder, capsys, monkeypatch):
    exported(capsys, monkeypatch, "labels", "--form", "umbrela", "--model", "scripted")
    lines = [json.loads(line) for line in (folder / "export" / "scripted-zeshot-small.jsonl").read_text().splitlines()]
    assert not list((folder / "export").glob("theirs*"))
    assert {"query": "red apples", "passage": "red apples are sweet", "qid": "q1"}.items() <= lines[0].items()
    assert "red apples are sweet" in lines[0]["prompt"]
    assert lines[0]["prediction"] == f"##final score: {lines[0]['judgment']}"
    again = replayed("export/scripted-zeshot-small.jsonl", "model.reread=true", "model.form=final_score")
    assert known(again) == known(read_runs(None, "alignir")[0].frame("labels.parquet"))


def test_requests_are_the_pairs_of_a_cell_and_a_model_says_the_same_of_them(folder, capsys, monkeypatch):
    text = exported(capsys, monkeypatch, "requests", "--out", "asked.jsonl", *DATA, "model=lexical")
    assert text == "2 queries, 4 pairs written to asked.jsonl\n"
    asked = ("dataset=requests", "dataset.path=asked.jsonl", "dataset.qrels=small/qrels.txt", "systems.path=small/runs")
    found = labelled(*asked, "model=scripted", "ledger=another")
    assert found.asked == 4
    assert known(found.labels) == known(read_runs(None, "alignir")[0].frame("labels.parquet"))


def test_results_are_every_systems_values_by_topic(folder, capsys, monkeypatch):
    text = exported(capsys, monkeypatch, "results", "--out", "values", "--model", "scripted")
    assert text.splitlines() == [
        "2 systems, 2 topics written to values/baseline-small-runs-all.results",
        "2 systems, 2 topics written to values/scripted-zeshot-small-runs-all.results",
    ]
    columns = ["system", "query_id", "measure", "value"]
    scores = read_runs(None, "alignir")[0].frame("scores.parquet")
    for name, side in (("baseline", "baseline"), ("scripted-zeshot", "model")):
        found = pd.read_csv(folder / "values" / f"{name}-small-runs-all.results", sep="\t", names=columns)
        assert set(found["measure"]) == {"ndcg_cut_10", "P_10"}
        expected = means(scores[scores["labels"] == side])
        pd.testing.assert_frame_equal(means(found), expected, check_exact=True, check_names=False)


def test_a_run_is_chosen_by_its_id_and_what_there_is_not_is_named(folder, capsys, monkeypatch):
    scripted, _ = read_runs(None, "alignir")
    text = exported(capsys, monkeypatch, "labels", "--run", scripted.run_id, "--out", "one")
    assert text == "4 labels of 4 pairs written to one/scripted-zeshot-small.qrels\n"
    text = exported(capsys, monkeypatch, "labels", "--run", "0" * 32, code=1)
    assert f"alignir export: no run {'0' * 32} in sqlite:" in text
    text = exported(capsys, monkeypatch, "labels", "--model", "gpt4", code=1)
    assert "no recorded run is of these choices; there are scripted zeshot on small; theirs on small" in text
    text = exported(capsys, monkeypatch, "requests", "--out", "nowhere/x.jsonl", *DATA, code=1)
    assert "--out nowhere/x.jsonl: there is no such folder" in text


def test_texts_that_are_not_what_they_were_are_not_written(folder, capsys, monkeypatch):
    passages = folder / "small" / "passages.tsv"
    passages.write_text(passages.read_text().replace("sweet", "sour"))
    text = exported(capsys, monkeypatch, "labels", "--form", "umbrela", code=1)
    assert "is not what it was when run" in text
    assert "4 labels of 4 pairs" in exported(capsys, monkeypatch, "labels", "--form", "csv")
    passages.unlink()
    assert "no passages in" in exported(capsys, monkeypatch, "labels", "--form", "opensearch", code=1)


def test_a_judge_that_many_settings_tell_apart_has_a_file_with_a_name_that_fits():
    parts = [["judge", "a=" + "x" * 300, end] for end in ("one", "two")]
    one, two = map(export._stem, parts)
    assert one != two
    assert max(len(one), len(two)) < 140
    assert export._stem(["judge", "a"]) == "judge-a"
