"""Background: what an asynchronous iterator gives, for a caller that is not: it works in a thread of its own."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Iterator
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

ENDS_S = 1.0  # what an early end waits for its requests to be cancelled


def in_background(things: AsyncGenerator[T, None]) -> Iterator[T]:
    """The things, as they are ready. Whoever stops listening cancels what is under way, and waits for a second at most.

    Tasks can be cancelled, threads cannot: a thread that waits for a server keeps the process from ending until then.
    """
    ready: SimpleQueue = SimpleQueue()  # of (thing, None), at last of (None, an exception or StopIteration)
    loop = asyncio.new_event_loop()

    async def listen() -> None:
        try:
            async for thing in things:
                ready.put((thing, None))
            ready.put((None, StopIteration()))
        except BaseException as error:
            ready.put((None, error))
        finally:
            await things.aclose()

    def work() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    task = loop.create_task(listen())
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            thing, end = ready.get()
            if isinstance(end, StopIteration):
                return
            if end is not None:
                raise end
            yield thing
    finally:
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(task.cancel)
        thread.join(ENDS_S)
