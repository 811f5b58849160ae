"""Keys: whether two cells are the same, by all that decides their numbers."""

import hashlib
import json
import os
from collections.abc import Iterator

from alignir.experiment.cells import Cell
from alignir.experiment.inputs import Inputs, prompt_of
from alignir.files import state_of
from alignir.labelling.prompts import Prompt

# Settings of a model that decide no answer: where it is asked, how patiently, and what is known of it.
NO_ANSWER = (
    "base_url",
    "key_env",
    "max_tokens_name",
    "concurrency",
    "timeout",
    "retries",
    "give_up_after",
    "parameters",
)


def key(cell: Cell, inputs: Inputs) -> str:
    """The same for two runs of the same cell: of the same settings, files, prompt, pairs, baseline labels and RUNS.

    Paths count in full, so that the working folder does not matter, and what was read counts by its content, so that a
    corrected file makes another cell. Where the answers are kept does not count, nor where a model is asked for them,
    nor a prompt that nobody reads.
    """
    names, settings, sha256 = _chosen(cell, inputs.prompt)
    return _short([names, _with_content(settings), sha256, *inputs.digests.values()])


def files_key(cell: Cell) -> str | None:
    """The same for two cells of equal settings and prompts, whose files are in the same state: known without reading.

    None where a cell may read what no setting names a file of: a collection by its id, or by a function of the user's.
    """
    files = state_of(cell.config["dataset"])
    if not files or not all(target.startswith("alignir.") for target in _targets(cell.config)):
        return None
    names, settings, sha256 = _chosen(cell, prompt_of(cell))
    return _short([names, settings, sha256, os.getcwd(), state_of(settings)])


def _chosen(cell: Cell, prompt: Prompt) -> tuple[dict[str, str], dict, str]:
    """(names by group, settings, the prompt's sha256) of what decides a cell's numbers."""
    names, reads = dict(cell.names), cell.llm is not None
    settings = {name: value for name, value in cell.config.items() if name not in ("ledger", "prompt")}
    model = settings.get("model") or {}
    settings["model"] = {name: value for name, value in model.items() if name not in NO_ANSWER}
    if reads:  # the same text in another file is the same prompt
        settings["prompt"] = {
            name: value for name, value in (cell.config.get("prompt") or {}).items() if name != "file"
        }
    else:
        del names["prompt"]
    return names, settings, prompt.sha256 if reads else ""


def _short(content: list) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _targets(setting) -> Iterator[str]:
    """The functions that a setting names, at any depth."""
    if isinstance(setting, dict):
        for name, value in setting.items():
            yield from [str(value)] if name == "_target_" else _targets(value)
    elif isinstance(setting, list):
        for value in setting:
            yield from _targets(value)


def contents(setting, name: str = "") -> dict[str, str]:
    """{setting: sha256} of the files that settings name, such as `model.labels`; of a list with files one for all."""
    if isinstance(setting, list):
        found = _with_content(setting, paths=False)
        return {name: hashlib.sha256(json.dumps(found).encode()).hexdigest()} if found != setting else {}
    if isinstance(setting, dict):  # the patterns of families are no names of settings
        named = {key: value for key, value in setting.items() if str(key).isidentifier()}
        found = (contents(value, f"{name}.{key}" if name else key) for key, value in named.items())
        return {each: sha256 for some in found for each, sha256 in some.items()}
    return {name: _sha256(setting)} if isinstance(setting, str) and os.path.isfile(setting) else {}


def _with_content(setting, name: str = "", paths: bool = True):
    """A setting as it is, but the path of a folder in full, and that of a file with the sha256 of its content.

    Without `paths` a folder is as it is, and a file its content alone.
    """
    if isinstance(setting, dict):
        return {key: _with_content(value, key, paths) for key, value in setting.items()}
    if isinstance(setting, list):
        return [_with_content(value, paths=paths) for value in setting]
    if isinstance(setting, str) and os.path.isfile(setting):
        return [os.path.realpath(setting), _sha256(setting)] if paths else _sha256(setting)
    if (
        paths
        and isinstance(setting, str)
        and os.path.isdir(setting)
        and (name == "path" or {"/", os.sep} & set(setting))
    ):
        return os.path.realpath(setting)
    return setting


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
