"""Nothing recorded is lost in a table: runs that differ in what decides a number never share a row and column."""

import shutil
from pathlib import Path

import pytest
from conftest import write_small

from alignir import config
from alignir.evaluation.names import title
from alignir.experiment import pipeline
from alignir.frames import BASELINE, ONE_GRADE
from alignir.tables.choices import KINDS
from alignir.tables.kinds import tables, tables_by_kind
from alignir.tracking.recorder import Recorder
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import read_runs

QUICK = ("bootstrap.B=0", "floor.shuffles=0")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory) -> Path:
    """An MLflow database without a run: its migrations take seconds."""
    folder = tmp_path_factory.mktemp("store")
    assert Recorder(f"sqlite:///{folder / 'mlflow.db'}", "alignir").experiment_id
    return folder


@pytest.fixture
def record(made_once, tmp_path, monkeypatch):
    """Record a cell with these settings; `record.all()` are the Recordings so far."""
    shutil.copy(made_once / "mlflow.db", tmp_path / "mlflow.db")
    recorder = Recorder(f"sqlite:///{tmp_path / 'mlflow.db'}", "alignir")
    monkeypatch.chdir(tmp_path)

    def call(*settings: str) -> None:
        pipeline.run(config.composed_cell([*QUICK, *settings]), recorder)

    call.all = lambda: Recordings(read_runs(recorder.uri, "alignir"))
    call.client = recorder.client
    return call


def written(folder: Path, third: str = "q1 Q0 d1 1 9 t\nq2 Q0 d4 1 9 t\n") -> Path:
    """The small dataset with one more system."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    write_small(folder)
    (folder / "runs" / "third.run").write_text(third)
    return folder


def table_1(recordings: Recordings):
    return tables(recordings, ["baseline"])[0]


def of_alignment(recordings: Recordings) -> list[dict[str, str]]:
    (table,) = tables(recordings, ["alignment"])
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_one_dataset_under_two_names_is_one_column_and_nothing_of_it_is_missing(record, tmp_path):
    written(tmp_path / "data")
    record("dataset=folder", "dataset.path=data", "model=lexical", "dataset.name=ours")
    record("dataset=folder", "dataset.path=data", "model=scripted", "dataset.name=theirs")
    table = table_1(record.all())
    assert [title for title in table.columns if title in ("ours", "theirs")] == ["ours"]
    assert {row[0] for row in table.rows[:2]} == {"lexical", "scripted"}
    assert not [cell for row in table.rows for cell in row if "not run" in cell]
    assert not [note for note in table.notes if "not found" in note]

    written(tmp_path / "other", third="q1 Q0 d2 1 9 t\nq2 Q0 d4 1 9 t\n")
    (tmp_path / "other" / "qrels.txt").write_text("q1 0 d1 3\nq1 0 d2 1\nq2 0 d3 2\nq2 0 d4 1\n")
    record("dataset=folder", "dataset.path=other", "model=lexical", "dataset.name=changed")
    (text,) = [note for note in table_1(record.all()).notes if "not found" in note]
    assert text == "not found: 1 of 4 cells (every model with every prompt, dataset): changed: scripted zeshot"


def test_rows_of_the_baseline_and_the_floors_stay_where_the_first_relevant_grade_differs(record, tmp_path):
    cell = ["dataset=folder", f"dataset.path={written(tmp_path / 'data')}", "model=lexical", "measures=[map]"]
    for level in (1, 2):
        record(*cell, f"dataset.scale.relevant_from={level}", f"model.relevant_from={level}")
    recordings = record.all()
    found = of_alignment(recordings)
    for run in recordings:
        for line in run.alignment.itertuples():
            model = "lexical" if line.labels == "model" else line.labels
            (row,) = [
                row
                for row in found
                if (row["model"], row["offline"], row["reference"]) == (model, title(line.offline), line.reference)
                and f"scale.relevant_from={run.params['dataset.scale.relevant_from']}" in row["settings"]
            ]
            assert row["tau_b"] == ("" if line.tau_b != line.tau_b else repr(line.tau_b))
    assert len(found) == sum(len(run.alignment) for run in recordings)
    by_kind = tables_by_kind(recordings, KINDS)
    assert by_kind["baseline"][0].columns[2:] == ["folder (scale.relevant_from=1)", "folder (scale.relevant_from=2)"]
    for kind in ("online", "measures", "correlations", "judged"):
        assert [
            level for level in (1, 2) for table in by_kind[kind] if f"scale.relevant_from={level}" in table.title
        ] == [
            1,
            2,
        ]
    assert [table.columns[-1] for table in by_kind["labels"]] == ["kappa ≥ 1", "kappa ≥ 2"]
    rows = {(row["model"], row["settings"]) for row in found if row["reference"] == BASELINE}
    assert {(BASELINE, "scale.relevant_from=1"), (ONE_GRADE, "scale.relevant_from=2")} <= rows


def two_files(tmp_path: Path) -> list[str]:
    """Labels of two judges in files of one name."""
    for judge, labels in (
        ("gpt4", "q1 0 d1 3\nq1 0 d2 0\nq2 0 d3 3\nq2 0 d4 0\n"),
        ("llama", "q1 0 d2 3\nq2 0 d4 3\n"),
    ):
        (tmp_path / judge).mkdir()
        (tmp_path / judge / "qrels.txt").write_text(labels)
    return ["gpt4/qrels.txt", "llama/qrels.txt"]


def test_judges_from_files_of_one_name_are_two_rows(record, tmp_path):
    written(tmp_path / "data")
    for file in two_files(tmp_path):
        record("dataset=folder", "dataset.path=data", "model=replay", f"model.labels={file}")
    table = table_1(record.all())
    assert [row[0] for row in table.rows[:2]] == ["replay labels=gpt4", "replay labels=llama"]
    taus = {run.params["model.labels"]: run.metrics["tau_b/ndcg_cut_10/baseline"] for run in record.all()}
    assert len(set(taus.values())) == 2
    assert [row[2].split()[0].rstrip("°") for row in table.rows[:2]] == [f"{tau:.2f}" for tau in taus.values()]


def test_equal_files_of_two_judges_are_two_rows(record, tmp_path):
    written(tmp_path / "data")
    one, other = two_files(tmp_path)
    shutil.copy(one, other)
    for file in (one, other):
        record("dataset=folder", "dataset.path=data", "model=replay", f"model.labels={file}")
    assert [row[0] for row in table_1(record.all()).rows[:2]] == ["replay labels=gpt4", "replay labels=llama"]


def test_a_file_of_labels_that_changed_is_another_judge(record, tmp_path):
    written(tmp_path / "data")
    one, other = two_files(tmp_path)
    for file in (one, other):
        shutil.copy(file, "labels.txt")
        record("dataset=folder", "dataset.path=data", "model=replay", "model.labels=labels.txt")
    names = [row[0] for row in table_1(record.all()).rows[:2]]
    assert len(set(names)) == 2
    assert all(name.startswith("replay labels=labels.txt@") for name in names)


def test_names_that_a_person_gave_are_those_of_rows_columns_and_runs(record, tmp_path):
    written(tmp_path / "data")
    for name, file in zip(("gpt4", "llama"), two_files(tmp_path), strict=True):
        record("dataset=folder", "dataset.path=data", "dataset.name=ours", "model=replay", f"model.labels={file}",
               f"model.name={name}")  # fmt: skip
    table = table_1(record.all())
    assert table.columns[2] == "ours"
    assert [row[:2] for row in table.rows[:2]] == [["gpt4", "–"], ["llama", "–"]]
    runs = record.client.search_runs([record.client.get_experiment_by_name("alignir").experiment_id])
    assert {run.info.run_name for run in runs} == {
        f"{judge} · ours · dbn, bootstrap.B=0, labels={judge}/qrels.txt, path=data" for judge in ("gpt4", "llama")
    }


def test_a_named_judge_has_another_file_for_each_dataset_and_one_row(record, tmp_path):
    for name in ("one", "two"):
        written(tmp_path / name)
        shutil.copy(tmp_path / name / "qrels.txt", tmp_path / f"{name}.txt")
        record("dataset=folder", f"dataset.path={name}", f"dataset.name={name}", "model=replay", "model.name=gpt4",
               f"model.labels={name}.txt")  # fmt: skip
    table = table_1(record.all())
    assert [row[0] for row in table.rows if row[1] == "–"] == ["gpt4"]
    assert table.columns[2:] == ["one", "two"]


@pytest.mark.parametrize("third", ["q1 Q0 d1 1 9 t\nq2 Q0 d4 1 9 t\n", "q1 Q0 d2 1 9 t\n"], ids=["equal", "other"])
def test_datasets_in_folders_of_one_name_are_two_columns(record, tmp_path, third):
    written(tmp_path / "a" / "data")
    written(tmp_path / "b" / "data", third)
    for folder in ("a", "b"):
        record("dataset=folder", f"dataset.path={folder}/data", "model=lexical")
    table = table_1(record.all())
    assert table.columns[2:] == ["folder (path=a)", "folder (path=b)"]
    assert "not run" not in str(table.rows)
    assert {row["settings"] for row in of_alignment(record.all())} == {"path=a", "path=b"}


def test_one_dataset_that_was_named_in_two_ways_is_one_column(record, tmp_path):
    written(tmp_path / "data")
    record("dataset=folder", "dataset.path=data", "model=lexical")
    record("dataset=folder", f"dataset.path={tmp_path / 'data'}", "model=scripted")
    assert table_1(record.all()).columns[2:] == ["folder"]


def test_baseline_labels_that_changed_make_another_column(record, tmp_path):
    data = written(tmp_path / "data")
    record("dataset=folder", "dataset.path=data", "model=lexical")
    (data / "qrels.txt").write_text("q1 0 d1 0\nq1 0 d2 1\nq2 0 d3 2\nq2 0 d4 0\n")
    record("dataset=folder", "dataset.path=data", "model=lexical")
    columns = table_1(record.all()).columns[2:]
    assert len(set(columns)) == 2
    assert all(column.startswith("folder (dataset@") for column in columns)


@pytest.mark.parametrize("setting", ["bootstrap.B=9", "floor.seed=3", "model.shares=[0.1,0.5,0.9]"])
def test_any_setting_that_differs_tells_runs_apart(record, setting):
    record("model=lexical")
    record("model=lexical", setting)
    found = of_alignment(record.all())
    keys = [tuple(row[name] for name in ("model", "settings", "offline", "reference")) for row in found]
    assert len(set(keys)) == len(keys)
    judged = [row for row in found if row["model"] == "lexical" and row["reference"] == BASELINE]
    assert len(judged) == 2


def test_a_judge_without_a_prompt_has_none(record, tmp_path):
    written(tmp_path / "data")
    file, _ = two_files(tmp_path)
    for prompt in ("zeshot", "basic"):
        record("dataset=folder", "dataset.path=data", "model=replay", f"model.labels={file}", f"prompt={prompt}")
    record("dataset=folder", "dataset.path=data", "model=scripted")
    recordings = record.all()
    replayed, scripted = recordings.runs
    assert scripted.text("prompt.txt").startswith("Rate how relevant")
    assert replayed.text("prompt.txt") == ""
    assert [name for name in replayed.params if name.startswith("prompt")] == []
    assert "prompt" not in replayed.names
    assert [row[:2] for row in table_1(recordings).rows[:2]] == [["replay", "–"], ["scripted", "zeshot"]]
    for table in tables(recordings, KINDS):
        assert "replay zeshot" not in str(table)


def test_users_with_another_assumption_keep_their_name_and_the_assumption_has_one_of_its_own(record):
    for assumption in ("as_is", "gamma_05"):
        record("model=lexical", f"assumption={assumption}")
    found = of_alignment(record.all())
    assert {(row["user_model"], row["assumption"]) for row in found} == {("dbn", "as_is"), ("dbn", "gamma_05")}
    titles = [table.title for table in tables(record.all(), ["online"])]
    assert [title.rpartition("users: ")[2] for title in titles] == ["dbn", "dbn, gamma_05"]
