"""Any OpenAI-compatible endpoint: a vLLM server, or a hosted API; the door to the official client."""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import islice
from urllib.parse import urlsplit

from alignir.errors import InputError
from alignir.labelling.models import Answer
from alignir.labelling.prompts import Prompt

# When this many first answers are all errors, nothing is right, and asking on would cost time or money for nothing.
HOPELESS = 20


@dataclass(frozen=True)
class Endpoint:
    """A model behind an HTTP address. The key comes from the environment variable `key_env` and goes nowhere else."""

    name: str
    base_url: str
    key_env: str = "OPENAI_API_KEY"
    chat: dict = field(default_factory=dict)  # the chat template's own settings, where the server knows them
    thinking_tokens: int = 0  # room for reasoning, beside the answer's own max_tokens
    sampling: dict = field(default_factory=dict)
    concurrency: int = 16  # requests under way at once
    timeout: float = 120.0  # seconds a request may take, each time it is tried
    retries: int = 5  # of 429, 5xx, lost connections and timeouts, with growing pauses
    price: dict | None = None  # {input, output}: money for a million tokens
    repeats: int = 1
    revision: str | None = None  # what the server serves under the name is its own affair
    family: str | None = None  # of models: systems of the same one are left out for comparison

    def identity(self) -> dict:
        return {
            "name": self.name,
            "base_url": self.base_url,
            "chat": self.chat,
            "thinking_tokens": self.thinking_tokens,
            "sampling": self.sampling,
        }

    def check(self, prompt: Prompt) -> None:
        if importlib.util.find_spec("openai") is None:
            raise InputError("model=endpoint needs the client openai: pip install 'alignir[endpoint]'")
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise InputError(
                f"model.base_url: expected an address such as http://127.0.0.1:8000/v1, found {self.base_url}"
            )
        if address.username or address.password or address.query:
            raise InputError("model.base_url holds a secret, which would be recorded: put it in the environment")
        secret = [key for key in self.sampling if "header" in key.lower() or "key" in key.lower()]
        if secret:
            raise InputError(
                f"model.sampling.{secret[0]} may hold a secret, which would be recorded: put it in {self.key_env}"
            )
        if self.concurrency < 1 or self.retries < 0 or self.timeout <= 0:
            raise InputError("model: expected a concurrency of at least 1, retries of at least 0, a timeout above 0 s")
        if prompt.decoding == "logits":
            raise InputError("prompt.decoding=logits: an endpoint does not start an answer for the model; use free")

    def repeat(self, number: int) -> "Endpoint":
        """The same model for its `number`th repeat, from 0: another seed."""
        return replace(self, sampling={**self.sampling, "seed": self.sampling.get("seed", 0) + number})

    def answer(self, prompt: Prompt, pairs: Sequence[tuple[str, str]]) -> Iterator[Answer]:
        from openai import OpenAI

        client = OpenAI(
            base_url=self.base_url,
            api_key=os.environ.get(self.key_env) or "none",
            timeout=self.timeout,
            max_retries=self.retries,
        )
        waiting, answered, errors = enumerate(pairs), 0, 0
        under_way: set[Future[tuple[Answer, str]]] = set()
        pool = ThreadPoolExecutor(self.concurrency)
        try:
            while True:
                for index, (query, passage) in islice(waiting, self.concurrency - len(under_way)):
                    under_way.add(pool.submit(self._ask, client, prompt, index, prompt.render(query, passage)))
                if not under_way:
                    return
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    answer, problem = future.result()
                    answered, errors = answered + 1, errors + bool(problem)
                    if errors == answered == HOPELESS:
                        raise InputError(
                            f"{self.name} at {self.base_url}: every request failed, the last with: {problem}"
                        )
                    yield answer
        finally:
            client.close()  # whoever stops listening does not wait for what is under way
            pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, client, prompt: Prompt, index: int, text: str) -> tuple[Answer, str]:
        """(answer, problem): what is wrong with this one request is its status, what is wrong with all is raised."""
        import openai

        system = [{"role": "system", "content": prompt.system}] if prompt.system else []
        extra = {"chat_template_kwargs": self.chat} if self.chat else {}
        if prompt.decoding == "constrained":
            extra["structured_outputs"] = {"regex": prompt.pattern}  # vLLM's own; the reader checks what comes back
        try:
            completion = client.chat.completions.create(
                model=self.name,
                messages=[*system, {"role": "user", "content": text}],
                max_tokens=prompt.max_tokens + self.thinking_tokens,
                extra_body=extra or None,
                **{"temperature": 0.0, **self.sampling},
            )
            choice = completion.choices[0]
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError) as error:
            raise InputError(f"{self.name} at {self.base_url}: {_told(error)}") from error
        except (openai.OpenAIError, ValueError, AttributeError, LookupError, TypeError) as error:
            # after its retries, or no answer in the API's form at all
            return Answer(index, "", "error", 0, 0), _told(error)
        message = choice.message
        thought = getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None)
        response = (f"<think>{thought}</think>" if thought else "") + (message.content or "")
        usage = completion.usage
        tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        return Answer(index, response, choice.finish_reason or "stop", *tokens), ""


def _told(error: Exception) -> str:
    """An error in a line, without what may hold a key: the client's messages quote the server, not the request."""
    return f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else 'no message'}"
