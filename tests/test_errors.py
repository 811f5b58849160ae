"""Mistakes: what a message says, and that a notebook can catch it as the ValueError that it is."""

import pytest

from alignir.config import composed_cell
from alignir.errors import InputError, one_of
from alignir.experiment.inputs import read_inputs


def test_a_mistake_is_a_value_error():
    with pytest.raises(ValueError, match="missing=guess: expected one of drop, zero, fallback") as error:
        raise one_of("missing", "guess", ("drop", "zero", "fallback"))
    assert type(error.value) is InputError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["user_model.model.attraction=[0.1,2,0,0]"], "user_model=dbn: attraction: expected probabilities from 0 to 1"),
        (["user_model.metrics.zero_result=none"], "user_model=dbn: zero_result=none: expected one of no_relevant, "),
        (["user_model.depth=0"], "user_model=dbn: depth: expected a whole number from 1, found 0"),
        (["user_model=pbm", "user_model.depth=11"], "user_model=pbm: examination: expected values for 11 ranks, found"),
        (["prompt.form=free"], "prompt=zeshot: form=free: expected one of final_score, last_line"),
        (["prompt.file=none.txt"], "prompt=zeshot: no prompt file none.txt; looked for "),
        (["queries=random", "queries.n=0"], "queries=random: n=0: expected 1 to "),
        (["queries=stratified", "queries.n=5", "queries.strata=0"], "queries=stratified: strata=0: expected 1 to "),
        (["dataset=folder", "dataset.path=nowhere"], "dataset=folder: no folder for the dataset folder at "),
        (
            ["dataset=folder", "dataset.path=small", "systems.include=[good]", "systems.exclude=[g*]"],
            "systems=runs: include=['good'] exclude=['g*'] leave none of bad, good",
        ),
    ],
)
def test_a_mistake_names_the_choice_that_it_is_in_once(arguments, message, small, monkeypatch):
    monkeypatch.chdir(small.parent)
    with pytest.raises(InputError) as error:
        read_inputs(composed_cell(["model=lexical", *arguments]))
    assert str(error.value).startswith(message)
    choice = message.partition(":")[0]
    assert str(error.value).count(f"{choice}:") == 1


def test_a_judge_s_mistake_names_the_judge():
    with pytest.raises(InputError) as error:
        composed_cell(["model=replay", "model.labels=x", "model.duplicates=any"])
    assert str(error.value) == "model=replay: duplicates=any: expected one of error, first, last, mode, max"
