"""Batch files: requests in lines of JSON, as hosted batch APIs and vLLM's batch runner take them, and their results.

    {"custom_id": "<judge>-<pair>", "method": "POST", "url": "/v1/chat/completions", "body": {...}}
    {"custom_id": "<judge>-<pair>", "response": {"status_code": 200, "body": {...}}, "error": null}

The custom_id is what the ledger keeps the answer under, so that results of other pairs, or of another judge, are known
as such; behind it stands how many letters of the passage were sent, where it was cut. A body is what a run would send,
and an answer is read as a run would read it.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from alignir.data.lines import UNREADABLE, opened
from alignir.errors import InputError
from alignir.files import written_whole
from alignir.formatting import counted
from alignir.labelling.answers import failed
from alignir.labelling.endpoint import Endpoint
from alignir.labelling.endpoint_problems import Problem, shortened
from alignir.labelling.endpoint_replies import Reply, read_reply
from alignir.labelling.endpoint_requests import LENGTH, body, leave_out, room
from alignir.labelling.labels import CHUNK, chunk_of
from alignir.labelling.ledger import Ledger, judge_key
from alignir.labelling.models import Answer
from alignir.labelling.rounds import Round

URL = "/v1/chat/completions"
NAME = "requests-{:03d}.jsonl"


class Failure(NamedTuple):
    """A request without an answer."""

    query_id: str
    doc_id: str
    reason: str


@dataclass
class Found:
    """What result files held."""

    new: int = 0  # answers that are in the ledger now
    known: int = 0  # results of pairs that the ledger had an answer for
    other: int = 0  # results of other pairs, or of another judge
    failures: list[Failure] = field(default_factory=list)  # of pairs that have no answer
    unread: dict[str, list[str]] = field(default_factory=dict)  # {why: file:line of lines that are no results}


def custom_id(judge: dict, key: str) -> str:
    return f"{judge_key(judge)}-{key}"


def endpoint_of(each: Round) -> Endpoint:
    """The model of a round; InputError if it is none that is asked by requests."""
    if not isinstance(each.model, Endpoint):
        raise InputError(f"batch files are for model=endpoint, found another kind of model, {each.model.name}")
    return each.model


def requests(each: Round, ledger: Ledger, cuts: Mapping[str, int] | None = None) -> Iterator[str]:
    """A line for each pair that the ledger has no answer for; ASCII, so that no text can break a line.

    `cuts`: how many letters of the passage are sent, by custom_id; see `cuts_of`.
    """
    model, prompt = endpoint_of(each), each.prompt
    length = model.max_tokens_name or LENGTH[0]
    missing = each.missing(ledger)
    for key, *texts in missing[["key", *prompt.fields]].itertuples(index=False):
        name = custom_id(each.judge, key)
        if name in (cuts or {}):
            letters = (cuts or {})[name]
            name, texts = f"{name}-{letters}", prompt.shortened(texts, texts[prompt.longest][:letters])
        sent = body(model, prompt, prompt.render(*texts), length)
        yield json.dumps({"custom_id": name, "method": "POST", "url": URL, "body": sent})


def cuts_of(files: Sequence[Path], rounds: Sequence[Round]) -> dict[str, int]:
    """{custom_id: letters} of pairs whose prompt was too long for the model: so many of the passage should fit, by the
    model's own count."""
    places, found = _places(rounds), dict[str, int]()
    for name, letters, reply in _results(files, {}, rounds):
        if name not in places or not isinstance(reply, Problem) or reply.blocked or not reply.too_long:
            continue
        number, index = places[name]
        model, prompt = endpoint_of(rounds[number]), rounds[number].prompt
        texts = tuple(rounds[number].pairs.iloc[index][list(prompt.fields)])
        kept = texts[prompt.longest][:letters]
        length = len(prompt.render(*prompt.shortened(texts, kept)))
        fits = len(shortened(kept, length, reply.words, room(model, prompt)))
        found[name] = min(fits, found.get(name, fits))
    return found


def write(lines: Iterable[str], folder: Path, most: int, most_bytes: int) -> dict[Path, int]:
    """{file: its requests}, each file of at most so many requests and bytes; the folder has no requests yet.

    All of them or, where one cannot be written, none: a part could be sent for the whole.
    """
    written: dict[Path, int] = {}
    part: list[bytes] = []

    def put() -> None:
        file = folder / NAME.format(len(written) + 1)
        with written_whole(file) as whole:
            whole.write_bytes(b"".join(part))
        written[file] = len(part)

    size = 0
    try:
        for line in lines:
            raw = line.encode() + b"\n"
            if len(raw) > most_bytes:
                raise InputError(f"a request has {len(raw):,} bytes, more than the {most_bytes:,} that a file may have")
            if part and (len(part) == most or size + len(raw) > most_bytes):
                put()
                part, size = [], 0
            part.append(raw)
            size += len(raw)
        if part:
            put()
    except BaseException:
        for file in written:
            file.unlink()
        raise
    return written


def read(files: Sequence[Path], rounds: Sequence[Round], ledger: Ledger) -> Found:
    """Put the answers of result files into the ledger; of several about one pair the first counts."""
    found, places = Found(), _places(rounds)
    answered = {custom_id(each.judge, key) for each in rounds for key in ledger.load(each.judge).index}
    problems: dict[str, str] = {}
    chunks: list[list[Answer]] = [[] for _ in rounds]

    def append(number: int) -> None:
        each = rounds[number]
        ledger.append(each.judge, chunk_of(chunks[number], each.pairs["key"].tolist(), each.prompt.scale))
        chunks[number].clear()

    try:
        for name, letters, reply in _results(files, found.unread, rounds):
            if name not in places:
                found.other += 1
                continue
            if name in answered:
                found.known += 1
                continue
            number, index = places[name]
            each = rounds[number]
            answer = endpoint_of(each).answer_of(reply, each.prompt, index, letters is not None)
            if letters == 0 and isinstance(reply, Problem) and reply.too_long:  # the model will never read it
                answer = Answer(index, "", "context_length_exceeded", 0, 0, True)
            if failed(answer.finish_reason):
                problems[name] = answer.problem + _hint(each, reply)
                continue
            answered.add(name)
            found.new += 1
            chunks[number].append(answer)
            if len(chunks[number]) >= CHUNK:
                append(number)
    finally:
        for number, chunk in enumerate(chunks):
            if chunk:
                append(number)
    for name, reason in problems.items():
        if name not in answered:
            number, index = places[name]
            pair = rounds[number].pairs.iloc[index]
            found.failures.append(Failure(pair["query_id"], pair["doc_id"], reason))
    return found


def _places(rounds: Sequence[Round]) -> dict[str, tuple[int, int]]:
    """{custom_id: (number of the round, number of the pair in it)}"""
    return {
        custom_id(each.judge, key): (number, index)
        for number, each in enumerate(rounds)
        for index, key in enumerate(each.pairs["key"])
    }


def _results(
    files: Sequence[Path], unread: dict[str, list[str]], rounds: Sequence[Round]
) -> Iterator[tuple[str, int | None, Reply | Problem]]:
    """(custom_id, letters of the passage where it was cut, what came) of each result; other lines go to `unread`."""
    cleaned = endpoint_of(rounds[0]).without_key
    for file in files:
        for data in _lines(file, unread):
            judge, _, key = data["custom_id"].partition("-")
            key, _, letters = key.partition("-")
            yield f"{judge}-{key}", _number(letters), _reply(data, cleaned)


def _number(digits: Any) -> int | None:
    """None where it is none, or too long for any that was sent."""
    return int(digits) if re.fullmatch("[0-9]{1,9}", str(digits)) else None


def _lines(file: Path, unread: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    number = 0

    def leave_out(number: int, why: str) -> None:
        unread.setdefault(why, []).append(f"{file}:{number}")

    try:
        with opened(file) as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    data = json.loads(line)
                except (ValueError, RecursionError):
                    cut = "" if line.endswith(b"\n") else ", perhaps cut off"
                    leave_out(number, f"expected JSON, found something else{cut}")
                    continue
                if (
                    isinstance(data, dict)
                    and isinstance(data.get("custom_id"), str)
                    and {"response", "error"} & {*data}
                ):
                    yield data
                else:
                    what = "a request" if isinstance(data, dict) and "method" in data else "another form"
                    leave_out(number, f"expected a result with custom_id and response, found {what}")
    except UNREADABLE as error:
        leave_out(number + 1, f"cannot be read: {error}")


def _reply(data: dict[str, Any], cleaned: Callable[[str], str]) -> Reply | Problem:
    """What a line holds: the body of a reply with its status, or an error, which some write beside an empty body."""
    response = data.get("response")
    response = response if isinstance(response, dict) else {}
    content = response.get("body")
    if not content:
        content = {"error": data.get("error") or "no answer, and no reason for it"}
    text = content if isinstance(content, str) else json.dumps(content)  # a page, or JSON as a string
    return read_reply(cleaned(text), _number(response.get("status_code")) or 200)


def _hint(each: Round, reply: Reply | Problem) -> str:
    """What to change, where a request could not be taken as it was."""
    if not isinstance(reply, Problem):
        return ""
    if reply.too_long:
        return "; alignir batch write --results sends less of the passage"
    model = endpoint_of(each)
    sent = body(model, each.prompt, "", model.max_tokens_name or LENGTH[0])
    not_taken = reply.not_taken([name for name in sent if name not in ("model", "messages")])
    return f"; {leave_out(model, not_taken)}" if not_taken else ""


def told(found: Found, missing: int) -> Iterator[str]:
    """What was found, in sentences."""
    yield f"{counted(found.new, 'answer')} put into the ledger, {found.known:,} there already"
    if found.failures:
        yield f"{counted(len(found.failures), 'request')} failed"
    if found.other:
        yield f"{counted(found.other, 'result')} of other pairs, or of another model or prompt: left out"
    for why, places in found.unread.items():
        yield f"{counted(len(places), 'line')} left out, {'the first ' if len(places) > 1 else ''}{places[0]}: {why}"
    if missing:
        yield f"{counted(missing, 'answer')} still missing, which alignir batch write asks for"
