"""Refusals: what vLLM says when it does not take a setting or cannot load a model, in one line, and what helps."""

import re

# What helps, by the words of vLLM, torch and the hub.
ADVICE = (
    (
        r"larger than the number of\s+available GPUs",
        "model.engine.tensor_parallel_size is the number of GPUs that one model is spread over: at most those at hand "
        "(CUDA_VISIBLE_DEVICES)",
    ),
    (
        r"gated repo|restricted",
        "accept the model's terms on its page of the hub, and set HF_TOKEN to a token of that account",
    ),
    (
        r"quantization",
        "quantised weights are a repository of their own (model.name) that says its method itself: leave "
        "model.engine.quantization out, or take weights in a method of this hardware",
    ),
    (
        "out of memory|Free memory on device|memory for the cache|KV cache is needed|Engine core initialization",
        "where the GPU's memory is too small, spread the model over more of them (model.engine.tensor_parallel_size), "
        "take quantised weights, or lower model.engine.max_model_len; where others use the GPU, lower "
        "model.engine.gpu_memory_utilization",
    ),
)


def reason(error: Exception) -> str:
    """The line of an error that says something: not how many settings are wrong, but the first of them.

    >>> reason(OSError("\\n  no such repository\\nsee above"))
    'no such repository'
    """
    from pydantic import ValidationError  # what vLLM's settings are made of

    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = "" if first["type"] == "value_error" else f"{first['loc'][0]}: "
        return _first_line(f"{where}{first['msg'].removeprefix('Value error, ')}") or type(error).__name__
    return _first_line(str(error)) or type(error).__name__


def advice(said: str) -> str:
    """What helps against it, with a semicolon before it; empty where nothing is known.

    >>> advice("CUDA out of memory. Tried to allocate 224.00 MiB.")[:30]
    "; where the GPU's memory is to"
    >>> advice("no such thing")
    ''
    """
    return next((f"; {helps}" for words, helps in ADVICE if re.search(words, said, re.IGNORECASE)), "")


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
