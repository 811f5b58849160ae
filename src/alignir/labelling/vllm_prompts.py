"""What vLLM is asked: a pair as the tokens of a prompt, cut where it is too long."""

import logging
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from alignir.errors import InputError
from alignir.labelling.chat import WITHOUT_SYSTEM_ROLE, in_chat
from alignir.labelling.harmony import Harmony
from alignir.labelling.prompts import Prompt

log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A pair, ready to be asked about."""

    tokens: list[int]
    opened: str = ""  # the thought that the chat template leaves open, by its mark
    cut: bool = False  # the passage lost its end


class Tokens:
    """Makes tokens of pairs, by the tokenizer of a loaded model."""

    def __init__(self, tokenizer: Any, max_model_len: int, harmony: Harmony | None = None):
        self.tokenizer, self.max_model_len, self.harmony = tokenizer, max_model_len, harmony
        special = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
        self.special = re.compile("|".join(map(re.escape, special))) if special else None
        self.told: set[str] = set()  # the prompts whose system text was said to stand before the user's

    def fit(
        self, name: str, chat: dict, prompt: Prompt, pairs: Sequence[tuple[str, ...]], max_tokens: int
    ) -> list[Asked]:
        """Each pair, by its texts, for the model of this name: passages too long for the context lose their end."""
        room = self.max_model_len - max_tokens
        safe = [tuple(map(self._plain, texts)) for texts in pairs]
        fitted = []
        for texts, asked in zip(safe, self.of(name, chat, prompt, safe), strict=True):
            kept = None
            while len(asked.tokens) > room:
                if kept is None:
                    kept = self._encode(texts[prompt.longest])
                if not kept:
                    raise InputError(
                        f"the prompt {prompt.name} needs {len(asked.tokens)} tokens without the passage, but {name} "
                        f"has room for {room} (max_model_len {self.max_model_len} less {max_tokens} for the answer)"
                    )
                kept = kept[: max(0, len(kept) - (len(asked.tokens) - room))]
                shorter = prompt.shortened(texts, self.tokenizer.decode(kept))
                (asked,) = self.of(name, chat, prompt, [shorter])
            fitted.append(asked._replace(cut=kept is not None))
        return fitted

    def of(self, name: str, chat: dict, prompt: Prompt, pairs: Sequence[tuple[str, ...]]) -> list[Asked]:
        """Each pair as it is, however long."""
        texts = [prompt.render(*pair) for pair in pairs]
        if not texts:
            return []
        lead = self.label_tokens(prompt)[0] if prompt.decoding == "logits" else ""
        if self.harmony:
            return [Asked(self.harmony.tokens(prompt.system, text)) for text in texts]
        if self.tokenizer.chat_template is None:  # a base model: the prompt as it is
            plain = [f"{prompt.system}\n\n{text}".strip() + lead for text in texts]
            return [Asked(tokens) for tokens in self.tokenizer(plain)["input_ids"]]
        chats = in_chat(self.tokenizer, prompt.system, texts, chat)
        if not chats.has_system_role and prompt.name not in self.told:
            log.warning("%s: %s (prompt %s)", name, WITHOUT_SYSTEM_ROLE, prompt.name)
            self.told.add(prompt.name)
        encoded = self.tokenizer([text + lead for text in chats.texts], add_special_tokens=False)["input_ids"]
        return [Asked(tokens, opened) for tokens, opened in zip(encoded, chats.opened, strict=True)]

    def label_tokens(self, prompt: Prompt) -> tuple[str, list[int]]:
        """(lead, label tokens): what stands before the label, and the single token that each label is after it.

        Some tokenizers keep a digit apart from the space before it, others have a token for both.
        """
        for lead in (prompt.lead, prompt.lead.rstrip()):
            before = self._encode(lead)
            tokens = [self._encode(f"{prompt.lead}{grade}") for grade in prompt.scale.grades]
            if all(found[:-1] == before for found in tokens):
                return lead, [found[-1] for found in tokens]
        raise InputError(
            f"prompt.decoding=logits: the grades {prompt.scale.text} are no single tokens after {prompt.lead!r} for "
            "this model's tokenizer; use free or constrained"
        )

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def _plain(self, text: str) -> str:
        """The text with the model's control tokens broken up, so that a passage cannot end the user's turn."""
        return self.special.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text) if self.special else text
