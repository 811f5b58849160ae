"""Chat templates: a prompt as the turns that a model was trained on, and a thought that the template opens itself."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from alignir.errors import InputError
from alignir.labelling.answers import said_aloud

WITHOUT_SYSTEM_ROLE = "the chat template has no system role; the system text stands before the user's"


class InChat(NamedTuple):
    """What a chat template makes of some texts."""

    texts: list[str]  # each as the user's turn, with room for the answer
    opened: list[str]  # the thought that each leaves open, by its mark; "" where there is none
    has_system_role: bool  # whether the system text, if any, has its own turn


def in_chat(tokenizer: Any, system: str, texts: Sequence[str], settings: dict) -> InChat:
    """Each text as the user's turn.

    Where the template of a Hugging Face tokenizer has no place for a system text, that stands before the user's.
    """
    from jinja2 import TemplateError

    has_role = not system or _has_system_role(tokenizer, settings)
    turns = [{"role": "system", "content": system}] if system and has_role else []
    before = "" if has_role else f"{system}\n\n"
    chats = [[*turns, {"role": "user", "content": before + text}] for text in texts]
    try:
        rendered = _rendered(tokenizer, chats, settings)
    except TemplateError as error:
        raise _refused(settings, error) from error
    added = _added(tokenizer, chats, rendered, settings)
    return InChat(rendered, [left_open(text) for text in added], has_role)


@lru_cache(maxsize=256)  # a template has one or two
def left_open(generation_prompt: str) -> str:
    """From the mark of the thought on that a generation prompt opens and does not close; "" where it opens none.

    The answer goes on from there: without the mark, a thought that never ends would be read as an answer.

    >>> left_open("<|im_start|>assistant\\n<think>\\n")
    '<think>\\n'
    >>> left_open("<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n")
    ''
    """
    marks = [mark.start() for mark in re.finditer(r"[<\[◁]", generation_prompt)]
    return next((generation_prompt[at:] for at in reversed(marks) if said_aloud(generation_prompt[at:]) is None), "")


def _added(tokenizer: Any, chats: list[list[dict]], rendered: list[str], settings: dict) -> list[str]:
    """What the template itself puts behind each chat, so that the model answers: no text of a user is part of it."""
    from jinja2 import TemplateError

    try:
        without = _rendered(tokenizer, chats, settings, add_generation_prompt=False)
    except TemplateError:  # it knows no chat that ends with a user
        without = rendered
    always = ""  # where a template makes room for an answer in any case: what follows a turn with a text of ours
    if any(text == bare or not text.startswith(bare) for text, bare in zip(rendered, without, strict=True)):
        said = "A text of a user."
        (text,) = _rendered(tokenizer, [[*chats[0][:-1], {"role": "user", "content": said}]], settings)
        always = text.rpartition(said)[2]
    return [
        text[len(bare) :] if text != bare and text.startswith(bare) else always
        for text, bare in zip(rendered, without, strict=True)
    ]


def _has_system_role(tokenizer: Any, settings: dict) -> bool:
    """Whether a chat template shows a system text: some refuse one, and some leave it out without a word."""
    from jinja2 import TemplateError

    text = "You judge relevance."
    chat = [{"role": "system", "content": text}, {"role": "user", "content": "Query"}]
    try:
        return text in _rendered(tokenizer, [chat], settings)[0]
    except TemplateError:
        return False


def _rendered(tokenizer: Any, chats: list[list[dict]], settings: dict, add_generation_prompt: bool = True) -> list[str]:
    try:
        return tokenizer.apply_chat_template(
            chats, tokenize=False, add_generation_prompt=add_generation_prompt, **settings
        )
    except (TypeError, ValueError) as error:  # of settings that have another meaning, such as tokenize
        raise _refused(settings, error) from error


def _refused(settings: dict, error: Exception) -> InputError:
    return InputError(f"the model's chat template refuses the prompt (model.chat={settings}): {error}")
