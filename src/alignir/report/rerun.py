"""Overrides: the arguments of `alignir` that compose a recorded cell again."""

import re
from collections.abc import Callable, Iterator

from alignir.errors import InputError
from alignir.frames import GROUPS

Compose = Callable[[list[str]], tuple[dict[str, str], dict]]  # arguments -> names by group, config


def overrides(names: dict[str, str], config: dict, compose: Compose) -> list[str]:
    """The choices of groups, then the settings, in which a recorded run differs from what comes without arguments.

    `names` are by group, `config` is the run's config.yaml. A prompt that a model does not read is in neither. An error
    where the arguments compose anything else, or nothing: a file of conf/ that the run was made with is not there any
    more, or another one.
    """
    if not config:
        raise InputError("the run recorded no config.yaml")

    def known(arguments: list[str]) -> tuple[dict[str, str], dict]:
        """What they compose, of what is in `names`."""
        choices, settings = compose(arguments)
        unknown = set(GROUPS) - set(names)
        return {group: choices[group] for group in names}, {k: v for k, v in settings.items() if k not in unknown}

    found = _choices(names, known)
    _, composed = known(found)
    found += _differing(composed, config)
    if not _same(known(found), (names, config)):
        raise InputError(f"{' '.join(found)}: composes other settings than the recorded ones")
    return found


def _choices(names: dict[str, str], compose: Compose) -> list[str]:
    found: list[str] = []
    for groups in (["dataset"], [group for group in names if group != "dataset"]):  # a dataset may choose its systems
        composed, _ = compose(found)
        found += [f"{group}={names[group]}" for group in groups if names[group] != composed[group]]
    return found


def _differing(composed: dict, recorded: dict, under: str = "") -> Iterator[str]:
    """Overrides that turn one config into another: `~` takes a setting away, `+` adds one."""
    for key in composed:
        if key not in recorded:
            yield f"~{under}{key}"
    for key, value in recorded.items():
        name = f"{under}{key}"
        if key not in composed:
            yield f"+{name}={written(value)}"
        elif _same(composed[key], value):
            continue
        elif _can_be_named(composed[key]) and _can_be_named(value):
            yield from _differing(composed[key], value, f"{name}.")
        elif isinstance(value, dict) or isinstance(composed[key], dict):  # `=` would add to what is there
            yield f"~{name}"
            yield f"+{name}={written(value)}"
        else:
            yield f"{name}={written(value)}"


def _can_be_named(node) -> bool:
    """Whether a node has settings that an override can name one by one: not where the keys are patterns or numbers."""
    return isinstance(node, dict) and all(isinstance(key, str) and re.fullmatch(r"[A-Za-z_]\w*", key) for key in node)


def _same(left, right) -> bool:
    """Equal, and of the same types throughout: 1 is not 1.0, nor true."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    return left == right


def written(value) -> str:
    """A value in the grammar of Hydra's overrides."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str) and not _is_plain(value):
        # \ is only special before a quote, and at the end; ${ would be filled in
        escaped = re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + found[2].replace("'", r"\'"), value)
        return "'" + escaped.replace("${", r"\${") + "'"
    return str(value)


def _is_plain(text: str) -> bool:
    """Whether a text needs no quotes: no other sign than those of names and paths, and not read as another type."""
    try:
        float(text)
    except ValueError:
        return bool(re.fullmatch(r"[\w/.@:%*?|+-]+", text, re.ASCII)) and text.lower() not in ("null", "true", "false")
    return False


def _key(key) -> str:
    """A key of a dict, which cannot be quoted."""
    return re.sub(r"([\\()\[\]{}:=, \t])", r"\\\1", key) if isinstance(key, str) else str(key)
