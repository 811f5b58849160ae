"""What tells runs of the same names from each other, from what was recorded of them."""

import pandas as pd
import pytest

from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Judge, UserModel

PLAIN = {"dataset": "demo", "model": "llama8b", "prompt": "zeshot", "systems": "bm25", "queries": "all"}
PLAIN |= {"user_model": "dbn", "missing": "drop", "pool": "qrels", "headline": "nDCG@10", "prompt.name": "zeshot"}
PLAIN |= {"prompt.file": "zeshot.txt", "model.name": "meta-llama/Llama-3.1-8B-Instruct"}
SIZES = {"n_systems": 12, "n_queries": 43, "n_pairs": 120}
PRINTS = {"dataset.fingerprint": "1" * 64, "systems.fingerprint": "2" * 64}
SHA256 = {"prompt.sha256": "a", "prompt.version": "1"}


def run(cell: str, tags=None, **params) -> Recorded:
    given = {name.replace("__", "."): value for name, value in params.items()}
    known = {name: value for name, value in {**PLAIN, **given}.items() if value is not None}
    return Recorded(None, cell, cell, known, {**PRINTS, **SHA256, **(tags or {})}, SIZES, pd.DataFrame())


def judges(*runs: Recorded) -> list[Judge]:
    return [run.judge for run in Recordings(runs)]


def test_runs_of_other_names_are_called_by_their_names_alone():
    one, other = judges(run("1"), run("2", prompt="basic", prompt__name="basic", prompt__file="basic.txt"))
    assert (one, other) == (Judge("llama8b", "zeshot"), Judge("llama8b", "basic"))


@pytest.mark.parametrize(
    ("setting", "values", "expected"),
    [
        ("model__repeats", ("1", "3"), ("repeats=1", "repeats=3")),
        ("model__name", ("org/a", "org/b"), ("name=a", "name=b")),  # of an LLM it is its weights'
        ("missing", ("drop", "zero"), ("missing=drop", "missing=zero")),
        ("model__sampling__seed", (None, "1"), ("sampling.seed=–", "sampling.seed=1")),
    ],
)
def test_what_decides_labels_stands_behind_the_model(setting, values, expected):
    runs = [run(str(number), **{setting: value}) for number, value in enumerate(values)]
    assert [judge.of_model for judge in judges(*runs)] == list(expected)
    assert len({each.setting for each in Recordings(runs)}) == 1


@pytest.mark.parametrize(
    "setting", ["model__base_url", "model__timeout", "model__price__input", "rejudge__n", "measures"]
)
def test_what_decides_no_number_tells_no_runs_apart(setting):
    runs = Recordings([run("1", **{setting: "a"}), run("2", **{setting: "b"})])
    assert len({(each.judge, each.setting, each.users) for each in runs}) == 1
    (by_judge,) = runs.by_setting().values()
    assert [each.cell for each in by_judge.values()] == ["2"]  # the newest


def test_what_decides_a_comparison_stands_behind_the_dataset():
    runs = Recordings(
        [run("1", bootstrap__B="20"), run("2", bootstrap__B="1000"), run("3", model="b", bootstrap__B="20")]
    )
    assert [each.setting.apart for each in runs] == ["bootstrap.B=20", "bootstrap.B=1000", "bootstrap.B=20"]
    assert [each.labelled.apart for each in runs] == ["", "", ""]  # labels are the same with any resamples
    assert len({each.judge for each in runs}) == 2


def test_a_setting_may_vary_between_datasets_and_tells_apart_where_it_varies_in_one():
    here, there = {"dataset": "demo", "pool": "qrels"}, {"dataset": "other", "pool": "runs@10"}
    assert judges(run("1", **here), run("2", **there)) == [Judge("llama8b", "zeshot")] * 2
    third = run("3", dataset="demo", pool="runs@10")
    assert [judge.of_model for judge in judges(run("1", **here), run("2", **there), third)] == [
        *("pool=qrels", "pool=runs@10", "pool=runs@10")
    ]


def test_texts_of_a_prompt_are_its_versions():
    changed = {"prompt.sha256": "b", "prompt.version": "2"}
    found = judges(run("1"), run("2", changed, prompt__file="prompts/new.txt"))
    assert [judge.version for judge in found] == ["", "@2"]
    found = judges(run("1"), run("2", changed))  # the file of its name was edited
    assert [judge.version for judge in found] == ["@1", "@2"]
    named = run("2", changed, prompt__file="new.txt", prompt__name="new")
    assert judges(run("1"), named)[1].version == " (new@2)"


def test_users_are_told_apart_within_a_setting():
    runs = [run("1"), run("2", assumption="gamma_05"), run("3", user_model__seed="7")]
    assert [each.users for each in Recordings(runs)] == [
        UserModel("dbn", apart="seed=–"),
        UserModel("dbn", "gamma_05"),
        UserModel("dbn", apart="seed=7"),
    ]
    assert UserModel("dbn", "gamma_05", "seed=7").title == "dbn, gamma_05 (seed=7)"
    follows = [run("1", user_model__from="1", bootstrap__seed="1"), run("2", user_model__from="2")]
    assert {each.users for each in Recordings(follows)} == {UserModel("dbn")}  # the setting says it already


def test_the_same_content_under_two_paths_is_one_unless_the_same_judge_met_both():
    ours, theirs = {"dataset__path": "/home/me/data"}, {"dataset__path": "data"}
    assert {each.setting.apart for each in Recordings([run("1", **ours), run("2", model="b", **theirs)])} == {""}
    met = Recordings([run("1", **ours), run("2", model="b", **theirs), run("3", **theirs)])
    assert [each.setting.apart for each in met] == ["path=me/data", "path=data", "path=data"]
