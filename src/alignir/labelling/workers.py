"""Workers: one labelling job over many GPUs or machines, each with a process on Ray that asks the model there.

A worker is an actor of Ray that holds the model's own engine, as this process would: the same judge, the same answers,
the same ledger. Plain actors, and not Ray Data, which hands over a block's rows when all of it is done and has a lost
block done again from its beginning. Here answers are on disk as they come, so that a death costs seconds; blocks end
with a query's pairs, and become small towards the end. Ray Data's own stage for LLMs is another engine than ours, and
waits for a GPU for ever where there is none.
"""

import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alignir.errors import InputError
from alignir.labelling import cluster
from alignir.labelling.blocks import Block, blocks
from alignir.labelling.models import LLM, Answer
from alignir.labelling.prompts import Prompt
from alignir.labelling.vllm import VLLM
from alignir.labelling.worker import Sent, Warned, Worker

log = logging.getLogger(__name__)

PATIENCE_S = 60.0  # after which a job that cannot begin says why
TRIES = 3  # workers that may die over the same block


@dataclass(frozen=True)
class OnRay:
    """An LLM that `n` workers ask in place of this process (None: as many as there is room for); all else is its own.

    A worker has `gpus`, or as many as the model is spread over; with 0 it computes on `cpus` cores of its own. Of
    `address` see conf/workers/ray.yaml.
    """

    model: LLM
    n: int | None = None
    gpus: float = 1
    cpus: int = 1
    address: str | None = None

    def __post_init__(self) -> None:
        if not (self.n is None or _whole(self.n)):
            raise InputError(f"workers.n: expected a whole number from 1, found {self.n}")
        if not _whole(self.cpus):
            raise InputError(f"workers.cpus: expected a whole number of cores from 1, found {self.cpus}")
        cluster.check_number("workers.gpus", self.gpus)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def revision(self) -> str | None:
        return self.model.revision

    @property
    def family(self) -> str | None:
        return self.model.family

    @property
    def repeats(self) -> int:
        return self.model.repeats

    @property
    def thinking_tokens(self) -> int:
        return self.model.thinking_tokens

    @property
    def price(self) -> dict[str, float] | None:
        return self.model.price

    def identity(self) -> dict[str, Any]:
        return self.model.identity()

    def repeat(self, number: int) -> "OnRay":
        return replace(self, model=self.model.repeat(number))

    def check(self, prompt: Prompt) -> None:
        cluster.check(self.address)
        self.model.check(prompt)

    @property
    def gpus_each(self) -> float:
        """GPUs of one worker: those that the model is spread over, where it is over several."""
        settings = self.model.engine if isinstance(self.model, VLLM) else {}
        spread = settings.get("tensor_parallel_size", 1) * settings.get("pipeline_parallel_size", 1)
        return spread if self.gpus and spread > 1 else self.gpus

    def answer(self, prompt: Prompt, pairs: Sequence[tuple[str, ...]]) -> Iterator[Answer]:
        """Answers as they come from the workers, each of which is given the next block when it is done with one.

        The block of a worker that dies goes to another, without the pairs that were answered. InputError where the
        third one dies over it, and where there is no Ray, or no room for the workers.
        """
        ray = cluster.connected(self.address)
        n = cluster.room(ray, self.n, self.gpus_each, self.cpus)
        workers = cluster.actors(ray, self.gpus_each, self.cpus)
        idle = list(workers)
        queries = [texts[0] for texts in pairs]  # or what a prompt without $query has first
        waiting = deque(Block(list(indices)) for indices in blocks(queries, n))
        start = Block([])  # what a new worker is given first, so that no pair waits for it
        busy: dict[Any, tuple[Any, Block]] = {}  # by the stream of what a worker sends
        told: set[Warned] = set()

        def give(worker: Any, block: Block) -> None:
            asked = [pairs[index] for index in block.indices]
            busy[worker.answer.remote(self.model, prompt, asked)] = worker, block

        def dismiss(worker: Any) -> None:
            workers.remove(worker)
            ray.kill(worker)

        try:
            while waiting or any(block.indices for _, block in busy.values()):
                while waiting and idle:
                    give(idle.pop(), waiting.popleft())
                starting = sum(not block.indices for _, block in busy.values())
                for _ in range(min(n - len(workers), len(waiting) - starting)):
                    workers.append(self._new_worker(ray))
                    give(workers[-1], start)
                ready, _ = ray.wait(list(busy), num_returns=1, timeout=PATIENCE_S)
                if not ready:
                    if not any(block.indices for _, block in busy.values()):
                        log.info("waiting for GPUs and cores that other jobs on Ray have")
                    continue
                (stream,) = ready
                worker, block = busy.pop(stream)
                try:
                    sent = _received(ray, stream)
                except ray.exceptions.RayError as error:
                    dismiss(worker)
                    waiting.extendleft(_left(block, cluster.reason(error)))
                    continue
                if sent is None:
                    idle.append(worker)
                    continue
                busy[stream] = worker, block  # behind those of other workers, which are next
                _tell(sent.warnings, told)
                for answer in sent.answers:
                    block.answered.add(answer.index)
                    yield replace(answer, index=block.indices[answer.index])
        finally:
            for worker, _ in busy.values():  # nothing else ends what an actor works on
                dismiss(worker)

    def _new_worker(self, ray: Any) -> Any:
        """One that starts when the cluster has its GPUs and cores."""
        actor = ray.remote(Worker).options(num_cpus=self.cpus, num_gpus=self.gpus_each)
        return actor.remote(os.getcwd(), 0 if self.gpus else self.cpus)


def _received(ray: Any, stream: Any) -> Sent | None:
    """What a worker sends next, None where it is done with its block; an error of the model's own is that error."""
    try:
        return ray.get(next(stream))
    except StopIteration:
        return None
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error


def _left(block: Block, reason: str) -> list[Block]:
    """What a worker that died of this reason leaves to another one; an InputError if it is one too many."""
    block.deaths += 1
    if block.deaths == TRIES:
        what = "over the same pairs" if block.indices else "before they were ready"
        raise InputError(
            f"workers=ray: {TRIES} workers died {what}, the last with: {reason}. The answers so far are kept"
        )
    log.warning("a worker died, and another one goes on: %s", reason)
    return [block.rest()] if block.indices else []


def _tell(warnings: list[Warned], told: set[Warned]) -> None:
    """What a worker's log has for the user, once: all workers say the same."""
    for warning in warnings:
        if warning not in told:
            told.add(warning)
            logging.getLogger(warning.logger).log(warning.level, "%s", warning.message)


def _whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1
