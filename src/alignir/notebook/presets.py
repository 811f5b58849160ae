"""Presets: what a file of conf/ describes, as an object, without Hydra: for models, prompts, systems and users."""

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from alignir.errors import InputError, one_of
from alignir.files import shipped

GROUPS = ("model", "prompt", "systems", "user_model")


def preset(group: str, name: str, /, **settings: Any) -> Any:
    """The object of conf/GROUP/NAME.yaml, of the working folder's conf/ first, with some settings changed.

    What `alignir GROUP=NAME GROUP.SETTING=VALUE` would make. A file that sets more than its own group's settings
    (`# @package`, overrides of other groups) needs Hydra.

    >>> preset("model", "lexical").shares
    [0.25, 0.5, 0.75]
    >>> preset("user_model", "dbn", depth=5).depth
    5
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        root: Any = OmegaConf.load(shipped("conf") / "config.yaml")
        whole: Any = OmegaConf.merge(root, {group: OmegaConf.merge(_composed(group, name), settings)})
        lacking = sorted(OmegaConf.missing_keys(whole[group]))
        if lacking:
            raise InputError(f"{group}={name}: {lacking[0]} has no value, and needs one")
        return _made(OmegaConf.to_container(whole[group], resolve=True))
    except OmegaConfBaseException as error:
        raise InputError(f"{group}={name}: {error}") from error


def _composed(group: str, name: str) -> Any:
    """The settings of a file, over those of the files of its group that its `defaults` list."""
    from omegaconf import OmegaConf

    content: Any = OmegaConf.load(_file(group, name))
    parts: list[Any] = []
    for default in content.pop("defaults", ["_self_"]):
        if isinstance(default, str) and "@" not in default:
            parts.append(content if default == "_self_" else _composed(group, default))
            continue
        # `bm25@first.bm25` and `override /systems: runs`: files in other places than their group's own
        raise InputError(f"{group}={name}: its defaults have {default}, which needs Hydra; use alignir.run")
    return OmegaConf.merge(*parts)


def _file(group: str, name: str) -> Path:
    folders = [Path("conf") / group, shipped("conf") / group]
    for folder in folders:
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise one_of(group, name, sorted({file.stem for folder in folders for file in folder.glob("*.yaml")}))


def _made(node: Any) -> Any:
    """The object that a node with `_target_` describes; lists and dicts of such; anything else as it is."""
    if isinstance(node, list):
        return [_made(item) for item in node]
    if not isinstance(node, dict):
        return node
    settings = {key: _made(value) for key, value in node.items() if key not in ("_target_", "_partial_")}
    if "_target_" not in node:
        return settings
    target = _located(node["_target_"])
    return partial(target, **settings) if node.get("_partial_") else target(**settings)


def _located(name: str) -> Any:
    """The class or function of a dotted name, the longest part of which is a module."""
    parts = name.split(".")
    found = import_module(parts[0])
    for place, part in enumerate(parts[1:], start=2):
        try:
            found = getattr(found, part)
        except AttributeError:
            found = import_module(".".join(parts[:place]))
    return found
