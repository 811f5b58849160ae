"""Any OpenAI-compatible endpoint: a vLLM server, or a hosted API; the door to the official client."""

import asyncio
import importlib.util
import json
import os
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from alignir.errors import InputError, one_of
from alignir.labelling.background import in_background
from alignir.labelling.endpoint_problems import Problem, counted, shortened
from alignir.labelling.endpoint_replies import Reply, label_probabilities, read_reply
from alignir.labelling.endpoint_requests import LENGTH, body, leave_out, room, set_ones
from alignir.labelling.models import Answer
from alignir.labelling.prompts import Prompt

CUTS = 10  # how often a passage is cut before its prompt is taken for too long without it, too
ALONE_S = 5.0  # the first request is alone for so long: what it finds out, the others need not
# A problem of these is every pair's: a wrong key, no money, no permission, no such model or address.
OF_ALL = (401, 402, 403, 404, 405)

_length_names: dict[tuple[str, str], str] = {}  # by (address, model): found out once, and kept


@dataclass(frozen=True)
class Endpoint:
    """A model behind an HTTP address. The key comes from the environment variable `key_env` and goes nowhere else.

    What is not set is not sent. Where the model is asked does not decide an answer, so it is no part of its identity;
    `served_by`, a free text, tells two deployments apart that answer differently.
    """

    name: str
    base_url: str | None = None  # None: all answers are in the ledger already, as after `alignir batch read`
    key_env: str = "OPENAI_API_KEY"
    served_by: str | None = None
    chat: dict = field(default_factory=dict)  # the chat template's own settings, where the server knows them
    thinking_tokens: int = 0  # room for reasoning, beside the answer's own max_tokens
    sampling: dict = field(default_factory=dict)  # temperature, seed, top_p, ...; null: not sent
    extra_body: dict = field(default_factory=dict)  # any further field of the request
    max_tokens_name: str | None = None  # max_tokens or max_completion_tokens; None: found out from the first request
    concurrency: int = 16  # requests under way at once
    timeout: float = 120.0  # seconds a request may take, each time it is tried
    retries: int = 5  # of 429, 5xx, lost connections and timeouts, with growing pauses
    give_up_after: int = 20  # requests that fail in a row, after their retries
    price: dict | None = None  # {input, output}: money for a million tokens
    repeats: int = 1
    revision: str | None = None  # what the server serves under the name is its own affair
    family: str | None = None  # of models: systems of the same one are left out for comparison
    parameters: float | None = None  # billions of them, of a mixture the active ones; decides no answer

    def identity(self) -> dict:
        return {
            "name": self.name,
            "served_by": self.served_by,
            "chat": self.chat,
            "thinking_tokens": self.thinking_tokens,
            "sampling": set_ones(self.sampling),
            "extra_body": set_ones(self.extra_body),
        }

    def check(self, prompt: Prompt) -> None:
        key = self.key()
        if self.base_url is not None:
            self._check_address(self.base_url)
        settings = {"chat": self.chat, "sampling": self.sampling, "extra_body": self.extra_body}
        for name, values in settings.items():
            if secret := _secret(values):
                raise InputError(
                    f"model.{name}.{secret} may hold a secret, which would be recorded: put it in {self.key_env}"
                )
        if key and key in json.dumps([self.name, self.base_url, self.served_by, settings], default=str):
            raise InputError(f"model: a setting holds the key in {self.key_env}, which would be recorded")
        if self.max_tokens_name not in (None, *LENGTH):
            raise one_of("model.max_tokens_name", self.max_tokens_name, ("null", *LENGTH))
        if self.concurrency < 1 or self.retries < 0 or self.timeout <= 0 or self.give_up_after < 1:
            raise InputError(
                "model: expected a concurrency of at least 1, retries of at least 0, a timeout above 0 s, and "
                "give_up_after of at least 1"
            )

    def _check_address(self, base_url: str) -> None:
        if importlib.util.find_spec("openai") is None:
            raise InputError("model=endpoint needs the client openai: pip install 'alignir[endpoint]'")
        address = urlsplit(base_url)
        if "@" in base_url or address.query:
            raise InputError("model.base_url holds a secret, which would be recorded: put it in the environment")
        if address.scheme not in ("http", "https") or not address.hostname:
            raise InputError(f"model.base_url: expected an address such as http://127.0.0.1:8000/v1, found {base_url}")

    def key(self) -> str:
        """The key from the environment; empty where there is none."""
        key = os.environ.get(self.key_env, "")
        if re.search(r"[^\x21-\x7e]", key):  # what no header may hold; the error of the client would quote it
            what = "a line end" if re.search(r"[\r\n]", key) else "a blank, or a sign that no key has,"
            raise InputError(f"{self.key_env}: the key in this environment variable has {what} in it: set it without")
        return key

    def repeat(self, number: int) -> "Endpoint":
        """The same model for its `number`th repeat, from 0: with another seed, where one is set."""
        seed = set_ones(self.sampling).get("seed")
        return self if seed is None else replace(self, sampling={**self.sampling, "seed": seed + number})

    def answer(self, prompt: Prompt, pairs: Sequence[tuple[str, ...]]) -> Iterator[Answer]:
        if self.base_url is None:
            raise InputError(
                f"model.base_url has no value, and {len(pairs):,} answers are not in the ledger: set "
                "model.base_url=http://HOST:PORT/v1, or ask in files (alignir batch --help)"
            )
        return in_background(_Asking(self, prompt).answers(pairs))

    def answer_of(self, reply: Reply | Problem, prompt: Prompt, index: int, cut: bool = False) -> Answer:
        """The answer about the pair of this index; a problem that is the pair's own becomes its status."""
        if isinstance(reply, Problem):
            if reply.blocked:
                return Answer(index, "", "content_filter", 0, 0, cut)
            return Answer(index, "", "error", 0, 0, problem=str(reply))
        probabilities = None
        if prompt.decoding == "logits":
            if reply.response and not reply.tokens:
                raise InputError(
                    f"prompt.decoding=logits: {self.called} answers without the top_logprobs of its tokens; use free"
                )
            probabilities = label_probabilities(reply.tokens, prompt.form, prompt.scale.grades)
        tokens = (reply.prompt_tokens, reply.output_tokens)
        return Answer(index, reply.response, reply.finish_reason, *tokens, cut, probabilities)

    @property
    def called(self) -> str:
        """What messages call it."""
        return f"{self.name} at {self.base_url}" if self.base_url else self.name

    def without_key(self, text: str) -> str:
        """No server can make us write the key down."""
        key = self.key()
        return text.replace(key, f"[{self.key_env}]") if len(key) >= 8 else text


class _Asking:
    """The requests for one prompt, some of them under way at once."""

    def __init__(self, model: Endpoint, prompt: Prompt):
        self.model, self.prompt, self.key = model, prompt, model.key()
        self.room = room(model, prompt)

    async def answers(self, pairs: Sequence[tuple[str, ...]]) -> AsyncGenerator[Answer, None]:
        from openai import AsyncOpenAI

        model = self.model
        self.client = AsyncOpenAI(
            base_url=model.base_url, api_key=self.key or "none", timeout=model.timeout, max_retries=model.retries
        )
        waiting, in_a_row, alone = enumerate(pairs), 0, True
        under_way: set[asyncio.Task[Answer]] = set()
        try:
            while True:
                for index, pair in islice(waiting, 1 if alone else model.concurrency - len(under_way)):
                    under_way.add(asyncio.create_task(self._ask(index, pair)))
                if not under_way:
                    return
                done, under_way = await asyncio.wait(
                    under_way, timeout=ALONE_S if alone else None, return_when=asyncio.FIRST_COMPLETED
                )
                alone = False
                for task in sorted(done, key=lambda task: task.exception() is not None):
                    answer = task.result()
                    yield answer
                    in_a_row = in_a_row + 1 if answer.problem else 0
                    if in_a_row == model.give_up_after:
                        raise InputError(
                            f"{model.called}: gave up after {in_a_row} requests in a row that "
                            f"failed, the last with: {answer.problem}. The answers so far are kept"
                        )
        finally:
            for task in under_way:
                task.cancel()  # closes its connection: the server need not go on
            await asyncio.gather(*under_way, return_exceptions=True)
            await self.client.close()

    async def _ask(self, index: int, texts: tuple[str, ...]) -> Answer:
        """What is wrong with this one pair is its status, what is wrong with all of them is raised."""
        kept = texts[self.prompt.longest]
        for cut in range(CUTS):
            text = self.prompt.render(*self.prompt.shortened(texts, kept))
            reply = await self._request(text)
            if isinstance(reply, Reply) or reply.blocked or not reply.too_long:
                return self.model.answer_of(reply, self.prompt, index, cut > 0)
            context, _ = counted(reply.words, self.room)
            if 0 < context <= self.room:
                raise self._wrong(reply, f"{self.room} tokens for an answer are as many as the model has for all")
            if not kept:
                break
            kept = "" if cut == CUTS - 2 else shortened(kept, len(text), reply.words, self.room)
        return Answer(index, "", "context_length_exceeded", 0, 0, True)

    async def _request(self, text: str) -> Reply | Problem:
        """The reply to a prompt; in place of max_tokens its other name is sent where the server wants that."""
        import openai

        model, where = self.model, (str(self.model.base_url), self.model.name)
        while True:
            length = model.max_tokens_name or _length_names.get(where, LENGTH[0])
            sent = body(model, self.prompt, text, length)
            own: Any = {name: sent.pop(name) for name in ("model", "messages")}  # what the client wants to know of
            try:
                raw = await self.client.chat.completions.with_raw_response.create(**own, extra_body=sent)
                reply = read_reply(self.model.without_key(raw.http_response.text))
            except openai.APIStatusError as error:
                reply = read_reply(self.model.without_key(error.response.text), error.status_code)
            except openai.APITimeoutError:
                reply = Problem(f"no answer within {model.timeout:g} s")
            except (openai.OpenAIError, ValueError, OSError) as error:
                cause = error.__cause__ or error
                reply = Problem(self.model.without_key(f"{type(cause).__name__}: {cause}".removesuffix(": ")))
            if isinstance(reply, Reply) or reply.blocked or reply.too_long:
                return reply
            not_taken = reply.not_taken(sent)
            if not_taken == length == LENGTH[0] and model.max_tokens_name is None:
                _length_names[where] = LENGTH[1]
                continue
            if not_taken:
                raise self._wrong(reply, f"the server does not take {not_taken}: {leave_out(model, not_taken)}")
            if reply.status in OF_ALL:
                raise self._wrong(reply, self._hint(reply.status))
            return reply

    def _hint(self, status: int | None) -> str:
        model = self.model
        if status in (404, 405) and not re.search(r"/v[0-9]", urlsplit(model.base_url or "").path):
            return "addresses mostly end in /v1"
        if status == 401 and not self.key:
            return f"{model.key_env} is not set"
        return ""

    def _wrong(self, problem: Problem, hint: str) -> InputError:
        """What is wrong with every pair."""
        model, status = self.model, problem.status
        phrase = f"{HTTPStatus(status).phrase}: " if status in OF_ALL else ""
        words = str(problem).replace(f"{status} ", f"{status} {phrase}", 1)
        return InputError(f"{model.called}: {words}" + (f"; {hint}" if hint else ""))


def _secret(settings: Any) -> str | None:
    """The name of a setting that may hold a secret, wherever it lies."""
    if isinstance(settings, list):
        return next(filter(None, map(_secret, settings)), None)
    if not isinstance(settings, dict):
        return None
    names = re.compile(r"header|key|authori[sz]ation|secret|password|bearer", re.IGNORECASE)
    for name, value in settings.items():
        if names.search(str(name)):
            return str(name)
        if inner := _secret(value):
            return f"{name}.{inner}"
    return None
