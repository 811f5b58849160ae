"""Reading answers: the label in a response, or a status that says why there is none. Never a guess."""

import re

from alignir.errors import one_of
from alignir.frames import GRADES

FORMS = ("final_score", "last_line")

# What reasoning models wrap their thoughts in; a closing tag may come alone, where the prompt ended with the opening.
_THOUGHT_ENDS = re.compile(r"</\s*(?:think|thinking|thought|reasoning)\s*>", re.IGNORECASE)
_THOUGHT_STARTS = re.compile(r"<\s*(?:think|thinking|thought|reasoning)\s*>", re.IGNORECASE)

# gpt-oss's harmony form, with its marks, and as text looks once the special tokens are gone.
_CHANNEL = "<|channel|>"
_FINAL_CHANNEL = re.compile(
    r"<\|channel\|>\s*final\b[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>(.*?)(?=<\|(?:end|return|start|channel|call)\|>|\Z)",
    re.DOTALL,
)
_BARE_ANALYSIS = re.compile(r"\Aanalysis(?=[A-Za-z\"'])")
_BARE_FINAL = "assistantfinal"

_FINAL_SCORE = re.compile(
    r"##[^\S\n*`]*[*`]*[^\S\n]*final[^\S\n]*score[^\S\n*]*\**[^\S\n]*:[^\S\n]*[*_`]*[^\S\n]*"
    r"(?P<value>[+\-−]?[0-9]\S*(?:[^\S\n]*(?:/|-|–|\bor\b|\bto\b|\band\b)[^\S\n]*[0-9]\S*)?)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[+\-−]?[0-9](?:[0-9.,/\-–\s]*[0-9])?")
_FENCE = re.compile(r"\s*(?:```|~~~)\w*\s*")

# The lenient reader's patterns, the likelier first.
_LIKELY = [
    re.compile(r"(?:final|overall)\s*score\W*([0-3])\b", re.IGNORECASE),
    re.compile(r"(?:score|category|grade|rating|relevance|answer)\s*(?:is|of|:|=)?\s*[\"'*]*([0-3])\b", re.IGNORECASE),
    re.compile(r"(?<![\d.,/-])([0-3])(?![\d.,/-]*\d)"),
]

_CANNOT = r"\bI(?:(?:['’]m|\s+am)\s+(?:not\s+able|unable)\s+to|\s+(?:can\s*not|can['’]t|won['’]t|will\s+not))"
_REFUSAL = re.compile(
    rf"\bI(?:['’]m|\s+am)\s+sorry\b|\bas\s+an?\s+(?:AI|artificial|language)\b|\bI\s+(?:decline|refuse)\b|{_CANNOT}\s*"
    r"(?:to\s+)?(?:assist|help|comply|answer|judge|rate|score|grade|evaluate|assess|determine|provide|give|assign|fulfil|"
    r"fulfill|complete|do|engage|continue|process|respond)",
    re.IGNORECASE,
)


def read(response: str | None, form: str, finish_reason: str | None = "stop") -> tuple[int | None, str]:
    """(label 0-3 or None, status) of a model's response.

    `final_score` is `##final score: N`, `last_line` is N alone on the last line. Case, spaces, bold, a closing full
    stop and code fences around the form do not matter; where it stands several times the last one counts. A number
    that is not 0, 1, 2 or 3 (`10`, `-1`, `2.5`, `2/3`, `03`) is `out_of_scale`.
    """
    if form not in FORMS:
        raise one_of("form of the answer", form, FORMS)
    if finish_reason == "error":
        return None, "error"
    if finish_reason == "length":
        return None, "truncated"
    if finish_reason == "content_filter":
        return None, "refused"
    said = said_aloud(response or "")
    if said is None:
        return None, "truncated"
    if not said.strip():
        return None, "empty"
    values = final_scores(said) if form == "final_score" else _last_line(said)
    if not values:
        return None, "refused" if _REFUSAL.search(said) else "unparsed"
    return _grade(values[-1])


def read_leniently(response: str | None, form: str, finish_reason: str | None = "stop") -> tuple[int | None, str]:
    """As `read`, but an answer that is not in the asked form, or was cut off, is searched for the likeliest number.

    In the spirit of umbrela's fallback patterns, for comparison only: it takes numbers for labels that are none.
    """
    label, status = read(response, form, finish_reason)
    if status not in ("unparsed", "truncated", "refused"):
        return label, status
    for pattern in _LIKELY:
        found = pattern.findall(response or "")
        if found:
            return int(found[-1]), "ok"
    return label, status


READERS = {"strict": read, "lenient": read_leniently}


def said_aloud(response: str) -> str | None:
    """The response without what a reasoning model thought; None where it never came to an end of that."""
    if _CHANNEL in response:
        finals = _FINAL_CHANNEL.findall(response)
        return finals[-1] if finals else None
    if _BARE_ANALYSIS.match(response):
        _, final, said = response.rpartition(_BARE_FINAL)
        return said if final else None
    *_, said = _THOUGHT_ENDS.split(response)
    return None if _THOUGHT_STARTS.search(said) else said


def final_scores(said: str) -> list[str]:
    """Every value that stands in the form `##final score: N`, in order; some answers give several that differ."""
    return [match["value"] for match in _FINAL_SCORE.finditer(said)]


def _last_line(said: str) -> list[str]:
    """The last line that is not blank and no code fence, if it holds a number and nothing else."""
    lines = [line for line in said.splitlines() if line.strip() and not _FENCE.fullmatch(line)]
    value = _bare(lines[-1]) if lines else ""
    return [value] if _NUMBER.fullmatch(value) else []


def _bare(value: str) -> str:
    """The value without bold, code marks and a closing full stop."""
    around = "*_`" + " \t\r\u00a0"
    return value.strip(around).removesuffix(".").strip(around)


def _grade(value: str) -> tuple[int | None, str]:
    value = _bare(value)
    if value in {str(grade) for grade in GRADES}:
        return int(value), "ok"
    return None, "out_of_scale" if _NUMBER.fullmatch(value) else "unparsed"
