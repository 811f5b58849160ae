"""Users from the command line: sampled, logged and fitted ones, traffic, and what survives other assumptions."""

import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from test_click_models import ATTRACTION, MODELS

from alignir.frames import LOG
from alignir.tracking.runs import read_runs
from alignir.users import metrics


@pytest.fixture
def command(alignir):
    def run(name: str, *arguments: str, ok: bool = True):
        return alignir(*arguments, ok=ok, program=("-m", "alignir", name))

    return run


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """LOG of 4,000 sessions with the DBN on random grades: passage dG-R has grade G."""
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 4, (4000, 10))
    clicks = MODELS["dbn"].sample(grades, 1, rng).clicks[:, 0, :]
    n, k = grades.shape
    page, rank = np.repeat(np.arange(n), k), np.tile(np.arange(1, k + 1), n)
    frame = pd.DataFrame({"session_id": page, "system": "live", "query_id": "q", "rank": rank})
    frame["doc_id"] = [f"d{grade}-{place}" for grade, place in zip(grades.ravel(), rank, strict=True)]
    frame["clicked"] = clicks.ravel()
    frame["dwell_s"] = np.where(frame["clicked"], 10.0 * (grades.ravel() + 1) * rng.lognormal(0, 0.5, n * k), np.nan)
    return frame[LOG]


@pytest.fixture
def logged(tmp_path, log):
    log.to_parquet(tmp_path / "log.parquet")
    pairs = [f"q 0 d{grade}-{rank} {grade}\n" for grade in range(4) for rank in range(1, 11)]
    (tmp_path / "qrels.txt").write_text("".join(pairs))
    return tmp_path


def test_a_model_fitted_by_grade_can_be_used_at_once(alignir, command, logged):
    done = command("fit", "user_model=dbn", "log=log.parquet", "qrels=qrels.txt")
    assert "use it with user_model=dbn_fitted" in done.stdout
    written = yaml.safe_load((logged / "conf" / "user_model" / "dbn_fitted.yaml").read_text())
    assert written["model"]["attraction"] == pytest.approx(ATTRACTION, abs=0.05)
    assert written["dwell"]["sigma"] == pytest.approx(0.5, abs=0.02)
    assert written["dwell"]["mean"] == pytest.approx(np.array([10, 20, 30, 40]) * np.exp(0.125), rel=0.1)
    text = alignir("model=lexical", "user_model=dbn_fitted").stdout
    assert re.search("^  Clicks  ", text, re.M)
    table = command("tables", "--table", "online").stdout
    assert "users: dbn_fitted" in table
    assert f"attraction {written['model']['attraction'][0]:.4g}/" in table


def test_a_model_fitted_by_pair_reads_its_pairs(alignir, command, logged):
    done = command("fit", "user_model=pbm,ubm", "log=log.parquet", "depth=5", "out=conf/user_model")
    assert "by query-document pair (20), shrinkage 5" in done.stdout
    pairs = pd.read_parquet(logged / "conf" / "user_model" / "ubm_fitted.parquet")
    assert len(pairs) == 20
    assert pairs["attraction"].between(0, 1).all()
    text = alignir("model=lexical", "user_model=ubm_fitted").output
    assert re.search("^  Clicks  ", text, re.M)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["user_model=dbm", "log=log.parquet"], "user_model=dbm: expected one of dbn, sdbn"),
        (["user_model=dbn"], "log= has no value: it is the session log"),
        (["user_model=dbn", "log=log.parquet", "depth=ten"], "depth=ten: expected a number"),
        (["user_model=dbn", "log=log.parquet", "held_out=2"], "expected held_out between 0 and 1"),
        (["user_model=dbn", "log=none.csv"], "none.csv"),
        (["user_model=dbn,pbm", "log=log.parquet", "name=mine"], "name= names one user model, and several are fitted"),
        (["dbn"], "setting=dbn: expected one of user_model=, log="),
    ],
)
def test_a_fit_that_cannot_be_is_explained(command, logged, arguments, message):
    done = command("fit", *arguments, ok=False)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_clara2_log_is_predicted_better_than_by_rates(command, clicks, tmp_path):
    """Published click models beat click-through rates on held-out sessions; so do ours on a published log."""
    command("import-log", "--form", "yandex", str(clicks / "clara2_search_log.tsv.gz"), "--out", "log.parquet")
    text = command("fit", "user_model=all", "log=log.parquet", "--format", "csv").stdout
    perplexity = {line[0]: float(line[2]) for line in rows(text)[1:] if len(line) > 10}
    by_rank = perplexity.pop("CTR by rank")
    assert perplexity.pop("constant CTR") > by_rank
    assert by_rank == pytest.approx(1.124, abs=0.003)
    assert set(perplexity) == set(MODELS)
    assert all(1.10 < value < by_rank for value in perplexity.values())
    assert len(list((tmp_path / "conf" / "user_model").glob("*.yaml"))) == len(MODELS)


def test_a_session_log_is_a_user_model(alignir, command, small, tmp_path):
    pages = [
        ("1", "good", "q1", 1, "d1", 1, 40),
        ("1", "good", "q1", 2, "d2", 0, None),
        ("2", "good", "q2", 1, "d3", 1, 5),
        ("3", "bad", "q1", 1, "d2", 0, None),
        ("4", "bad", "q2", 1, "d4", 0, None),
    ]
    pd.DataFrame(pages, columns=LOG).to_csv(tmp_path / "log.csv", index=False)
    cell = ["dataset=folder", "dataset.path=small", "model=lexical", "user_model=log", "user_model.path=log.csv"]
    done = alignir(*cell)
    assert "adt is undefined for 1 system on 2 pairs of system and query" in done.output
    table = command("tables", "--table", "online", "--format", "csv").stdout
    assert "Clicks" in rows(table)[0][2].split(" = ")
    (baseline,) = [line for line in rows(table) if line[0] == "baseline labels"]
    assert baseline[2] == "1.0000°"
    assert "from the session log log.csv, averaged over queries, unknown dwell undefined" in command("tables").stdout
    wrong = alignir(*cell, "user_model.metrics.success=satisfied", ok=False)
    assert "a log cannot say who was satisfied; use dwell" in wrong.stderr


def test_sampled_users_have_a_noise_floor_beside_table_2(alignir, command, tmp_path, monkeypatch):
    alignir("-m", "model=lexical", "user_model=dbn", "user_model.sessions=null,20", "user_model.draws=4")
    text = command("tables", "--table", "online").stdout
    sampled, exact = text.split("Table 2.")[1:]
    assert "sessions=None" in exact
    assert "\ntwo draws of the users" in sampled
    assert "\ntwo draws of the users" not in exact
    assert "sessions=20" in sampled
    assert "≈ within the noise: agrees with the users as well as they do with themselves" in sampled
    monkeypatch.chdir(tmp_path)
    run = next(run for run in read_runs(None, "alignir") if run.params["user_model.sessions"] == "20")
    noise = {metric: run.metrics[f"noise/{metric}"] for metric in metrics.METRICS}
    assert all(run.metrics[f"noise_low/{metric}"] <= noise[metric] <= 1 for metric in noise)
    assert noise["zrr"] == pytest.approx(1)  # nothing about it is sampled
    assert noise["clicks"] < 0.95
    assert "20 sessions a system and query, seed 0" in run.tags["user_model.definitions"]


def test_traffic_draws_the_way_to_the_exact_order(command, tmp_path):
    text = command("traffic", "--sessions", "2,200", "--draws", "4", "--format", "csv", "--out", "curve.png").stdout
    few, many, needed = rows(text)[1:]
    assert float(few[1].split()[0]) < float(many[1].split()[0])
    assert few[6] == "1.00 [1.00, 1.00]"  # zrr
    assert needed[0] == "tau_b ≥ 0.9"
    assert (tmp_path / "curve.png").stat().st_size > 10_000
    for arguments, message in (
        (["user_model=external", "user_model.path=x.csv"], "user_model=external does not simulate users"),
        (["--sessions", "many"], "--sessions many: expected whole numbers with commas"),
        (["--out", "nowhere/x.png"], "--out nowhere/x.png: there is no such folder"),
    ):
        assert message in command("traffic", *arguments, ok=False).stderr


def test_sensitivity_asks_once_and_says_what_survives(alignir, command, tmp_path, monkeypatch):
    sweep = "assumption=as_is,gamma_05,zero_no_click,dwell_steep"
    alignir("experiment=sensitivity", "model=scripted,lexical", sweep)
    monkeypatch.chdir(tmp_path)
    recorded = read_runs(None, "sensitivity")
    assert len(recorded) == 8
    assert sorted(run.metrics["asked"] for run in recorded) == [0] * 7 + [360]
    assert {(run.names["user_model"], run.names["assumption"]) for run in recorded} == {
        ("dbn", "as_is"), ("dbn", "gamma_05"), ("dbn", "zero_no_click"), ("dbn", "dwell_steep")
    }  # fmt: skip
    text = command("sensitivity", "--format", "csv").stdout
    survival, far, order = text.strip().split("\n\n")
    assert rows(far)[1][:3] == ["metric", "", "assumption"]
    head, *judges = rows(survival)[1:]
    cells = {line[0]: dict(zip(head, line, strict=True)) for line in judges}
    assert set(cells) == {"scripted zeshot", "lexical", "baseline labels"}
    assert cells["baseline labels"]["ADT"].endswith("of 2")  # gamma and the dwell law move it
    assert cells["baseline labels"]["no relevant result ↓"].endswith("of 1")
    users = {line[0]: line for line in rows(order)[1:]}
    assert set(users) >= {"dbn, gamma_05", "dbn, zero_no_click", "dbn, dwell_steep"}
    assert users["dbn, dwell_steep"][1] == ""  # clicks do not heed it
    assert not (tmp_path / "sensitivity.png").exists()  # nobody asked for it
    command("sensitivity", "--out", "moved.png")
    assert (tmp_path / "moved.png").stat().st_size > 10_000
    assert "base=pbm: expected one of dbn" in command("sensitivity", "--base", "pbm", ok=False).stderr
    assert "no experiment 'other'" in command("sensitivity", "--experiment", "other", ok=False).stderr
