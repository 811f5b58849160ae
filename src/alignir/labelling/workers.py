"""Workers: one labelling job over many GPUs or machines, through Ray. The door to Ray.

Each worker is an actor of Ray that holds the model's own engine, as this process would: the same judge, the same
answers, the same ledger. Plain actors, and not Ray Data, because answers have to be on disk as they come, and a query's
pairs have to stay together: Ray Data hands a block's rows over when all of it is done, asks a dead actor's block again
from its beginning, promises no order, and its own stage for LLMs waits for a GPU for ever where there is none.
"""

import contextlib
import importlib.util
import logging
import math
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alignir.errors import InputError
from alignir.formatting import counted
from alignir.labelling.blocks import Block, blocks
from alignir.labelling.models import LLM, Answer
from alignir.labelling.prompts import Prompt
from alignir.labelling.vllm import VLLM
from alignir.labelling.worker import Sent, Warned, Worker

log = logging.getLogger(__name__)

PATIENCE_S = 60.0  # after which a job that has not begun says what it waits for
TRIES = 3  # workers that may die over the same block
STARTS = 3  # of Ray itself, which gives up after half a minute on a busy machine
OBJECTS = 80_000_000  # bytes that Ray keeps for objects, which are a few texts here; about the least it takes

_hired: dict[tuple, list[Any]] = {}  # actors by what they are, kept while the next cell wants the same
_addresses: list[str | None] = []  # of the Ray that this process started, or is connected to


@dataclass(frozen=True)
class OnRay:
    """An LLM that `n` workers on Ray answer for; None: as many as there is room for. All else is the model's own.

    A worker has `gpus` (0: it computes on its own `cpus` cores), or those that the model is spread over.
    """

    model: LLM
    n: int | None = None
    gpus: float = 1
    cpus: int = 1
    address: str | None = (
        None  # of a running cluster, such as auto or HOST:6379; None: a Ray of its own, on this machine
    )

    def __post_init__(self) -> None:
        if not (self.n is None or _whole(self.n)):
            raise InputError(f"workers.n: expected a whole number from 1, found {self.n}")
        if not _whole(self.cpus):
            raise InputError(f"workers.cpus: expected a whole number of cores from 1, found {self.cpus}")
        if isinstance(self.gpus, bool) or not (isinstance(self.gpus, int | float) and self.gpus >= 0):
            raise InputError(f"workers.gpus: expected a number from 0, found {self.gpus}")
        if self.address is not None and "://" in str(self.address):
            raise InputError(
                f"workers.address={self.address}: expected auto or HOST:PORT, and alignir on a machine of the cluster"
            )

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
        if importlib.util.find_spec("ray") is None:
            raise InputError("workers=ray needs Ray, which is not installed: pip install 'alignir[ray]'")
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
        ray = _connected(self.address)
        n = self._room(ray)
        place = prompt.fields.index("query")
        waiting = deque(Block(list(indices)) for indices in blocks([texts[place] for texts in pairs], n))
        start = Block([])  # what a new worker is given first, so that no pair waits for it
        workers = self._colleagues()
        idle = list(workers)
        busy: dict[Any, tuple[Any, Block]] = {}  # by the stream of what a worker sends
        told: set[Warned] = set()

        def give(worker: Any, block: Block) -> None:
            asked = [pairs[index] for index in block.indices]
            busy[worker.answer.remote(self.model, prompt, asked)] = worker, block

        try:
            while waiting or any(block.indices for _, block in busy.values()):
                while waiting and idle:
                    give(idle.pop(), waiting.popleft())
                starting = sum(not block.indices for _, block in busy.values())
                for _ in range(min(n - len(workers), len(waiting) - starting)):
                    workers.append(self._hire(ray))
                    give(workers[-1], start)
                ready, _ = ray.wait(list(busy), num_returns=1, timeout=PATIENCE_S)
                if not ready and not any(block.indices for _, block in busy.values()):
                    log.info("waiting for GPUs and cores that other jobs on Ray have")
                if not ready:
                    continue
                stream = ready[0]
                worker, block = busy[stream]
                try:
                    sent: Sent = ray.get(next(stream))
                except StopIteration:
                    del busy[stream]
                    idle.append(worker)
                    continue
                except ray.exceptions.RayTaskError as error:
                    del busy[stream]
                    raise error.cause from error
                except ray.exceptions.RayError as error:
                    del busy[stream]
                    _dismiss(worker, workers)
                    block.deaths += 1
                    _bury(block, _reason(error))
                    if block.indices:
                        waiting.appendleft(block.rest())
                    continue
                for warning in sent.warnings:
                    if warning not in told:  # all workers say the same
                        told.add(warning)
                        logging.getLogger(warning.logger).log(warning.level, "%s", warning.message)
                for answer in sent.answers:
                    block.answered.add(answer.index)
                    yield replace(answer, index=block.indices[answer.index])
        finally:
            for worker, _ in busy.values():  # nobody listens any more, and nothing else ends what an actor works on
                _dismiss(worker, workers)

    def _room(self, ray: Any) -> int:
        """How many workers there will be; InputError where the cluster has no room for so many, now or later."""
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        wanted = {name: number for name, number in (("GPU", self.gpus_each), ("CPU", self.cpus)) if number}
        room = sum(
            min(math.floor(each.get(name, 0) / number + 1e-9) for name, number in wanted.items()) for each in machines
        )
        n = self.n or max(room, 1)
        if n > room:
            there = ", ".join(counted(sum(each.get(name, 0) for each in machines), name) for name in ("GPU", "CPU"))
            each = ", ".join(f"{number:g} {name}" for name, number in wanted.items())
            raise InputError(
                f"workers=ray: expected room for {counted(n, 'worker')} of {each}, found room for {room} on "
                f"{counted(len(machines), 'machine')} with {there}: lower workers.n"
                + (", or set workers.gpus=0 where there is no GPU" if self.gpus else " or workers.cpus")
            )
        return n

    def _colleagues(self) -> list[Any]:
        """The workers of the last cell, if it had such as this one; others are dismissed, and their GPUs free."""
        kind = (self.gpus_each, self.cpus)
        for other in set(_hired) - {kind}:
            for worker in list(_hired[other]):
                _dismiss(worker, _hired[other])
            del _hired[other]
        return _hired.setdefault(kind, [])

    def _hire(self, ray: Any) -> Any:
        """A new worker, which starts when the cluster has its GPUs and cores."""
        actor = ray.remote(Worker).options(num_cpus=self.cpus, num_gpus=self.gpus_each)
        return actor.remote(os.getcwd(), 0 if self.gpus else self.cpus)


def close() -> None:
    """Let all workers go, and end the Ray that was started here, or the connection to the cluster."""
    _hired.clear()
    if _addresses:
        import ray

        _addresses.clear()
        ray.shutdown()


def _connected(address: str | None) -> Any:
    """Ray, connected; one of its own listens to this machine only. InputError where there is none."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is None:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # read at the import: its address is 127.0.0.1
    import ray

    if _addresses and _addresses != [address]:
        close()
    if ray.is_initialized():
        return ray
    _hired.clear()
    log.info("connecting to Ray, %s", address or "a new one")
    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": OBJECTS} if address is None else {}
    at_sigterm = signal.getsignal(signal.SIGTERM)
    for attempt in range(1 if address else STARTS):
        try:
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **own)
            break
        except Exception as error:
            ray.shutdown()
            if address or attempt == STARTS - 1:
                where = f"at workers.address={address}" if address else "of its own"
                raise InputError(f"workers=ray: no Ray {where}: {_reason(error)}") from error
        finally:
            with contextlib.suppress(ValueError, TypeError):  # not in the main thread
                signal.signal(signal.SIGTERM, at_sigterm)  # Ray's own would end the process without a word
    _addresses.append(address)
    return ray


def _dismiss(worker: Any, workers: list[Any]) -> None:
    import ray

    workers.remove(worker)
    ray.kill(worker)


def _bury(block: Block, reason: str) -> None:
    what = "over the same pairs" if block.indices else "before they were ready"
    if block.deaths == TRIES:
        raise InputError(
            f"workers=ray: {TRIES} workers died {what}, the last with: {reason}. The answers so far are kept"
        )
    log.warning("a worker died, and another one goes on: %s", reason)


def _reason(error: Exception) -> str:
    """What an error of Ray says, in a line."""
    return str(error).strip().splitlines()[-1][:300] if str(error).strip() else type(error).__name__


def _whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1
