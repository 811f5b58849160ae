"""alignir: can an LLM's relevance labels stand in for people's, and for users' behaviour, when systems are compared?

The functions and classes below are for notebooks and for YAML; each loads what it needs when it is first used.

    dataset = alignir.demo()
    runs = alignir.candidates(dataset)
    labels = alignir.label(dataset, model="lexical")
    alignir.align(alignir.evaluate(labels, runs), alignir.evaluate(dataset.qrels, runs))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alignir.notebook.session import (
        agreement,
        align,
        bm25,
        compare,
        demo,
        evaluate,
        label,
        read_collection,
        read_runs,
        recorded,
        run,
        simulate,
    )

__version__ = "0.1.0"

# Where each name comes from. YAML says `_target_: alignir.VLLM`, so that files outlive any move of the modules.
_PLACES = {
    "notebook.session": (
        "demo read_collection read_runs bm25 label evaluate simulate align agreement compare recorded run"
    ),
    "data.collections": "folder trec_dl_2019 rank_distillm",
    "data.beir": "beir",
    "data.from_ir_datasets": "from_ir_datasets",
    "data.requests": "requests",
    "retrieval.candidates": "candidates",
    "retrieval.degraded": "degraded",
    "retrieval.run_files": "run_files",
    "retrieval.pipelines": "pipelines",
    "labelling.prompts": "Prompt read_prompt",
    "labelling.vllm": "VLLM",
    "labelling.endpoint": "Endpoint",
    "labelling.scripted": "Scripted",
    "labelling.workers": "OnRay",
    "labelling.graders": "Lexical",
    "labelling.replay": "Replay",
    "labelling.jury": "Jury",
    "labelling.weights": "SmolLM2 MiniLM",
    "users.click_models": "DBN SDBN Cascade DCM CCM PBM UBM",
    "users.dwell": "Dwell",
    "users.metrics": "Metrics",
    "users.simulated": "Simulated",
    "users.observed": "Log",
    "users.imported": "External",
    "users.pairs": "Pairs",
    "data.scales": "Scale",
    "errors": "InputError",
}
_NAMES = {name: f"alignir.{module}" for module, names in _PLACES.items() for name in names.split()}
_MODULES = {"queries": "alignir.experiment.queries"}  # strategies of query selection, such as queries.random

__all__ = ["__version__", *_NAMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    if name in _MODULES:
        return import_module(_MODULES[name])
    raise AttributeError(f"module 'alignir' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
