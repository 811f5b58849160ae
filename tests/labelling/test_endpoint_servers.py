"""Endpoints as families of servers are: what each refuses, what each sends, and how each stops answering."""

import json
import logging
import math
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest
from stand_in import ANSWER, HANG, completion, error, serving

from alignir.errors import InputError
from alignir.labelling import endpoint as module
from alignir.labelling.endpoint import Endpoint
from alignir.labelling.labels import judge_of, label
from alignir.labelling.ledger import Ledger
from alignir.labelling.prompts import Prompt

pytest.importorskip("openai", reason="needs the client: pip install 'alignir[endpoint]'")

PROMPT = Prompt("own", "Query: $query Passage: $passage", "final_score", 10, system="You judge.")
SECRET = "key-that-nobody-may-see"


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch):
    monkeypatch.setattr(module, "_length_names", {})
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def endpoint(url: str, **changes) -> Endpoint:
    settings = {"concurrency": 4, "timeout": 5.0, "retries": 0, "sampling": {"temperature": 0.0}}
    return Endpoint(**{"name": "m", "base_url": url, **settings, **changes})


def labelled(folder, url: str, passages=("one", "two"), prompt=PROMPT, **changes):
    texts = list(passages)
    pairs = pd.DataFrame({"query_id": "q", "doc_id": [text[:20] for text in texts], "query": "query", "passage": texts})
    model = endpoint(url, **changes)
    model.check(prompt)
    return label(pairs, prompt, model, Ledger(folder))


def statuses(labelling) -> dict:
    return labelling.labels.set_index("doc_id")["status"].to_dict()


# what a judge is


def test_another_address_of_the_same_model_asks_nothing_again(tmp_path):
    passages = [str(number) for number in range(8)]
    with serving(lambda asked: completion(ANSWER)) as one, serving(lambda asked: completion(ANSWER)) as two:
        assert labelled(tmp_path, one.url, passages).asked == 8
        for url in (two.url, one.url.replace("127.0.0.1", "localhost"), f"{one.url}/", f"{two.url}/"):
            again = labelled(tmp_path, url, passages)
            assert (again.asked, again.labels["relevance"].tolist()) == (0, [2] * 8)
        assert (len(one.seen), len(two.seen)) == (8, 0)
        assert labelled(tmp_path, two.url, passages, served_by="fp8, H100").asked == 8


def test_how_patiently_it_is_asked_is_no_part_of_a_judge():
    slow = endpoint("http://a/v1", concurrency=1, timeout=9.0, retries=9, give_up_after=9, key_env="OTHER")
    assert judge_of(slow, PROMPT) == judge_of(endpoint("http://b:1/v1/"), PROMPT)
    not_sent = endpoint("http://a/v1", sampling={"temperature": 0.0, "seed": None}, extra_body={"x": None})
    assert judge_of(not_sent, PROMPT) == judge_of(slow, PROMPT)
    assert judge_of(endpoint("http://a/v1", extra_body={"top_k": 1}), PROMPT) != judge_of(slow, PROMPT)


def test_the_address_is_no_part_of_a_cell_either():
    from alignir.config import composed_cell
    from alignir.experiment.inputs import read_inputs
    from alignir.experiment.keys import key

    def key_at(*settings: str) -> str:
        cell = composed_cell(["model=endpoint", "model.name=m", *settings])
        return key(cell, read_inputs(cell))

    here = key_at("model.base_url=http://a/v1")
    assert key_at("model.base_url=http://b/v1", "model.retries=1", "model.give_up_after=3") == here
    assert key_at("model.base_url=http://a/v1", "model.served_by=b") != here


# what is sent


def test_what_is_not_set_is_not_sent(tmp_path):
    with serving(lambda asked: completion(ANSWER)) as server:
        labelled(tmp_path, server.url, ["one"], sampling={"seed": None, "temperature": None})
        assert set(server.seen[0].body) == {"model", "messages", "max_tokens"}
        more = {"top_k": 5, "provider": {"order": ["a"]}}
        labelled(tmp_path, server.url, ["one"], sampling={"seed": 3, "top_p": 0.5}, extra_body=more)
        sent = server.seen[1].body
        assert {name: sent[name] for name in (*more, "seed", "top_p")} == {**more, "seed": 3, "top_p": 0.5}
        assert "temperature" not in sent


def test_repeats_without_a_seed_send_none(tmp_path):
    with serving(lambda asked: completion(ANSWER)) as server:
        labelled(tmp_path, server.url, ["one"], repeats=2, sampling={"seed": None})
        labelled(tmp_path, server.url, ["one"], repeats=2, sampling={"seed": 7})
    assert [asked.body.get("seed") for asked in server.seen] == [None, None, 7, 8]


def o_series(asked):
    """OpenAI's reasoning models."""
    if "max_tokens" in asked.body:
        words = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return 400, error(words, type="invalid_request_error", param="max_tokens", code="unsupported_parameter")
    if asked.body.get("temperature", 1) != 1:
        words = (
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is supported."
        )
        return 400, error(words, type="invalid_request_error", param="temperature", code="unsupported_value")
    return completion(ANSWER)


def mistral(asked):
    known = {"model", "messages", "max_tokens", "temperature", "top_p", "random_seed"}
    unknown = sorted(set(asked.body) - known)
    if unknown:
        details = [
            {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": 0}
            for name in unknown
        ]
        return 422, {"object": "error", "message": {"detail": details}, "type": "invalid_request_error"}
    return completion(ANSWER)


def gemini(asked):
    for name in ("seed", "logit_bias"):
        if name in asked.body:
            words = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
            return 400, [{"error": {"code": 400, "message": words, "status": "INVALID_ARGUMENT"}}]
    return completion(ANSWER)


def vllm(asked):
    if asked.body.get("temperature", 0) < 0:
        details = [{"type": "value_error", "loc": ["body", "temperature"], "msg": "temperature must be non-negative"}]
        return 400, {"object": "error", "message": json.dumps(details), "type": "BadRequestError", "code": 400}
    return completion(ANSWER)


def test_a_server_that_wants_the_other_name_of_max_tokens_refuses_one_request(tmp_path):
    passages = [str(number) for number in range(20)]
    with serving(o_series) as server:
        found = labelled(tmp_path, server.url, passages, sampling={}, thinking_tokens=90)
        assert found.labels["relevance"].tolist() == [2] * 20
        assert server.refused == 1
        assert [asked.body.get("max_completion_tokens") for asked in server.seen] == [None] + [100] * 20
        labelled(tmp_path, server.url, ["more"], sampling={})
        labelled(tmp_path, server.url, ["set"], sampling={}, max_tokens_name="max_completion_tokens")
        assert server.refused == 1
        assert all(not {"max_tokens", "max_completion_tokens"} <= set(asked.body) for asked in server.seen)


@pytest.mark.parametrize(
    ("server", "settings", "hint", "words"),
    [
        (o_series, {"sampling": {"temperature": 0.0}}, "model.sampling.temperature=null", "Only the default"),
        (
            o_series,
            {"sampling": {}, "max_tokens_name": "max_tokens"},
            "max_tokens_name=max_completion_tokens",
            "Use 'max_",
        ),
        (mistral, {"sampling": {"seed": 0}}, "model.sampling.seed=null", "Extra inputs are not permitted"),
        (mistral, {"sampling": {}, "extra_body": {"top_k": 1}}, "model.extra_body.top_k=null", "body.top_k"),
        (
            mistral,
            {"sampling": {}, "chat": {"enable_thinking": False}},
            "leave out model.chat",
            "body.chat_template_kwargs",
        ),
        (gemini, {"sampling": {"seed": 1}}, "model.sampling.seed=null", 'Unknown name "seed"'),
        (mistral, {"sampling": {"seed": None}}, "", ""),
        (gemini, {"sampling": {"seed": None, "temperature": 0.0}}, "", ""),
        (vllm, {"sampling": {"seed": 0, "top_k": 1}, "chat": {"enable_thinking": False}}, "", ""),
    ],
)
def test_what_a_server_does_not_take_is_told_with_the_setting_that_leaves_it_out(
    tmp_path, server, settings, hint, words
):
    with serving(server) as running:
        if not hint:
            assert set(statuses(labelled(tmp_path, running.url, **settings)).values()) == {"ok"}
            return
        with pytest.raises(InputError) as problem:
            labelled(tmp_path, running.url, [str(number) for number in range(40)], **settings)
        assert len(running.seen) <= 2  # the first tells it, or the name of max_tokens first
    assert hint in str(problem.value)
    assert words in str(problem.value)


def test_what_is_wrong_with_a_value_is_shown_in_the_servers_words(tmp_path):
    with serving(vllm) as server, pytest.raises(InputError, match="temperature must be non-negative"):
        labelled(tmp_path, server.url, map(str, range(30)), sampling={"temperature": -1.0}, give_up_after=3)


# what comes back


@pytest.mark.parametrize(
    ("reply", "status", "response"),
    [
        (completion([{"type": "text", "text": "##final "}, {"type": "text", "text": "score: 2"}]), "ok", ANSWER),
        (
            completion(
                [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "##final score: 0"}]},
                    {"type": "text", "text": ANSWER},
                ]
            ),
            "ok",
            f"<think>##final score: 0</think>{ANSWER}",
        ),
        (completion(ANSWER, usage={"prompt_tokens": 7.5, "completion_tokens": 4.25}), "ok", ANSWER),
        (completion(ANSWER, usage={"prompt_tokens": None, "completion_tokens": "many"}), "ok", ANSWER),
        (completion(ANSWER, usage={"prompt_tokens": 1e300, "completion_tokens": -3}), "ok", ANSWER),
        (completion(ANSWER, usage=None), "ok", ANSWER),
        (completion(ANSWER, usage=[]), "ok", ANSWER),
        (completion(ANSWER, finish_reason=None), "ok", ANSWER),
        (completion(ANSWER, finish_reason={"type": "stop"}), "ok", ANSWER),
        (completion(f"\ud800\n{ANSWER}"), "ok", f"?\n{ANSWER}"),
        (completion(None, refusal="I will not judge 3 of them."), "refused", "I will not judge 3 of them."),
        (completion(None, "content_filter"), "refused", ""),
        ({"choices": [{"finish_reason": "SAFETY", "index": 0}]}, "refused", ""),
        ({"choices": [{"finish_reason": "length", "index": 0, "message": {"role": "assistant"}}]}, "truncated", ""),
        (completion(None, "abort"), "error", ""),
        (completion(ANSWER, "CANCELLED"), "error", ""),
        ({"choices": [{"index": 0}]}, "error", ""),
        ({"choices": [{"index": 0, "message": "none"}]}, "empty", ""),
        ({"choices": None}, "error", ""),
        ({"choices": ["two"]}, "error", ""),
        (error("Upstream is asleep", code=502), "error", ""),
        ([1, 2], "error", ""),
        ("null", "error", ""),
        ("", "error", ""),
        ("[" * 100_000, "error", ""),
        (b"\xff\xfe", "error", ""),
        ("<html><title>Sign in</title>...</html>", "error", ""),
    ],
)
def test_nothing_that_a_server_sends_ends_the_run(tmp_path, reply, status, response):
    with serving(lambda asked: reply if asked.passage == "one" else completion(ANSWER)) as server:
        found = labelled(tmp_path, server.url).labels.set_index("doc_id")
    assert found["status"].to_dict() == {"one": status, "two": "ok"}
    assert found.loc["one", "response"] == response
    assert 0 <= found.loc["one", "prompt_tokens"] < 2**31


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((400, error("The sky is falling", code="no_sky")), r"400 The sky is falling \(no_sky\)"),
        ((422, {"detail": [{"loc": ["body", "n"], "msg": "no number"}]}), r"422 no number \(body\.n\)"),
        ((502, "<html><head><title>Bad Gateway</title></head>...</html>"), "502 an HTML page: Bad Gateway"),
        ((429, error("Limit of 200 requests per day")), "429 Limit of 200 requests per day"),
        (error("Upstream is asleep"), "Upstream is asleep"),
        ("<!DOCTYPE html><title>Sign in</title>", "an HTML page: Sign in"),
        ((200, "service \x1b[31m asleep"), r"no JSON: service \[31m asleep"),
        ("{}", "no answer in the reply"),
    ],
)
def test_the_servers_words_are_shown(tmp_path, reply, said):
    with serving(lambda asked: reply) as server:
        found = labelled(tmp_path, server.url)
        assert (found.failed, set(statuses(found).values())) == (2, {"error"})
        with pytest.raises(InputError, match=rf"gave up after 3 requests in a row that failed, the last with: {said}"):
            labelled(tmp_path, server.url, map(str, range(9)), give_up_after=3)


@pytest.mark.parametrize(
    "reply",
    [
        completion(None, refusal="I cannot help with that."),
        completion(None, "content_filter"),
        (400, error("The response was filtered due to our content management policy", code="content_filter")),
        (400, error("Content Exists Risk", type="invalid_request_error")),
        (400, error("flagged", code="invalid_prompt")),
        (400, {"code": "data_inspection_failed", "message": "Input data may contain inappropriate content."}),
        (403, error("openai requires moderation. Your input was flagged", code=403, metadata={"reasons": ["hate"]})),
        error("blocked", code="content_policy_violation"),
    ],
)
def test_a_blocked_pair_is_refused_and_never_paid_for_again(tmp_path, reply):
    with serving(lambda asked: reply if int(asked.passage) % 5 == 0 else completion(ANSWER)) as server:
        passages = [str(number) for number in range(20)]
        for asked in (20, 0):
            found = labelled(tmp_path, server.url, passages, give_up_after=1)
            assert (found.asked, found.failed) == (asked, 0)
            assert {name for name, status in statuses(found).items() if status == "refused"} == {"0", "5", "10", "15"}
        assert len(server.seen) == 20


def test_an_accounts_trouble_is_no_blocked_pair(tmp_path):
    reply = 403, error("Your account was flagged for violating our usage policies")
    with serving(lambda asked: reply) as server, pytest.raises(InputError, match="403 Forbidden: Your account"):
        labelled(tmp_path, server.url)


def too_long(words):
    """A server whose context has 60 tokens, each of four letters, and that counts or does not."""

    def reply(asked):
        used = sum(len(message["content"]) for message in asked.body["messages"]) // 4
        most = asked.body["max_tokens"]
        if used + most <= 60:
            return completion(ANSWER)
        return 400, error(words.format(used=used, most=most, all=used + most), code=None, type="BadRequestError")

    return reply


@pytest.mark.parametrize(
    ("words", "most_requests"),
    [
        (
            "This model's maximum context length is 60 tokens. However, you requested {all} tokens ({used} in the "
            "messages, {most} in the completion). Please reduce the length of the messages or completion.",
            3,
        ),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: {most}. This model's maximum context length is 60 "
            "tokens and your request has {used} input tokens ({most} > 60 - {used}).",
            3,
        ),
        (
            "This model's maximum context length is 60 tokens. However, you requested {most} output tokens and your "
            "prompt contains at least 51 input tokens, for a total of at least 61 tokens.",
            6,
        ),
        ("The prompt is too long for the context", 6),
    ],
)
def test_too_long_a_prompt_is_cut_to_fit(tmp_path, words, most_requests):
    long = "long " * 120
    with serving(too_long(words)) as server:
        found = labelled(tmp_path, server.url, [long, "short"]).labels
        assert found["status"].tolist() == ["ok", "ok"]
        assert found["cut"].tolist() == [True, False]
        kept = [asked.passage for asked in server.seen if asked.passage.startswith("long")]
        assert 2 <= len(kept) <= most_requests
        assert all(long.startswith(text) for text in kept)
        assert len(kept[-1]) >= 40  # of about 140 letters that there is room for
        assert labelled(tmp_path, server.url, [long, "short"]).asked == 0


def test_too_long_a_document_loses_the_end_of_its_text_and_never_its_title(tmp_path):
    prompt = replace(PROMPT, text="Query: $query Title: $title Passage: $passage")
    pairs = [("query", "long " * 120, "a title of eleven words that is not to be cut")]
    assert prompt.fields == ("query", "passage", "title")
    with serving(too_long("The prompt is too long for the context")) as server:
        (answer,) = endpoint(server.url, timeout=60.0).answer(prompt, pairs)
        assert (answer.cut, answer.response) == (True, ANSWER)
        said = [asked.body["messages"][-1]["content"] for asked in server.seen]
        assert len(said) >= 2
        assert all(f"Title: {pairs[0][2]} Passage: long" in text for text in said)


def test_a_prompt_that_never_fits_is_kept_without_a_label(tmp_path):
    reply = 400, error("This prompt is too long", code="context_length_exceeded")
    with serving(lambda asked: completion(ANSWER) if asked.passage == "two" else reply) as server:
        found = labelled(tmp_path, server.url).labels.set_index("doc_id")
        assert found.loc["one", ["status", "finish_reason"]].tolist() == ["truncated", "context_length_exceeded"]
        assert len(server.seen) <= 1 + module.CUTS
        assert labelled(tmp_path, server.url).asked == 0


def test_an_answer_as_long_as_the_context_is_every_pairs_trouble(tmp_path):
    words = "This model's maximum context length is 60 tokens. However, you requested 110 tokens."
    with (
        serving(lambda asked: (400, error(words))) as server,
        pytest.raises(InputError, match="100 tokens for an answer"),
    ):
        labelled(tmp_path, server.url, thinking_tokens=90)
    words = "max_tokens=100 cannot be greater than max_model_len=60. Please request fewer output tokens."
    with serving(lambda asked: (400, error(words))) as server:
        found = labelled(tmp_path, server.url, thinking_tokens=90)
        assert (found.failed, found.problem) == (2, f"400 {words[:-1]}")


def test_an_unknown_finish_reason_is_counted(tmp_path):
    from alignir.labelling.labels import unknown_endings

    with serving(lambda asked: completion(ANSWER, "brownout" if asked.passage == "one" else "STOP")) as server:
        found = labelled(tmp_path, server.url)
    assert set(statuses(found).values()) == {"ok"}
    assert unknown_endings(found.labels) == {"brownout": 1}


# servers that stop answering


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((429, error("Rate limit reached: 200 requests per day.")), "requests per day"),
        ((502, "<html><title>502 Bad Gateway</title></html>"), "Bad Gateway"),
        (HANG, "no answer within 2 s"),
    ],
)
def test_a_server_that_stops_answering_stops_the_labelling_and_keeps_what_it_gave(tmp_path, reply, said):
    passages = [str(number) for number in range(120)]
    # One at a time: of several, a good answer that comes late begins the row anew, and the count is another each time.
    patience = {"give_up_after": 3, "concurrency": 1, "timeout": 2.0 if reply is HANG else 60.0}
    with serving(lambda asked: completion(ANSWER) if asked.number <= 30 else reply) as server:
        with pytest.raises(
            InputError, match=rf"gave up after 3 requests in a row .* the last with: .*{said}\. The answers"
        ):
            labelled(tmp_path, server.url, passages, **patience)
        assert len(server.seen) == 30 + 3
    with serving(lambda asked: completion(ANSWER)) as server:
        again = labelled(tmp_path, server.url, passages)
        assert (again.asked, len(server.seen)) == (90, 90)
        assert again.labels["relevance"].tolist() == [2] * 120


def test_failures_that_are_not_in_a_row_stop_nothing(tmp_path):
    passages = [str(number) for number in range(40)]
    with serving(lambda asked: (500, "") if int(asked.passage) % 2 else completion(ANSWER)) as server:
        found = labelled(tmp_path, server.url, passages, give_up_after=4, concurrency=1)
    assert (found.failed, found.problem) == (20, "500 an empty reply")
    assert list(statuses(found).values()).count("ok") == 20


def test_a_lost_server_says_why(tmp_path):
    with serving(lambda asked: completion(ANSWER)) as server:
        url = server.url
    with pytest.raises(InputError, match=r"in a row that failed, the last with: ConnectError"):
        labelled(tmp_path, url, map(str, range(9)), give_up_after=2)


# early ends


def ends_early(tmp_path, reply, end, **settings) -> float:
    """Seconds from the end to the return, with requests under way that hang."""
    pairs = [("query", str(number)) for number in range(30)]
    with serving(reply) as server:
        answers = endpoint(server.url, timeout=60.0, **settings).answer(PROMPT, pairs)
        next(answers)
        while len(server.seen) < 5:
            time.sleep(0.01)
        start = time.monotonic()
        end(answers)
        return time.monotonic() - start


def test_whoever_stops_listening_waits_for_no_request(tmp_path):
    def some_hang(asked):
        return completion(ANSWER) if asked.number == 1 else HANG

    assert ends_early(tmp_path, some_hang, lambda answers: answers.close()) < 2


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_is_wrong_with_all_waits_for_no_request(tmp_path, status):
    def some_hang(asked):
        if asked.number == 5:
            time.sleep(0.2)
            return status, error("on purpose")
        return completion(ANSWER) if asked.number == 1 else HANG

    def end(answers):
        with pytest.raises(InputError, match=f"{status} .*on purpose"):
            list(answers)

    assert ends_early(tmp_path, some_hang, end) < 2


def test_cancelled_requests_close_their_connections(tmp_path):
    import threading

    with serving(lambda asked: completion(ANSWER) if asked.number == 1 else HANG) as server:
        before = threading.active_count()
        answers = endpoint(server.url, timeout=60.0).answer(PROMPT, [("query", str(number)) for number in range(9)])
        next(answers)
        answers.close()
        time.sleep(0.1)
        assert not [thread for thread in threading.enumerate() if "work" in thread.name]
        assert threading.active_count() <= before + 5  # the stand-in's own


PROGRAM = """
import time
from alignir.labelling.endpoint import Endpoint
from alignir.labelling.prompts import Prompt
prompt = Prompt("own", "Query: $query Passage: $passage", "final_score", 10)
model = Endpoint("m", "{url}", concurrency=8, timeout=30.0)
for answer in model.answer(prompt, [("query", str(number)) for number in range(30)]):
    time.sleep(0.5)
    print(time.time(), flush=True)
    raise KeyboardInterrupt
"""


def test_the_process_ends_within_two_seconds_of_an_early_end():
    """Threads that wait for a server are joined when a process ends: that was the whole timeout."""
    with serving(lambda asked: completion(ANSWER) if asked.number == 1 else HANG) as server:
        program = [sys.executable, "-c", PROGRAM.format(url=server.url)]
        done = subprocess.run(program, capture_output=True, text=True, timeout=60)
        ended = time.time()
        assert len(server.seen) > 1
    assert "KeyboardInterrupt" in done.stderr
    assert ended - float(done.stdout) < 2


# addresses and keys


@pytest.mark.parametrize(("path", "hint"), [("", True), ("/", True), ("/openai", True), ("/v1", False)])
def test_a_404_says_that_addresses_mostly_end_in_v1(tmp_path, path, hint):
    with serving(lambda asked: (404, {"detail": "Not Found"})) as server:
        start = time.monotonic()
        with pytest.raises(InputError, match="404 Not Found: Not Found") as problem:
            labelled(tmp_path, server.url.removesuffix("/v1") + path, map(str, range(9)))
        assert time.monotonic() - start < 2
        assert len(server.seen) == 1
    assert ("addresses mostly end in /v1" in str(problem.value)) is hint


@pytest.mark.parametrize(("key", "said"), [(f"{SECRET}\n", "line end"), (f"{SECRET}\r\n", "line end"), ("ä ", "blank")])
def test_a_key_that_no_header_can_hold_says_so_without_the_key(tmp_path, monkeypatch, key, said):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(InputError, match=rf"OPENAI_API_KEY.*{said}") as problem:
        endpoint("http://127.0.0.1:9/v1").check(PROMPT)
    assert SECRET not in str(problem.value)
    with pytest.raises(InputError, match=said):
        next(endpoint("http://127.0.0.1:9/v1").answer(PROMPT, [("query", "passage")]))


def test_a_server_that_says_the_key_has_it_written_nowhere(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    caplog.set_level(logging.DEBUG)

    def tells(asked):
        if asked.passage == "answer":
            return completion(f"{asked.key} {ANSWER}", reasoning_content=asked.key)
        return 400, error(f"Who is {asked.key}?", code=f"of {asked.key}")

    with serving(tells) as server:
        found = labelled(tmp_path, server.url, ["answer", "failure"])
        assert found.problem == "400 Who is Bearer [OPENAI_API_KEY]? (of Bearer [OPENAI_API_KEY])"
        with pytest.raises(InputError) as problem:
            labelled(tmp_path, server.url, map(str, range(9)), give_up_after=2)
    assert SECRET not in str(problem.value) + found.labels.to_csv()
    assert not any(SECRET.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert SECRET not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("alignir"))


@pytest.mark.parametrize(
    "settings",
    [
        {"extra_body": {"metadata": {"api_key": "x"}}},
        {"extra_body": {"Authorization": "x"}},
        {"chat": {"headers": {}}},
        {"extra_body": {"user": SECRET}},
        {"served_by": f"with {SECRET}"},
        {"base_url": f"http://127.0.0.1/{SECRET}/v1"},
        {"base_url": f"//user:{SECRET}@host/v1"},
    ],
)
def test_a_setting_that_holds_a_secret_is_refused_without_saying_it(monkeypatch, settings):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with pytest.raises(InputError, match=r"secret|holds the key") as problem:
        endpoint(**{"url": "http://127.0.0.1/v1"}, **settings).check(PROMPT) if "base_url" not in settings else (
            endpoint(settings["base_url"]).check(PROMPT)
        )
    assert SECRET not in str(problem.value)


@pytest.mark.parametrize(
    "settings", [{"give_up_after": 0}, {"max_tokens_name": "max_output"}, {"concurrency": 0}, {"timeout": 0}]
)
def test_a_setting_that_cannot_be_is_named(settings):
    with pytest.raises(InputError, match="model"):
        endpoint("http://127.0.0.1/v1", **settings).check(PROMPT)


# decoding=logits


LOGITS = Prompt("own", "Query: $query Passage: $passage", "final_score", 10, decoding="logits")


def place(token, **others):
    likely = {token: others.pop("p", 1.0), **others}
    tops = [{"token": text, "logprob": math.log(p)} for text, p in likely.items()]
    return {"token": token, "logprob": tops[0]["logprob"], "top_logprobs": tops}


def with_logprobs(*places, content=None):
    reply = completion("".join(each["token"] for each in places) if content is None else content)
    reply["choices"][0]["logprobs"] = {"content": list(places)}
    return reply


def test_logits_are_the_probabilities_of_the_labels_where_the_answer_has_its_own(tmp_path):
    answer = with_logprobs(
        *map(place, ("It", " has", " ", "2", " of", " 3", " parts", ".\n", "##", "final", " score", ":")),
        {
            **place(" 2", p=0.5),
            "top_logprobs": place(" 2", p=0.5, **{"2": 0.125, " 1": 0.25, " two": 0.1})["top_logprobs"],
        },
        place(" as it names 3 parts"),
    )
    with serving(lambda asked: answer if asked.passage == "one" else with_logprobs(place("Hm"))) as server:
        found = labelled(tmp_path, server.url, prompt=LOGITS).labels.set_index("doc_id")
        sent = server.seen[0].body
        assert (sent["logprobs"], sent["top_logprobs"], sent["max_tokens"]) == (True, 20, 10)
        one = found.loc["one"]
        assert (one["relevance"], one["status"]) == (2, "ok")
        assert one[["p0", "p1", "p2", "p3"]].tolist() == pytest.approx([0, 0.25, 0.625, 0])
        assert one["expected"] == pytest.approx((0.25 + 2 * 0.625) / 0.875)
        assert found.loc["two", "status"] == "unparsed"
        assert found.loc["two", ["p0", "expected"]].isna().all()
        assert labelled(tmp_path, server.url, prompt=LOGITS).asked == 0


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (completion(ANSWER), r"prompt\.decoding=logits: m at .* answers without the top_logprobs"),
        (
            (400, error("Unsupported parameter: 'logprobs' is not supported with this model.", param="logprobs")),
            r"does not take logprobs: prompt\.decoding=free",
        ),
    ],
)
def test_logits_of_a_server_without_them_is_a_clear_error(tmp_path, reply, said):
    with serving(lambda asked: reply) as server, pytest.raises(InputError, match=said):
        labelled(tmp_path, server.url, prompt=LOGITS)


# whole runs


def runs_of(folder) -> list:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    found = [run for each in client.search_experiments() for run in client.search_runs([each.experiment_id])]
    return sorted(found, key=lambda run: run.info.start_time)


QUICK = ("model=endpoint", "model.name=m", "model.retries=0", "bootstrap.B=0", "floor.shuffles=0")
QUICK += ("queries=random", "queries.n=12")  # 120 pairs


def test_a_run_whose_server_died_is_failed_with_the_reason_and_the_next_asks_the_rest(alignir, tmp_path):
    died = 429, error("Rate limit reached: 200 requests per day")
    with serving(lambda asked: completion(ANSWER) if asked.number <= 30 else died) as server:
        output = alignir(*QUICK, f"model.base_url={server.url}", "skip=finished", ok=False).output
        assert "requests per day" in output
        assert "Traceback" not in output
    with serving(lambda asked: completion(ANSWER)) as server:
        alignir(*QUICK, f"model.base_url={server.url}", "skip=finished")
        assert len(server.seen) == 90
    failed, finished = runs_of(tmp_path)
    assert (failed.info.status, finished.info.status) == ("FAILED", "FINISHED")
    assert "requests per day" in failed.data.tags["failure"]
    assert finished.data.metrics["missing"] == 0


def test_a_run_with_requests_that_failed_is_not_finished(alignir, tmp_path):
    def some_fail(asked):
        return (500, error("asleep")) if asked.number % 40 == 0 else completion(ANSWER, "brownout")

    with serving(some_fail) as server:
        output = alignir(*QUICK, f"model.base_url={server.url}").output
    assert "3 of 120 requests failed and are asked again by the next run, the last with: 500 asleep" in output
    assert "unknown finish reason 'brownout'" in output
    with serving(lambda asked: completion(ANSWER)) as server:
        alignir(*QUICK, f"model.base_url={server.url}", "skip=finished")
        assert len(server.seen) == 3
        assert "finished before" in alignir(*QUICK, f"model.base_url={server.url}", "skip=finished").output
        assert len(server.seen) == 3
    first, second = runs_of(tmp_path)
    assert (first.data.metrics["failed"], first.data.metrics["missing"]) == (3, 3 / 120)
    assert (second.data.metrics["failed"], second.data.metrics["missing"]) == (0, 0)


def test_a_plan_of_logits_counts_whole_answers():
    from alignir.config import composed_cell
    from alignir.experiment.pipeline import plan

    settings = ["model=endpoint", "model.name=m", "model.base_url=http://a/v1", "prompt.max_tokens=50"]
    found = [plan(composed_cell([*settings, f"prompt.decoding={way}"])) for way in ("free", "logits")]
    assert [each["output_tokens"] for each in found] == [50 * found[0]["to_ask"]] * 2
