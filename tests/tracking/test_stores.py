"""Recorded runs: what a store holds of them, what a sweep leaves out, and what killed processes leave behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from conftest import write_small
from mlflow import MlflowClient

from alignir import config
from alignir.errors import InputError
from alignir.evaluation.names import NDCG
from alignir.experiment import cells, description, inputs, keys, pipeline
from alignir.tracking import stores
from alignir.tracking.recorder import Recorder
from alignir.tracking.runs import read_runs

QUICK = ("model=lexical", "bootstrap.B=0", "floor.shuffles=0")


def with_a_third_system(folder: Path) -> Path:
    (folder / "runs" / "third.run").write_text("q1 Q0 d1 1 9 t\nq2 Q0 d4 1 9 t\n")
    return folder


@pytest.fixture
def third(small) -> Path:
    """The small dataset with one more system."""
    return with_a_third_system(small)


def cell_of(folder: Path, *overrides: str) -> cells.Cell:
    return config.composed_cell(["dataset=folder", f"dataset.path={folder}", *QUICK, *overrides])


def key_of(folder: Path, *overrides: str) -> str:
    config._read_dataset.cache_clear()  # a process reads a dataset once
    config._read_systems.cache_clear()
    cell = cell_of(folder, *overrides)
    return keys.key(cell, inputs.read_inputs(cell))


def runs_of(recorder: Recorder, query: str = "") -> list:
    return recorder.client.search_runs([recorder.experiment_id], query)


@pytest.fixture(scope="module")
def shown(made_once, tmp_path_factory):
    """(client, run as MLflow shows it, run as it is read back, result) of one cell of the dataset beside it."""
    folder = tmp_path_factory.mktemp("shown")
    shutil.copy(made_once, folder / "mlflow.db")
    recorder = Recorder(f"sqlite:///{folder / 'mlflow.db'}", "alignir")
    result = pipeline.run(cell_of(with_a_third_system(write_small(folder / "data")), "bootstrap.B=20"), recorder)
    (run,) = runs_of(recorder)
    (recorded,) = read_runs(recorder.uri, "alignir")
    return recorder.client, run, recorded, result


def test_a_run_says_on_its_page_what_was_found(shown):
    _, run, _, result = shown
    assert run.info.run_name == "lexical · folder · dbn, bootstrap.B=20, path=shown0/data"
    tau = result.alignment.query("labels == 'model' and reference == 'baseline'").iloc[0]
    headline = run.data.tags["mlflow.note.content"].split("\n\n")[0]
    assert f"tau_b with the baseline labels {tau['tau_b']:.4f}" in headline
    assert f"{tau['ci_low']:.4f} to {tau['ci_high']:.4f}" in headline
    assert "3 systems on 2 queries" in headline
    assert f"kappa {result.agreement['kappa']:.4f}" in headline
    assert "100.0% of 4 pairs have a label" in headline
    assert {name: run.data.metrics[name] for name in ("tau_b", "ci_low", "ci_high")} == pytest.approx(
        tau[["tau_b", "ci_low", "ci_high"]].to_dict()
    )
    assert list(run.data.params)[:3] == ["model", "dataset", "systems"]
    assert list(run.data.metrics)[:4] == ["tau_b", "ci_low", "ci_high", "kappa"]


def test_the_dataset_is_an_input_with_its_size_and_columns(shown):
    _, run, recorded, _ = shown
    (found,) = run.inputs.dataset_inputs
    assert found.dataset.name == "folder"
    assert recorded.tags["dataset.fingerprint"].startswith(found.dataset.digest)
    assert json.loads(found.dataset.source) == {"uri": recorded.params["dataset.path"]}
    assert json.loads(found.dataset.profile) == {"num_rows": 4, "num_queries": 2}
    columns = json.loads(found.dataset.schema)["mlflow_colspec"]
    types = {column["name"]: column["type"] for column in columns}
    assert types == {"query_id": "string", "doc_id": "string", "relevance": "long"}
    assert {tag.key: tag.value for tag in found.tags} == {"mlflow.data.context": "evaluation"}


def test_labels_are_a_table_beside_their_texts(shown):
    client, run, _, result = shown
    assert json.loads(run.data.tags["mlflow.loggedArtifacts"]) == [{"path": "labels.json", "type": "table"}]
    table = pd.read_json(client.download_artifacts(run.info.run_id, "labels.json"), orient="split")
    assert table["query"].tolist() == ["red apples", "red apples", "green pears", "green pears"]
    assert table["passage"].tolist() == ["red apples are sweet", "apples", "green pears", "a pear is a fruit"]
    assert table["baseline"].tolist() == [3, 1, 2, 0]
    assert table["label"].tolist() == result.labelling.labels["relevance"].tolist()


def test_a_table_of_many_labels_is_a_sample_and_the_page_says_so():
    ids = [f"d{number}" for number in range(30)]
    pairs = pd.DataFrame({"query_id": "q", "doc_id": ids, "query": "x", "passage": "y" * 501})
    labels = pairs[["query_id", "doc_id"]].assign(relevance=1, status="ok", response=ids)
    table = description.labels(pairs, labels, labels, rows=10)
    assert len(table) == table["doc_id"].nunique() == 10
    assert (table["response"] == table["doc_id"]).all()
    assert set(table["passage"]) == {"y" * 500 + "…"}
    metrics = {"tau_b/ndcg_cut_10/baseline": float("nan"), "n_systems": 2, "n_queries": 1, "missing": 0.0}
    assert "2,000 of 2,001 pairs" in description.description({**metrics, "n_pairs": 2001}, NDCG)
    assert "labels.json" not in description.description({**metrics, "n_pairs": 2000}, NDCG)
    assert "baseline labels –" in description.description({**metrics, "n_pairs": 2000}, NDCG)


def test_the_load_of_the_machine_is_recorded_while_an_llm_is_asked(recorder, third, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    for model in (["model=scripted", "model.delay=0.1"], ["model=lexical"]):
        pipeline.run(cell_of(third, *model, f"ledger={tmp_path / 'ledger'}"), recorder)
    measured = {
        run.data.params["model"]: "system/cpu_utilization_percentage" in run.data.metrics for run in runs_of(recorder)
    }
    assert measured == {"scripted": True, "lexical": False}


@pytest.mark.parametrize(
    "change",
    [
        "bootstrap.B=9",
        "bootstrap.seed=1",
        "floor.shuffles=1",
        "floor.seed=1",
        "rejudge.n=1",
        "++families={go*: good}",
        "missing=zero",
        "systems.exclude=[bad]",
        "user_model.model.continuation=0.5",
        "model.shares=[0.3,0.5,0.75]",
    ],
)
def test_every_setting_that_changes_a_number_makes_another_cell(third, change):
    assert key_of(third, change) != key_of(third)


def test_a_cell_is_the_same_from_another_folder_and_with_another_ledger(third, tmp_path, monkeypatch):
    key = key_of(third)
    assert key_of(third, "ledger=elsewhere", "tracking.experiment=other", "skip=finished") == key
    monkeypatch.chdir(tmp_path)
    assert key_of(Path("small")) == key


def test_a_prompt_that_nobody_reads_makes_no_other_cell(third):
    assert key_of(third, "prompt=basic") == key_of(third)
    assert key_of(third, "model=scripted", "prompt=basic") != key_of(third, "model=scripted")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("qrels.txt", "q1 0 d1 2\nq1 0 d2 1\nq2 0 d3 2\nq2 0 d4 0\n"),
        ("queries.tsv", "q1\tred apple\nq2\tgreen pears\n"),
        ("runs/third.run", "q1 Q0 d1 1 9 t\nq2 Q0 d3 1 9 t\n"),
        ("prompt.txt", "Rate it. $query / $passage"),
        ("labels.txt", "q1 0 d1 2\n"),
    ],
)
def test_an_input_file_that_changed_makes_another_cell(third, file, content):
    (third / "prompt.txt").write_text("Rate. $query / $passage")
    (third / "labels.txt").write_text("q1 0 d1 3\n")
    replayed = ["model=replay", f"model.labels={third / 'labels.txt'}"]
    overrides = ["model=scripted", f"prompt.file={third / 'prompt.txt'}"] if file == "prompt.txt" else replayed
    before = key_of(third, *overrides)
    assert key_of(third, *overrides) == before
    (third / file).write_text(content)
    assert key_of(third, *overrides) != before


def test_a_sweep_that_runs_again_does_only_what_is_missing(recorder, third, caplog):
    caplog.set_level("INFO", "alignir")
    model = ("model=scripted", f"ledger={third / 'ledger'}")
    first, second = (
        replace(cell_of(third, *model, f"prompt={name}"), sweep="outputs/1") for name in ("zeshot", "basic")
    )
    pipeline.run(first, recorder)
    (run,) = runs_of(recorder)
    done = [pipeline.run(replace(cell, sweep="outputs/2"), recorder, "finished") for cell in (first, second)]
    assert [result is None for result in done] == [True, False]
    (line,) = [record.message for record in caplog.records if "skip=finished" in record.message]
    assert (
        line
        == f"skip=finished: scripted · zeshot · folder has finished before, as {run.info.run_name} ({run.info.run_id})"
    )
    assert len(runs_of(recorder)) == 2
    assert len(runs_of(recorder, "tags.sweep LIKE '%outputs/2%'")) == 2
    assert len(runs_of(recorder, "tags.sweep LIKE '%outputs/1%'")) == 1
    assert pipeline.run(first, recorder) is not None
    assert len(runs_of(recorder)) == 3


def test_a_finished_cell_is_known_without_reading_its_files_while_they_stay_as_they_are(recorder, third, monkeypatch):
    cell = cell_of(third)
    elsewhere = Recorder(f"sqlite:///{third / 'none.db'}", "alignir")
    pipeline.check(cell, elsewhere, "finished")
    assert not elsewhere.exists  # a check makes no store
    pipeline.run(cell, recorder)

    read = []
    monkeypatch.setattr(pipeline, "read_inputs", lambda cell: read.append(cell) or inputs.read_inputs(cell))
    pipeline.check(cell, recorder, "finished")
    assert pipeline.run(cell, recorder, "finished") is None
    assert not read
    pipeline.check(cell, recorder)
    assert len(read) == 1

    os.utime(third / "qrels.txt", ns=(1, 1))  # touched, and read again: the same content is the same cell
    assert pipeline.run(cell_of(third), recorder, "finished") is None
    assert len(read) == 2
    (third / "runs" / "fourth.run").write_text("q1 Q0 d1 1 9 t\nq2 Q0 d3 1 9 t\n")
    assert pipeline.run(cell_of(third), recorder, "finished") is not None


def test_cells_of_what_no_setting_names_a_file_of_are_read(third):
    assert keys.files_key(cell_of(third))
    assert keys.files_key(cell_of(third)) == keys.files_key(cell_of(third, "ledger=elsewhere"))
    assert keys.files_key(cell_of(third)) != keys.files_key(cell_of(third, "user_model=pbm"))
    assert keys.files_key(config.composed_cell(["dataset=ir_datasets", "dataset.id=vaswani", "model=lexical"])) is None
    own = cell_of(third)
    mine = {**own.config, "queries": {"_target_": "mine.queries"}}
    assert keys.files_key(replace(own, config=mine)) is None


def test_what_failed_or_was_made_by_another_version_runs_again(recorder, third, caplog):
    caplog.set_level("INFO", "alignir")
    cell = cell_of(third)
    pipeline.run(cell, recorder)
    (run,) = runs_of(recorder)
    recorder.client.set_tag(run.info.run_id, "version.alignir", "0.0.1")
    assert pipeline.run(cell, recorder, "finished") is not None
    assert "finished before with another version of alignir" in caplog.text
    for run in runs_of(recorder):
        recorder.client.set_terminated(run.info.run_id, "FAILED")
    assert pipeline.run(cell, recorder, "finished") is not None
    with pytest.raises(InputError, match="skip=all: expected one of null, finished"):
        pipeline.run(cell, recorder, "all")


WRITER = """
import os, sys, time
from pathlib import Path
from alignir.labelling.prompts import Prompt
from alignir.tracking.recorder import Recorder
uri, name, count = sys.argv[1] or None, sys.argv[2], int(sys.argv[3])
Path(f"ready-{name}").touch()
while len(list(Path().glob("ready-*"))) < count:
    time.sleep(0.01)
recorder = Recorder(uri, "alignir")
recorder.prompt_version(Prompt("zeshot", "Rate $query $passage", "", "final_score", 9), "zeshot.txt")
with recorder.run(name, name, {"model": name}, {}) as run:
    run.metrics({"n": 1})
    if name == "killed":
        os.kill(os.getpid(), 9)
    Path(f"of-{name}").mkdir()
    Path(f"of-{name}", "alignment.csv").write_text("offline")
    run.artifacts(Path(f"of-{name}"))
"""


def writer(folder: Path, uri: str, name: str, count: int) -> subprocess.Popen:
    arguments = [sys.executable, "-c", WRITER, uri, name, str(count)]
    return subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_processes_that_start_at_once_in_a_fresh_folder_lose_no_run(tmp_path):
    names = ["one", "two", "three"]
    for process in [writer(tmp_path, "", name, len(names)) for name in names]:
        output, _ = process.communicate(timeout=180)
        assert process.returncode == 0, output
    recorder = Recorder(f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}", "alignir")
    runs = runs_of(recorder)
    assert sorted(run.info.run_name for run in runs) == sorted(names)
    assert {(run.info.status, run.data.metrics["n"]) for run in runs} == {("FINISHED", 1)}
    assert all(recorder.client.list_artifacts(run.info.run_id) for run in runs)
    assert len(recorder.client.search_prompt_versions("zeshot")) == 1


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="needs Linux's /proc, which tells processes apart")
def test_a_run_whose_process_was_killed_ends_failed_and_is_named(recorder, tmp_path, caplog):
    process = writer(tmp_path, recorder.uri, "killed", 1)
    process.communicate(timeout=180)
    assert process.returncode == -signal.SIGKILL
    killed = "attributes.run_name = 'killed'"
    experiment = recorder.client.get_experiment_by_name("alignir").experiment_id
    (run,) = recorder.client.search_runs([experiment], killed)
    assert run.info.status == "RUNNING"
    with recorder.run("next", "next", {}, {}):  # opens the experiment
        (found,) = runs_of(recorder, killed)
    assert found.info.status == "FAILED"
    assert f"pid {process.pid}" in found.data.tags["failure"]
    assert f"killed ({run.info.run_id}) was still RUNNING and is now FAILED" in caplog.text


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="needs Linux's /proc, which tells processes apart")
def test_runs_of_living_processes_and_of_other_machines_stay_as_they_are(recorder, caplog):
    caplog.set_level("INFO", "alignir")
    client = recorder.client
    with recorder.run("mine", "mine", {}, {}):
        (mine,) = runs_of(recorder)
        identity = mine.data.tags["process.identity"]
        pids, _, rest = identity.rpartition("] ")
        pid, started = rest.split()
        elsewhere = {"process": "far, pid 7", "process.identity": f"0{identity}"}
        client.create_run(recorder.experiment_id, run_name="elsewhere", tags=elsewhere)
        reused = {"process": "near", "process.identity": f"{pids}] {pid} {int(started) - 1}"}
        client.create_run(recorder.experiment_id, run_name="before", tags=reused)
        client.create_run(recorder.experiment_id, run_name="untold")
        assert Recorder(recorder.uri, "alignir").experiment_id == recorder.experiment_id
        statuses = {run.info.run_name: run.info.status for run in runs_of(recorder)}
    assert statuses == {"mine": "RUNNING", "elsewhere": "RUNNING", "untold": "RUNNING", "before": "FAILED"}
    assert "by far, pid 7" in caplog.text


def test_mlflows_own_variable_is_obeyed_where_no_address_is_set(made_once, tmp_path, monkeypatch):
    shutil.copy(made_once, tmp_path / "own.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert stores.address(None) == f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'own.db'}")
    assert Recorder(None, "mine").experiment_id
    assert MlflowClient(f"sqlite:///{tmp_path / 'own.db'}").get_experiment_by_name("mine")
    assert not (tmp_path / "mlruns" / "mlflow.db").exists()
    assert stores.address("sqlite:///x.db") == "sqlite:///x.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://x")
    with pytest.raises(InputError, match=r"^MLFLOW_TRACKING_URI: expected the address of .* found nonsense://x"):
        stores.client(None)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://127.0.0.1:9", "refused"),
        ("postgresql+psycopg://me:secret@127.0.0.1:9/mlflow", "refused"),
        ("gopher://host", "gopher"),
    ],
)
def test_a_wrong_tracking_uri_is_one_message(third, uri, reason):
    if uri.startswith("postgresql"):
        pytest.importorskip("psycopg", reason="needs PostgreSQL's driver: pip install 'alignir[postgres]'")
    with pytest.raises(InputError, match=r"^tracking.uri: expected .* found ") as found:
        pipeline.run(cell_of(third), Recorder(uri, "alignir"))
    assert reason in str(found.value)
    assert "secret" not in str(found.value)


def test_reading_a_database_that_is_not_there_makes_none(tmp_path):
    with pytest.raises(InputError, match=r"no recorded runs in .*nowhere: run alignir first"):
        read_runs(f"sqlite:///{tmp_path}/nowhere/mlflow.db", "alignir")
    assert list(tmp_path.iterdir()) == []


def test_tables_for_a_folder_that_is_not_there_are_refused(summarize):
    done = summarize("--out", "nowhere/tables.md", ok=False)
    assert "alignir tables: --out nowhere/tables.md: there is no such folder" in done.stderr
