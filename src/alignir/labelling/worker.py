"""A worker: a process on Ray, on some machine, that holds a model's own engine and answers blocks of pairs."""

import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from alignir.labelling.models import LLM, Answer
from alignir.labelling.prompts import Prompt

SENT_S, SENT = 0.25, 1000  # answers are sent once they are so old, or so many


class Warned(NamedTuple):
    """What a worker's log has for the user."""

    logger: str
    level: int
    message: str


class Sent(NamedTuple):
    """What comes from a worker at once."""

    answers: list[Answer]  # indices are those of the block's pairs
    warnings: list[Warned]


class Worker:
    """Works on one block after the other. Engines of alignir stay loaded in between."""

    def __init__(self, folder: str, cores: int):
        """`folder` is the working folder, where this machine has it; without `cores` it may use all of them."""
        with contextlib.suppress(OSError):
            os.chdir(folder)
        self.taken = take_cores(cores)
        self.log = _Log()
        logging.getLogger("alignir").addHandler(self.log)

    def answer(self, model: LLM, prompt: Prompt, pairs: Sequence[tuple[str, ...]]) -> Iterator[Sent]:
        """The model's answers, some at a time; what is there when it fails comes before the error."""
        answers: list[Answer] = []
        since = time.monotonic()
        try:
            for answer in model.answer(prompt, pairs) if pairs else ():
                answers.append(answer)
                if len(answers) >= SENT or time.monotonic() - since > SENT_S:
                    yield Sent(answers, self.log.taken())
                    answers, since = [], time.monotonic()
        except Exception:
            yield Sent(answers, self.log.taken())
            raise
        yield Sent(answers, self.log.taken())


class _Log(logging.Handler):
    """Keeps warnings until they are sent."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.kept: list[Warned] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(Warned(record.name, record.levelno, record.getMessage()))

    def taken(self) -> list[Warned]:
        kept, self.kept = self.kept, []
        return kept


def take_cores(n: int) -> dict[int, socket.socket]:
    """Keep this process, and all that it starts, to `n` cores that no other worker of this machine has; fewer where
    fewer are free, and any where none is. Two engines that compute on the same cores wait for one another for minutes.

    A core is taken by the name of a socket, which the kernel frees when the process ends, however it ends. The threads
    of libraries are as many as the cores, whatever the environment said before.
    """
    taken: dict[int, socket.socket] = {}
    if not hasattr(os, "sched_setaffinity"):  # macOS and Windows bind no process
        return taken
    for core in sorted(os.sched_getaffinity(0)):
        if len(taken) == n:
            break
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind(f"\0alignir-core-{core}")
        except OSError:  # another worker's
            name.close()
            continue
        taken[core] = name
    if taken:
        os.sched_setaffinity(0, taken)
        for variable in ("OMP_NUM_THREADS", "VLLM_CPU_OMP_THREADS_BIND"):
            os.environ.pop(variable, None)
    return taken
