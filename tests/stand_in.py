"""Servers on loopback that stand in for endpoints: each does what the test's function says of a request."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

HANG = object()  # in place of a reply: nothing comes until the server ends
ANSWER = "##final score: 2"


def completion(content, finish_reason="stop", usage=True, **message) -> dict:
    """A reply in OpenAI's form; `usage`: True for 7 tokens and 5, or what stands there."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": content}}
    choice["message"] |= message
    tokens = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12} if usage is True else usage
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": tokens}


def error(message: str, **more) -> dict:
    return {"error": {"message": message, **more}}


@contextlib.contextmanager
def serving(reply: Callable, port: int = 0) -> Iterator[SimpleNamespace]:
    """A server with `url`, and all requests so far in `seen` (body, key, path, passage, and number from 1).

    `reply` takes such a request and gives a body (text, bytes or what becomes JSON), (status, body), or HANG.
    """
    server = SimpleNamespace(seen=[], refused=0)
    ended, lock = threading.Event(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            passage = body["messages"][-1]["content"].rpartition("Passage: ")[2]
            asked = SimpleNamespace(
                body=body, passage=passage, key=self.headers["Authorization"], path=self.path, at=time.monotonic()
            )
            with lock:
                server.seen.append(asked)
                asked.number = len(server.seen)
            said = reply(asked)
            if said is HANG:
                ended.wait(60)
                return
            status, said = said if isinstance(said, tuple) else (200, said)
            server.refused += status >= 400
            content = (
                said if isinstance(said, bytes) else (said if isinstance(said, str) else json.dumps(said)).encode()
            )
            with contextlib.suppress(OSError):  # the client is gone
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if content[:1] == b"<" else "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Retry-After", "0.01")
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # of 5 a few connections at once are reset
        daemon_threads = True

    httpd = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    server.port = httpd.server_port
    server.url = f"http://127.0.0.1:{httpd.server_port}/v1"
    try:
        yield server
    finally:
        ended.set()
        httpd.shutdown()
        httpd.server_close()
