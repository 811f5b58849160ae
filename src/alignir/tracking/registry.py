"""Registry: prompts as MLflow keeps them: a version for each text, with what was found with it."""

import contextlib
import re
from collections.abc import Mapping

from alignir.labelling.prompts import Prompt
from alignir.tracking import stores

EXPERIMENTS = "_mlflow_experiment_ids"  # the tag that puts a prompt on the page of prompts of these experiments


def version_of(store: str, experiment_id: str, prompt: Prompt, file: str) -> str:
    """The version of the prompt's text; a text that the registry does not have yet becomes a new version.

    `file` is the name of the text's file, which a new version keeps.
    """
    client = stores.client(store)  # opened first: that takes the lock, too
    alias = f"sha-{prompt.sha256[:16]}"
    # alone: two processes at once would make two versions of one text, or lose an experiment's id
    with stores.quiet(), stores.alone(store):
        _list(client, experiment_id, prompt.name)
        with contextlib.suppress(Exception):  # MLflow raises for an alias that is not there
            return str(client.get_prompt_version_by_alias(prompt.name, alias).version)
        message, tags = f"{file}, read as {prompt.form}", {"sha256": prompt.sha256, "file": file}
        # not by register_prompt, which, a moment later, lists the prompt under the experiment Default, and no other
        made = client.create_prompt_version(prompt.name, _template(prompt), message, tags)
        client.set_prompt_alias(prompt.name, alias, made.version)
    return str(made.version)


def _list(client, experiment_id: str, name: str) -> None:
    """Put a prompt, made if it is not there, on the experiment's page of prompts."""
    known = client.get_prompt(name) or client.create_prompt(name)
    experiments = known.tags.get(EXPERIMENTS, "").strip(",").split(",")
    if experiment_id not in experiments:
        listed = ",".join(filter(None, [*experiments, experiment_id]))
        client.set_prompt_tag(name, EXPERIMENTS, f",{listed},")


def tell(store: str, name: str, version: str, of: str, found: Mapping[str, str]) -> None:
    """Say at a version of a prompt what was found with it: a tag each, such as `tau_b llama8b dl19`.

    `of` is whose and on what; the newest is kept.
    """
    client = stores.client(store)
    for what, value in found.items():
        key = re.sub(r"[^\w /.:-]", "_", f"{what} {of}")[:250]  # the letters that MLflow takes
        client.set_prompt_version_tag(name, version, key, value)


def _template(prompt: Prompt) -> str:
    """The text with its fields as MLflow writes them."""
    template = prompt.text
    for field in sorted(prompt.fields, key=len, reverse=True):  # $query_title before $query
        template = template.replace(f"${{{field}}}", f"{{{{{field}}}}}").replace(f"${field}", f"{{{{{field}}}}}")
    return template
