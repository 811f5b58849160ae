"""Overrides: what is wrong with a setting as it was typed, and how to type it: NAME=VALUE, +NAME=VALUE."""

import re
import shlex
from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import yaml

from alignir.errors import InputError
from alignir.files import shipped

PLAIN = re.compile(r"[\w\s/\\.:+@%$*?|,-]", re.ASCII)  # letters that a value may have without quotes

CLOSED = ("bootstrap", "floor", "rejudge", "tracking")  # beside the groups: what nothing can be added to


def first_words() -> set[str]:
    """What a setting's name may begin with: those of config.yaml, the groups of conf/, and the working folder's own."""
    groups = {folder.name for conf in (shipped("conf"), Path("conf")) for folder in conf.glob("*/")}
    return {*_main_settings(), *groups, "plan"} - {"defaults"}


def name_of(argument: str) -> str:
    """The setting that NAME=VALUE, +NAME=VALUE or ~NAME is about.

    >>> name_of("++model.engine.seed=1"), name_of("~families")
    ('model.engine.seed', 'families')
    """
    return argument.lstrip("+~").partition("=")[0]


def check_added(arguments: Collection[str]) -> None:
    """InputError for a setting that is added (+NAME=VALUE) where nothing reads it: a mistyped name, mostly."""
    for argument in arguments:
        if not (added := re.match(r"\++([\w.]+)[\w.@/]*=", argument)):
            continue
        first, _, rest = added[1].partition(".")
        if first not in first_words():
            raise no_setting(first, first_words())
        if first in CLOSED and rest and rest not in _main_settings()[first]:
            raise no_setting(f"{first}.{rest}", _main_settings()[first])


@lru_cache(maxsize=1)
def _main_settings() -> dict:
    """config.yaml: the working folder's own, else the shipped one."""
    own = Path("conf/config.yaml")
    return yaml.safe_load((own if own.is_file() else shipped("conf") / "config.yaml").read_text(encoding="utf-8"))


def no_setting(key: str, there: Collection[str]) -> InputError:
    """The error for a setting that there is not, beside those of the same level that there are.

    >>> no_setting("modl", ["model", "prompt"])
    InputError("Could not override 'modl': there is no such setting; did you mean model=?")
    """
    above, dot, name = key.rpartition(".")
    close = get_close_matches(name, there, n=1)
    if close:
        hint = f"did you mean {above}{dot}{close[0]}=?"
    else:
        hint = f"there are {', '.join(f'{above}{dot}{each}' for each in sorted(there))}"
    if above.count("."):
        hint += f" A new one is added with +{key}=..."  # a dict such as model.engine takes any name
    return InputError(f"Could not override '{key}': there is no such setting; {hint}")


def no_choice(file: str, there: Collection[str]) -> InputError:
    """The error for a choice that its group does not have, by its file in conf/.

    >>> no_choice("model/lexicl", ["lexical", "replay"])
    InputError("Could not find 'model/lexicl'; did you mean model=lexical? There are lexical, replay")
    """
    group, _, name = file.rpartition("/")
    close = get_close_matches(name, there, n=1)
    hint = f"did you mean {group}={close[0]}? There" if close else "there"
    return InputError(f"Could not find '{file}'; {hint} are {', '.join(sorted(there))}")


def unreadable(override: str, reason: str) -> InputError:
    """The error for NAME=VALUE that Hydra cannot read: how to quote the value, where that would help.

    >>> str(unreadable("dataset.path=a=b", "mismatched input"))
    'dataset.path: a value with = needs quotes, inside those of the shell: \\'dataset.path="a=b"\\''
    """
    key, _, value = override.partition("=")
    special = sorted(set(PLAIN.sub("", value)))
    if not special or value.lstrip().startswith(("[", "{", '"', "'")) or not re.fullmatch(r"[\w@./+~]+", key):
        return InputError(f"{override}: cannot be read: {reason}")
    escaped = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + found[2].replace('"', '\\"'), value.strip())
    typed = shlex.quote(f'{key}="{escaped}"')
    return InputError(f"{key}: a value with {' '.join(special)} needs quotes, inside those of the shell: {typed}")
