"""The documentation is true: its commands run, its files compose, its links lead somewhere, its tables are today's."""

import gzip
import json
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from importlib import import_module
from itertools import product
from pathlib import Path

import forked
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser

from alignir.commands.door import COMMANDS
from alignir.commands.main_help import EXAMPLES
from alignir.frames import LOG
from alignir.tables.choices import KINDS

PAGES = ["README.md", *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md"))]
WALK = "docs/which-judge.md"  # through real data, and nothing of it is made quicker: what it shows is printed
QUERIES = [f"q{number}" for number in range(1, 7)]

# Commands that are not run here: their settings compose, and the scripts that they name exist. All others are run.
GPU = "needs a GPU and the model's weights"
DOWNLOAD = "downloads what is not part of the repository"
LOADS = "loads a model for minutes; tests/labelling/test_vllm.py does"
SERVER = "needs a server; tests/tracking/test_server.py and tests/labelling/test_endpoint.py start one"
RAY = "starts Ray; tests/labelling/test_workers.py does"
LAUNCHER = "starts processes; tests/commands/test_launchers.py chooses its launcher so"
SUITE = "is the test suite"
LONG = "takes minutes, which is its purpose"
DATA = "needs the real data; tests/commands/test_verify.py has them"
ANSWERS = "needs a file of answers; tests/labelling/test_answers.py writes one"
NOT_RUN = {
    "bash scripts/demo.sh": LOADS,
    "bash scripts/test.sh": SUITE,
    "alignir -m model=llama8b,gptoss20b,qwen32b prompt=zeshot,basic": GPU,
    "alignir dataset=trec_dl_2019 model=llama8b": GPU,
    "alignir dataset=rank_distillm dataset.n=500 model=llama8b": GPU,
    "alignir model=mine prompt=zeshot": GPU,
    "alignir dataset=ir_datasets dataset.id=vaswani systems=bm25 model=lexical": DOWNLOAD,
    "alignir dataset=ir_datasets dataset.id=disks45/nocr/trec-robust-2004 'dataset.query=[title,description]' "
    "systems.path=RUNS model=llama8b": GPU,
    "alignir experiment=paper skip=finished": GPU,
    "CUDA_VISIBLE_DEVICES=0 alignir -m model=llama8b prompt=zeshot,basic dataset=trec_dl_2019": GPU,
    "CUDA_VISIBLE_DEVICES=1 alignir -m model=gptoss20b prompt=zeshot,basic dataset=trec_dl_2019": GPU,
    "CUDA_VISIBLE_DEVICES=2,3 alignir -m model=qwen32b +model.engine.tensor_parallel_size=2 dataset=trec_dl_2019": GPU,
    "alignir model=scripted workers=ray workers.gpus=0": RAY,
    "alignir dataset=trec_dl_2019 model=llama8b workers=ray": GPU,
    "alignir dataset=trec_dl_2019 model=qwen32b +model.engine.tensor_parallel_size=2 workers=ray workers.n=4 "
    "workers.address=auto": GPU,
    "python scripts/bench/labelling.py --pairs 96 dataset=trec_dl_2019 dataset.path=DATA": LOADS,
    "python scripts/bench/labelling.py --pairs 96 --batch 0 prompt=prefix dataset=trec_dl_2019 "
    "dataset.path=DATA": LOADS,
    "python scripts/bench/labelling.py --shape llama8b --pairs 512": GPU,
    "alignir model=lexical systems=hybrids": "loads torch and MiniLM; tests/retrieval/test_dense.py does",
    "alignir model=endpoint model.name=NAME model.base_url=http://127.0.0.1:8000/v1": SERVER,
    "vllm run-batch -i batch/requests-001.jsonl -o RESULTS/001.jsonl --model NAME": "loads a model; "
    "tests/labelling/test_batch.py does",
    "mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db": SERVER,
    "mlflow server --port 5000 --artifacts-destination s3://BUCKET/alignir": SERVER,
    "alignir model=lexical tracking.uri=http://HOST:5000": SERVER,
    "alignir tables --tracking-uri http://HOST:5000": SERVER,
    "alignir -m hydra/launcher=joblib hydra.launcher.n_jobs=2 model=lexical,scripted prompt=zeshot,basic": LAUNCHER,
    "alignir -m hydra/launcher=submitit_local hydra.launcher.timeout_min=600 model=lexical,scripted": LAUNCHER,
    "alignir -m hydra/launcher=ray hydra.launcher.cpus=1 model=lexical,scripted": LAUNCHER,
    "pip install 'alignir[joblib,submitit,ray]'": DOWNLOAD,
    "pip install 'alignir[postgres,s3]'": DOWNLOAD,
    'eval "$(alignir -sc install=bash)"': "changes the shell; tests/commands/test_sweep_view.py does it",
    "alignir verify ARCHIVE": DATA,
    "alignir verify ARCHIVE --format markdown": DATA,
    "alignir": LOADS,
    "alignir probe model=smollm2 prompt=zeshot dataset=demo": LOADS,
    "alignir experiment=paper +plan=true": DOWNLOAD,
    "python scripts/bench/coverage.py --samples 150": LONG,
    "python scripts/bench/reader.py ANSWERS": ANSWERS,
}
# What is added to a command here, so that it takes a second: no resamples, fewer draws, cells and answers, the recorded
# runs of one cell. No command does anything else for it. Of options and settings that stand twice the last one counts.
QUICKER = {
    "alignir": ["bootstrap.B=0", "floor.shuffles=0"],
    "bootstrap.over=systems": ["bootstrap.B=20"],
    "experiment=sensitivity": ["assumption=as_is,depth_5"],
    "alignir budget": ["--draws", "3", "--queries", "2,4"],
    "alignir traffic": ["--draws", "2", "--sessions", "1,10"],
    "alignir circularity": ["--draws", "3", "--experiment", "one"],
    "alignir figures": ["--experiment", "one"],
    "alignir explore": ["--experiment", "one"],
    "alignir report": ["--experiment", "one"],
    "scripts/bench/alignment.py": ["--systems", "3", "--queries", "5", "--depth", "9", "--repeats", "1"],
    "scripts/bench/ledger.py": ["--answers", "2000"],
    "scripts/bench/recorded.py": [
        *("--judges", "4", "--users", "1", "--systems", "3", "--queries", "4", "--command", "tables")
    ],
    "scripts/bench/rehearsal.py": ["--scale", "0.01", "--one"],
    "scripts/bench/users.py": ["--systems", "2", "--queries", "3", "--sessions", "1000", "--plain", "100"],
}


def blocks(page: str) -> list[tuple[str, str, str]]:
    """(language, what follows it in the line, content) of each fenced block."""
    return re.findall(r"^```(\w+)[ ]?(.*?)\n(.*?)^```$", (ROOT / page).read_text(), re.M | re.S)


def commands_of(page: str) -> list[str]:
    """The lines of the shell blocks, without comments."""
    lines = [line for language, _, content in blocks(page) if language == "sh" for line in content.splitlines()]
    return [command for line in lines if (command := re.sub(r"(^|\s+)#\s.*", "", line).strip())]


def examples_of(text: str) -> list[str]:
    """The commands among the examples of a help, without what is said beside them."""
    lines = re.sub(r"\\\n\s*", "", text.partition("examples:\n")[2]).splitlines()
    return [re.split(r"\s{2,}", line.strip())[0] for line in lines if line.startswith("  alignir")]


def is_main_job(command: str) -> bool:
    words = shlex.split(command)
    return "alignir" in words and not set(words[words.index("alignir") + 1 :][:1]) & set(COMMANDS)


def overrides_of(command: str) -> list[str]:
    words = shlex.split(command)
    return [word for word in words[words.index("alignir") + 1 :] if "=" in word]


def cells_of(overrides: list[str]) -> list[list[str]]:
    """The overrides of each cell of a sweep."""
    parsed = OverridesParser.create().parse_overrides(overrides)
    choices = [
        [f"{each.input_line.partition('=')[0]}={value}" for value in each.sweep_string_iterator()]
        if each.is_sweep_override()
        else [each.input_line]
        for each in parsed
    ]
    return [list(cell) for cell in product(*choices)]


def help_of(command: str) -> str:
    return import_module(f"alignir.commands.{command.replace('-', '_')}").__doc__


HELPS = {"": examples_of(EXAMPLES)} | {command: examples_of(help_of(command)) for command in COMMANDS}


def json_lines(rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The folder of somebody who reads: what the pages take for granted, what they have written, and a sweep."""
    folder = tmp_path_factory.mktemp("reader")
    rng = np.random.default_rng(0)
    data, grades = folder / "DATA", rng.integers(0, 4, (len(QUERIES), 12))
    (data / "runs").mkdir(parents=True)
    words = np.array(["red", "green", "apples", "pears", "sweet", "fruit", "trees", "juice", "baking", "winter"])
    texts = [" ".join(rng.choice(words, 6)) for _ in range(12)]
    (data / "queries.tsv").write_text("".join(f"{q}\t{' '.join(rng.choice(words, 2))}\n" for q in QUERIES))
    (data / "passages.tsv").write_text("".join(f"d{number}\t{text}\n" for number, text in enumerate(texts)))
    (data / "passages_more.tsv").write_text("beyond\tapples in winter\n")
    pairs = [(query, f"d{number}", grades[row, number]) for row, query in enumerate(QUERIES) for number in range(12)]
    qrels = "".join(f"{query} 0 {doc} {grade}\n" for query, doc, grade in pairs)
    (data / "qrels.txt").write_text(qrels)
    for number, system in enumerate(("bm25-a", "bm25-b", "bm25-old", "x-llama", "dense")):
        scores = grades + (number + 1) * rng.normal(size=grades.shape)
        lines = [f"{q} Q0 d{d} 0 {scores[row, d]} t\n" for row, q in enumerate(QUERIES) for d in range(12)]
        (data / "runs" / f"{system}.run").write_text("".join([*lines, f"{QUERIES[0]} Q0 beyond 0 9 t\n"]))
    systems = [run.stem for run in sorted((data / "runs").glob("*.run"))]
    titled = [{"id": f"d{number}", "title": text[:5], "text": text} for number, text in enumerate(texts)]
    (folder / "ARTICLES.jsonl").write_text(json_lines(titled))
    candidates = [{"docid": each["id"], "doc": each} for each in titled]
    asked = [{"query": {"qid": query, "text": "apples"}, "candidates": candidates} for query in QUERIES]
    (folder / "REQUESTS.jsonl").write_text(json_lines(asked))
    (folder / "SEGMENTS").mkdir()
    (folder / "SEGMENTS" / "00.json.gz").write_bytes(
        gzip.compress(json_lines({"docid": each["id"], "segment": each["text"]} for each in titled).encode())
    )
    shutil.copy(data / "queries.tsv", folder / "TOPICS.tsv")
    topics = [{"qid": query, "title": "green pears", "narrative": "Apples do not count."} for query in QUERIES]
    (folder / "TOPICS.jsonl").write_text(json_lines(topics))
    (folder / "SEGMENTS.qrels").write_text(qrels)
    (folder / "BEIR" / "qrels").mkdir(parents=True)
    (folder / "BEIR" / "corpus.jsonl").write_text(json_lines({**each, "_id": each["id"]} for each in titled))
    (folder / "BEIR" / "queries.jsonl").write_text(json_lines({"_id": q, "text": "green pears"} for q in QUERIES))
    for split in ("dev", "test"):
        (folder / "BEIR" / "qrels" / f"{split}.tsv").write_text(
            "query-id\tcorpus-id\tscore\n" + "".join(f"{q}\t{d}\t{int(grade > 1)}\n" for q, d, grade in pairs)
        )
    shutil.copytree(data / "runs", folder / "BEIR-RUNS")

    noisy = "".join(f"{query} 0 {doc} {min(3, grade + rng.integers(0, 2))}\n" for query, doc, grade in pairs)
    (folder / "LABELS.qrels.gz").write_bytes(gzip.compress(noisy.encode()))
    (folder / "OTHER.qrels").write_text(noisy)
    text_of = dict(line.split("\t") for line in (data / "queries.tsv").read_text().splitlines())
    ratings = [f"{text_of[query]},{doc},{grade}\n" for query, doc, grade in pairs]
    (folder / "RATINGS.csv").write_text("query,docid,rating\n" + "".join(dict.fromkeys(ratings[:12])))
    judged_by = {"model": "gpt-4o", "prompt": "", "result_status": 1}
    (folder / "JUDGMENTS.jsonl").write_text(
        json_lines(
            {**judged_by, "query": text_of[query], "passage": texts[int(doc[1:])], "judgment": int(grade),
             "prediction": f"##final score: {grade}"}
            for query, doc, grade in pairs[:12]
        )
    )  # fmt: skip
    (folder / "FAMILIES.tsv").write_text("system\tfamily\nx-llama\tllama\n")
    (folder / "FREQUENCIES.tsv").write_text(
        "query_id\tcount\n" + "".join(f"{q}\t{n + 1}\n" for n, q in enumerate(QUERIES))
    )
    (folder / "METRICS.csv").write_text(
        "system,metric,value\n" + "".join(f"{system},adt,{number}\n" for number, system in enumerate(systems))
    )
    (folder / "TESTS.csv").write_text(
        "system_a,system_b,metric,difference,ci_low,ci_high\nbm25-a,bm25-b,ctr,.02,.01,.03\ndense,bm25-a,sar,.01,,\n"
    )
    (folder / "WINS.tsv").write_text("system_a\tsystem_b\twins_a\twins_b\tties\nbm25-a\tbm25-b\t60\t40\t100\n")
    log = pd.DataFrame(
        [(f"{s}-{q}-{n}", s, q, r, f"d{r}", bool(rng.integers(2)), 20.0 * r) for s in systems for q in QUERIES
         for n in range(4) for r in range(1, 6)], columns=LOG,
    )  # fmt: skip
    log.assign(dwell_s=log["dwell_s"].where(log["clicked"])).to_parquet(folder / "LOG.parquet")
    pages = [f"{n}\t0\tQ\tq{n % 3}\t0\t{urls}\n{n}\t9000\tC\tu{n % 4 + 1}\n" for n in range(60)
             for urls in ["\t".join(f"u{place}" for place in range(1, 6))]]  # fmt: skip
    (folder / "CLICKS.tsv.gz").write_bytes(gzip.compress("".join(pages).encode()))
    (folder / "UBI.jsonl").write_text(json_lines(ubi(text_of, systems)))
    demo = ROOT / "src" / "alignir" / "data" / "demo"
    shutil.copy(demo / "qrels.txt", folder / "RERANK.qrels")
    (folder / "RUNS").mkdir()
    judged = [line.split() for line in (demo / "qrels.txt").read_text().splitlines()]
    for number, system in enumerate(("one", "two", "three")):
        lines = [f"{query} Q0 {doc} 0 {int(grade) + number * rng.normal()} t\n" for query, _, doc, grade in judged]
        (folder / "RUNS" / f"{system}.run").write_text("".join([*lines, f"unjudged Q0 {judged[0][2]} 1 9 t\n"]))
    (folder / "SESSIONS.xml.gz").write_bytes(gzip.compress(SESSION.encode()))

    cell = ["-m", "alignir", "model=lexical", *QUICKER["alignir"]]
    for experiment in ("alignir", "one"):
        assert forked.run(*cell, f"tracking.experiment={experiment}", folder=folder).returncode == 0
    answer_requests(folder)
    return folder


def answer_requests(folder: Path) -> None:
    """What a batch API gives back for the demo's requests."""
    write = ["-m", "alignir", "batch", "write", "--out", "ASKED", "model=endpoint", "model.name=NAME"]
    assert forked.run(*write, folder=folder).returncode == 0
    asked = map(json.loads, (folder / "ASKED" / "requests-001.jsonl").read_text().splitlines())
    body = {"choices": [{"message": {"content": "##final score: 1"}, "finish_reason": "stop"}]}
    response = {"response": {"status_code": 200, "body": body}, "error": None}
    (folder / "RESULTS").mkdir()
    (folder / "RESULTS" / "001.jsonl").write_text(json_lines({"custom_id": a["custom_id"], **response} for a in asked))


def ubi(text_of: dict[str, str], systems: list[str]):
    """Records of User Behavior Insights: every query put to every system, and a click on the second result."""
    for number, (system, text) in enumerate(product(systems, text_of.values())):
        asked = {"query_id": f"u{number}", "client_id": f"c{number}", "timestamp": "2025-03-01T10:00:00Z"}
        shown = {"query_response_hit_ids": ["d1", "d2", "d3"], "query_attributes": {"search_configuration": system}}
        yield {**asked, "user_query": text, **shown}
        attributes = {"object": {"object_id": "d2"}, "position": {"ordinal": 2}}
        yield {**asked, "timestamp": "2025-03-01T10:00:05Z", "action_name": "click", "event_attributes": attributes}


SESSION = """<sessiontrack2013><session num="1" starttime="0"><interaction num="1" starttime="0" type="reset">
<query>red apples</query><results><result rank="1"><url>u</url><clueweb12id>c1</clueweb12id><title>t</title>
<snippet>s</snippet></result></results><clicked><click num="1" starttime="1" endtime="40"><rank>1</rank>
<docno>c1</docno></click></clicked></interaction></session></sessiontrack2013>"""


def written(page: str, folder: Path) -> None:
    """Write the files that a page shows: blocks with a path behind their language."""
    for _, path, content in blocks(page):
        if path:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)


@cache
def done(command: str, folder: Path) -> str:
    """Run a command as QUICKER says, once if several pages have it; what went wrong, empty if nothing did."""
    words = shlex.split(command)
    if words[0] == "alignir":
        program, name = ["-m", *words], "alignir" if is_main_job(command) else f"alignir {words[1]}"
    elif words[0] == "python" and (ROOT / words[1]).is_file():
        program, name = [str(ROOT / words[1]), *words[2:]], words[1]
    else:
        return "expected `alignir ...` or `python scripts/...`, or a line of NOT_RUN"
    if not {"--help", "--cfg", "+plan=true"} & set(words):
        program += [word for key, added in QUICKER.items() if key in (name, *words[1:]) for word in added]
    finished = forked.run(*program, folder=folder)
    return "" if finished.returncode == 0 and "Traceback" not in finished.output else finished.output or "no output"


def check(commands: list[str], folder: Path) -> None:
    failed = {command: done(command, folder) for command in commands if command not in NOT_RUN}
    assert not any(failed.values()), "\n".join(f"{command}\n{text}" for command, text in failed.items() if text)


@pytest.mark.parametrize("page", [page for page in PAGES if page != WALK])
def test_every_command_of_a_page_runs(page, reader):
    written(page, reader)
    check(commands_of(page), reader)


def test_what_the_walk_through_dl19_shows_is_printed_by_its_commands(dl19, tmp_path, monkeypatch):
    """About 35 s. Its numbers of pairs that are called 0 are in tests/explore/test_dl19.py."""
    (tmp_path / "DATA").symlink_to(dl19)
    written(WALK, tmp_path)
    monkeypatch.setenv("COLUMNS", "112")
    printed = []
    for command in commands_of(WALK):
        done = forked.run("-m", *shlex.split(command), folder=tmp_path)
        assert done.returncode == 0, done.output
        printed += map(str.rstrip, done.stdout.splitlines())
    shown = [line for language, path, text in blocks(WALK) if language == "text" for line in text.splitlines()]
    assert len(shown) > 40
    assert not {*shown} - {*printed}
    assert (tmp_path / "explore.html").is_file()


@pytest.mark.parametrize("page", [page for page in PAGES if "```python" in (ROOT / page).read_text()])
def test_the_python_of_a_page_runs(page, tmp_path):
    """As one session, from top to bottom, in an empty folder."""
    code = "".join(content for language, _, content in blocks(page) if language == "python")
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert len(finished.stdout.splitlines()) > 5


@pytest.mark.parametrize("command", HELPS)
def test_every_example_of_a_help_runs(command, reader):
    assert len(HELPS[command]) >= 2
    check(HELPS[command], reader)


def test_a_command_that_is_none_of_ours_is_a_failure(tmp_path):
    assert "expected `alignir ...`" in done("python scripts/nowhere.py", tmp_path)
    assert "expected `alignir ...`" in done("curl example.org", tmp_path)
    assert "Could not find 'model/nobody'" in done("alignir model=nobody", tmp_path)
    assert "no command 'tabels'" in done("alignir tabels", tmp_path)


def test_every_command_that_is_not_run_composes_and_names_what_is_there(reader, monkeypatch):
    from alignir.config import CONF  # knows the working folder's conf, too

    for page in PAGES:
        written(page, reader)
    monkeypatch.chdir(reader)
    examples = [command for commands in HELPS.values() for command in commands]
    stale = set(NOT_RUN) - {*(command for page in PAGES for command in commands_of(page)), *examples}
    assert not stale
    for command in NOT_RUN:
        assert all((ROOT / script).is_file() for script in re.findall(r"scripts/\S+\.(?:py|sh)", command)), command
        if not is_main_job(command):
            continue
        overrides = [
            each for each in overrides_of(command) if not each.startswith(("hydra/launcher", "hydra.launcher"))
        ]
        for cell in cells_of(overrides):
            with initialize_config_dir(str(CONF), version_base="1.3"):
                assert compose("config", cell)


def test_every_link_leads_somewhere():
    for page in PAGES:
        text = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith("http"):
                continue
            path, _, anchor = target.partition("#")
            file = (ROOT / page).parent / path if path else ROOT / page
            assert file.is_file(), f"{page}: {target}"
            assert not anchor or anchor in anchors(file.read_text()), f"{page}: {target}"


def test_a_page_that_speaks_of_the_poster_says_which_study_it_is():
    of_poster = [page for page in PAGES if re.search(r"\b[Pp]oster\b", (ROOT / page).read_text())]
    assert len(of_poster) >= 4
    for page in ("README.md", *of_poster):
        assert "#the-study-that-is-reproduced)" in (ROOT / page).read_text(), page


def test_every_file_of_the_code_that_a_page_names_is_there():
    named = {
        path for page in PAGES for path in re.findall(r"\b(?:src|scripts|tests)/[\w./]+\w", (ROOT / page).read_text())
    }
    assert len(named) > 5
    assert not [path for path in named if not (ROOT / path).exists()]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_everything_that_can_be_chosen_is_documented():
    text = "\n".join((ROOT / page).read_text() for page in PAGES)
    choices = [file for file in (ROOT / "conf").glob("*/*.yaml") if file.parent.name != "hydra"]
    lacking = [file.stem for file in choices if not re.search(rf"(?<![\w-]){file.stem}(?![\w-])", text)]
    lacking += [kind for kind in KINDS if f"--table {kind}" not in text]
    lacking += [command for command in COMMANDS if f"alignir {command}" not in text]
    lacking += [script.name for script in (ROOT / "scripts" / "bench").glob("*.py") if script.name not in text]
    lacking += [page for page in PAGES[1:] if f"]({page})" not in (ROOT / "README.md").read_text()]
    assert not lacking


def shown_by_the_readme() -> list[str]:
    """Its blocks of tables: the demo's, and DL19's."""
    return re.findall(r"```\n(Table 1\..*?)```", (ROOT / "README.md").read_text(), re.S)


def lines(text: str) -> set[str]:
    return {" ".join(line.split()) for line in text.splitlines()}


def test_what_the_readme_shows_of_the_demo_is_printed_today(alignir, summarize, monkeypatch):
    """Down to the judge itself, which takes minutes: the ceiling, the floors and the columns hang on no model."""
    alignir("model=lexical")

    shown, _ = shown_by_the_readme()
    expected = {
        line for line in lines(shown) if line.startswith(("Table", "Labels", "model prompt", "baseline", "floor"))
    }
    of_the_judge = (
        "unparsed",
        "missing",
        "30.0% 30.0% 20.0% 20.0% 0 0",
        "CTR",
    )  # it leaves pairs unlabelled, lexical does not
    expected = {line for line in expected if not any(each in line for each in of_the_judge)}
    assert len(expected) >= 12
    monkeypatch.setenv("COLUMNS", "112")
    assert expected <= lines(summarize().stdout)


def test_what_the_readme_shows_of_dl19_is_printed_today(alignir, summarize, dl19):
    judges = {"umbrela_gpt4": "umbrela_gpt4_zeroshot", "genquery": "genquery_similarity_llama3-8b"}
    for name, file in judges.items():
        labels = f"model.labels={dl19 / 'llm_labels' / file}.qrels.gz"
        alignir("dataset=trec_dl_2019", f"dataset.path={dl19}", "model=replay", f"model.name={name}", labels)
    assert summarize("--table", "baseline", "--notes", "none").stdout.strip() == shown_by_the_readme()[1].strip()
