"""Plain Python gives the command's numbers, in a dozen functions, without Hydra and MLflow."""

import inspect
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

import alignir
from alignir.commands.budget import model_scores
from alignir.config import composed_cell
from alignir.errors import InputError
from alignir.evaluation.scores import evaluate
from alignir.experiment.inputs import read_inputs
from alignir.experiment.results import compute
from alignir.files import shipped
from alignir.notebook import session
from alignir.notebook.presets import preset

FUNCTIONS = [name for name, place in alignir._NAMES.items() if place == "alignir.notebook.session"]

TEN_LINES = """
import alignir
dataset = alignir.demo()
runs = alignir.candidates(dataset)
labels = alignir.label(dataset, model="lexical")
scores, baseline = alignir.evaluate(labels, runs), alignir.evaluate(dataset.qrels, runs)
online = alignir.simulate(dataset.qrels, runs, users="dbn")
print(repr(float(alignir.align(scores, baseline)["tau_b"].iloc[0])))
print(repr(float(alignir.align(scores, online).set_index("reference")["tau_b"]["clicks"])))
"""


def test_ten_lines_give_the_numbers_of_the_command_without_hydra_and_mlflow(tmp_path):
    loaded = "import sys; print([name for name in ('hydra', 'mlflow', 'vllm', 'torch') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", TEN_LINES + loaded], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    baseline, clicks, modules = done.stdout.splitlines()
    cell = composed_cell(["model=lexical", "bootstrap.B=0", "floor.shuffles=0"])
    from alignir.experiment.inputs import read_inputs

    found = compute(cell, read_inputs(cell)).alignment
    found = found[found["labels"] == "model"].set_index("reference")["tau_b"]
    assert float(baseline) == pytest.approx(found["baseline"], abs=1e-12)
    assert float(clicks) == pytest.approx(found["clicks"], abs=1e-12)
    assert modules == "[]"


def test_importing_it_loads_nothing(tmp_path):
    code = "import sys, alignir; print([name for name in ('pandas', 'numpy', 'pyarrow') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_name_is_there_and_says_what_it_is():
    for name in alignir.__all__:
        assert name == "__version__" or getattr(alignir, name).__doc__, name
        assert name in dir(alignir)
    for name in FUNCTIONS:
        function = getattr(alignir, name)
        assert function is getattr(session, name)
        assert ">>>" in function.__doc__, f"{name} has no example"
    typed = inspect.getsource(alignir).partition("if TYPE_CHECKING:")[2].partition(")")[0]
    assert {name for name in FUNCTIONS if f" {name}," in typed} == set(FUNCTIONS)
    with pytest.raises(AttributeError, match="module 'alignir' has no attribute 'labels'"):
        alignir.labels  # noqa: B018


@pytest.mark.parametrize("group", ["model", "prompt", "user_model"])
def test_a_preset_is_what_the_command_makes(group):
    needed = {"model=endpoint": ["name"], "model=replay": ["labels"]}
    needed |= {f"user_model={name}": ["path"] for name in ("log", "external", "pairs")}
    names = sorted(file.stem for file in (shipped("conf") / group).glob("*.yaml"))
    assert len(names) > 2
    for name in names:
        if name in ("simulated", "jury"):
            continue  # what the others have in common; of recorded judges or files, see test_jury
        lacking = needed.get(f"{group}={name}", [])
        settings = {key: "http://x/v1" for key in lacking}
        cell = composed_cell([f"{group}={name}", *(f"{group}.{key}={value}" for key, value in settings.items())])
        made, mine = getattr(cell, group), preset(group, name, **settings)
        if group == "prompt":
            made, mine = made(), mine()
        if name == "smollm2":  # its weights are an object that is equal to itself only
            assert made.weights.sha256 == mine.weights.sha256
            assert made.sampling == mine.sampling
            assert made.engine == mine.engine
        else:
            assert made == mine


def test_a_preset_of_the_working_folder_comes_first_and_a_wrong_one_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "user_model").mkdir(parents=True)
    (tmp_path / "conf" / "user_model" / "mine.yaml").write_text("defaults: [dbn, _self_]\ndepth: 3\n")
    assert preset("user_model", "mine").depth == 3
    assert preset("user_model", "mine").model == preset("user_model", "dbn").model
    for call, message in [
        (lambda: preset("user_model", "dnb"), "dbn"),
        (lambda: preset("model", "replay"), "labels has no value"),
        (lambda: preset("systems", "pipelines"), "needs Hydra"),
    ]:
        with pytest.raises(InputError, match=message):
            call()


@pytest.fixture
def foreign() -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Labels and rankings of four systems in PyTerrier's words: ids are numbers, ranks begin at 0."""
    rng = np.random.default_rng(0)
    pairs = [(query, document) for query in (1, 2, 3) for document in range(12)]
    qrels = pd.DataFrame(pairs, columns=["qid", "docno"]).assign(label=rng.integers(0, 4, len(pairs)))
    rankings = {}
    for system in "abcd":
        run = qrels[["qid", "docno"]].assign(score=rng.random(len(pairs)))
        rankings[system] = run.assign(rank=run.groupby("qid")["score"].rank(ascending=False).astype(int) - 1)
    return qrels, rankings


def test_pyterriers_frames_are_taken_as_they_are(foreign):
    qrels, rankings = foreign
    found = alignir.evaluate(qrels, rankings)
    grades = qrels.set_index(["qid", "docno"])["label"]
    values, discounts = found.set_index(["system", "query_id"])["value"], np.log2(np.arange(2, 12))
    for system, query in product(rankings, (1, 2, 3)):
        run = rankings[system][rankings[system]["qid"] == query]
        top = run.sort_values("score", ascending=False).head(10)["docno"]
        gains, ideal = grades[query][top].to_numpy(), np.sort(grades[query])[::-1][:10]
        assert values[system, str(query)] == pytest.approx((gains / discounts).sum() / (ideal / discounts).sum())
    together = pd.concat([run.assign(name=system) for system, run in rankings.items()])
    pd.testing.assert_frame_equal(alignir.evaluate(qrels, together), found)
    renamed = qrels.rename(columns={"qid": "query_id", "docno": "doc_id", "label": "relevance"}).astype(
        {"query_id": str}
    )
    pd.testing.assert_frame_equal(alignir.evaluate(renamed, rankings), found)


def test_scores_of_foreign_labels_are_aligned_and_compared(foreign):
    qrels, rankings = foreign
    baseline = alignir.evaluate(qrels, rankings)
    other = alignir.evaluate(qrels.assign(label=3 - qrels["label"]), rankings)
    means = [side.groupby("system")["value"].mean() for side in (other, baseline)]
    found = alignir.align(other, baseline, B=0).iloc[0]
    assert found["tau_b"] == pytest.approx(kendalltau(*means).statistic, abs=1e-12)
    assert np.isnan(found["ci_low"])
    compared = alignir.compare({"itself": baseline, "reversed": other}, baseline)
    assert compared["tau_left"].iloc[0] == pytest.approx(1, abs=1e-12)
    assert compared["tau_right"].iloc[0] == pytest.approx(found["tau_b"], abs=1e-12)
    online = alignir.simulate(qrels, rankings, users=alignir.DBN(continuation=0.5))
    assert set(online["system"]) == set("abcd")
    clicks = online[online["metric"] == "clicks"]
    assert alignir.compare({"a": baseline, "b": other}, clicks)["tau_left"].notna().all()
    with pytest.raises(InputError, match="expected one measure or metric in baseline, found clicks, ctr"):
        alignir.compare({"a": baseline, "b": other}, online)


def test_mistakes_are_one_message(foreign, tmp_path):
    qrels, rankings = foreign
    twice = pd.concat([qrels, qrels.head(1)])
    for call, message in [
        (lambda: alignir.evaluate(qrels.drop(columns="label"), rankings), r"expected a column relevance \(or label\)"),
        (lambda: alignir.evaluate(twice, rankings), "labels: the pair 1 0 is there twice"),
        (lambda: alignir.evaluate(qrels, {}), "expected at least one system"),
        (lambda: alignir.evaluate(qrels, pd.concat(rankings.values())), "system has the pair 1 0 twice"),
        (lambda: alignir.compare({"a": None}, None), "expected two judges or more, found 1"),
        (lambda: alignir.label(alignir.demo(), model="lexica"), "lexical"),
        (lambda: alignir.read_runs(tmp_path / "none"), "no run file or folder of run files"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


def test_an_llm_is_asked_once_for_each_pair(tmp_path):
    asked = []

    class Counting(alignir.Scripted):
        def answer(self, prompt, pairs):
            asked.extend(pairs)
            return super().answer(prompt, pairs)

    prompt = alignir.read_prompt("mine", "zeshot.txt", "final_score", 50)
    first = alignir.label(alignir.demo(), Counting(), prompt, ledger=tmp_path)
    again = alignir.label(alignir.demo(), Counting(), prompt, ledger=tmp_path)
    assert len(asked) == 360
    pd.testing.assert_frame_equal(first, again)
    some = alignir.demo().pairs().head(3)
    pd.testing.assert_frame_equal(alignir.label(some, Counting(), prompt, ledger=tmp_path), first.head(3))
    assert len(asked) == 360


@pytest.fixture
def of_0_to_5(tmp_path) -> Path:
    """The demo's baseline labels on another scale, as a judge's file that does not say so."""
    file = tmp_path / "judge.qrels"
    rows = alignir.demo().qrels.itertuples()
    file.write_text("".join(f"{row.query_id} 0 {row.doc_id} {(0, 1, 4, 5)[row.relevance]}\n" for row in rows))
    return file


def test_a_judges_file_is_read_on_its_own_scale_wherever_it_is_read(of_0_to_5):
    judge = alignir.Replay(str(of_0_to_5))
    labels = alignir.label(alignir.demo(), judge)
    assert labels["relevance"].value_counts().to_dict() == {0: 108, 1: 108, 4: 72, 5: 72}
    some = alignir.demo().pairs().head(30)
    pd.testing.assert_frame_equal(alignir.label(some, judge), labels.head(30))

    cell = composed_cell(["model=replay", f"model.labels={of_0_to_5}"])
    inputs = read_inputs(cell)
    scores = model_scores(cell, inputs)
    expected = evaluate(labels, inputs.runs, [cell.headline], scale=inputs.scale)
    pd.testing.assert_frame_equal(scores, expected)
    assert inputs.scale.grades == (0, 1, 2, 3, 4, 5)
    assert scores["value"].mean() > 0.3


def test_a_folder_and_its_run_files_are_read(small):
    dataset = alignir.read_collection(small)
    runs = alignir.read_runs(small / "runs")
    assert (dataset.name, runs.systems, set(runs.query_ids)) == ("small", ("bad", "good"), {"q1", "q2"})
    assert alignir.read_runs(Path(small) / "runs" / "good.run").systems == ("good",)
    means = alignir.evaluate(dataset.qrels, runs).groupby("system")["value"].mean()
    assert means["good"] == 1 > means["bad"]


def test_what_was_recorded_is_a_frame_of_numbers(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    quick = ("bootstrap.B=0", "floor.shuffles=0", "dataset=folder", f"dataset.path={small}")
    found = alignir.run("model=lexical", *quick)
    alignir.run("model=scripted", *quick)
    table = alignir.recorded("alignir").table("baseline")
    assert table["model"].tolist()[:2] == ["lexical", "scripted"]
    tau = found.alignment.query("labels == 'model' and reference == 'baseline'")["tau_b"].iloc[0]
    column = table.columns[2]
    assert table[column].dtype == float
    assert table[column].iloc[0] == pytest.approx(tau, abs=1e-12, nan_ok=True)
    assert "<table>" in table._repr_html_()
    assert "lexical" in table._repr_html_()
    online = alignir.recorded().table("online")
    assert online["model"].tolist()[:2] == ["lexical", "scripted"]
    assert repr(alignir.recorded()) == "alignir: 2 recorded runs"
    with pytest.raises(InputError, match="table=bas: expected one of baseline"):
        alignir.recorded().table("bas")
    with pytest.raises(InputError, match="no experiment 'other'"):
        alignir.recorded("other")
