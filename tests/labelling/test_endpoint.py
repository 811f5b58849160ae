"""Endpoints: a stand-in on loopback that fails on purpose, and a real vLLM server with SmolLM2."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from alignir.data.scales import FOUR
from alignir.errors import InputError
from alignir.frames import probabilities
from alignir.labelling.endpoint import Endpoint
from alignir.labelling.labels import label
from alignir.labelling.ledger import Ledger
from alignir.labelling.prompts import Prompt

pytest.importorskip("openai", reason="needs the client: pip install 'alignir[endpoint]'")

PROMPT = Prompt("own", "Query: $query Passage: $passage", "final_score", 10, system="You judge.")
SECRET = "key-that-nobody-may-see"


def completion(content, finish_reason="stop", **message):
    choice = {
        "index": 0,
        "finish_reason": finish_reason,
        "message": {"role": "assistant", "content": content, **message},
    }
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    body = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    return json.dumps(body).encode()


class StandIn(BaseHTTPRequestHandler):
    """Does what the passage says: answers, or fails in the way that it names."""

    seen: list[dict]
    tries: dict[str, int]
    busy = 0
    busiest = 0

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = body["messages"][-1]["content"]
        kind = text.rpartition("Passage: ")[2]
        server = type(self)
        server.seen.append({"body": body, "key": self.headers["Authorization"]})
        server.tries[kind] = server.tries.get(kind, 0) + 1
        server.busy += 1
        server.busiest = max(server.busiest, server.busy)
        try:
            self.reply(kind, server.tries[kind])
        finally:
            server.busy -= 1

    def reply(self, kind, tries):
        first = kind.split()[0]
        if first == "hang":
            time.sleep(3)
        if first == "slow":
            time.sleep(0.05)
        if (first == "429" and tries == 1) or (first == "500" and tries <= 2) or first in ("always500", "400", "401"):
            status = {"429": 429, "500": 500, "always500": 500, "400": 400, "401": 401}[first]
            return self.send(status, b'{"error": {"message": "on purpose"}}')
        if first == "malformed":
            return self.send(200, b'{"choices": [')
        if first == "other":
            return self.send(200, b'{"hello": "world"}')
        if first == "empty":
            return self.send(200, completion(""))
        if first == "null":
            return self.send(200, completion(None, reasoning_content="##final score: 3"))
        if first == "thought":
            return self.send(200, completion("##final score: 1", reasoning_content="##final score: 3"))
        if first == "cut":
            return self.send(200, completion("##final sc", "length"))
        if first == "filtered":
            return self.send(200, completion(None, "content_filter"))
        return self.send(200, completion("##final score: 2"))

    def send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "0.01")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def stand_in():
    handler = type("Handler", (StandIn,), {"seen": [], "tries": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handler.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield handler
    server.shutdown()


def endpoint(stand_in, **changes):
    settings = {
        "name": "m",
        "base_url": stand_in.url,
        "concurrency": 4,
        "timeout": 1.0,
        "retries": 2,
        "sampling": {"seed": 0},
    }
    return Endpoint(**{**settings, **changes})


def asked(stand_in, tmp_path, *passages, **changes):
    pairs = pd.DataFrame({"query_id": "q", "doc_id": list(passages), "query": "query", "passage": list(passages)})
    return label(pairs, PROMPT, endpoint(stand_in, **changes), Ledger(tmp_path)).labels.set_index("doc_id")


@pytest.mark.parametrize(
    ("passage", "relevance", "status"),
    [
        ("fine", 2, "ok"),
        ("429", 2, "ok"),
        ("500", 2, "ok"),
        ("thought", 1, "ok"),
        ("always500", None, "error"),
        ("hang", None, "error"),
        ("malformed", None, "error"),
        ("other", None, "error"),
        ("400", None, "error"),
        ("empty", None, "empty"),
        ("null", None, "empty"),
        ("cut", None, "truncated"),
        ("filtered", None, "refused"),
    ],
)
def test_what_goes_wrong_is_retried_or_is_a_status(stand_in, tmp_path, passage, relevance, status):
    found = asked(stand_in, tmp_path, passage, "fine too", timeout=0.3 if passage == "hang" else 5.0).loc[passage]
    assert (None if found["relevance"] is pd.NA else found["relevance"], found["status"]) == (relevance, status)
    assert stand_in.tries[passage] == {"429": 2, "500": 3, "always500": 3, "hang": 3}.get(passage, 1)


def test_what_a_model_thought_is_kept_beside_its_answer(stand_in, tmp_path):
    found = asked(stand_in, tmp_path, "thought", "null")
    assert found.loc["thought", "response"] == "<think>##final score: 3</think>##final score: 1"
    assert found.loc["null", "response"] == "<think>##final score: 3</think>"


def test_no_more_requests_are_under_way_than_allowed(stand_in, tmp_path):
    found = asked(stand_in, tmp_path, *[f"slow {number}" for number in range(30)])
    assert (found["relevance"] == 2).all()
    assert 2 <= stand_in.busiest <= 4


def test_the_request_is_what_the_config_says(stand_in, tmp_path):
    asked(
        stand_in, tmp_path, "fine", chat={"enable_thinking": False}, thinking_tokens=90, sampling={"temperature": 0.5}
    )
    body = stand_in.seen[0]["body"]
    assert body["messages"][0] == {"role": "system", "content": "You judge."}
    assert (body["max_tokens"], body["temperature"]) == (100, 0.5)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


def test_the_key_comes_from_the_environment_and_is_written_nowhere(stand_in, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    caplog.set_level("DEBUG", logger="alignir")
    asked(stand_in, tmp_path, "fine", "always500")
    assert stand_in.seen[0]["key"] == f"Bearer {SECRET}"
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert written
    assert not any(SECRET.encode() in file.read_bytes() for file in written)
    assert SECRET not in caplog.text
    assert SECRET not in repr(endpoint(stand_in))
    with pytest.raises(InputError) as error:
        asked(stand_in, tmp_path, "401")
    assert SECRET not in str(error.value)


def test_a_wrong_key_stops_at_once_and_hopeless_requests_after_a_few(stand_in, tmp_path):
    with pytest.raises(InputError, match="401 Unauthorized: on purpose"):
        asked(stand_in, tmp_path, "401")
    with pytest.raises(InputError, match="20 requests in a row that failed, the last with: 400 on purpose"):
        asked(stand_in, tmp_path, *[f"400 {number}" for number in range(50)])
    assert sum(kind.startswith("400") for kind in stand_in.tries) <= 30


@pytest.mark.parametrize("url", ["nowhere", "http://user:secret@host/v1", "https://host/v1?key=secret"])
def test_an_address_that_is_none_or_holds_a_secret_is_refused(url):
    with pytest.raises(InputError, match=r"model\.base_url"):
        Endpoint("m", url).check(PROMPT)


def test_the_command_runs_on_an_endpoint(stand_in, alignir):
    text = alignir(
        "model=endpoint", "model.name=m", f"model.base_url={stand_in.url}", "model.price={input: 1000, output: 2000}"
    ).stdout
    assert "ok 360" in text
    assert "2: 360" in text


@pytest.mark.vllm
def test_a_real_vllm_server_with_smollm2_answers_on_loopback(tmp_path):
    pytest.importorskip("vllm", reason="needs vLLM: bash scripts/setup.sh")
    pytest.importorskip("gguf", reason="needs the demo's weights: bash scripts/setup.sh")
    from alignir.data import collections
    from alignir.labelling import vllm as offline
    from alignir.labelling.prompts import read_prompt
    from alignir.labelling.weights import SmolLM2

    folder = SmolLM2("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    offline.set_environment()
    program = [
        sys.executable,
        "-m",
        "vllm.entrypoints.openai.api_server",
        "--model",
        str(folder),
        "--served-model-name",
        "smollm2",
    ]
    settings = ["--dtype", "float32", "--max-model-len", "1024", "--enforce-eager", "--max-num-seqs", "16"]
    where = ["--host", "127.0.0.1", "--port", str(port)]
    with open(tmp_path / "server.log", "w") as log:
        server = subprocess.Popen([*program, *settings, *where], stdout=log, stderr=log, env=os.environ)
    try:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and server.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            except OSError:
                time.sleep(1)
        model = Endpoint("smollm2", f"http://127.0.0.1:{port}/v1", sampling={"temperature": 0.0, "seed": 0})
        pairs = collections.demo("demo").pairs().head(6)
        prompt = read_prompt("zeshot", "zeshot.txt", "final_score", 30)
        labels = label(pairs, prompt, model, Ledger(tmp_path)).labels
        assert set(labels["status"]) <= {"ok", "unparsed", "truncated"}, (tmp_path / "server.log").read_text()[-2000:]
        assert (labels["status"] == "ok").sum() >= 3
        assert (labels["prompt_tokens"] > 100).all()
        logits = replace(prompt, decoding="logits")
        labels = label(pairs, logits, model, Ledger(tmp_path)).labels
        labels = labels[labels["status"] == "ok"]
        mass = labels[probabilities(FOUR.grades)].astype(float).sum(axis=1)
        assert len(labels) >= 3
        assert mass.between(0.05, 1 + 1e-6).all()
        assert (
            labels[probabilities(FOUR.grades)].to_numpy(float).argmax(axis=1) == labels["relevance"]
        ).all()  # temperature 0
        long = pairs.head(1).assign(passage=pairs["passage"].iloc[0] * 200)
        labels = label(long, prompt, model, Ledger(tmp_path)).labels
        assert labels["cut"].all()
        assert (labels["prompt_tokens"] > 500).all()  # of 1,024
    finally:
        server.terminate()
        server.wait(30)


def test_a_pair_that_always_fails_does_not_stop_the_next_run(stand_in, tmp_path):
    for _ in range(2):
        found = asked(stand_in, tmp_path, "400", *[f"fine {number}" for number in range(4)])
        assert found["status"].tolist() == ["error", "ok", "ok", "ok", "ok"]


def test_a_secret_among_the_settings_is_refused():
    with pytest.raises(InputError, match="may hold a secret"):
        Endpoint("m", "http://127.0.0.1/v1", sampling={"extra_headers": {"Authorization": "x"}}).check(PROMPT)
