"""Workers on Ray: the labels of one process, whatever dies meanwhile."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from tiny_model import SETTINGS, make_tiny_model

from alignir.config import composed_cell, composer
from alignir.data import collections
from alignir.errors import InputError
from alignir.labelling import cluster, worker
from alignir.labelling.blocks import blocks
from alignir.labelling.labels import judge_of, label
from alignir.labelling.ledger import Ledger
from alignir.labelling.models import Answer
from alignir.labelling.prompts import Prompt
from alignir.labelling.scripted import Scripted
from alignir.labelling.vllm import VLLM
from alignir.labelling.workers import OnRay

if find_spec("ray") is None:
    pytest.skip("needs Ray: pip install 'alignir[ray]'", allow_module_level=True)
OTHERS_HAVE_CORES = "@alignir-core-" in Path("/proc/net/unix").read_text()  # another suite on this machine, perhaps
PROMPT = Prompt("tiny", "Query: $query\nPassage: $passage\nScore:", "final_score", 8, system="You judge.")


@pytest.fixture(scope="module")
def pairs():
    return collections.demo("demo").pairs()


@pytest.fixture(scope="module")
def texts(pairs):
    return list(zip(pairs["query"], pairs["passage"], strict=True))


@pytest.fixture(scope="module", autouse=True)
def address():
    """That of the Ray that all tests here share; it is started as by a user who names none."""
    before = signal.getsignal(signal.SIGTERM)
    import ray  # as vLLM does, before anybody has chosen an address

    assert cluster.connected(None) is ray
    assert signal.getsignal(signal.SIGTERM) == before
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the models below, which no worker could import
    address = ray.get_runtime_context().gcs_address
    assert address.startswith("127.0.0.1:")
    yield address
    cluster.close()
    assert not ray.is_initialized()


@dataclass(frozen=True)
class Telling(Scripted):
    """Answers by which process, on which cores, it was asked. At the 60th pair it does what `at` says."""

    at: str = ""
    folder: str = ""

    def answer(self, prompt, pairs):
        Path(self.folder, f"process-{os.getpid()}").touch()
        worker.SENT = 1  # in its process: each answer is sent at once
        fatal = collections.demo("demo").pairs()["passage"].iloc[59]
        for index, (_query, passage) in enumerate(pairs):
            while self.at == "together" and len(list(Path(self.folder).glob("process-*"))) < 2:
                time.sleep(0.05)
            if passage == fatal:
                self._do(index)
            with open(f"{self.folder}/asked", "a") as file:
                file.write(f"{index}\n")
            said = json.dumps({"process": os.getpid(), "cores": sorted(os.sched_getaffinity(0))})
            yield Answer(index, said, "stop", 1, 1)

    def _do(self, index):
        if self.at == "mistake":
            logging.getLogger("alignir.labelling").warning("it gets late")
            raise InputError("no such model")
        if self.at == "bug":
            raise ZeroDivisionError("of nothing")
        if self.at == "die" or (self.at == "die once" and not os.path.exists(f"{self.folder}/died")):
            Path(self.folder, "died").touch()
            time.sleep(0.2)  # what was answered is on its way
            os.kill(os.getpid(), signal.SIGKILL)


def test_every_pair_is_in_one_block_in_its_order_with_those_of_its_query():
    queries = [f"q{number // 10}" for number in range(10_000)]
    found = list(blocks(queries, workers=4))
    assert [index for block in found for index in block] == list(range(10_000))
    assert all(block.start % 10 == 0 for block in found)
    sizes = [len(block) for block in found]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-2]) == (10_000 // 8, 40)
    one = [len(block) for block in blocks(["q"] * 10_000, workers=1)]
    assert max(one) == 2 * 2048
    assert sum(one) == 10_000
    assert list(blocks([], workers=2)) == []


def test_two_workers_give_the_labels_of_one_process_under_its_keys(pairs, tmp_path):
    here, there = Ledger(tmp_path / "here"), Ledger(tmp_path / "there")
    expected = label(pairs, PROMPT, Scripted(), here)
    found = label(pairs, PROMPT, OnRay(Scripted(), 2, gpus=0), there)
    assert found.labels.equals(expected.labels)
    assert (found.asked, found.prompt_tokens) == (360, expected.prompt_tokens)
    judge = judge_of(Scripted(), PROMPT)
    assert there.chapter(judge).name == here.chapter(judge).name
    assert there.load(judge).sort_index().equals(here.load(judge).sort_index())
    assert label(pairs, PROMPT, OnRay(Scripted(), 2, gpus=0), here).asked == 0


def test_each_worker_has_cores_of_its_own_all_pairs_of_a_query_and_the_next_cell(texts, tmp_path):
    model = OnRay(Telling(at="together", folder=str(tmp_path)), 2, gpus=0)
    answers = list(model.answer(PROMPT, texts))
    assert sorted(answer.index for answer in answers) == list(range(360))
    said = [json.loads(answer.response) | {"query": texts[answer.index][0]} for answer in answers]
    processes = {each["process"]: each["cores"] for each in said}
    assert len(processes) == 2
    own = [cores[0] for cores in processes.values() if len(cores) == 1]
    assert len(own) == len(set(own))
    assert len(own) == 2 or OTHERS_HAVE_CORES
    assert len({(each["query"], each["process"]) for each in said}) == 36
    again = [json.loads(answer.response) for answer in model.answer(PROMPT, texts)]  # the next cell's
    assert {each["process"] for each in again} <= set(processes)


def test_the_block_of_a_worker_that_dies_is_asked_again_without_what_was_answered(texts, tmp_path, caplog):
    model = OnRay(Telling(at="die once", folder=str(tmp_path)), 2, gpus=0)
    assert sorted(answer.index for answer in model.answer(PROMPT, texts)) == list(range(360))
    assert (tmp_path / "died").exists()
    assert len((tmp_path / "asked").read_text().splitlines()) in range(360, 363)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith("a worker died, and another one goes on: ")


def test_a_block_that_three_workers_die_over_ends_the_job_and_other_answers_are_kept(pairs, tmp_path, capfd):
    model = Telling(at="die", folder=str(tmp_path))
    with pytest.raises(InputError, match=r"3 workers died over the same pairs, the last with: .*killed"):
        label(pairs, PROMPT, OnRay(model, 2, gpus=0), Ledger(tmp_path))
    kept = Ledger(tmp_path).load(judge_of(model, PROMPT))
    assert 30 < len(kept) < 360
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(("at", "error"), [("mistake", InputError), ("bug", ZeroDivisionError)])
def test_what_goes_wrong_at_a_worker_is_told_as_if_it_were_here(texts, tmp_path, caplog, at, error):
    model = OnRay(Telling(at=at, folder=str(tmp_path)), 2, gpus=0)
    with pytest.raises(error, match=r"^(no such model|of nothing)$"):
        list(model.answer(PROMPT, texts))
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == ["it gets late"] * (
        at == "mistake"
    )


def test_whoever_stops_listening_leaves_the_workers_free_for_the_next(texts):
    model = OnRay(Scripted(delay=0.02), 2, gpus=0)
    answers = model.answer(PROMPT, texts)
    next(answers)
    answers.close()
    quick = OnRay(Scripted(), 2, gpus=0)
    assert sorted(answer.index for answer in quick.answer(PROMPT, texts[:5])) == list(range(5))


def machines(*sizes):
    """A cluster of these machines, (GPUs, cores) each, and of one that is gone."""
    alive = [
        {"Alive": True, "Resources": {"GPU": gpus, "CPU": cores} if gpus else {"CPU": cores}} for gpus, cores in sizes
    ]
    return SimpleNamespace(nodes=lambda: [*alive, {"Alive": False, "Resources": {"GPU": 8.0, "CPU": 8.0}}])


def test_there_are_as_many_workers_as_machines_have_room_for():
    assert cluster.room(machines((4.0, 8.0), (2.0, 1.0)), None, gpus=1, cpus=1) == 4 + 1
    assert cluster.room(machines((4.0, 8.0), (2.0, 9.0)), None, gpus=3, cpus=1) == 1  # all of one machine
    assert cluster.room(machines((1.0, 8.0)), None, gpus=0.1, cpus=1) == 8
    assert cluster.room(machines((1.0, 8.0)), None, gpus=0.2, cpus=1) == 5
    assert cluster.room(machines((0, 8.0)), None, gpus=0, cpus=3) == 2
    assert cluster.room(machines((4.0, 8.0)), 2, gpus=1, cpus=1) == 2
    with pytest.raises(InputError) as refused:
        cluster.room(machines((1.0, 8.0), (0, 2.0)), 2, gpus=1, cpus=1)
    assert str(refused.value) == (
        "workers=ray: expected room for 2 workers of 1 GPU, 1 CPU, found room for 1 on 2 machines with 1 GPU, 10 CPUs: "
        "lower workers.n, workers.gpus (0: on CPUs) or workers.cpus"
    )


def test_more_workers_than_the_cluster_has_room_for_are_refused_before_any_starts(texts):
    before = {kind: list(actors) for kind, actors in cluster._actors.items()}
    with pytest.raises(InputError, match="expected room for 9,999 workers of 1 CPU, found room for"):
        next(OnRay(Scripted(), 9999, gpus=0).answer(PROMPT, texts))
    assert cluster._actors == before


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"n": 0}, "workers.n: expected a whole number from 1, found 0"),
        ({"gpus": -1}, "workers.gpus: expected a number from 0, found -1"),
        ({"cpus": 0.5}, "workers.cpus: expected a whole number of cores from 1, found 0.5"),
        ({"address": "ray://host:10001"}, "workers.address=ray://host:10001: expected auto or HOST:PORT of a cluster"),
        ({"address": "host"}, "workers.address=host: expected auto or HOST:PORT"),
    ],
)
def test_wrong_settings_are_named(settings, says):
    with pytest.raises(InputError, match=says):
        OnRay(Scripted(), **settings).check(PROMPT)


def test_a_model_over_several_gpus_takes_them_for_each_worker():
    spread = VLLM("large", engine={"tensor_parallel_size": 4, "pipeline_parallel_size": 2})
    assert OnRay(spread, 2).gpus_each == 8
    assert OnRay(spread, 2, gpus=0).gpus_each == 0
    assert OnRay(VLLM("small"), 2, gpus=0.5).gpus_each == 0.5


def test_without_ray_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"not installed: pip install 'alignir\[ray\]'"):
        OnRay(Scripted()).check(PROMPT)


@pytest.fixture
def not_connected(monkeypatch):
    import ray

    """Ray as if this process had not started it."""
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    monkeypatch.setattr(cluster, "_connections", [])
    monkeypatch.setattr(cluster, "_actors", {})


def test_an_address_without_a_cluster_is_one_line(not_connected, monkeypatch):
    def refuse(address, **_settings):
        raise ConnectionError(f"Failed to connect.\nNothing is at {address}")

    monkeypatch.setattr("ray.init", refuse)
    with pytest.raises(InputError, match=r"^workers=ray: no Ray at workers.address=auto: Nothing is at auto$"):
        next(OnRay(Scripted(), address="auto").answer(PROMPT, [("q", "p")]))


def test_a_ray_that_does_not_start_in_time_is_tried_again(not_connected, monkeypatch):
    tried = []

    def start(address, **_settings):
        tried.append(address)
        if len(tried) < 3:
            raise Exception("The current node timed out during startup.")

    monkeypatch.setattr("ray.init", start)
    cluster.connected(None)
    assert tried == ["local"] * 3


def test_where_a_cell_runs_is_not_recorded():
    settings = composer()
    here, there = settings(["model=lexical"]), settings(["model=lexical", "workers=ray", "workers.n=8"])
    assert here == there
    assert "workers" not in here[1]


def test_workers_ask_for_an_llm_and_nobody_else():
    assert isinstance(composed_cell(["model=scripted", "workers=ray"]).llm, OnRay)
    assert composed_cell(["model=scripted"]).llm == Scripted()
    assert composed_cell(["model=lexical", "workers=ray"]).llm is None


def test_requests_for_a_batch_api_are_written_whoever_would_ask(alignir):
    done = alignir("batch", "write", "model=endpoint", "model.name=NAME", "workers=ray", "workers.gpus=0")
    assert done.stdout.startswith("360 requests, ")


def test_a_run_that_is_killed_goes_on_where_it_was(pairs, tmp_path, address):
    cluster._actors.clear()  # the workers of other tests leave their cores
    run = [sys.executable, "-m", "alignir", "model=scripted", "floor.shuffles=0", "bootstrap.B=0"]
    run += ["workers=ray", "workers.gpus=0", "workers.n=2"]
    process = subprocess.Popen([*run, "model.delay=0.1"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.rglob("ledger/*/*.parquet")) and process.poll() is None:
        time.sleep(0.05)
    process.kill()
    output = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL, output
    kept = len({key for file in tmp_path.rglob("ledger/*/*.parquet") for key in pd.read_parquet(file)["key"]})
    assert 0 < kept < 360
    again = subprocess.run(
        [*run, f"workers.address={address}"], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"RAY_AUTH_MODE": "token"}, timeout=200,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert f"{360 - kept} pairs in" in again.stdout
    prompt = composed_cell(["model=scripted"]).prompt()
    found, here = (label(pairs, prompt, Scripted(), Ledger(tmp_path / name)) for name in ("ledger", "here"))
    assert (found.asked, here.asked) == (0, 360)
    assert found.labels.equals(here.labels)


@pytest.mark.vllm
def test_two_workers_answer_by_the_real_engine_as_one_process_does(pairs, tmp_path):
    pytest.importorskip("vllm", reason="needs vLLM: bash scripts/setup.sh")
    from alignir.labelling import vllm

    model = VLLM(name=str(make_tiny_model(tmp_path / "tiny")), engine=SETTINGS)
    found = label(pairs, PROMPT, OnRay(model, 2, gpus=0), Ledger(tmp_path / "there"))
    expected = label(pairs, PROMPT, model, Ledger(tmp_path / "here"))
    vllm.close()
    assert found.labels.equals(expected.labels)
