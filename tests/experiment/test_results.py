"""What a cell finds: one line between relevant and not, means over the queries that both sides know, what it cost."""

from dataclasses import replace

import pandas as pd
import pytest
from scipy.stats import kendalltau

from alignir.config import composed_cell
from alignir.evaluation import agreement
from alignir.evaluation.measures import NDCG
from alignir.evaluation.scores import evaluate
from alignir.experiment import description, record, shown
from alignir.experiment.inputs import read_inputs
from alignir.experiment.results import compute
from alignir.labelling.labels import label
from alignir.labelling.ledger import Ledger
from alignir.labelling.scripted import Scripted

QUICK = ("model=lexical", "bootstrap.B=0", "floor.shuffles=0")


def result(*settings: str):
    cell = composed_cell([*QUICK, *settings])
    inputs = read_inputs(cell)
    return cell, inputs, compute(cell, inputs)


def levels(level: int) -> tuple[str, str]:
    """The first relevant grade of the baseline and of the judge."""
    return f"dataset.scale.relevant_from={level}", f"model.relevant_from={level}"


def test_a_scale_moves_every_relevant_or_not():
    found = {}
    for level in (1, 2, 3):
        cell, inputs, at = result(*levels(level), "measures=[P_10]")
        both = agreement.joined(inputs.dataset.qrels, at.labelling.labels)
        assert at.agreement["kappa_relevant"] == agreement.kappa(both, relevant_from=(level, level))
        shown = inputs.runs.grades(inputs.dataset.qrels, 10)
        zrr = at.online[at.online["metric"] == "zrr"]["value"].to_numpy()
        assert zrr.tolist() == (shown < level).all(axis=2).ravel().astype(float).tolist()
        precision = at.baseline[at.baseline["measure"] == "P_10"]["value"].to_numpy()
        assert precision == pytest.approx((shown >= level).mean(axis=2).ravel())
        assert f"grade {level} or more" in cell.user_model.definitions(inputs.dataset.scale)
        found[level] = (at.agreement["kappa_relevant"], zrr.mean(), precision.mean())
    assert all(len(set(values)) > 1 for values in zip(*found.values(), strict=True))


def test_an_assumption_about_users_can_still_differ_from_the_judges_line():
    cell, inputs, _ = result(*levels(1), "assumption=relevant_3")
    assert (inputs.dataset.scale.relevant_from, inputs.scale.relevant_from) == (1, 1)
    assert cell.user_model.metrics.relevant_from == 3


def test_a_judge_of_one_query_is_compared_on_that_query(tmp_path):
    """Of twelve queries one is labelled: both sides are that query's scores, not the baseline's mean of all."""
    _, inputs, _ = result()
    qrels = inputs.dataset.qrels
    query_id = qrels["query_id"].iloc[0]
    some = qrels[qrels["query_id"] == query_id].assign(iteration=0)
    some = some[["query_id", "iteration", "doc_id", "relevance"]]
    some["relevance"] = (some["relevance"] + [0, 1] * (len(some) // 2)).clip(upper=3)
    (tmp_path / "one.qrels").write_text(some.to_csv(sep=" ", header=False, index=False))
    _, _, found = result("model=replay", f"model.labels={tmp_path / 'one.qrels'}")
    row = found.alignment.query("labels == 'model' and reference == 'baseline'").iloc[0]

    labels = some.drop(columns="iteration")
    runs = inputs.runs.of([query_id])
    left, right = (evaluate(side, runs)["value"].to_numpy() for side in (labels, qrels))
    assert row["tau_b"] == pytest.approx(kendalltau(left, right).statistic, abs=1e-12)
    assert row["n_queries"] == 1
    everywhere = evaluate(qrels, inputs.runs).groupby("system")["value"].mean().to_numpy()
    assert row["tau_b"] != pytest.approx(kendalltau(left, everywhere).statistic)
    users = found.alignment.query("labels == 'model' and reference == 'clicks'").iloc[0]
    clicks = found.online.query("metric == 'clicks' and query_id == @query_id")["value"].to_numpy()
    assert users["tau_b"] == pytest.approx(kendalltau(left, clicks).statistic, abs=1e-12)
    assert users["n_queries"] == 1
    baseline = found.alignment.query("labels == 'baseline' and reference == 'clicks'").iloc[0]
    assert baseline["n_queries"] == 36
    assert "35 queries have no label at all and are left out on both sides" in found.notes


def test_missing_labels_could_be_anything(tmp_path):
    """All lowest and all highest are computed here by filling the labels; the ranges hold them, and are recorded."""
    _, inputs, _ = result()
    qrels = inputs.dataset.qrels
    some = qrels.drop(index=qrels.index[::7]).assign(iteration=0)[["query_id", "iteration", "doc_id", "relevance"]]
    (tmp_path / "some.qrels").write_text(some.to_csv(sep=" ", header=False, index=False))
    cell, inputs, found = result("model=replay", f"model.labels={tmp_path / 'some.qrels'}")
    right = evaluate(qrels, inputs.runs).groupby("system")["value"].mean()
    taus = []
    for grade in (0, 3):
        labels = qrels.assign(relevance=qrels["relevance"].where(qrels.index.isin(some.index), grade))
        left = evaluate(labels, inputs.runs).groupby("system")["value"].mean()
        taus.append(kendalltau(left.round(12), right.round(12)).statistic)
    metrics = record.numbers(cell, inputs, found)
    assert metrics["unlabelled/tried_low"] <= min(taus) + 1e-12
    assert metrics["unlabelled/tried_high"] >= max(taus) - 1e-12
    assert metrics["unlabelled/bounds_low"] <= metrics["unlabelled/tried_low"]
    assert metrics["unlabelled/bounds_high"] >= metrics["unlabelled/tried_high"]
    assert "With grades in place of the missing labels tau_b can be " in description.description(metrics, NDCG)
    assert not [name for name in record.numbers(*result()) if name.startswith("unlabelled/")]


def test_a_run_that_asked_nothing_cost_nothing(tmp_path):
    model = Scripted(price={"input": 1e6, "output": 2e6})  # one and two for a token
    cell = composed_cell(["model=scripted", "bootstrap.B=0", "floor.shuffles=0", f"ledger={tmp_path / 'ledger'}"])
    cell = replace(cell, model=model)
    inputs = read_inputs(cell)
    half = label(inputs.pairs.head(60), inputs.prompt, model, Ledger(cell.ledger))
    spent = []
    for _ in range(2):
        found = compute(cell, inputs)
        numbers = record.numbers(cell, inputs, found)
        spent.append(numbers["spent"])
    every = found.labelling.labels
    tokens = every["prompt_tokens"].sum(), every["output_tokens"].sum()
    assert numbers["tokens"] == sum(tokens) / 360
    assert shown.metrics(numbers, NDCG)["price"] == pytest.approx(1000 * (tokens[0] + 2 * tokens[1]) / 360)
    rest = found.labelling.labels.iloc[60:]
    assert half.asked_prompt_tokens == half.prompt_tokens > 0
    assert spent == [rest["prompt_tokens"].sum() + 2 * rest["output_tokens"].sum(), 0]


def test_an_edited_file_is_read_again(small):
    settings = ["dataset=folder", f"dataset.path={small}", *QUICK]
    (small / "passages.tsv").write_text((small / "passages.tsv").read_text())
    before = read_inputs(composed_cell(settings))
    assert composed_cell(settings).dataset() is composed_cell(settings).dataset()  # unchanged: read once
    qrels = (small / "qrels.txt").read_text()
    (small / "qrels.txt").write_text(qrels.replace("q2 0 d4 0", "q2 0 d4 3"))
    (small / "runs" / "bad.run").write_text("q1 Q0 d1 1 9 t\nq2 Q0 d4 1 9 t\n")
    after = read_inputs(composed_cell(settings))
    changed = pd.concat([before.dataset.qrels, after.dataset.qrels]).drop_duplicates(keep=False)
    assert changed["relevance"].tolist() == [0, 3]
    assert len(after.runs.frame) == len(before.runs.frame) - 2


def test_the_headline_measure_is_there_whatever_else_is_asked_for():
    _, _, found = result("measures=[map]")
    assert set(found.scores["measure"]) == {NDCG, "map"}
