"""What is wrong where an endpoint gives no answer: is the pair blocked, or too long, or what is not taken?"""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LETTERS = 300  # of a server's words that are shown
LETTERS_A_TOKEN = 5  # at most, about

# A pair that the server will not judge, by what providers call it; it is the pair's own, not an account's.
_BLOCKED = re.compile(
    r"content[ _-]?(?:filter|policy|management|moderation|risk|exists risk)|responsible_?ai|data[ _]?inspection"
    r"|invalid_prompt|prohibited_content|moderation|guardrail|usage polic|safety (?:system|filter|setting|polic)"
    r"|\b(?:prompt|input|request|message|content)s? (?:was|were|has been|is) (?:flagged|blocked)",
    re.IGNORECASE,
)
_OF_AN_ACCOUNT = re.compile(
    r"\b(?:account|organi[sz]ation|api key|billing|subscription|region|country)\b", re.IGNORECASE
)
_TOO_LONG = re.compile(
    r"context_length|(?:context|prompt|input|model)[ _]?(?:length|window|size)|max_model_len|maximum input length"
    r"|(?:prompt|input|request|message)s? (?:is|are) too (?:long|large)|too (?:long for|many (?:input )?tokens)"
    r"|token count\b.{0,30}exceeds|reduce the length|entity too large",
    re.IGNORECASE,
)
# Of answers that may be too long, not of prompts.
_TOO_MUCH_ASKED = re.compile(r"fewer output tokens|max_(?:completion_)?tokens=\d+ cannot be greater", re.IGNORECASE)
_NOT_COUNTED = re.compile(r"\bat least [0-9]|[0-9] characters\b", re.IGNORECASE)  # vLLM stops counting at its context
_MAY_BE_BLOCKED, _MAY_BE_TOO_LONG = (200, 400, 403, 422, 451), (200, 400, 413, 422)
_NOT_TAKEN = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not (?:permitted|allowed)|extra.?(?:forbidden|input"
    r"|field)|only the default|deprecated|cannot find field|not a valid (?:field|parameter|argument)",
    re.IGNORECASE,
)
_CONTEXT = re.compile(
    r"(?:context|model|maximum|limit|allowed|max)\b[^.;:\d]{0,60}?([0-9][0-9,]*)|> ?([0-9][0-9,]*)", re.IGNORECASE
)


@dataclass(frozen=True)
class Problem:
    """What came in place of an answer."""

    words: str  # the server's, in a line
    status: int | None = None  # of HTTP, or as the error inside a 200 says; None: nothing came
    known: bool = True  # the words are an error's, not a page's or of no known form

    @property
    def blocked(self) -> bool:
        """The pair is not judged, and would not be next time."""
        said = self.known and self.status in _MAY_BE_BLOCKED and _BLOCKED.search(self.words)
        return bool(said) and not _OF_AN_ACCOUNT.search(self.words)

    @property
    def too_long(self) -> bool:
        """The prompt does not fit the model's context."""
        said = self.known and self.status in _MAY_BE_TOO_LONG and _TOO_LONG.search(self.words)
        return self.status == 413 or bool(said and not _TOO_MUCH_ASKED.search(self.words))

    def not_taken(self, sent: Iterable[str]) -> str | None:
        """Which of the fields that were sent the server does not know, or not with this value; None: another problem.

        >>> Problem("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", 400).not_taken(
        ...     ["seed", "max_tokens"]
        ... )
        'max_tokens'
        """
        if self.status not in (200, 400, 422) or not _NOT_TAKEN.search(self.words):
            return None
        places = {name: re.search(rf"(?<!\w){re.escape(name)}(?!\w)", self.words) for name in sent}
        named = [(place.start(), name) for name, place in places.items() if place]
        return min(named)[1] if named else None

    def __str__(self) -> str:
        """Without a full stop: messages go on after it."""
        words = self.words.rstrip(".") if len(self.words) <= LETTERS else f"{self.words[:LETTERS]}…"
        return f"{self.status} {words}" if self.status not in (None, 200) else words


def shortened(passage: str, prompt_letters: int, words: str, answer_tokens: int) -> str:
    """The passage without so much of its end that the prompt should fit, by the server's own count.

    `prompt_letters` is the length of the prompt with the passage. Where the server has not counted to the end, a
    quarter goes, and all that no tokenizer would fit in; where it says no number at all, half.

    >>> words = "maximum context length is 100 tokens, you requested 120 tokens"
    >>> len(shortened("x" * 400, 480, words, 10))
    312
    """
    context, used = counted(words, answer_tokens)
    if not context:
        return passage[: len(passage) // 2]
    if used > context and not _NOT_COUNTED.search(words):  # a tenth more, since letters are not tokens
        keep = len(passage) - math.ceil(1.1 * (used - context) * prompt_letters / used)
    else:
        keep = min(len(passage) * 3 // 4, LETTERS_A_TOKEN * context - (prompt_letters - len(passage)))
    return passage[: max(0, keep)]


def counted(words: str, answer_tokens: int) -> tuple[int, int]:
    """(the context's size, prompt and answer together) in tokens, by the words for a prompt too long; 0: unknown.

    >>> counted("maximum context length is 1024 tokens and your request has 1020 input tokens", 10)
    (1024, 1030)
    """
    match = _CONTEXT.search(words)
    context = _number(match[1] or match[2]) if match else 0
    prompt = re.search(r"([0-9][0-9,]*) (?:input|prompt) tokens", words)
    numbers = [_number(text) for text in re.findall(r"[0-9][0-9,]*", words)]
    return context, max([*numbers, _number(prompt[1]) + answer_tokens if prompt else 0, 0])


def _number(text: str) -> int:
    return int(text.replace(",", "") or 0)


def page(body: str) -> str:
    """What a reply that is no JSON says."""
    if not body.strip():
        return "an empty reply"
    title = re.search(r"<title[^>]*>(.*?)</title>", body, re.IGNORECASE | re.DOTALL)
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", body, flags=re.IGNORECASE | re.DOTALL)
    kind = "an HTML page" if re.search(r"<(?:!doctype|html|head|body|title)\b", body, re.IGNORECASE) else "no JSON"
    return f"{kind}: {_line(title[1] if title else text)}"


def words_of(error: Any) -> str:
    """What an error's object says, in a line: messages, then codes, and nothing that it quotes of the prompt."""
    said: list[str] = []
    codes: list[str] = []
    _collect(error, said, codes)
    codes = [code for code in dict.fromkeys(codes) if not any(code in text for text in said)]
    text = "; ".join(dict.fromkeys(said)) or ("" if codes else f"no answer in the reply: {json.dumps(error)}")
    return _line(f"{text} ({', '.join(codes)})" if codes else text)


def _collect(node: Any, said: list[str], codes: list[str]) -> None:
    if isinstance(node, str) and node.strip():
        said.append(node)
    elif isinstance(node, list):
        for each in node:
            _collect(each, said, codes)
    elif isinstance(node, dict):
        for name in ("error", "errors", "message", "msg", "detail", "innererror", "metadata", "reasons", "raw"):
            _collect(node.get(name), said, codes)
        if isinstance(node.get("loc"), list):
            codes.append(".".join(map(str, node["loc"])))
        codes += [node[name] for name in ("param", "code", "type", "status") if isinstance(node.get(name), str)]


def _line(text: str) -> str:
    """In one line, without what could move a terminal's cursor."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())[:2000]
