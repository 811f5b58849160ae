"""Shapes: what identifies a number of a recorded run: whose labels, compared on what, and whose users.

Each is a key and has what a title is made of; `apart` is empty but where another of the same names was recorded.
"""

from collections.abc import Mapping
from typing import NamedTuple

AS_IS = "as_is"  # the assumption that changes nothing
# Choices that are a kind of model or dataset: which one it is, `name` says. A name that only repeats one is not given.
KINDS = {
    "model": ("replay", "jury", "lexical", "scripted", "endpoint"),
    "dataset": ("folder", "files", "beir", "requests", "demo", "trec_dl_2019", "rank_distillm"),
}


class Judge(NamedTuple):
    """A model with a prompt; or what stands in a judge's place: the baseline, the ceiling or a floor of `frames`."""

    model: str
    prompt: str = ""  # empty: it reads none
    version: str = ""  # of the prompt's text, where others went by its name, as "@2"
    of_model: str = ""  # what else distinguishes it from judges of the same names, to stand behind that of the model
    of_prompt: str = ""  # and behind that of the prompt


class Setting(NamedTuple):
    """What systems were compared on."""

    dataset: str
    systems: str
    queries: str
    n_systems: int
    n_queries: int
    apart: str = ""


class Labelled(NamedTuple):
    """What judges gave labels to: the systems make no difference to labels."""

    dataset: str
    n_pairs: int
    apart: str = ""


class UserModel(NamedTuple):
    """Whose behaviour the online metrics are, under which assumption; without a name where nobody's is."""

    name: str = ""
    assumption: str = AS_IS
    apart: str = ""

    @property
    def title(self) -> str:
        assumed = "" if self.assumption == AS_IS else f", {self.assumption}"
        return self.name + assumed + (f" ({self.apart})" if self.apart else "")


NOBODY = UserModel()  # where the reference is the baseline labels


class Column(NamedTuple):
    """A column of Table 2."""

    users: UserModel
    metric: str


class Apart(NamedTuple):
    """What tells a run from others of the same names, as a text for each place where a name stands."""

    version: str = ""
    of_model: str = ""
    of_prompt: str = ""
    of_setting: str = ""
    of_labelled: str = ""
    of_users: str = ""
    dataset: str = ""  # what its dataset is called, where others called the same one otherwise


def name_of(group: str, choice: str, settings: Mapping[str, object], reads_prompt: bool = True) -> str:
    """What the choice of a group is called: the `name` among its settings where a person gave one, else the choice.

    A dataset's name is one, and a model's where the choice only says the kind: an LLM's `name` is that of its weights,
    and its choice says who it is.
    """
    given = str(settings.get("name") or "")
    if not given or given in KINDS.get(group, ()):
        return choice
    named = group == "dataset" or (group == "model" and (not reads_prompt or choice in KINDS["model"]))
    return given if named else choice
