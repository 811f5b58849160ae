"""Batch files: a request is what a run would send, and an answer what a run would have kept."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from stand_in import ANSWER, completion, error, serving

from alignir.commands import batch as command
from alignir.errors import InputError
from alignir.labelling import batch
from alignir.labelling.endpoint import Endpoint
from alignir.labelling.labels import label, sample
from alignir.labelling.ledger import Ledger
from alignir.labelling.prompts import Prompt
from alignir.labelling.rounds import rounds

PROMPT = Prompt("own", "Query: $query Passage: $passage", "final_score", 10, system="You judge.")
CELL = ("model=endpoint", "model.name=m", "bootstrap.B=0", "floor.shuffles=0")


def pairs_of(passages) -> pd.DataFrame:
    texts = list(passages)
    return pd.DataFrame({"query_id": "q", "doc_id": [text[:20] for text in texts], "query": "?", "passage": texts})


def requests_of(folder: Path, passages, prompt=PROMPT, **settings) -> list[dict]:
    (only,) = rounds(pairs_of(passages), prompt, Endpoint("m", **settings))
    return [json.loads(line) for line in batch.requests(only, Ledger(folder))]


def result(request: dict, body, status: int = 200, **more) -> dict:
    """A line as OpenAI writes it."""
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": request["custom_id"], "response": response, "error": None, **more}


def written(file: Path, results, end: str = "\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in results) + end)
    return file


def requests_in(folder: Path) -> list[dict]:
    return [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]


# what is asked


@pytest.mark.parametrize(
    ("decoding", "settings"),
    [
        ("free", {}),
        ("free", {"sampling": {"temperature": 0.0, "seed": None, "top_p": 0.5}, "thinking_tokens": 7}),
        ("free", {"chat": {"enable_thinking": False}, "extra_body": {"provider": {"order": ["a"]}}}),
        ("free", {"max_tokens_name": "max_completion_tokens"}),
        ("constrained", {"sampling": {"seed": 3}}),
        ("logits", {}),
    ],
)
def test_a_body_is_what_a_run_sends(tmp_path, decoding, settings):
    pytest.importorskip("openai", reason="needs the client: pip install 'alignir[endpoint]'")
    prompt = Prompt("own", PROMPT.text, "final_score", 10, system="You judge.", decoding=decoding)
    passages = ["one", "two\u2028lines", 'quo"tes $query', "größer 好"]
    asked = requests_of(tmp_path / "none", passages, prompt, **settings)
    answer = completion(ANSWER)
    answer["choices"][0]["logprobs"] = {"content": [{"token": ANSWER, "logprob": 0.0, "top_logprobs": []}]}
    with serving(lambda asked: answer) as server:
        label(pairs_of(passages), prompt, Endpoint("m", server.url, retries=0, **settings), Ledger(tmp_path))
        sent = [each.body for each in server.seen]
    order = [each["messages"][-1]["content"] for each in sent]
    assert sorted(order) == sorted(each["body"]["messages"][-1]["content"] for each in asked)
    for each in asked:
        assert each["body"] == sent[order.index(each["body"]["messages"][-1]["content"])]
        assert (each["method"], each["url"]) == ("POST", "/v1/chat/completions")


def test_files_have_at_most_so_many_requests_and_bytes(tmp_path):
    lines = [str(number) * 9 for number in range(10)]  # 10 bytes each, with their ends
    for most, most_bytes, sizes in ((4, 1000, [4, 4, 2]), (50, 35, [3, 3, 3, 1]), (2, 10, [1] * 10), (10, 100, [10])):
        folder = tmp_path / f"{most}-{most_bytes}"
        folder.mkdir()
        files = batch.write(iter(lines), folder, most, most_bytes)
        assert list(files.values()) == sizes
        assert "".join(file.read_text() for file in files) == "".join(f"{line}\n" for line in lines)
        assert all(file.stat().st_size <= most_bytes for file in files)


def test_where_a_request_cannot_be_written_none_is(tmp_path):
    with pytest.raises(InputError, match="a request has 10 bytes, more than the 9"):
        batch.write(iter(["short", "short", "9 letters"]), tmp_path, 1, 9)
    assert not list(tmp_path.iterdir())


def test_a_request_is_known_by_judge_and_pair(tmp_path):
    one, again, other = (
        requests_of(tmp_path, ["a", "b", "a"], **more) for more in ({}, {"timeout": 9.0}, {"chat": {"x": 1}})
    )
    assert [each["custom_id"] for each in one] == [each["custom_id"] for each in again]
    assert len({each["custom_id"] for each in one + other}) == 4
    assert all(len(each["custom_id"]) <= 64 for each in one)  # the least that a provider takes


# what is answered

REPLIES = {
    "plain": completion(ANSWER),
    "thought": completion(ANSWER, reasoning_content="##final score: 3"),
    "inline": completion("<think>##final score: 3</think>##final score: 1"),
    "harmony": completion(
        f"<|channel|>analysis<|message|>0?<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}"
    ),
    "parts": completion([{"type": "text", "text": ANSWER}]),
    "cut": completion("##final sc", "length"),
    "filtered": completion(None, "content_filter"),
    "refused": completion(None, refusal="No."),
    "nothing": completion(""),
    "uncounted": completion(ANSWER, usage=None),
    "unknown ending": completion(ANSWER, "brownout"),
}


def test_an_answer_is_read_as_a_run_reads_it(tmp_path):
    pytest.importorskip("openai", reason="needs the client: pip install 'alignir[endpoint]'")
    pairs, model = pairs_of(REPLIES), Endpoint("m")
    results = [
        result(each, REPLIES[each["body"]["messages"][-1]["content"].rpartition("Passage: ")[2]])
        for each in requests_of(tmp_path / "files", REPLIES)
    ]
    (only,) = rounds(pairs, PROMPT, model)
    found = batch.read([written(tmp_path / "r.jsonl", results)], [only], Ledger(tmp_path / "files"))
    assert (found.new, found.failures, found.other, found.unread) == (len(REPLIES), [], 0, {})
    from_files = label(pairs, PROMPT, model, Ledger(tmp_path / "files"))
    with serving(lambda asked: REPLIES[asked.passage]) as server:
        asked = label(pairs, PROMPT, Endpoint("m", server.url, retries=0), Ledger(tmp_path / "asked"))
    assert from_files.asked == 0
    pd.testing.assert_frame_equal(from_files.labels, asked.labels)
    assert from_files.labels["status"].nunique() >= 4


def test_a_reply_may_be_a_string_and_an_id_of_nothing_is_no_cut(tmp_path):
    asked, (only,) = requests_of(tmp_path, "ab"), rounds(pairs_of("ab"), PROMPT, Endpoint("m"))
    a, b = (result(each, json.dumps(completion(ANSWER))) for each in asked)
    file = written(tmp_path / "r.jsonl", [a | {"custom_id": f"{a['custom_id']}-{'9' * 5000}"}, b])
    found = batch.read([file], [only], Ledger(tmp_path))
    assert (found.new, found.failures) == (2, [])
    assert Ledger(tmp_path).load(only.judge)["cut"].tolist() == [False, False]


def test_results_can_be_read_again_and_in_parts(tmp_path):
    passages = [f"p{number}" for number in range(6)]
    asked, (only,), ledger = (
        requests_of(tmp_path, passages),
        rounds(pairs_of(passages), PROMPT, Endpoint("m")),
        Ledger(tmp_path),
    )
    first = written(tmp_path / "1.jsonl", [result(each, completion(ANSWER)) for each in asked[:3]])
    assert batch.read([first], [only], ledger).new == 3
    both = [first, written(tmp_path / "2.jsonl", [result(each, completion("##final score: 0")) for each in asked[1:]])]
    found = batch.read(both, [only], ledger)
    assert (found.new, found.known) == (3, 5)
    chapter = ledger.chapter(only.judge)
    chunks = sorted(chapter.glob("*.parquet"))
    assert (batch.read(both, [only], ledger).new, sorted(chapter.glob("*.parquet"))) == (0, chunks)
    assert label(pairs_of(passages), PROMPT, Endpoint("m"), ledger).labels["relevance"].tolist() == [2] * 3 + [0] * 3


EXPIRED = {"code": "batch_expired", "message": "This request could not be executed before the window expired."}
NOT_TAKEN = error("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", param="max_tokens")
TOO_LONG = error("This model's maximum context length is 100 tokens. However, your request has 120 input tokens.")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"response": None, "error": EXPIRED}, r"window expired. \(batch_expired\)"),
        ({"response": None, "error": None}, "no answer, and no reason"),
        ({"response": {"status_code": 429, "body": error("Slow down")}}, "429 Slow down"),
        ({"response": {"status_code": 400, "body": NOT_TAKEN}}, "; model.max_tokens_name=max_completion_tokens sends"),
        ({"response": {"status_code": 400, "body": TOO_LONG}}, "; alignir batch write --results sends less"),
        ({"response": {"status_code": 404, "body": None}, "error": error("No model x")}, "404 No model x"),  # vLLM's
        ({"response": {"status_code": 400, "body": None}, "error": "stream mode"}, "400 stream mode"),
        ({"response": {"status_code": 200, "body": {"hello": "world"}}}, "no answer in the reply"),
        ({"response": {"status_code": 200, "body": completion("##", "error")}}, "the answer ended with error"),
        ({"response": {"status_code": 502, "body": "<title>Bad Gateway</title>"}}, "502 an HTML page: Bad Gateway"),
        ({"response": {"status_code": "500", "body": completion(ANSWER)}}, "500 no answer in the reply"),
    ],
)
def test_a_request_that_failed_is_named_with_its_reason_and_asked_again(tmp_path, line, reason):
    asked, (only,), ledger = (
        requests_of(tmp_path, "ab"),
        rounds(pairs_of("ab"), PROMPT, Endpoint("m")),
        Ledger(tmp_path),
    )
    output = written(tmp_path / "output.jsonl", [result(asked[0], completion(ANSWER))])
    errors = written(tmp_path / "errors.jsonl", [{"custom_id": asked[1]["custom_id"], **line}])
    found = batch.read([errors, output], [only], ledger)
    ((query_id, doc_id, said),) = found.failures
    assert (found.new, query_id, doc_id) == (1, "q", "b")
    assert pd.Series([said]).str.contains(reason).all(), said
    assert only.missing(ledger)["doc_id"].tolist() == ["b"]
    later = written(tmp_path / "later.jsonl", [result(asked[1], completion(ANSWER))])
    assert batch.read([errors, later, errors], [only], ledger).failures == []
    assert only.missing(ledger).empty


def test_a_blocked_pair_is_refused_and_not_asked_again(tmp_path):
    asked, (only,), ledger = requests_of(tmp_path, "a"), rounds(pairs_of("a"), PROMPT, Endpoint("m")), Ledger(tmp_path)
    blocked = result(asked[0], error("The response was filtered", code="content_filter"), 400)
    assert batch.read([written(tmp_path / "r.jsonl", [blocked])], [only], ledger).new == 1
    assert label(pairs_of("a"), PROMPT, Endpoint("m"), ledger).labels["status"].tolist() == ["refused"]


def test_a_passage_that_is_too_long_is_cut_by_the_models_own_count(tmp_path):
    long, ledger = "x" * 4000, Ledger(tmp_path)
    (asked, other), (only,) = requests_of(tmp_path, [long, "b"]), rounds(pairs_of([long, "b"]), PROMPT, Endpoint("m"))

    def words(tokens: int) -> dict:
        return error(f"maximum context length is 100 tokens. However, your request has {tokens} input tokens.")

    def rest(*results: dict) -> list[dict]:
        files = [written(tmp_path / f"{number}.jsonl", [each]) for number, each in enumerate(results)]
        return [json.loads(line) for line in batch.requests(only, ledger, batch.cuts_of(files, [only]))]

    first = result(asked, words(200), 400)
    cut, whole = rest(first)
    assert whole == other
    name, _, letters = cut["custom_id"].rpartition("-")
    assert name == asked["custom_id"]
    assert cut["body"]["messages"][-1]["content"].count("x") == int(letters) < 2000
    shorter, _ = rest(first, result(cut, words(120), 400))
    assert int(shorter["custom_id"].rpartition("-")[2]) < int(letters)
    found = batch.read([written(tmp_path / "r.jsonl", [result(shorter, completion(ANSWER))])], [only], ledger)
    assert (found.new, found.failures) == (1, [])
    assert ledger.load(only.judge)["cut"].tolist() == [True]
    assert rest(first) == [other]


def test_a_prompt_that_is_too_long_without_a_passage_is_not_asked_again(tmp_path):
    asked, (only,), ledger = requests_of(tmp_path, "a"), rounds(pairs_of("a"), PROMPT, Endpoint("m")), Ledger(tmp_path)
    nothing = asked[0] | {"custom_id": f"{asked[0]['custom_id']}-0"}
    found = batch.read([written(tmp_path / "r.jsonl", [result(nothing, TOO_LONG, 400)])], [only], ledger)
    assert (found.new, found.failures) == (1, [])
    assert ledger.load(only.judge)["finish_reason"].tolist() == ["context_length_exceeded"]


def test_lines_that_are_no_results_are_told_of_and_the_others_count(tmp_path):
    asked, (only,) = requests_of(tmp_path, "ab"), rounds(pairs_of("ab"), PROMPT, Endpoint("m"))
    lines = [result(each, completion("größer " + ANSWER)) for each in asked]
    file = written(tmp_path / "r.jsonl", [lines[0], asked[0], {"custom_id": "x"}, [1], lines[1]])
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.rindex("ö".encode()) + 1])  # within a letter
    found = batch.read([file], [only], Ledger(tmp_path))
    assert found.new == 1
    form = "expected a result with custom_id and response, found"
    assert list(batch.told(found, 0))[1:] == [
        f"1 line left out, {file}:2: {form} a request",
        f"2 lines left out, the first {file}:3: {form} another form",
        f"1 line left out, {file}:5: expected JSON, found something else, perhaps cut off",
    ]


def test_results_of_another_prompt_or_model_are_counted_and_left_out(tmp_path):
    others = [
        *requests_of(tmp_path, "ab", name_of_nothing := PROMPT.filled("")),
        *requests_of(tmp_path, "ab", chat={"x": 1}),
    ]
    assert name_of_nothing.sha256 == PROMPT.sha256  # the same text is the same judge
    (only,) = rounds(pairs_of("ab"), PROMPT, Endpoint("m"))
    file = written(tmp_path / "r.jsonl", [result(each, completion(ANSWER)) for each in others])
    found = batch.read([file], [only], Ledger(tmp_path))
    assert (found.new, found.other) == (2, 2)


def test_the_key_that_a_server_repeats_is_written_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", key := "key-that-nobody-may-see")
    asked, (only,) = requests_of(tmp_path, "ab"), rounds(pairs_of("ab"), PROMPT, Endpoint("m"))
    lines = [result(asked[0], completion(f"{key} {ANSWER}")), result(asked[1], error(f"Who is {key}?"), 500)]
    found = batch.read([written(tmp_path / "in" / "r.jsonl", lines)], [only], ledger := Ledger(tmp_path / "ledger"))
    kept = ledger.load(only.judge)["response"].tolist()
    assert (kept, found.failures[0].reason) == ([f"[OPENAI_API_KEY] {ANSWER}"], "500 Who is [OPENAI_API_KEY]?")
    assert key not in json.dumps(asked)


def test_repeats_and_pairs_judged_again_have_requests_of_their_own(tmp_path):
    import numpy as np

    pairs, model = pairs_of("abcd"), Endpoint("m", repeats=2, sampling={"seed": 5})
    asked = rounds(pairs, PROMPT, model, sample(pairs, 2, np.random.default_rng(0)), pairs.head(1))
    lines = [json.loads(line) for each in asked for line in batch.requests(each, Ledger(tmp_path))]
    assert [each["body"]["seed"] for each in lines] == [5] * 4 + [6] * 4 + [5] * 2 + [5]
    assert len({each["custom_id"] for each in lines}) == len(lines) == 11
    assert "structured_outputs" in lines[-1]["body"]


# the command


def answered(folder: Path, to: Path, answer) -> None:
    """What a provider makes of the requests in a folder: `answer` gives a body for a request."""
    written(to / "output.jsonl", [result(each, answer(each)) for each in requests_in(folder)])


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """`alignir batch` in an empty folder; gives what it printed, (stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def command_of(*arguments: str) -> tuple[str, str]:
        assert command.run(command.arguments("alignir batch").parse_args(list(arguments))) == 0
        return capsys.readouterr()

    return command_of


def test_a_run_asks_nothing_after_its_answers_came_in_files(run, alignir, small, tmp_path):
    settings = [*CELL, "dataset=folder", f"dataset.path={small}", "missing=fallback"]
    settings += ["model.repeats=2", "model.sampling.seed=1", "rejudge.n=2"]
    out, _ = run("write", "--requests", "9", *settings)
    assert "9 requests" in out
    assert "1 request," in out  # 2 x 4 and 2
    with pytest.raises(InputError, match="--out batch: there are requests already"):
        run("write", *settings)

    def answer(request):  # some say nothing
        return completion(ANSWER if "apples" in request["body"]["messages"][0]["content"] else "Hm.")

    answered(tmp_path / "batch", tmp_path / "results", answer)
    _, told = run("read", "--results", "results", *settings)
    assert "10 answers put into the ledger, 0 there already" in told
    rest, _ = run("write", "--out", "rest", *settings)
    constrained = requests_in(tmp_path / "rest")
    assert len(constrained) == 2
    assert "2 requests" in rest
    assert "2 answers still missing" in told
    assert all("structured_outputs" in each["body"] for each in constrained)
    answered(tmp_path / "rest", tmp_path / "others", lambda request: completion("##final score: 1"))
    _, told = run("read", "--results", "others", "--results", "results", *settings)
    assert "2 answers put into the ledger, 10 there already" in told
    assert "missing" not in told
    assert "nothing to ask" in run("write", "--out", "none", *settings)[0]
    alignir(*settings)  # without an address: there is nobody to ask


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["write", "model=lexical"], "requests are for model=endpoint, found model=lexical"),
        (["write", *CELL, "--bytes", "10"], "a request has .* bytes, more than the 10"),
        (["write", *CELL, "+model.extra_body.api_key=x"], "may hold a secret"),
        (["read", *CELL, "--results", "nowhere"], "--results nowhere: expected a file or a folder, found neither"),
        (["read", *CELL, "--results", "."], r"--results \.: expected a folder with \*.jsonl"),
        ([], "the following arguments are required"),
    ],
)
def test_a_mistake_is_told_of(run, arguments, said):
    with pytest.raises(InputError, match=said):
        run(*arguments)


def test_settings_that_are_not_those_of_the_requests_read_nothing(run, tmp_path):
    run("write", *CELL)
    answered(tmp_path / "batch", tmp_path / "results", lambda request: completion(ANSWER))
    with pytest.raises(InputError, match="none of the 360 results is of these pairs, this model and this prompt"):
        run("read", "--results", "results", *CELL, "prompt=basic")
    with pytest.raises(InputError, match="--results batch: expected results, which are lines of JSON, and found none"):
        run("read", "--results", "batch", *CELL)
    assert not (tmp_path / "ledger").exists()
    slow = [result(each, error("Slow down"), 429) for each in requests_in(tmp_path / "batch")[:2]]
    written(tmp_path / "errors.jsonl", slow)
    table, told = run("read", "--results", "errors.jsonl", "--format", "csv", *CELL)
    assert "2 requests failed" in told
    assert "360 answers still missing" in told
    assert table.count("429 Slow down") == 2


def test_a_run_without_an_address_says_what_is_missing(alignir):
    output = alignir(*CELL, ok=False).output
    assert "model.base_url has no value, and 360 answers are not in the ledger" in output


# a real batch runner


@pytest.mark.vllm
def test_vllms_own_batch_runner_answers_with_smollm2(run, alignir, tmp_path):
    pytest.importorskip("vllm", reason="needs vLLM: bash scripts/setup.sh")
    pytest.importorskip("gguf", reason="needs the demo's weights: bash scripts/setup.sh")
    from alignir.labelling import vllm as offline
    from alignir.labelling.weights import SmolLM2

    folder = SmolLM2("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")()
    offline.set_environment()
    cell = ["model=endpoint", "model.name=smollm2", "prompt.max_tokens=30", *CELL[2:]]
    cell += ["queries=random", "queries.n=1"]
    run("write", *cell)
    asked = requests_in(tmp_path / "batch")
    spoilt = asked[0] | {"body": asked[0]["body"] | {"model": "another"}}
    (turn,) = asked[1]["body"]["messages"]
    long = asked[1] | {"body": asked[1]["body"] | {"messages": [turn | {"content": turn["content"] + " word" * 2000}]}}
    requests, results = written(tmp_path / "asked.jsonl", [*asked, spoilt, long]), tmp_path / "results.jsonl"
    module = "vllm.entrypoints.openai.run_batch"  # what `vllm run-batch` is; the CPU build's vllm does not start
    program = [sys.executable, "-m", module, "-i", str(requests), "-o", str(results)]
    settings = ["--model", str(folder), "--served-model-name", "smollm2", "--dtype", "float32"]
    settings += ["--max-model-len", "1024", "--enforce-eager", "--max-num-seqs", "16"]
    done = subprocess.run([*program, *settings], capture_output=True, text=True, timeout=300)
    assert results.is_file(), done.stdout[-2000:] + done.stderr[-2000:]
    first, *others = results.read_text().splitlines()
    assert json.loads(first)["custom_id"] == asked[0]["custom_id"]
    (tmp_path / "others.jsonl").write_text("\n".join(others))
    (tmp_path / "long.jsonl").write_text(others[-1])
    run("write", "--out", "cut", "--results", "long.jsonl", *cell)
    cut = [each for each in requests_in(tmp_path / "cut") if each["custom_id"].count("-") == 2]
    assert [each["custom_id"].rpartition("-")[0] for each in cut] == [asked[1]["custom_id"]]
    told = "".join(run("read", "--results", "others.jsonl", *cell))
    assert f"{len(asked) - 1} answers put into the ledger" in told
    assert "404 The model `another` does not exist" in " ".join(told.split())
    _, told = run("read", "--results", "results.jsonl", *cell)
    assert f"1 answer put into the ledger, {len(asked) + 1} there already" in told
    alignir(*cell)
    (answers,) = (chapter.answers for chapter in Ledger(tmp_path / "ledger").chapters())
    assert len(answers) == len(asked) > 5
    assert (answers["prompt_tokens"] > 100).all()
    assert answers["response"].str.contains("final score").any()
