"""Defaults: a class without arguments is what conf/ composes: a notebook and the command mean the same users."""

import json
from dataclasses import asdict, fields, is_dataclass

import pytest
from conftest import ROOT

from alignir.config import composed_cell, composed_settings
from alignir.users.click_models import CCM, DBN, DCM, PBM, SDBN, UBM, Cascade
from alignir.users.imported import External
from alignir.users.metrics import Metrics
from alignir.users.observed import Log
from alignir.users.pairs import Pairs
from alignir.users.simulated import Simulated

MODELS = {"dbn": DBN, "sdbn": SDBN, "cascade": Cascade, "dcm": DCM, "ccm": CCM, "pbm": PBM, "ubm": UBM}
DEFAULTS = {
    **{name: Simulated(model(), name=name) for name, model in MODELS.items()},
    "log": Log("FILE"),
    "external": External("FILE"),
    "pairs": Pairs("FILE"),
}
PRESETS = ("informational", "navigational", "noisy", "perfect")  # DBNs with parameters of their own
CHOICES = sorted(path.stem for path in (ROOT / "conf" / "user_model").glob("*.yaml"))


def composed(choice: str):
    path = ["user_model.path=FILE"] if choice in ("log", "external", "pairs") else []
    model = ["user_model.model={_target_: alignir.DBN}"] if choice == "simulated" else []
    return composed_cell(["model=lexical", f"user_model={choice}", *path, *model]).user_model


def plain(users) -> dict:
    """All settings, lists and tuples alike."""
    return json.loads(json.dumps(asdict(users)), parse_int=float)


def test_every_choice_of_users_is_compared():
    assert {*DEFAULTS, *PRESETS, "simulated"} == set(CHOICES)


@pytest.mark.parametrize("choice", DEFAULTS)
def test_a_yaml_composes_what_its_class_is_without_arguments(choice):
    users = composed(choice)
    assert type(users) is type(DEFAULTS[choice])
    assert plain(users) == plain(DEFAULTS[choice])


def test_what_simulated_users_have_in_common_is_what_their_class_says():
    assert plain(composed("simulated")) == plain(Simulated())


@pytest.mark.parametrize("choice", PRESETS)
def test_a_preset_differs_from_the_default_users_in_what_it_names(choice):
    users, default = plain(composed(choice)), plain(Simulated())
    differing = {name for name, value in users.items() if value != default[name]}
    assert differing == {"name", "model"} | ({"metrics"} if choice == "perfect" else set())


@pytest.mark.parametrize("choice", CHOICES)
def test_every_setting_that_a_command_may_change_is_in_the_yaml(choice):
    """Hydra refuses a setting that no YAML has. The UBM's table by rank and last click is left to its class."""
    users, settings = composed(choice), composed_settings(["model=lexical", f"user_model={choice}"])[1]["user_model"]

    def lacking(thing, node, under: str):
        for field in fields(thing):
            value = getattr(thing, field.name)
            if field.name not in node:
                yield f"{under}{field.name}"
            elif is_dataclass(value) and node[field.name] != "???":
                yield from lacking(value, node[field.name], f"{under}{field.name}.")

    assert list(lacking(users, settings, "")) == (["model.examination"] if choice == "ubm" else [])


def test_today_s_numbers_stay():
    assert DBN() == DBN((0.1, 0.125, 0.375, 0.875), (0, 0.125, 0.375, 0.875), 0.9)
    assert PBM().examination == (1, 0.5, 0.3333, 0.25, 0.2, 0.1667, 0.1429, 0.125, 0.1111, 0.1)
    assert UBM().examination[-1] == (0.2442, 0.2713, 0.3014, 0.3349, 0.3722, 0.4135, 0.4595, 0.5105, 0.5672, 0.6302)
    assert [len(row) for row in UBM().examination] == list(range(1, 11))
    assert Metrics() == Metrics(None, "no_relevant", "satisfied", 30, "click")


def test_every_assumption_changes_what_the_default_users_have():
    users = composed("dbn")
    names = [path.stem for path in (ROOT / "conf" / "assumption").glob("*.yaml") if path.stem != "as_is"]
    for name in names:
        other = composed_cell(["model=lexical", "user_model=dbn", f"assumption={name}"]).user_model
        assert plain(other) != plain(users), name
        assert plain(other)["name"] == "dbn"
    assert len(names) == 19


@pytest.mark.parametrize("choice", ["pbm", "ccm"])
@pytest.mark.parametrize("assumption", ["floor_0", "relevant_1"])
def test_an_assumption_goes_with_other_users_too(choice, assumption):
    users = composed_cell(["model=lexical", f"user_model={choice}", f"assumption={assumption}"]).user_model
    assert plain(users) != plain(DEFAULTS[choice])
