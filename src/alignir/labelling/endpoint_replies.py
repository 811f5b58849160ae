"""What endpoints send: the answer in a reply, or what is wrong with it, in whatever shape it comes. Nothing raises."""

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from alignir.labelling.answers import failed, read
from alignir.labelling.endpoint_problems import Problem, page, words_of


class Token(NamedTuple):
    """A token of an answer and what could have stood in its place: the likeliest, it among them, by their text."""

    text: str
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Reply:
    """An answer as it came. Thoughts that came beside it stand before it, as <think>...</think>."""

    response: str
    finish_reason: str
    prompt_tokens: int = 0
    output_tokens: int = 0
    tokens: tuple[Token, ...] = ()  # of the answer, where the server gives their probabilities


def read_reply(body: str, status: int = 200) -> Reply | Problem:
    """What stands in the body of a reply with this status of HTTP.

    >>> read_reply('{"choices": [{"message": {"content": "2"}, "finish_reason": "stop"}]}')
    Reply(response='2', finish_reason='stop', prompt_tokens=0, output_tokens=0, tokens=())
    >>> read_reply("<title>Sign in</title>", 502)
    Problem(words='an HTML page: Sign in', status=502, known=False)
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return Problem(page(body), status, known=False)
    data = _first(data)
    choice = _first(data.get("choices"))
    error = data.get("error") or choice.get("error")
    if status >= 400 or error or not choice:
        code = _first(error).get("code")
        inside = code if status == 200 and isinstance(code, int) and 400 <= code < 600 else status
        return Problem(words_of({"error": error} if error else data), inside)
    return _answer(data, choice)


def _answer(data: dict, choice: dict) -> Reply | Problem:
    message = _first(choice.get("message")) or {"content": choice.get("text")}
    said, thought, refusal = _parts(message.get("content"))
    for name in ("reasoning_content", "reasoning"):
        thought = thought or _text(message.get(name))
    refusal = refusal or _text(message.get("refusal"))
    reason = choice.get("finish_reason")
    reason = reason[:60] if isinstance(reason, str) else ""
    if refusal and not said.strip():
        said, reason = refusal, "refusal"
    if failed(reason):
        return Problem(f"the answer ended with {reason}", 200)
    if not (reason or said or "message" in choice):
        return Problem("a choice without a message", 200)
    usage = _first(data.get("usage"))
    return Reply(
        (f"<think>{thought}</think>" if thought else "") + said,
        reason or "stop",
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        tuple(_tokens(_first(choice.get("logprobs")).get("content"))),
    )


def _parts(content: Any) -> tuple[str, str, str]:
    """(said, thought, refusal) of a message's content: a text, or a list of parts, each a text or with a type."""
    said, thought, refusal = "", "", ""
    for part in content if isinstance(content, list) else [content]:
        kind = str(part.get("type", "")).lower() if isinstance(part, dict) else ""
        if any(word in kind for word in ("think", "reason", "thought")) or (
            isinstance(part, dict) and part.get("thought")
        ):
            thought += _text(part)
        elif kind == "refusal":
            refusal += _text(part)
        else:
            said += _text(part)
    return said, thought, refusal


def _text(node: Any) -> str:
    """The text of a part, wherever it lies in it: in the field of its type, in a list of parts."""
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return "".join(map(_text, node))
    if isinstance(node, dict):
        names = ("text", "content", "thinking", "reasoning", "summary", "refusal")
        return next((text for text in map(_text, map(node.get, names)) if text), "")
    return ""


def _first(node: Any) -> dict:
    """The object, or the first of a list of them; empty where it is neither."""
    if isinstance(node, list):
        node = node[0] if node else None
    return node if isinstance(node, dict) else {}


def _count(number: Any) -> int:
    """A number of tokens, rounded where it has a fraction; 0 where it is none."""
    try:
        number = float(number)
    except (TypeError, ValueError, OverflowError):
        return 0
    return 0 if math.isnan(number) else round(min(max(number, 0.0), 2.0**31 - 1))


def _tokens(content: Any) -> Iterable[Token]:
    for token in content if isinstance(content, list) else ():
        if isinstance(token, dict):
            others = token.get("top_logprobs")
            places = [token, *(others if isinstance(others, list) else ())]
            likely = {_text(place.get("token")): _probability(place) for place in places if isinstance(place, dict)}
            yield Token(_text(token.get("token")), likely)


def _probability(place: dict) -> float:
    try:
        return math.exp(min(float(place.get("logprob", -math.inf)), 0.0))
    except (TypeError, ValueError):
        return 0.0


def label_probabilities(tokens: Sequence[Token], form: str, grades: Sequence[int]) -> tuple[float, ...] | None:
    """P(label) for each grade, at the token that made the answer a label; None where it is none.

    Tokens that differ in blanks and signs only are one grade; one that is not among the likeliest has probability 0.

    >>> label_probabilities([Token("Category", {}), Token(": ", {}), Token("2", {"2": 0.5, " 2": 0.25, "3": 0.125})],
    ...     "last_line", (0, 1, 2, 3))
    (0.0, 0.0, 0.75, 0.125)
    """
    label, _ = read("".join(token.text for token in tokens), form, grades=grades)
    if label is None:
        return None
    for place in range(len(tokens) - 1, -1, -1):
        if _bare(tokens[place].text) != str(label):
            continue
        before = "".join(token.text for token in tokens[:place])
        if read(before + tokens[place].text, form, grades=grades)[0] == label != read(before, form, grades=grades)[0]:
            found = dict.fromkeys(map(str, grades), 0.0)
            for text, probability in tokens[place].probabilities.items():
                if _bare(text) in found:
                    found[_bare(text)] += probability
            return tuple(found.values())
    return None


def _bare(token: str) -> str:
    return re.sub("[\\W_]+|^\u0120", "", token)
