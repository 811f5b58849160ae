"""Reading answers: the label in a response, or a status that says why there is none. Never a guess.

An answer is normalised, what the model only thought is dropped, it is cut where its turn ends, decoration is taken off,
and then the one form is read that the prompt asks for. What models write, by family and by form, is in answer_marks.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from alignir.data.scales import FOUR
from alignir.errors import one_of
from alignir.labelling import answer_marks as marks

FORMS = ("final_score", "last_line")
KEPT = 4096  # texts that are not taken apart anew: most answers are short, and many are the same


class Found(NamedTuple):
    """A number that stands in the form."""

    number: str
    of: str | None = None  # 3 in "2/3"
    alone: bool = True  # on its line, not inside a sentence
    doubtful: bool = False  # "2 or 3", "3rd"
    at_the_end: bool = False  # nothing follows it: where the answer was cut off, a part of a number, or of "2 or 3"


def read(
    response: str | None, form: str, finish_reason: str | None = "stop", grades: Sequence[int] = FOUR.grades
) -> tuple[int | None, str]:
    """(label or None, status) of a model's response. `grades` is the scale; its top is the 3 of "2/3".

    `final_score` is `##final score: N`, `last_line` is N alone on the last line, bare or as `Category: N`; an answer
    that is nothing but a grade is a label in either form. Decoration does not matter: bold, quotes, brackets, \\boxed,
    tags, code marks, headings, full-width digits, `2.0`, `2/3`, `2 out of 3`. Of several the last one counts, and one
    alone on its line before one inside a sentence. Only the status `ok` has a label:

    unparsed      nothing stands in the form, or two numbers do ("2 or 3")
    truncated     cut off before the form is complete, or still thinking
    empty         nothing is said, or nothing but thoughts
    out_of_scale  the number is no grade: 10, -1, 2.5, 2/5
    refused       the model says so, or its answer was blocked
    error         the request failed

    >>> read("It lists prices.\\n**Final score:** 2, as some are old", "final_score")
    (2, 'ok')
    >>> read("<think>It may be ##final score: 1", "final_score", "max_tokens")
    (None, 'truncated')
    """
    if form not in FORMS:
        raise one_of("form", form, FORMS)
    ending = marks.ENDING_OF.get(marks.ending_word(finish_reason), "stopped")
    if ending in ("error", "blocked"):
        return None, "error" if ending == "error" else "refused"
    said, cut = said_aloud(response or ""), ending == "cut"
    if said is None:
        return None, "truncated"
    text = _undecorated(said)
    found = _READ_FORM[form](text)
    if cut and (found is None or found.at_the_end):
        return None, "truncated"
    if not text.strip():
        return None, "empty"
    if found is None or found.doubtful:
        return None, "refused" if marks.REFUSAL.search(said) else "unparsed"
    return _grade(found, grades)


def read_leniently(
    response: str | None, form: str, finish_reason: str | None = "stop", grades: Sequence[int] = FOUR.grades
) -> tuple[int | None, str]:
    """As `read`, but an answer that is not in the asked form, or was cut off, is searched for the likeliest number.

    In the spirit of umbrela's fallback patterns, for comparison only: it takes numbers for labels that are none.

    >>> read_leniently("It is related to 3 topics.", "final_score")
    (3, 'ok')
    """
    label, status = read(response, form, finish_reason, grades)
    if status not in ("unparsed", "truncated", "refused"):
        return label, status
    for pattern in marks.LIKELY:
        found = [int(number) for number in pattern.findall(response or "") if int(number) in grades]
        if found:
            return found[-1], "ok"
    return label, status


READERS = {"strict": read, "lenient": read_leniently}


def unknown_finish_reason(reason: str | None) -> bool:
    """Whether a server's word for how an answer ended is not in the table; `read` takes such an answer as finished.

    >>> unknown_finish_reason("MAX_TOKENS"), unknown_finish_reason(None), unknown_finish_reason("brownout")
    (False, False, True)
    """
    return marks.ending_word(reason) not in {"", *marks.ENDING_OF}


def failed(reason: str | None) -> bool:
    """Whether a finish reason says that there is no answer, only a request that failed: it is asked again.

    >>> failed("abort"), failed("content_filter"), failed("length")
    (True, False, False)
    """
    return marks.ENDING_OF.get(marks.ending_word(reason)) == "error"


@lru_cache(maxsize=KEPT)
def said_aloud(response: str) -> str | None:
    """What the model says in its turn, without its thoughts; None where it never came to an end of them.

    >>> said_aloud("<think>Maybe 1.</think>##final score: 2<|im_end|>")
    '##final score: 2\\n'
    """
    text, said, start = _normalised(response), "", 0
    thoughts: list[str] = []
    for mark in marks.MARKS.finditer(text) if any(sign in text for sign in "<[]") else ():
        kind = mark["thought"] and mark["thought"].lower()
        if thoughts and not kind:
            continue  # a turn that only ends in a thought
        if not thoughts:
            said += text[start : mark.start()]
        start = mark.end()
        if not kind:
            if re.search(r"\w", _undecorated(said)):
                return _this_turn(said) + "\n"
            if (mark["who"] or mark["token"] or mark["inst"] or "").lower() in marks.ASKS:
                return ""
            said = ""
        elif not mark["slash"] and {"end", "off"}.isdisjoint(re.split("[_:-]", mark["name"].lower())):
            thoughts += [kind] * (kind not in thoughts)  # thoughts may speak of their own mark
        elif kind in thoughts:
            del thoughts[thoughts.index(kind) :]
        else:  # the prompt ended with the mark that opens, or that has another name
            said, thoughts = "", []
    return None if thoughts else _this_turn(said + text[start:])


def final_scores(said: str) -> list[str]:
    """Every number that stands in the form `##final score: N`, in order; some answers give several that differ.

    >>> final_scores("##final score: 1\\nNo, ##final score: **2**")
    ['1', '2']
    """
    return [found.number for found in _forms(_undecorated(said))]


def _normalised(response: str) -> str:
    """With one kind of line end, ASCII digits and signs, no invisible characters and one kind of mark for thoughts."""
    text = html.unescape(response.replace("\\u003c", "<").replace("\\u003e", ">"))
    if not text.isascii():
        text = marks.INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(marks.AS_ASCII)
        text = re.sub(r"(?![0-9])\d", lambda digit: str(unicodedata.decimal(digit[0])), text)
    text = re.sub(r"\\(?=[^\w\s]|_)", "", marks.LINE_END.sub("\n", text))
    return _replaced(text, marks.THOUGHT_MARKS)


@lru_cache(maxsize=KEPT)
def _undecorated(said: str) -> str:
    return _replaced(said, marks.DECORATION)


def _replaced(text: str, table: list[tuple[re.Pattern, str]]) -> str:
    for pattern, instead in table:
        text = pattern.sub(instead, text)
    return text


def _this_turn(said: str) -> str:
    """The text up to the next turn, or the next example, that is told in plain words."""
    said = marks.OWN_HEADER.sub("", said)
    mark = marks.NEXT_TURN.search(said)
    return said[: mark.start()] + "\n" if mark else said


def _final_score(text: str) -> Found | None:
    """The last form, one alone on its line before one inside a sentence; or a text that is nothing but a grade."""
    forms = _forms(text)
    if not forms:
        lines = _lines(text)
        return _bare(lines[0], text) if len(lines) == 1 else None
    last = ([form for form in forms if form.alone] or forms)[-1]
    said_before = last._replace(at_the_end=False)
    return said_before if said_before in forms else last


def _forms(text: str) -> list[Found]:
    """Every `##final score: N` of the text, in order. Without the `##`, only where a line begins with the words."""
    found = []
    for match in marks.FINAL_SCORE.finditer(text):
        start, end, begins = match.start(), match.end(), match["begins"] is not None
        ends_line = marks.SETTLED.match(text, end)
        in_form = match["hashes"] or (begins and (match["separator"] or ends_line))
        listed = "\n" in match["gap"] and not ends_line  # the first number of a list under a heading
        if not in_form or listed or marks.NOT_GIVEN_BEHIND.match(text, end):
            continue
        if marks.NOT_GIVEN_BEFORE.search(text, max(0, start - 200), start):
            continue
        other = marks.OTHER.match(text, end)
        found.append(
            Found(
                match["number"],
                match["of"],
                alone=begins and not marks.GOES_ON.match(text, end),
                doubtful=bool(marks.DOUBT.match(text, end) or (other and other[1] != match["number"])),
                at_the_end=bool(marks.DANGLING.match(text, end)),
            )
        )
    return found


def _last_line(text: str) -> Found | None:
    """The last line that says anything, if it is a number and nothing else, or a category."""
    lines = _lines(text)
    if not lines or (marks.LIST_NUMBER.fullmatch(lines[-1]) and any(map(marks.LIST_NUMBER.match, lines[:-1]))):
        return None
    name = marks.CATEGORY.match(lines[-1])
    found = _bare(lines[-1], text, name.end() if name else 0)
    above = [_bare(line, text) for line in lines[-3:-1]]
    if found and len(above) == 2 and all(each and each.number != found.number for each in above):
        return found._replace(doubtful=True)  # the last of a list of numbers
    return found


_READ_FORM = {"final_score": _final_score, "last_line": _last_line}


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if re.search(r"[^\W_]", line)]


def _bare(line: str, text: str, start: int = 0) -> Found | None:
    """A line that is, from `start` on, a number and nothing else; "2)" is the number of a list."""
    match = marks.GRADE.fullmatch(line, start)
    if not match or re.fullmatch(r"\s*[0-9]+\)\s*", line):
        return None
    at_the_end = text.endswith(line) and bool(marks.DANGLING.match(match["behind"]))
    return Found(match["number"], match["of"], at_the_end=at_the_end)


def _grade(found: Found, grades: Sequence[int]) -> tuple[int | None, str]:
    number = re.sub(r"\.0+$", "", found.number)
    if found.of in (None, str(max(grades))) and number in {str(grade) for grade in grades}:
        return int(number), "ok"
    return None, "out_of_scale"
