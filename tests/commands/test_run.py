"""The command as a user runs it: what composes, what is refused, what is recorded and what is printed."""

import csv
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import forked
import pandas as pd
import pytest
from conftest import ROOT
from hydra import compose, initialize_config_dir
from hydra.utils import get_object, instantiate
from omegaconf import OmegaConf

from alignir.frames import PAIR
from alignir.labelling.answers import read
from alignir.labelling.prompts import FIELDS
from alignir.tracking.runs import read_runs
from alignir.users.metrics import METRICS

CONF = ROOT / "conf"
GROUPS = ("dataset", "model", "prompt", "systems", "queries", "user_model", "assumption", "workers", "experiment")
CHOICES = sorted((group, file.stem) for group in GROUPS for file in (CONF / group).glob("*.yaml"))


def composed(*overrides):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides), return_hydra_config=True)


def test_every_group_is_walked():
    folders = {folder.name for folder in CONF.iterdir() if folder.is_dir()} - {"hydra"}
    assert folders == set(GROUPS)
    assert {group for group, _ in CHOICES} == set(GROUPS)


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_composes_and_names_what_exists(group, choice):
    named = ["dataset.id=vaswani"] if choice == "ir_datasets" else []  # its name is its id
    config = composed(f"{group}={choice}", *named)
    for node in (config[name] for name in GROUPS if name not in ("assumption", "experiment") and config[name]):
        target = get_object(node["_target_"])
        assert target.__doc__
        if "???" not in OmegaConf.to_yaml(node):  # also where a value refers to one that is missing
            assert callable(instantiate(node, _convert_="all")) or node is config.model or node is config.user_model


@pytest.mark.parametrize("model", ["llama8b", "gptoss20b", "qwen32b"])
@pytest.mark.parametrize("prompt", ["zeshot", "basic"])
def test_the_papers_grid_composes_with_room_for_the_answer(model, prompt):
    config = composed(f"model={model}", f"prompt={prompt}")
    assert re.fullmatch("[0-9a-f]{40}", config.model.revision)
    assert config.prompt.max_tokens + config.model.get("thinking_tokens", 0) < config.model.engine.max_model_len / 2
    assert config.model.sampling.temperature == 0


def test_datasets_bring_their_systems_and_the_user_still_chooses():
    assert composed().hydra.runtime.choices.systems == "candidates"
    assert composed("systems=pipelines").hydra.runtime.choices.systems == "pipelines"
    assert composed("dataset=beir").hydra.runtime.choices.systems == "bm25"
    assert composed("dataset=trec_dl_2019").hydra.runtime.choices.systems == "runs"
    assert composed("dataset=folder", "systems=bm25").hydra.runtime.choices.systems == "bm25"
    assert composed("dataset=rank_distillm").hydra.runtime.choices.systems == "bm25"


@pytest.mark.parametrize("choice", [choice for group, choice in CHOICES if group == "prompt"])
def test_every_prompt_reads_its_own_answer_and_refuses_i_cannot_tell(choice):
    prompt = instantiate(composed(f"prompt={choice}").prompt, _convert_="all")()
    answer = {"final_score": "##final score: 2", "last_line": "It answers in passing.\n2"}[prompt.form]
    assert read(answer, prompt.form) == (2, "ok")
    assert read("I cannot tell", prompt.form)[0] is None
    assert all(f"${field}" in prompt.text for field in FIELDS)


def test_help_lists_the_groups_and_their_choices(alignir):
    text = " ".join(alignir("--help").stdout.split())
    for group in GROUPS:
        assert f" {group} {', '.join(choice for g, choice in CHOICES if g == group)} " in text
    assert 'eval "$(alignir -sc install=bash)"' in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model=foo"], "Could not find 'model/foo'"),
        (["dataset.pth=1"], "Could not override 'dataset.pth'"),
        (["modl=lexical"], "Could not override 'modl': there is no such setting; did you mean model=?"),
        (["+plann=true", "model=lexical"], "Could not override 'plann': there is no such setting; did you mean plan=?"),
        (["dataset=folder", "dataset.path=日本"], """needs quotes, inside those of the shell: 'dataset.path="日本"'"""),
        (["dataset=folder", "model=lexical"], "one that has queries.tsv, passages.jsonl or .tsv, qrels.txt and, for"),
        (
            ["model=lexical", "prompt.name=my prompt"],
            "prompt=zeshot: name: expected letters (A to Z), digits, '_', '.'",
        ),
        (["model=lexical", "prompt.file=latin.txt"], "latin.txt:1: expected UTF-8 text, found b'Gr\\xf6\\xdfe"),
        (["model=replay"], "model.labels has no value: set model.labels=..."),
        (["model=replay", "model.labels=nowhere"], "no file of labels (model.labels=FILE) at"),
        (["dataset=folder", "dataset.path=nowhere", "model=lexical"], "no folder for the dataset folder at"),
        (
            ["dataset=folder", "dataset.path=small", "systems.include=[x]", "model=lexical"],
            "systems=runs: no system matches x; there are bad, good",
        ),
        (["dataset=folder", "dataset.path=small", "prompt.file=bad.txt"], "bad.txt: expected $query and $passage"),
        (
            ["dataset=folder", "dataset.path=small", "model=scripted", "prompt.max_tokens=abc"],
            "prompt=zeshot cannot be used with {'name': 'zeshot'",
        ),
        (
            ["dataset=folder", "dataset.path=broken", "model=lexical"],
            "bad.run:2: expected a finite number as score, found 'nan'",
        ),
        (["missing=guess", "model=lexical"], "missing=guess: expected one of drop, zero, fallback"),
        (["model=lexical", "queries=random", "queries.n=abc"], "queries=random cannot be used with {'n': 'abc'"),
        (["model=lexical", "systems=bm25", "systems.scoring=[foo]"], "systems=bm25 cannot be used with"),
        (["model=lexical", "pool=top@3"], "pool=top@3: expected one of qrels, runs@K, holes@K"),
        (["model=lexical", "without_text=no"], "without_text=no: expected one of error, skip"),
        (
            ["dataset=folder", "dataset.path=beyond", "model=scripted", "pool=runs@2"],
            "beyond/passages.tsv, the first of them passage d9 (query q1). Add texts in passages_*.jsonl, or",
        ),
        (["dataset=folder", "dataset.path=small", "model=lexical", "pool=holes@9"], "pool=holes@9: nothing to label"),
        (["model=lexical", "floor.shuffles=-1"], "floor.shuffles: expected a whole number from 0, found -1"),
        (["model=scripted", "model.repeats=0"], "model.repeats: expected a whole number from 1, found 0"),
        (
            ["model=lexical", "user_model.dwell.mean=[1,2,3]"],
            "dwell.mean: expected 4 values, one for each grade of 0-3, found 3",
        ),
        (
            ["user_model.model.continuation=2"],
            "user_model=dbn: continuation: expected a probability from 0 to 1, found 2",
        ),
        (["user_model.seed=-1"], "user_model=dbn: seed: expected a whole number from 0, found -1"),
        (["model=lexical", "floor.seed=abc"], "floor.seed: expected a whole number from 0, found abc"),
        (["model=lexical", "rejudge.seed=-1"], "rejudge.seed: expected a whole number from 0, found -1"),
        (
            ["model=lexical", "bootstrap.seed=-1"],
            "bootstrap: expected whole numbers from 0 as B and seed, found 1000 a",
        ),
        (["model=scripted", "model.delay=abc"], "model.delay: expected seconds from 0, found abc"),
        (["model=lexical", "tracking.experiment="], "tracking.experiment=: MLflow cannot make it: Invalid experiment"),
        (["model=lexical", "hydra.run.dir=bad.txt/x"], "alignir: bad.txt/x: Not a directory"),
    ],
)
def test_a_mistake_ends_with_one_message_and_no_stack_trace(alignir, small, tmp_path, arguments, message):
    (tmp_path / "bad.txt").write_text("Query: $query")
    (tmp_path / "latin.txt").write_bytes("Größe $query $passage".encode("cp1252"))
    shutil.copytree(small, tmp_path / "beyond")
    (tmp_path / "beyond" / "runs" / "far.run").write_text("q1 Q0 d9 1 9 t\nq2 Q0 d3 1 9 t\n")
    shutil.copytree(small, tmp_path / "broken")
    (tmp_path / "broken" / "runs" / "bad.run").write_text("q1 Q0 d2 1 9 t\nq1 Q0 d1 2 nan t\n")
    done = alignir(*arguments, ok=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.output
    assert done.stderr.count("alignir: ") == 1


def test_a_model_whose_engine_is_not_installed_stops_before_anything_is_recorded(tmp_path):
    script = "import sys; sys.modules['vllm'] = None; sys.argv = ['alignir']; from alignir.commands.door import main; "
    script += "raise SystemExit(main())"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "needs vLLM, which is not installed" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_in_the_last_cell_stops_a_sweep_before_the_first_is_labelled(alignir, tmp_path):
    done = alignir("-m", "model=scripted,replay", "model.name=x", ok=False)
    assert "Could not override" in done.stderr or "no value" in done.stderr
    done = alignir("-m", "model=scripted", "prompt.file=zeshot.txt,nowhere.txt", ok=False)
    assert "no prompt file nowhere.txt" in done.stderr
    assert not (tmp_path / "ledger").exists()
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.parametrize("labels", ["nowhere.txt,neither.txt", "none.txt,no.txt"])  # known in the check, and later
def test_every_reason_of_a_sweep_is_printed_once(alignir, tmp_path, labels):
    for name in ("none.txt", "no.txt"):
        (tmp_path / name).write_text("q 0 d 1\n")
    done = alignir("-m", "model=replay", f"model.labels={labels}", "bootstrap.B=0", ok=False)
    reasons = [line for line in done.stderr.splitlines() if "no file of labels" in line or "for none of the" in line]
    assert len(reasons) == len(set(reasons)) == 2
    assert done.stderr.splitlines()[-1] == "alignir: 2 cells failed, for the reasons above"


BROKEN = """
import builtins
from dataclasses import dataclass

@dataclass
class Broken:
    what: str
    when: str
    why: str = "oops"
    name: str = "broken"
    family: str | None = None

    def check(self):
        self._fail("check")

    def scale_beside(self, baseline):
        return baseline

    def grade(self, pairs, scale):
        self._fail("grade")
        return pairs["doc_id"].str.len() % 4

    def _fail(self, now):
        if now == self.when:
            raise getattr(builtins, self.what)(self.why)
"""


@pytest.fixture
def broken(tmp_path):
    """model=broken: a model of somebody's own that raises `what`, when it is checked or when it grades."""
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "broken.yaml").write_text(
        "_target_: broken.Broken\nwhat: ???\nwhen: ???\nwhy: oops\n"
    )
    return ["model=broken", "bootstrap.B=0"]


@pytest.mark.parametrize(("what", "traces"), [("ZeroDivisionError", 1), ("PermissionError", 0)])
@pytest.mark.parametrize("when", ["grade", "check"])
def test_what_nobody_foresaw_is_told_once(alignir, broken, what, traces, when):
    done = alignir("-m", *broken, f"model.what={what}", f"model.when={when},never", ok=False)
    assert done.returncode == 1
    assert done.output.count("oops") == 1
    assert done.output.count("Traceback") == traces
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("alignir: ")]
    assert told.startswith("alignir: broken")
    assert ("this was not foreseen, please report it:" in told) is bool(traces)
    assert ("1 of 2 cells done, 1 failed" in done.stderr) is (when == "grade")  # the other cell goes on


def test_a_stack_trace_of_several_cells_is_shown_once(alignir, broken):
    done = alignir("-m", *broken, "model.what=ZeroDivisionError", "model.when=grade", "floor.seed=1,2", ok=False)
    assert done.output.count("Traceback") == 1
    assert re.search(r"floor.seed=2: as above$", done.stderr, re.M)
    assert done.stderr.splitlines()[-1] == "alignir: 2 cells failed, for the reasons above"


@pytest.mark.parametrize(("what", "traces"), [("ZeroDivisionError", 1), ("PermissionError", 0)])
def test_what_nobody_foresaw_in_a_single_run_is_told_once(alignir, broken, what, traces):
    done = alignir(*broken, f"model.what={what}", "model.when=grade", ok=False)
    assert done.returncode == 1
    assert done.output.count("oops") == 1
    assert done.output.count("Traceback") == traces
    assert done.stderr.splitlines()[-1] == ("ZeroDivisionError: oops" if traces else "alignir: oops")
    assert "Error executing job" not in done.stderr


def test_one_system_has_no_swap(alignir, summarize, small):
    alignir("dataset=folder", "dataset.path=small", "systems.include=[good]", "model=lexical", "bootstrap.B=0")
    text = " ".join(summarize("--table", "baseline").stdout.split())
    assert "folder: 1 system (runs), 2 queries (all), which cannot be ordered" in text
    assert "nan" not in text


def test_a_run_with_padded_fields_aligns_as_one_without(alignir, small, tmp_path):
    (small / "runs" / "third.run").write_text("q1 Q0 d1 1 9 t\nq2 Q0 d4 1 9 t\n")
    cell = ["dataset=folder", "dataset.path=small", "model=lexical", "bootstrap.B=0"]
    plain = alignir(*cell).stdout
    text = (small / "runs" / "good.run").read_text()
    (small / "runs" / "good.run").write_text(text.replace(" Q0 ", "\tQ0\t").replace(" t", "\tt").replace(" ", "  \t"))
    assert alignir(*cell).stdout == plain


@pytest.mark.parametrize(
    ("labels", "tau", "status"),
    [
        ("padded_run/labelsA.qrels", "0.4667", "ok 80"),
        ("labels/out_of_scale.qrels", "0.4667", "ok 78, out_of_scale 2"),
        ("labels/unread.qrels", "0.7333", "ok 60, empty 20"),
    ],
)
def test_the_collected_labels_and_runs(alignir, cases, labels, tau, status):
    folder = cases / "padded_run" if "padded" in labels else cases / "labels" / "DATA"
    judge = ["model=replay", f"model.labels={cases / labels}", "bootstrap.B=0"]
    text = alignir("dataset=folder", f"dataset.path={folder}", *judge).stdout
    assert re.search(rf"^ +status +{status}\s*$", text, re.M)
    assert re.search(rf"^ +baseline labels +{tau}", text, re.M)


def rows(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A folder in which experiment=smoke has run, and a cell of it twice; its systems show unjudged results, too."""
    folder = tmp_path_factory.mktemp("swept")
    for arguments in (["experiment=smoke"], ["model=scripted"], ["model=lexical", "queries=random", "queries.n=6"]):
        done = forked.run("-m", "alignir", *arguments, "systems=bm25", folder=folder)
        assert done.returncode == 0, done.output
        assert "  after: mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db\n" in done.stderr
        assert "/#/experiments/1/runs?workflowType=machine_learning&viewStateShareKey=alignir\n" in done.stderr
    return folder


def command(folder, name, *arguments) -> str:
    done = forked.run("-m", "alignir", name, *arguments, folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def summary(folder, *arguments) -> str:
    return command(folder, "tables", *arguments)


def test_the_alignment_csv_has_one_row_a_run_and_pair(swept):
    text = summary(swept, "--table", "alignment", "--format", "csv")
    groups = "dataset,model,prompt,systems,queries,user_model,assumption"
    assert (
        text.splitlines()[0] == f"{groups},settings,offline,reference,tau_b,p_value,ci_low,ci_high,n_systems,n_queries"
    )
    found = pd.DataFrame(rows(text))
    assert (found["offline"] == "nDCG@10").all()
    cells = found[found["queries"] == "all"].groupby(["model", "prompt"])["reference"].apply(list).to_dict()
    metrics = list(METRICS)
    judges = [("lexical", ""), ("scripted", "basic"), ("scripted", "zeshot")]
    judges += [(bound, "") for bound in ("baseline", "floor: lexical", "floor: shuffled", "floor: one grade")]
    assert cells == {judge: ["baseline", *metrics] for judge in judges}
    small = found[(found["queries"] == "random") & (found["model"] == "lexical")]
    assert set(small["n_queries"]) == {"6"}


def test_recorded_scores_align_as_scipy_says(swept):
    from scipy.stats import kendalltau

    (run,) = [path.parent for path in swept.rglob("alignment.csv") if "queries: random" not in config_of(path)][:1]
    scores = pd.read_parquet(run / "scores.parquet").pivot_table(index="system", columns="labels", values="value")
    expected = kendalltau(scores["model"], scores["baseline"])
    found = pd.read_csv(run / "alignment.csv").query("reference == 'baseline' and labels == 'model'")
    assert found["tau_b"].item() == pytest.approx(expected.statistic)
    assert found["p_value"].item() == pytest.approx(expected.pvalue)


def test_every_table_ends_with_the_ceiling_and_the_floors(swept):
    found = pd.DataFrame(rows(summary(swept, "--table", "alignment", "--format", "csv")))
    found = found[found["queries"] == "all"].set_index(["model", "prompt", "reference"])["tau_b"].replace("", "nan")
    assert float(found["baseline", "", "baseline"]) == pytest.approx(1)
    for reference in ("baseline", *METRICS):  # the same labels, once as a judge's
        assert found["floor: lexical", "", reference] == found["lexical", "", reference]
    assert abs(float(found["floor: shuffled", "", "baseline"])) < 1
    floors = ["floor: lexical", "floor: shuffled", "floor: one grade"]
    for kind, above in (("baseline", ["baseline labels", "baseline, resampled"]), ("online", ["baseline labels"])):
        for table in summary(swept, "--table", kind, "--format", "csv").split("# Table"):
            lines = [line[0] for line in csv.reader(io.StringIO(table.strip()))]
            assert not lines or lines[-len(above) - 3 :] == above + floors
    assert "shuffled: the baseline's grades permuted over its pairs" in summary(swept, "--table", "baseline")


def test_people_are_compared_with_people(alignir, summarize, small):
    (small / "runs" / "third.run").write_text("q1 Q0 d1 1 9 t\nq2 Q0 d4 1 9 t\n")
    (small / "other.txt").write_text("q1 0 d1 1\nq1 0 d2 3\nq2 0 d3 2\nq2 0 d4 0\n")
    text = alignir("dataset=folder", "dataset.path=small", "dataset.second=small/other.txt", "model=lexical").stdout
    assert "second/kappa 0.3333" in text  # 2 of 4 alike; 4 of 16 by chance: (1/2 - 1/4) / (1 - 1/4)
    found = rows(summarize("--table", "alignment", "--format", "csv").stdout)
    (against,) = [row for row in found if row["model"] == "second" and row["reference"] == "baseline"]
    assert (against["prompt"], float(against["tau_b"])) == ("", 1)  # good, bad, third under either
    table = summarize("--table", "labels", "--format", "csv").stdout.splitlines()
    assert table[-1] == "second labels,,25.0%,25.0%,25.0%,25.0%,0.3333,0.0000"  # from 2 on: 2 of 4, 1/2 by chance
    assert "second: other people's labels" in summarize("--table", "baseline").stdout


def test_table_1_comes_without_the_judges_own_family_too(alignir, summarize, small):
    results = "q1 Q0 d1 1 9 t\nq1 Q0 d2 2 8 t\nq2 Q0 d4 1 9 t\nq2 Q0 d3 2 8 t\n"
    (small / "runs" / "x-llama.run").write_text(results)  # d4 first, as the judge likes it
    (small / "judge.txt").write_text("q1 0 d1 3\nq1 0 d2 1\nq2 0 d3 2\nq2 0 d4 3\n")
    cell = ["dataset=folder", "dataset.path=small", "model=replay", "model.labels=small/judge.txt"]
    alignir(*cell)
    assert "own family" not in summarize("--table", "baseline").stdout
    text = alignir(*cell, "model.family=llama").output
    (note,) = [line for line in text.splitlines() if "of the judge's own family, llama" in line]
    assert "x-llama" in note
    assert "[" in note
    text = alignir(*cell, "model.family=llama", "bootstrap.B=0", "tracking.experiment=no_resamples").output
    (note,) = [line for line in text.splitlines() if "of the judge's own family, llama" in line]
    assert "[" not in note
    alignir(*cell, "model.family=bad", "++families={ba*: bad}")
    table = summarize("--table", "baseline", "--format", "csv").stdout.split("# Table 1 without")[1].splitlines()
    found = {row["own family"]: row for row in csv.DictReader(table[1:])}
    assert set(found) == {"llama (1)", "bad (1)"}
    # good, x-llama, bad: by the qrels 1, .82, .71; by the judge .96, 1, .90
    assert [row["all systems"] for row in found.values()] == ["0.3333", "0.3333"]
    assert found["llama (1)"]["without it"].rstrip("!") == "1.0000"
    assert found["bad (1)"]["without it"].rstrip("!") == "-1.0000"


def config_of(path: Path) -> str:
    return (path.parent / "config.yaml").read_text()


def test_a_run_records_everything_it_should(swept):
    from mlflow import MlflowClient

    store = f"sqlite:///{swept / 'mlruns' / 'mlflow.db'}"
    runs = read_runs(store, "alignir")
    assert len(runs) == 4
    run = next(run for run in runs if run.params["model"] == "scripted")
    tags, metrics = run.tags, run.metrics
    assert re.fullmatch("[0-9a-f]{64}", tags["dataset.fingerprint"])
    assert re.fullmatch("[0-9a-f]{64}", tags["prompt.sha256"])
    assert tags["prompt.version"] == "1"
    assert "DBN, exact" in tags["user_model.definitions"]
    assert tags["version.hydra-core"].startswith("1.3")
    assert metrics["n_pairs"] == metrics["status/ok"] == sum(metrics[f"labels/{g}"] for g in range(4)) == 360
    assert {"tau_b/ndcg_cut_10/baseline", "agreement/kappa", "seconds", "prompt_tokens"} <= set(metrics)
    artifacts = {file.path for file in MlflowClient(store).list_artifacts(run.run_id)}
    assert artifacts >= {
        "recorded.json",
        "labels.parquet",
        "scores.parquet",
        "online.parquet",
        "alignment.csv",
        "confusion.csv",
        "config.yaml",
        "prompt.txt",
        "figures",
    }


def test_people_find_few_numbers_each_run_by_its_name_and_a_sweeps_cells_under_it(swept):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{swept / 'mlruns' / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("alignir").experiment_id])
    assert len({run.info.run_name for run in runs}) == len(runs) == 7
    (sweep,) = [run for run in runs if "cell" not in run.data.tags]
    assert (sweep.info.run_name, sweep.info.status) == ("sweep experiment=smoke systems=bm25", "FINISHED")
    under = [run.data.tags.get("mlflow.parentRunId") for run in runs if run is not sweep]
    assert sorted(under, key=str) == sorted([sweep.info.run_id] * 4 + [None] * 2, key=str)
    assert all({"tau_b", "ci_low", "kappa", "missing"} <= set(run.data.metrics) for run in runs if run is not sweep)
    assert max(len(run.data.metrics) for run in runs) <= 30


def test_a_sweep_over_models_asks_each_pair_once(swept):
    answers = sum(len(pd.read_parquet(file, columns=["key"])) for file in (swept / "ledger").rglob("*.parquet"))
    assert answers == 2 * 360


def test_tables_are_printed_in_every_format(swept):
    for form, sign in (
        ("rich", "Table 1."),
        ("markdown", "| model | prompt |"),
        ("latex", "\\toprule"),
        ("html", "<figcaption>Table 1."),
        ("csv", "# Table 1"),
    ):
        text = summary(swept, "--format", form)
        assert sign in text
        assert "baseline labels" in text
        assert "scripted" in text
        assert "DBN, exact" in text or form == "csv"


def test_missing_cells_of_a_sweep_are_named_with_its_intervals(swept):
    text = " ".join(summary(swept, "--table", "online", "--intervals", "--expect", "model=lexical,llama8b").split())
    assert "not found: 1 of 2 cells (model=lexical,llama8b): demo, users dbn: llama8b zeshot" in text
    assert "in brackets: 95% interval, 1,000 bootstrap resamples of the queries, symmetric, seed 0" in text


def test_the_judged_table_has_the_least_judged_systems_first(swept):
    text = summary(swept, "--table", "judged", "--format", "csv")
    found = pd.read_csv(io.StringIO(text.split("# ")[1].split("\n", 1)[1]))
    shares = found["baseline labels"].str.rstrip("%").astype(float)
    assert len(found) == 24
    assert shares.is_monotonic_increasing
    assert 0 < shares.min() < shares.max() < 100
    judges = ["lexical", "scripted basic", "scripted zeshot"]  # they label the same pairs, and all of them
    assert list(found.columns[3:]) == judges
    assert all(found[judge].equals(found["baseline labels"]) for judge in judges)
    notes = " ".join(summary(swept, "--table", "judged").split())
    assert "as many as of the baseline labels: lexical, scripted basic, scripted zeshot" in notes


def test_judges_are_compared_by_what_was_recorded(swept):
    pairs = rows(summary(swept, "--table", "compare", "--matrix", "--format", "csv"))
    (row,) = [
        row
        for row in pairs
        if (row["left"], row["right"], row["reference"]) == ("lexical", "scripted zeshot", "baseline")
    ]
    found = pd.DataFrame(rows(summary(swept, "--table", "alignment", "--format", "csv")))
    found = found[(found["reference"] == "baseline") & (found["queries"] == "all") & (found["prompt"] != "basic")]
    taus = found.set_index("model")["tau_b"].astype(float)
    assert float(row["tau_left"]) == pytest.approx(taus["lexical"])
    assert float(row["difference"]) == pytest.approx(taus["lexical"] - taus["scripted"])
    assert {row["users"] for row in pairs} == {"", "dbn"}
    clicks = summary(swept, "--table", "compare", "--reference", "clicks")
    assert "by tau_b, demo" in clicks
    assert "baseline labels" not in clicks


def test_other_correlations_and_agreement_are_those_of_the_recorded_frames(swept):
    from scipy.stats import spearmanr
    from sklearn.metrics import cohen_kappa_score

    found_runs = read_runs(f"sqlite:///{swept / 'mlruns' / 'mlflow.db'}", "alignir")
    runs = {(run.judge.model, run.judge.prompt): run for run in found_runs if run.names["queries"] == "all"}
    lines = rows(of_kind(swept, "correlations", "Other correlations of nDCG@10"))
    found = {line["model"]: line for line in lines if line["prompt"] in ("–", "zeshot")}
    judges = {"lexical": "", "scripted": "zeshot"}
    for model, prompt in judges.items():
        scores = runs[model, prompt].frame("scores.parquet")
        means = scores.pivot_table(index="system", columns="labels", values="value")
        rho = spearmanr(means["model"], means["baseline"]).statistic
        assert float(found[model]["Spearman"]) == pytest.approx(rho, abs=5e-5)
        assert found[model]["concordant"].endswith("%")
    assert {line["model"] for line in rows(of_kind(swept, "agreement", "Agreement of labels"))} == {
        "lexical",
        "scripted",
    }
    lines = rows(of_kind(swept, "agreement", "Cohen's kappa"))
    places = {line["judge"]: line[""] for line in lines}
    labels = [runs[judge].frame("labels.parquet") for judge in judges.items()]
    both = pd.merge(*labels, on=["query_id", "doc_id"]).dropna(subset=["relevance_x", "relevance_y"])
    expected = cohen_kappa_score(both["relevance_x"].astype(int), both["relevance_y"].astype(int))
    (line,) = [line for line in lines if line["judge"] == "lexical"]
    assert float(line[places["scripted zeshot"]]) == pytest.approx(expected, abs=5e-5)


def of_kind(folder, kind: str, title: str) -> str:
    """The csv of the table of all queries among those of a kind: the largest."""
    tables = summary(folder, "--table", kind, "--format", "csv").split("# ")
    return max((table for table in tables if table.startswith(title)), key=len).split("\n", 1)[1]


def test_a_file_gets_what_would_be_printed(swept, tmp_path):
    assert summary(swept, "--format", "csv", "--out", str(tmp_path / "tables.csv")) == ""
    assert (tmp_path / "tables.csv").read_text() == summary(swept, "--format", "csv")


def test_a_folder_without_runs_is_told_so(summarize):
    done = summarize(ok=False)
    assert done.returncode == 1
    assert "run alignir first" in done.stderr
    assert "Traceback" not in done.output


def test_a_failed_run_ends_failed_with_the_reason(alignir, summarize, small, tmp_path):
    (small / "queries.tsv").write_text("q1\tred apples\nq2\tgreen pears\n")
    script = (
        "import sys, alignir.experiment.pipeline as p\n"
        "def broken(*args): raise OSError('disk full')\n"
        "p.compute = broken\n"
        "sys.argv = ['alignir', 'model=lexical']\n"
        "from alignir.commands.door import main; raise SystemExit(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    rows = sqlite3.connect(tmp_path / "mlruns" / "mlflow.db").execute("select status from runs").fetchall()
    assert rows == [("FAILED",)]
    tags = sqlite3.connect(tmp_path / "mlruns" / "mlflow.db").execute("select value from tags where key='failure'")
    assert tags.fetchall() == [("OSError: disk full",)]
    assert "1 did not finish, the last: OSError: disk full" in summarize(ok=False).stderr


def test_plan_counts_and_records_nothing(alignir, tmp_path):
    text = alignir("model=scripted", "+plan=true").stdout
    assert "360 pairs, 0 answered in ledger, 360 to ask" in text
    assert list(tmp_path.iterdir()) == []
    alignir("model=scripted", "queries=random", "queries.n=6")
    assert "360 pairs, 60 answered in ledger, 300 to ask" in alignir("model=scripted", "+plan=true").stdout


def test_the_papers_grid_is_planned_without_loading_a_model(alignir):
    pytest.importorskip("vllm", reason="needs vLLM to be installed: bash scripts/setup.sh")
    text = alignir("-m", "model=llama8b,gptoss20b,qwen32b", "prompt=zeshot,basic", "+plan=true").stdout
    assert text.count("360 to ask") == 6
    order = re.findall(r"(\w+) · (\w+) · demo:", text)
    assert [model for model, _ in order] == sorted((m for m, _ in order), key=["llama8b", "gptoss20b", "qwen32b"].index)


def test_the_papers_grid_is_the_posters():
    config = composed("experiment=paper")
    assert config.hydra.sweeper.params == {
        "model": "llama8b,gptoss20b,qwen32b",
        "dataset": "trec_dl_2019,rank_distillm",
        "prompt": "zeshot,basic",
    }
    assert config.user_model.model._target_ == "alignir.DBN"


@pytest.mark.skipif(find_spec("vllm") is None, reason="needs vLLM to be installed: bash scripts/setup.sh")
def test_the_paper_experiment_is_planned_over_both_datasets_without_loading_a_model(alignir, small, tmp_path):
    (tmp_path / "data").mkdir()
    few = (CONF / "dataset" / "rank_distillm.yaml").read_text().replace("n: 2000", "n: 2")
    (tmp_path / "conf" / "dataset").mkdir(parents=True)
    (tmp_path / "conf" / "dataset" / "rank_distillm.yaml").write_text(few)
    run = re.search("run: (.*)", few)[1]
    (tmp_path / run).write_text("q1 Q0 d1 1 9 t\nq1 Q0 d2 2 8 t\nq2 Q0 d3 1 9 t\n")
    done = alignir("experiment=paper", "dataset.path=small", "+plan=true")
    plans = re.findall(r"^(\w+) · (\w+) · (\w+): (\d) pairs, 0 answered", done.stdout, re.M)
    datasets, models = {"trec_dl_2019": "4", "rank_distillm": "3"}, ["llama8b", "gptoss20b", "qwen32b"]
    assert plans == [
        (model, prompt, data, n) for model in models for data, n in datasets.items() for prompt in ("zeshot", "basic")
    ]
    assert not (tmp_path / "ledger").exists()


@pytest.fixture
def sizes(tmp_path) -> dict[str, float]:
    """Billions of parameters by model of experiment=sizes; in tmp_path each of them answers by a script."""
    models = composed("experiment=sizes").hydra.sweeper.params.model.split(",")
    billions = {model: composed(f"model={model}").model.parameters for model in models}
    (tmp_path / "conf" / "model").mkdir(parents=True)
    for model, parameters in billions.items():
        (tmp_path / "conf" / "model" / f"{model}.yaml").write_text(
            f"defaults: [scripted, _self_]\nname: {model}\nparameters: {parameters}\n"
        )
    return billions


def test_the_experiment_of_sizes_is_planned_over_all_its_models(alignir, sizes, small):
    text = alignir("experiment=sizes", f"dataset.path={small}", "+plan=true").stdout
    expected = [(model, prompt) for model in sizes for prompt in ("zeshot", "basic")]
    assert re.findall(r"^(\w+) · (\w+) · trec_dl_2019: 4 pairs", text, re.M) == expected


def test_the_experiment_of_sizes_answers_its_question(alignir, sizes):
    few = ("qwen06b", "llama8b", "gptoss120b", "qwen32b")
    quick = ("dataset=demo", "bootstrap.B=20", "floor.shuffles=0", f"model={','.join(few)}")
    alignir("experiment=sizes", *quick)
    tables = ("-m", "alignir", "tables", "--table", "questions", "--format", "csv")
    text = alignir(program=tables).stdout
    size = text[text.index("# Question 2.") : text.index("# Question 3.")]
    rows = [line.split(",") for line in size.splitlines()]
    by_size = [f"{billions:g}" for billions in sorted(sizes[model] for model in few)]
    for prompt in ("zeshot", "basic"):
        assert [row[2] for row in rows if row[0] == prompt] == [*by_size, ""]
    assert size.count("ten times the size") == 2
    assert text[text.index("# Question 3.") :].count("basic - zeshot") == len(few) + 1  # and over all models
    drawn = alignir("--figure", "size", program=("-m", "alignir", "figures")).output
    assert re.search(r"size\S*\.png", drawn)


def test_cells_that_fail_alike_have_one_reason(alignir, tmp_path):
    text = alignir("-m", "model=scripted", "prompt=zeshot,basic", "dataset=folder", "dataset.path=nowhere", ok=False)
    first, second, last = text.stderr.splitlines()
    assert "nowhere" in first
    assert second.endswith("scripted · basic · folder: as above")
    assert last == "alignir: 2 cells failed, for the reasons above"


def test_the_prompts_experiment_is_one_model_under_every_prompt(alignir, tmp_path):
    shipped = [choice for group, choice in CHOICES if group == "prompt"]
    (tmp_path / "conf" / "prompt").mkdir(parents=True)
    shutil.copy(CONF / "prompt" / "basic.yaml", tmp_path / "conf" / "prompt" / "mine.yaml")
    text = alignir("experiment=prompts", "model=scripted", "+plan=true").stdout
    assert re.findall(r"scripted · (\w+) · demo: 360 pairs", text) == sorted([*shipped, "mine"])


def test_the_smoke_experiment_is_planned(alignir):
    text = alignir("experiment=smoke", "+plan=true").stdout
    judges = ["scripted · zeshot", "scripted · basic", "lexical", "lexical"]
    assert re.findall(r"^(.+) · demo: 360 pairs", text, re.M) == judges


def test_own_conf_and_prompts_add_to_the_shipped_ones(alignir, tmp_path):
    for folder in ("conf/prompt", "prompts"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "prompts" / "mine.txt").write_text("Rate. $query / $passage")
    (tmp_path / "conf" / "prompt" / "mine.yaml").write_text(
        "_target_: alignir.read_prompt\n_partial_: true\nname: mine\nfile: mine.txt\nform: final_score\nmax_tokens: 9\n"
    )
    (tmp_path / "conf" / "model").mkdir()
    shipped = (CONF / "model" / "lexical.yaml").read_text()
    (tmp_path / "conf" / "model" / "lexical.yaml").write_text(shipped.replace("[0.25, 0.5, 0.75]", "[0.3, 0.6, 0.9]"))
    assert "- 0.9" in alignir("model=lexical", "--cfg", "job", "--package", "model").stdout
    assert re.search(r"^  prompt +basic, mine, prefix, zeshot$", alignir("--help").stdout, re.M)
    assert "360 to ask" in alignir("prompt=mine", "model=scripted", "+plan=true").stdout


def test_a_folder_dataset_with_external_metrics_runs_whole(alignir, summarize, small, tmp_path):
    with open(small / "runs" / "third.run", "w") as file:
        file.write("q1 Q0 d1 1 9 t\n")
    (tmp_path / "metrics.csv").write_text("system,metric,value\ngood,ADT,3\nbad,ADT,1\nthird,ADT,2\n")
    done = alignir(
        "dataset=folder", "dataset.path=small", "model=lexical", "user_model=external", "user_model.path=metrics.csv"
    )
    assert "third: has no results for 1 of 2 queries and scores 0 there" in done.output
    lines = summarize("--table", "online", "--format", "csv").stdout.splitlines()
    assert "baseline labels,,0.3333°" in lines


def test_the_same_judges_of_dl19_come_out_of_the_command(alignir, summarize, dl19):
    data = ["dataset=trec_dl_2019", f"dataset.path={dl19}", "model=replay"]
    labels = f"model.labels={dl19 / 'llm_labels' / 'umbrela_gpt4_zeroshot.qrels.gz'}"
    text = alignir(*data, labels).stdout
    assert "kappa 0.3385  kappa_relevant 0.5123" in text
    alignir(*data, labels, "systems.exclude=[rankllm_*,webis_*]")
    found = rows(summarize("--table", "alignment", "--format", "csv").stdout)
    taus = {
        row["n_systems"]: float(row["tau_b"])
        for row in found
        if row["model"] == "replay" and row["reference"] == "baseline"
    }
    assert taus == {"46": pytest.approx(0.8704, abs=5e-5), "37": pytest.approx(0.8498, abs=5e-5)}
    table = summarize("--table", "baseline").stdout
    assert "trec_dl_2019 (37 systems)" in table
    assert "trec_dl_2019 (46 systems)" in table


def test_a_system_without_a_result_for_the_drawn_queries_scores_zero_and_stays(alignir, small, tmp_path):
    (small / "runs" / "third.run").write_text("q2 Q0 d3 1 9 t\n")
    (tmp_path / "one").mkdir()
    names = [f"dataset.path={small}", "dataset=folder", "model=lexical", "queries=random", "queries.n=1"]
    drawn = {seed: alignir(*names, f"queries.seed={seed}").output for seed in (0, 1, 2)}
    without = [text for text in drawn.values() if "third: has no results for 1 of 1 query and scores 0 there" in text]
    assert without
    assert all("3 systems, 1 query" in text for text in drawn.values())


def test_pools_are_labelled_recorded_and_told_apart(alignir, summarize, small, tmp_path):
    (small / "runs" / "late.run").write_text("q1 Q0 d3 1 9 t\nq1 Q0 d1 2 8 t\nq2 Q0 d9 1 9 t\n")
    cell = ["dataset=folder", "dataset.path=small", "model=lexical", "without_text=skip"]
    alignir(*cell)
    alignir(*cell, "pool=runs@2")
    text = alignir(*cell, "pool=holes@2").output
    assert "1 of 2 pairs of pool=holes@2 have no text and get no label" in text
    assert "with no pair in common there is no agreement" in text
    assert "kappa –" in text
    labelled = {
        re.search("pool: (.*)", config_of(file))[1]: set(pd.read_parquet(file)[PAIR].itertuples(index=False, name=None))
        for file in tmp_path.rglob("labels.parquet")
    }
    judged = {("q1", "d1"), ("q1", "d2"), ("q2", "d3"), ("q2", "d4")}
    assert labelled == {"qrels": judged, "runs@2": judged | {("q1", "d3")}, "holes@2": {("q1", "d3")}}
    (holes,) = [file.parent for file in tmp_path.rglob("judged.csv") if "pool: holes@2" in config_of(file)]
    shares = pd.read_csv(holes / "judged.csv").set_index("system").loc["late"]
    assert shares.to_dict() == pytest.approx({"baseline": 1 / 3, "model": 2 / 3})
    found = rows(summarize("--table", "alignment", "--format", "csv").stdout)
    assert {row["settings"] for row in found if row["model"] == "lexical"} == {f"pool={pool}" for pool in labelled}


def test_runs_that_differ_in_what_missing_means_are_both_in_the_tables(alignir, summarize):
    for missing in ("drop", "zero"):
        alignir("model=lexical", f"missing={missing}")
    found = rows(summarize("--table", "alignment", "--format", "csv").stdout)
    assert {row["settings"] for row in found} == {"", "missing=drop", "missing=zero"}


def test_the_figures_are_pictures(swept):
    figures = sorted({file.name for file in swept.rglob("*.png")})
    assert figures == ["confusion.png", "distribution.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in swept.rglob("*.png"))


def test_the_recorded_config_is_whole(swept):
    configs = [json.dumps(OmegaConf.to_container(OmegaConf.load(file))) for file in swept.rglob("config.yaml")]
    assert len(configs) == 6
    assert all("alignir.DBN" in config and "???" not in config for config in configs)


def test_stored_answers_are_read_again_without_a_model(swept):
    text = command(swept, "reread", "--format", "csv")
    found = pd.DataFrame(rows(text))
    assert list(found.columns) == ["run", "reader", "labels", "differ", "tau_b", "kappa", "kappa, yes or no"]
    assert set(found["run"]) == {"scripted · zeshot · demo", "scripted · basic · demo"}
    assert (found["differ"] == "0").all()  # the script keeps to the form
    taus = pd.DataFrame(rows(summary(swept, "--table", "alignment", "--format", "csv")))
    taus = taus[(taus["model"] == "scripted") & (taus["reference"] == "baseline") & (taus["queries"] == "all")]
    assert set(found["tau_b"]) == {f"{float(tau):.4f}" for tau in taus["tau_b"]}


def test_the_ledger_is_shown(swept):
    shown = command(swept, "ledger")
    assert shown.count("ok 360") == 2
    assert "status" in shown


def test_hostile_variants_are_probed(swept):
    text = command(swept, "probe", "--pairs", "8", "--format", "csv", "model=scripted")
    found = pd.DataFrame(rows(text))
    assert found["variant"].tolist() == ["stuffing", "instruction", "imitated", "empty"]
    assert (found["of pairs"] == "8").all()
    assert command(swept, "probe", "--pairs", "8", "--format", "csv", "model=scripted") == text


def test_repeats_self_agreement_and_fallback_are_recorded(alignir, tmp_path):
    text = alignir("model=scripted", "model.repeats=3", "rejudge.n=10", "missing=fallback").stdout
    assert "flip_rate 0.0000" in text
    assert "self/exact 1.0000" in text
    (repeats,) = tmp_path.rglob("repeats.parquet")
    assert list(pd.read_parquet(repeats).columns) == ["query_id", "doc_id", "0", "1", "2"]
    assert "missing=fallback asks an LLM again" in alignir("model=lexical", "missing=fallback", ok=False).stderr
    assert "reader=kind: expected one of strict, lenient" in alignir("model=lexical", "reader=kind", ok=False).stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_goes_on_where_it_was(alignir, tmp_path, how):
    said = [tmp_path / name for name in ("stdout", "stderr")]
    process = forked.begin("-m", "alignir", "model=scripted", "model.delay=0.1", folder=tmp_path, streams=said)
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("ledger/*/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, how)
    process.join()
    assert process.exitcode == (130 if how == signal.SIGTERM else -signal.SIGKILL)
    assert not any("Traceback" in stream.read_text() for stream in said)
    # by key: a signal between the writing of a chunk and its end has it written twice, which is no loss
    kept = len({key for file in tmp_path.rglob("ledger/*/*.parquet") for key in pd.read_parquet(file)["key"]})
    assert 0 < kept < 360
    again = alignir("model=scripted", "model.delay=0")
    assert f"{360 - kept} pairs in" in again.stdout
