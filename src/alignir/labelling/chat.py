"""Chat templates: a prompt as the turns that a model was trained on."""

from collections.abc import Sequence
from typing import Any

WITHOUT_SYSTEM_ROLE = "the chat template has no system role; the system text stands before the user's"


def in_chat(tokenizer: Any, system: str, texts: Sequence[str], settings: dict) -> tuple[list[str], bool]:
    """(each text as the user's turn, with room for the answer; whether the system text, if any, has its own turn).

    Where the template of a Hugging Face tokenizer has no place for a system text, that stands before the user's.
    """
    has_role = not system or _has_system_role(tokenizer, settings)
    turns = [{"role": "system", "content": system}] if system and has_role else []
    before = "" if has_role else f"{system}\n\n"
    chats = [[*turns, {"role": "user", "content": before + text}] for text in texts]
    return tokenizer.apply_chat_template(chats, tokenize=False, add_generation_prompt=True, **settings), has_role


def _has_system_role(tokenizer: Any, settings: dict) -> bool:
    """Whether a chat template shows a system text: some refuse one, and some leave it out without a word."""
    from jinja2 import TemplateError

    text = "You judge relevance."
    chat = [{"role": "system", "content": text}, {"role": "user", "content": "Query"}]
    try:
        return text in tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, **settings)
    except TemplateError:
        return False
