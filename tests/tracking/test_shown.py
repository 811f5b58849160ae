"""Shown: what people find in MLflow: names, sweeps, few numbers, prompts, and an address that opens the runs."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import write_small
from in_browser import chromium, show
from mlflow import MlflowClient
from serving import free_port, running

from alignir.config import composed_cell
from alignir.evaluation.measures import NDCG
from alignir.experiment import pipeline, shown
from alignir.tracking import view
from alignir.tracking.record import FILE as RECORD
from alignir.tracking.recorder import Recorder
from alignir.tracking.runs import read_failures, read_runs

QUICK = ("bootstrap.B=20", "floor.shuffles=0")
SWEEP = "/data/outputs/it's 1"  # a folder's name that a query cannot say


def cell_of(folder: Path, *overrides: str):
    return composed_cell(["dataset=folder", f"dataset.path={folder}", *QUICK, *overrides])


def names_of(recorder: Recorder) -> list[str]:
    return [run.info.run_name for run in reversed(recorder.client.search_runs([recorder.experiment_id]))]


def test_a_name_says_what_differs_and_no_two_runs_have_one(recorder, small, tmp_path):
    ledger = f"ledger={tmp_path / 'ledger'}"
    (small / "prompt.txt").write_text("Rate. $query / $passage")
    for overrides in (
        ("model=lexical",),
        ("model=lexical",),
        ("model=lexical", "user_model=pbm"),
        ("model=lexical", "assumption=never_satisfied", "missing=zero"),
        ("model=scripted", ledger),
        ("model=scripted", ledger, f"prompt.file={small / 'prompt.txt'}"),
    ):
        pipeline.run(cell_of(small, *overrides), recorder)
    assert names_of(recorder) == [
        "lexical · folder · dbn, bootstrap.B=20, path=test_a_name_says_what_differs_0/small",
        "lexical · folder · dbn, bootstrap.B=20, path=test_a_name_says_what_differs_0/small #2",
        "lexical · folder · pbm, bootstrap.B=20, path=test_a_name_says_what_differs_0/small",
        "lexical · folder · dbn, never_satisfied, missing=zero, bootstrap.B=20, "
        "path=test_a_name_says_what_differs_0/small",
        "scripted · zeshot · folder · dbn, bootstrap.B=20, path=test_a_name_says_what_differs_0/small",
        "scripted · zeshot@2 · folder · dbn, bootstrap.B=20, path=test_a_name_says_what_differs_0/small",
    ]
    runs = recorder.client.search_runs([recorder.experiment_id])
    assert {run.data.params["assumption"] for run in runs} == {"as_is", "never_satisfied"}
    assert max(len(run.data.params) for run in runs) < 20
    assert not any(name.startswith("version.") and name != "version.alignir" for run in runs for name in run.data.tags)


def test_a_name_is_no_longer_than_a_database_takes_and_may_have_any_letter(recorder):
    for name in ("x" * 400, "x" * 400, '"50%" of it\'s _', '"50%" of it\'s _'):
        with recorder.run(name, "cell", {}, {}):
            pass
    long, again, odd, odd_again = names_of(recorder)
    assert max(map(len, (long, again))) <= 250
    assert again == f"{long} #2"
    assert (odd, odd_again) == ('"50%" of it\'s _', '"50%" of it\'s _ #2')


def test_what_is_read_back_is_one_file_that_any_program_reads(recorder, small):
    result = pipeline.run(cell_of(small, "model=lexical", "bootstrap.B=0"), recorder)
    (run,) = read_runs(recorder.uri, "alignir")
    found = json.loads(run.text(RECORD), parse_constant=pytest.fail)  # NaN is no JSON
    assert found["params"] == run.params
    assert run.params["user_model.model.continuation"] == "0.9"
    assert found["tags"]["version.hydra-core"] == run.tags["version.hydra-core"]
    assert found["alignment"][0]["ci_low"] is None
    assert run.alignment["ci_low"].dtype == float
    assert run.alignment["tau_b"].tolist() == pytest.approx(result.alignment["tau_b"].tolist(), abs=0, nan_ok=True)
    assert len(run.metrics) > 60
    numbers = MlflowClient(recorder.uri).get_run(run.run_id).data.metrics
    assert {name: numbers[name] for name in ("kappa", "missing")} == {"kappa": result.agreement["kappa"], "missing": 0}


def test_a_run_that_failed_still_says_what_it_was_made_with(recorder, small, monkeypatch):
    monkeypatch.setattr(pipeline, "compute", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pipeline.run(cell_of(small, "model=lexical"), recorder)
    (run,) = recorder.client.search_runs([recorder.experiment_id])
    record = json.loads(Path(recorder.client.download_artifacts(run.info.run_id, RECORD)).read_text())
    assert run.info.status == "FAILED"
    assert (record["params"]["model"], record["metrics"]) == ("lexical", {})
    assert "version.python" in record["tags"]


def test_of_many_online_metrics_those_that_fit_are_shown():
    numbers = {f"tau_b/{NDCG}/baseline": 0.5, "missing": 0.0} | {f"tau_b/{NDCG}/m{n}": n / 100 for n in range(60)}
    found = shown.metrics(numbers | {"tau_b/map/baseline": 0.1}, NDCG)
    assert len(found) == shown.MOST
    assert list(found)[:3] == ["tau_b", "missing", "tau_b/m0"]
    assert found["tau_b"] == 0.5


def test_cells_lie_under_their_sweep_and_readers_take_it_for_none(recorder, small):
    sweep = recorder.begin_sweep(SWEEP, "sweep model=lexical,scripted", "two")
    pipeline.run(replace(cell_of(small, "model=lexical"), sweep=SWEEP), Recorder(recorder.uri, "alignir"))
    pipeline.run(cell_of(small, "model=lexical", "user_model=pbm"), recorder)
    assert [run.params["user_model"] for run in read_runs(recorder.uri, "alignir")] == ["dbn", "pbm"]
    sweep.end("FAILED")
    assert read_failures(recorder.uri, "alignir") == []
    alone, under, parent = recorder.client.search_runs([recorder.experiment_id])
    assert under.data.tags["mlflow.parentRunId"] == parent.info.run_id == sweep.run_id
    assert "mlflow.parentRunId" not in alone.data.tags
    assert parent.info.status == "FAILED"


def test_a_sweep_that_was_killed_ends_and_its_cells_join_the_one_that_goes_on(recorder, small):
    killed = recorder.begin_sweep(SWEEP, "sweep", "")
    cell = cell_of(small, "model=lexical")
    pipeline.run(replace(cell, sweep=SWEEP), recorder)
    identity = recorder.client.get_run(killed.run_id).data.tags["process.identity"]
    recorder.client.set_tag(killed.run_id, "process.identity", f"{identity[:-1]}x")  # no process that is there
    later = Recorder(recorder.uri, "alignir")
    goes_on = later.begin_sweep("outputs/2", "sweep", "")
    assert later.client.get_run(killed.run_id).info.status == "FAILED"
    assert later.client.get_run(goes_on.run_id).info.run_name == "sweep #2"
    assert pipeline.run(replace(cell, sweep="outputs/2"), later, "finished") is None
    (run,) = read_runs(recorder.uri, "alignir")
    assert run.tags["mlflow.parentRunId"] == goes_on.run_id
    assert run.tags["sweep"] == f"{SWEEP}, outputs/2"


def test_a_prompt_is_on_the_page_of_its_experiments_with_what_was_found(recorder, small, tmp_path):
    others = Recorder(recorder.uri, "others")
    for each in (recorder, others):
        cell = cell_of(small, "model=scripted", f"ledger={tmp_path / 'ledger'}")
        result = pipeline.run(cell, each)
    prompt = recorder.client.get_prompt("zeshot")
    assert prompt.tags["_mlflow_experiment_ids"] == f",{recorder.experiment_id},{others.experiment_id},"
    version = recorder.client.get_prompt_version("zeshot", 1)
    assert version.commit_message == "zeshot.txt, read as final_score"
    assert version.tags["file"] == "zeshot.txt"
    tau = result.alignment.query("labels == 'model' and reference == 'baseline'").iloc[0]
    said = version.tags["tau_b scripted folder"]
    assert said.partition(" ")[0] == ("–" if tau["tau_b"] != tau["tau_b"] else f"{tau['tau_b']:.4f}")
    assert version.tags["kappa scripted folder"] == f"{result.agreement['kappa']:.4f}"


def test_an_experiment_says_what_to_look_at_where_nobody_has_said_so(recorder):
    client, experiment = recorder.client, recorder.experiment_id
    assert "**Look first at `tau_b`**" in client.get_experiment(experiment).tags["mlflow.note.content"]
    client.set_experiment_tag(experiment, "mlflow.note.content", "ours")
    before = client.get_experiment(experiment).tags
    assert Recorder(recorder.uri, "alignir").experiment_id == experiment
    assert client.get_experiment(experiment).tags == before


@pytest.fixture(scope="module")
def served(made_once, tmp_path_factory):
    """An MLflow server of a recorded sweep of two judges: where it is, and their runs."""
    folder = tmp_path_factory.mktemp("served")
    recorder = Recorder(f"sqlite:///{folder / 'mlflow.db'}", "alignir")
    sweep = recorder.begin_sweep(SWEEP, "sweep model=lexical,scripted", "")
    small = write_small(folder / "small")
    (small / "runs" / "third.run").write_text("q1 Q0 d1 1 9 t\nq2 Q0 d4 1 9 t\n")
    for model in ("lexical", "scripted"):
        cell = cell_of(small, f"model={model}", f"ledger={folder / 'ledger'}")
        pipeline.run(replace(cell, sweep=SWEEP), recorder)
    sweep.end("FINISHED")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    with (
        chromium(folder) as browser,
        running([*command, "--backend-store-uri", recorder.uri], folder, f"{url}/health"),
    ):
        yield browser, view.runs_address(url, recorder.experiment_id), read_runs(recorder.uri, "alignir")


def test_the_address_shows_the_runs_with_their_taus(served):
    from selenium.webdriver.support.ui import WebDriverWait

    browser, address, runs = served
    show(browser, address, width=1600)

    def column(name: str):
        return lambda browser: browser.find_elements("css selector", f".ag-row [col-id='metrics.`{name}`']")

    wait = WebDriverWait(browser, 120)
    found = {name: [cell.text for cell in wait.until(column(name))] for name in ("tau_b", "ci_low", "ci_high", "kappa")}
    *taus, of_the_sweep = found["tau_b"]
    assert list(map(float, taus)) == sorted((run.metrics[f"tau_b/{NDCG}/baseline"] for run in runs), reverse=True)
    assert of_the_sweep == "-"
    assert {len(cells) for cells in found.values()} == {len(runs) + 1}
    for text in ("judges compared", "Look first at tau_b"):  # perhaps later than the rows
        assert wait.until(lambda browser, text=text: text in browser.find_element("tag name", "body").text)
