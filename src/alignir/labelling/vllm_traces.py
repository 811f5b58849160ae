"""Traces: why vLLM's own processes could not load a model, which they write to stderr and nowhere else."""

import contextlib
import os
import re
import select
import sys
import threading
from collections.abc import Iterator

# The start of a line of vLLM's log, or of Python; whatever comes after it is a trace.
BEGINS = re.compile(rb"^.* ERROR |^Process \w+:|^Traceback \(most recent", re.MULTILINE)
FAILED = "failed to start."  # "EngineCore", or "WorkerProc" on one of several GPUs: what comes first after it
CAUSE = re.compile(
    r"^(?:\(.+?\) )?(?:ERROR .+?\] )?(?:\w+\.)*\w*(?:Error|Exception): (?!.*see (?:root cause|stack trace))(.+)$",
    re.MULTILINE | re.IGNORECASE,
)
WAIT_S = 0.1


def cause(trace: bytes) -> str | None:
    """What the first error of the first process that failed says; None where none did.

    >>> cause(b"ERROR [core.py:1510] EngineCore failed to start.\\ntorch.OutOfMemoryError: CUDA out of memory.")
    'CUDA out of memory.'
    """
    _, _, after = trace.decode(errors="replace").partition(FAILED)
    found = CAUSE.search(after)
    return found[1].strip() if found else None


@contextlib.contextmanager
def held() -> Iterator[bytearray]:
    """Pass on what processes that are started meanwhile write to stderr, such as the progress of a download, until a
    trace begins. That is kept, to be told apart, and passed on unless it says why something failed.

    Processes that live on write into the same pipe, which is emptied as long as any of them does.
    """
    trace, ended, drained = bytearray(), threading.Event(), threading.Event()
    screen, (reading, writing) = os.dup(2), os.pipe()

    def pass_on(written: bytes) -> None:
        begins = None if trace else BEGINS.search(written)
        shown = 0 if trace else begins.start() if begins else len(written)
        trace.extend(written[shown:])
        _show(screen, written[:shown])

    def read() -> None:
        try:
            while not ended.is_set() or select.select([reading], [], [], 0)[0]:
                if select.select([reading], [], [], WAIT_S)[0]:
                    if not (written := os.read(reading, 1 << 16)):  # nobody has the other end
                        break
                    pass_on(written)
        finally:
            drained.set()
        while written := os.read(reading, 1 << 16):
            _show(screen, written)
        os.close(reading)
        os.close(screen)

    os.dup2(writing, 2)
    os.close(writing)
    threading.Thread(target=read, daemon=True).start()
    failed = True
    try:
        with _own_stderr(screen):
            yield trace
        failed = False
    finally:
        os.dup2(screen, 2)
        ended.set()
        drained.wait()
        if not failed or cause(bytes(trace)) is None:
            _show(2, trace)


def _show(screen: int, text: bytes | bytearray) -> None:
    with contextlib.suppress(OSError):  # it is gone; processes that write to the pipe must not wait for a reader
        os.write(screen, text)


def _own_stderr(screen: int) -> contextlib.AbstractContextManager:
    """This process itself writes to the screen as before: its view of a sweep goes on, to a terminal if it is one."""
    try:
        elsewhere = sys.stderr.fileno() != 2  # as in a notebook, or a test
    except (AttributeError, OSError, ValueError):  # ValueError: it is closed
        elsewhere = True
    if elsewhere:
        return contextlib.nullcontext()
    # Not closed: whoever finds it may keep it.
    return contextlib.redirect_stderr(
        os.fdopen(os.dup(screen), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    )
