"""Published values are recomputed from real data; one that is wrong, or cannot be read, is named."""

import csv
import gzip
import io
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from alignir.commands.published import Check

SCRIPT = ROOT / "scripts" / "verify.py"


@pytest.fixture
def verify(alignir):
    def run(*arguments: str, ok: bool = True):
        return alignir(*arguments, ok=ok, program=(str(SCRIPT),))

    return run


@pytest.fixture
def copied(dl19, tmp_path) -> Path:
    """The data in a folder of its own: small files are copies, the rest links; one judge, and no session logs."""
    folder = tmp_path / "data" / dl19.name
    for part in ("reference", "llm_labels"):
        (folder / part).mkdir(parents=True)
    for file in (*dl19.iterdir(), *(dl19 / "reference").iterdir(), *(dl19 / "llm_labels").glob("*.qrels.gz")):
        place = folder / file.relative_to(dl19)
        if file.suffix in (".tsv", ".json", ".txt") or file.name.endswith("topic.tsv.gz"):
            shutil.copyfile(file, place)
        elif not place.exists():
            place.symlink_to(file)
    judges = (dl19 / "llm_labels" / "judges.tsv").read_text().splitlines()
    kept = [judges[0], *(line for line in judges if line.startswith("baseline3210_llama3-8b\t"))]
    (folder / "llm_labels" / "judges.tsv").write_text("\n".join(kept) + "\n")
    return folder


@pytest.fixture(scope="module")
def whole(dl19, clicks) -> dict[str, list[list[str]]]:
    """The rows of each printed table by its title; the exit code was 0."""
    command = [sys.executable, str(SCRIPT), str(dl19.parent), "--format", "csv"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    tables = dict(part.split("\n", 1) for part in text.removeprefix("# ").split("\n# "))
    return {title: list(csv.reader(io.StringIO(body.strip()))) for title, body in tables.items()}


def test_all_that_was_published_comes_out(whole):
    header, *counts = whole["Published values"]
    assert header == ["table", "values", "ok", "tie", "OFF"]
    assert {row[0] for row in counts} == set(whole) - {"Published values"}
    assert {row[-1] for row in counts} == {"0"}


def test_all_systems_judges_and_ranks_are_among_it(whole):
    rows = [row for table in whole.values() for row in table]
    whats = Counter(row[1] for row in rows)
    assert sum(row[1] == "nDCG@10" for row in whole["systems.tsv"]) == 46
    assert [whats[name] for name in ("kappa4", "kappa_bin", "tau_official37", "tau_all46")] == [8, 13, 13, 13]
    assert [whats[f"CTR at rank {rank}"] for rank in range(1, 11)] == [1] * 10
    assert ["nDCG@10 by query", f"{46 * 43:,}", f"{46 * 43:,}", "0", "0"] in rows


def test_taus_that_differ_by_a_broken_tie_are_shown_as_they_are(whole):
    (row,) = (row for row in whole["judges.tsv"] if row[:2] == ["sun_decomposed_flant5-large", "tau_all46"])
    assert row[2:] == ["0.8893", "0.889749", "0.000449", "0.00005", "tie 0.889319"]


def test_breaking_one_tie_of_46_systems_is_what_the_marked_taus_differ_by():
    """One pair of 46 * 45 / 2 that is tied on both sides is left out of tau_b; broken on one side, it enters there."""
    assert 0.889749 * np.sqrt(1034 / 1035) == pytest.approx(0.889319, abs=1e-6)


@pytest.mark.parametrize(
    ("expected", "got", "tie_broken", "verdict"),
    [
        (0.8893, 0.88934, np.nan, "ok"),
        (0.8893, 0.88936, np.nan, "OFF"),
        (0.8893, 0.88975, 0.88932, "tie"),
        (0.8894, 0.88975, 0.88932, "OFF"),  # between the two is no rounding of either
        (np.nan, 0.88934, np.nan, "OFF"),
        (0.8893, np.nan, np.nan, "OFF"),
    ],
)
def test_a_value_may_be_off_by_half_of_its_last_digit_and_no_more(expected, got, tie_broken, verdict):
    assert Check("judge", "tau_all46", expected, got, 4, tie_broken).verdict == verdict


def test_a_count_must_be_equal():
    assert [Check("log", "pages", 401, got, 0).verdict for got in (400, 401, 402)] == ["OFF", "ok", "OFF"]


def edited(file: Path, old: str, new: str) -> None:
    packed = file.suffix == ".gz"
    text = gzip.decompress(file.read_bytes()).decode() if packed else file.read_text()
    assert old in text
    text = text.replace(old, new, 1)
    file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())


def test_one_wrong_number_is_named(verify, copied):
    edited(copied / "llm_labels" / "judges.tsv", "\t0.8017\t", "\t0.8019\t")  # between tau with the tie and without
    done = verify(str(copied.parent), ok=False)
    assert done.returncode == 1
    (line,) = (line for line in done.stderr.splitlines() if "is off" in line)
    assert line == (
        "alignir verify: judges.tsv: baseline3210_llama3-8b, tau_all46 is off: expected 0.8019, got 0.802129"
    )
    assert "tau_all46 0.8019 0.802129 0.000229 0.00005" in " ".join(done.stdout.split())
    assert "no clicks in" in done.stderr


def test_every_wrong_number_is_named(verify, copied):
    edited(copied / "systems.tsv", "p_bert\tneural rerank\t0.738\t", "p_bert\tneural rerank\t0.7381\t")
    edited(copied / "systems.tsv", "idst_bert_p1\t", "unknown\t")
    edited(copied / "reference" / "ndcg10_per_topic.tsv.gz", "0.649648", "0.649650")
    nist = copied / "reference" / "nist_official_passages_eval.json"
    summary = json.loads(nist.read_text())
    summary["p_bert"]["recall_100"] += 0.0001
    nist.write_text(json.dumps(summary))
    done = verify(str(copied.parent), ok=False)
    off = [line.partition(" is off")[0] for line in done.stderr.splitlines() if "is off" in line]
    assert off == [
        "alignir verify: systems.tsv: idst_bert_p1, nDCG@10",  # has no row
        "alignir verify: systems.tsv: p_bert, nDCG@10",
        "alignir verify: systems.tsv: unknown, nDCG@10",  # has no run
        "alignir verify: systems.tsv: unknown, nDCG@10, published",
        "alignir verify: NIST's summary: p_bert, recall_100",
        "alignir verify: nDCG@10 by query: ICT-BERT2, query 19335, nDCG@10",
    ]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("systems.tsv", "system\tscore\na\t1\n", "systems.tsv: expected the columns system, ndcg10"),
        ("reference/nist_official_passages_eval.json", "[1]", "expected measures by system"),
    ],
)
def test_tables_that_cannot_be_read_are_named_without_a_stack_trace(verify, copied, file, text, message):
    (copied / file).write_text(text)
    done = verify(str(copied.parent), ok=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.output


def test_a_folder_without_the_data_is_named(verify, tmp_path):
    for folder, message in (
        (tmp_path / "none", "no folder of published data at"),
        (tmp_path, "no folder of TREC DL 2019"),
    ):
        done = verify(str(folder), ok=False)
        assert done.returncode == 1
        assert done.stderr.startswith(f"alignir verify: {message}")
        assert "Traceback" not in done.output
