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
from alignir.labelling.models import Answer
from alignir.labelling.prompts import Prompt

LENGTH = ("max_tokens", "max_completion_tokens")  # what servers call the most tokens that an answer may have
LIKELIEST = 20  # tokens at a place of the answer (decoding=logits), the most that OpenAI and vLLM give
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
    base_url: str
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
            "sampling": _set(self.sampling),
            "extra_body": _set(self.extra_body),
        }

    def check(self, prompt: Prompt) -> None:
        if importlib.util.find_spec("openai") is None:
            raise InputError("model=endpoint needs the client openai: pip install 'alignir[endpoint]'")
        key = self.key()
        address = urlsplit(self.base_url)
        if "@" in self.base_url or address.query:
            raise InputError("model.base_url holds a secret, which would be recorded: put it in the environment")
        if address.scheme not in ("http", "https") or not address.hostname:
            raise InputError(
                f"model.base_url: expected an address such as http://127.0.0.1:8000/v1, found {self.base_url}"
            )
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

    def key(self) -> str:
        """The key from the environment; empty where there is none."""
        key = os.environ.get(self.key_env, "")
        if re.search(r"[^\x21-\x7e]", key):  # what no header may hold; the error of the client would quote it
            what = "a line end" if re.search(r"[\r\n]", key) else "a blank, or a sign that no key has,"
            raise InputError(f"{self.key_env}: the key in this environment variable has {what} in it: set it without")
        return key

    def repeat(self, number: int) -> "Endpoint":
        """The same model for its `number`th repeat, from 0: with another seed, where one is set."""
        seed = _set(self.sampling).get("seed")
        return self if seed is None else replace(self, sampling={**self.sampling, "seed": seed + number})

    def answer(self, prompt: Prompt, pairs: Sequence[tuple[str, ...]]) -> Iterator[Answer]:
        return in_background(_Asking(self, prompt).answers(pairs))


class _Asking:
    """The requests for one prompt, some of them under way at once."""

    def __init__(self, model: Endpoint, prompt: Prompt):
        self.model, self.prompt, self.key = model, prompt, model.key()
        self.room = prompt.max_tokens + model.thinking_tokens

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
                            f"{model.name} at {model.base_url}: gave up after {in_a_row} requests in a row that "
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
            if isinstance(reply, Reply):
                return self._answer(index, reply, cut > 0)
            if reply.blocked:
                return Answer(index, "", "content_filter", 0, 0, cut > 0)
            if not reply.too_long:
                return Answer(index, "", "error", 0, 0, problem=str(reply))
            context, _ = counted(reply.words, self.room)
            if 0 < context <= self.room:
                raise self._wrong(reply, f"{self.room} tokens for an answer are as many as the model has for all")
            if not kept:
                break
            kept = "" if cut == CUTS - 2 else shortened(kept, len(text), reply.words, self.room)
        return Answer(index, "", "context_length_exceeded", 0, 0, True)

    def _answer(self, index: int, reply: Reply, cut: bool) -> Answer:
        probabilities = None
        if self.prompt.decoding == "logits":
            if reply.response and not reply.tokens:
                raise InputError(
                    f"prompt.decoding=logits: {self.model.name} at {self.model.base_url} answers without the "
                    "top_logprobs of its tokens; use free"
                )
            probabilities = label_probabilities(reply.tokens, self.prompt.form, self.prompt.scale.grades)
        tokens = (reply.prompt_tokens, reply.output_tokens)
        return Answer(index, reply.response, reply.finish_reason, *tokens, cut, probabilities)

    async def _request(self, text: str) -> Reply | Problem:
        """The reply to a prompt; in place of max_tokens its other name is sent where the server wants that."""
        import openai

        model, where = self.model, (self.model.base_url, self.model.name)
        while True:
            length = model.max_tokens_name or _length_names.get(where, LENGTH[0])
            fields = self._fields(length)
            try:
                raw = await self.client.chat.completions.with_raw_response.create(
                    model=model.name, messages=self._messages(text), extra_body=fields
                )
                reply = read_reply(self._without_key(raw.http_response.text))
            except openai.APIStatusError as error:
                reply = read_reply(self._without_key(error.response.text), error.status_code)
            except openai.APITimeoutError:
                reply = Problem(f"no answer within {model.timeout:g} s")
            except (openai.OpenAIError, ValueError, OSError) as error:
                cause = error.__cause__ or error
                reply = Problem(self._without_key(f"{type(cause).__name__}: {cause}".removesuffix(": ")))
            if isinstance(reply, Reply) or reply.blocked or reply.too_long:
                return reply
            not_taken = reply.not_taken(fields)
            if not_taken == length == LENGTH[0] and model.max_tokens_name is None:
                _length_names[where] = LENGTH[1]
                continue
            if not_taken:
                raise self._wrong(reply, f"the server does not take {not_taken}: {self._leave_out(not_taken)}")
            if reply.status in OF_ALL:
                raise self._wrong(reply, self._hint(reply.status))
            return reply

    def _messages(self, text: str) -> Any:
        system = [{"role": "system", "content": self.prompt.system}] if self.prompt.system else []
        return [*system, {"role": "user", "content": text}]

    def _fields(self, length: str) -> dict[str, Any]:
        """All that is sent beside the model's name and the messages."""
        fields = _set(self.model.sampling) | {length: self.room}
        if self.model.chat:
            fields["chat_template_kwargs"] = self.model.chat
        if self.prompt.decoding == "constrained":
            # vLLM's own; the reader checks what comes back
            fields["structured_outputs"] = {"regex": self.prompt.pattern}
        if self.prompt.decoding == "logits":
            fields |= {"logprobs": True, "top_logprobs": LIKELIEST}
        return fields | _set(self.model.extra_body)

    def _leave_out(self, name: str) -> str:
        model = self.model
        groups = {"sampling": model.sampling, "extra_body": model.extra_body}
        for group, values in groups.items():
            if name in _set(values):
                return f"leave it out with model.{group}.{name}=null"
        return {
            "chat_template_kwargs": "leave out model.chat",
            "structured_outputs": "prompt.decoding=free and missing=drop do without it",
            "logprobs": "prompt.decoding=free does without it",
            "top_logprobs": "prompt.decoding=free does without it",
        }.get(name, f"model.max_tokens_name={LENGTH[name == LENGTH[0]]} sends its other name")

    def _hint(self, status: int | None) -> str:
        model = self.model
        if status in (404, 405) and not re.search(r"/v[0-9]", urlsplit(model.base_url).path):
            return "addresses mostly end in /v1"
        if status == 401 and not self.key:
            return f"{model.key_env} is not set"
        return ""

    def _wrong(self, problem: Problem, hint: str) -> InputError:
        """What is wrong with every pair."""
        model, status = self.model, problem.status
        phrase = f"{HTTPStatus(status).phrase}: " if status in OF_ALL else ""
        words = str(problem).replace(f"{status} ", f"{status} {phrase}", 1)
        return InputError(f"{model.name} at {model.base_url}: {words}" + (f"; {hint}" if hint else ""))

    def _without_key(self, text: str) -> str:
        """No server can make us write the key down."""
        return text.replace(self.key, f"[{self.model.key_env}]") if len(self.key) >= 8 else text


def _set(settings: dict | None) -> dict:
    """Those that have a value."""
    return {name: value for name, value in (settings or {}).items() if value is not None}


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
