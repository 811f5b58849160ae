"""Overrides: a mistyped setting is one line that says what was meant, and how to quote what Hydra cannot read."""

import shlex

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import given
from hypothesis import strategies as st

from alignir import overrides
from alignir.config import CONF, composed_cell
from alignir.errors import InputError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["modl=lexical"], "Could not override 'modl': there is no such setting; did you mean model=?"),
        (["+modl=lexical"], "Could not override 'modl': there is no such setting; did you mean model=?"),
        (["+plann=true"], "Could not override 'plann': there is no such setting; did you mean plan=?"),
        (["+zzz=1"], "Could not override 'zzz': there is no such setting; there are assumption, bootstrap, dataset, "),
        (["++bootstrap.X=1"], "Could not override 'bootstrap.X': there is no such setting; there are bootstrap.B, "),
        (["model=lexicl"], "Could not find 'model/lexicl'; did you mean model=lexical? There are endpoint, "),
        (["model=zzz"], "Could not find 'model/zzz'; there are endpoint, "),
        (["model.nme=x"], "Could not override 'model.nme': there is no such setting; did you mean model.name=?"),
        (
            ["model.sampling.sed=1"],
            "did you mean model.sampling.seed=? A new one is added with +model.sampling.sed=...",
        ),
        (["model=lexical", "+model.foo=3"], "model=lexical: Lexical.__init__() got an unexpected keyword argument"),
        (
            ["dataset=folder"],
            "dataset.path has no value: set dataset.path=FOLDER, one that has queries.tsv, passages.jsonl or .tsv, "
            "qrels.txt and, for systems=runs, runs/*.run",
        ),
        (["model=replay"], "model.labels has no value: set model.labels=..."),
        (["dataset.path=[x"], "dataset.path=[x: cannot be read: no viable alternative at input '[x'"),
        (
            ["dataset.path=日本"],
            """dataset.path: a value with 日 本 needs quotes, inside those of the shell: 'dataset.""",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_one_line(settings, message):
    with pytest.raises(InputError) as error:
        composed_cell(settings)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert "use +" not in str(error.value)


@pytest.mark.parametrize(
    "setting", ["+plan=true", "++families={my*: llama}", "+model.shares=[0.1,0.2,0.3]", "+hydra.x=1"]
)
def test_a_setting_that_is_read_may_be_added(setting):
    overrides.check_added([setting, "model=lexical", "-m", "--cfg", "job"])


PATHS = [
    "a=b",
    "my (folder)",
    "日本",
    "x(1)",
    "runs & qrels",
    'say "this"=',
    "a{b}",
    r"back\x=sl",
    "end=\\",
    "it's=",
    "~x",
]


@pytest.mark.parametrize("path", PATHS)
def test_the_quotes_that_a_message_shows_work(path):
    with pytest.raises(InputError, match="needs quotes, inside those of the shell") as error:
        composed_cell(["dataset=folder", f"dataset.path={path}"])
    (typed,) = shlex.split(str(error.value).split("the shell: ")[1])
    with initialize_config_dir(str(CONF), version_base="1.3"):
        assert compose("config", ["dataset=folder", typed]).dataset.path == path


@given(st.text(max_size=8), st.text(max_size=8))
def test_no_override_is_too_odd_for_a_message(key, value):
    assert isinstance(overrides.unreadable(f"{key}={value}", "why"), InputError)
    overrides.check_added([key])
