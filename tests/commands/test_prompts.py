"""Prompt versions: a text is told apart by what it says, and `alignir prompts` shows what a change of it did."""

import argparse
import csv
import io
import re
import sys
from dataclasses import replace

import pandas as pd
import pytest

from alignir.commands import door
from alignir.commands.prompts import comparable
from alignir.config import composed_cell
from alignir.errors import InputError
from alignir.experiment import inputs, keys
from alignir.files import shipped
from alignir.formatting import visible
from alignir.frames import PAIR
from alignir.tables import table
from alignir.tables.names import judge_titles
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded, read_prompts, read_runs


def test_a_cell_is_known_by_its_prompts_text_and_not_by_the_files_name(tmp_path):
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"

    def key(file, text):
        file.write_text(text)
        cell = composed_cell(["model=scripted", f"prompt.file={file}"])
        return keys.key(cell, inputs.read_inputs(cell))

    first = key(one, "Rate. $query $passage")
    assert key(other, "Rate. $query $passage") == first
    assert key(one, "Rate again. $query $passage") != first


def test_what_could_steer_a_terminal_is_written_out():
    assert visible("plain, café – 水") == "plain, café – 水"
    assert visible("\x1b[31mred\u202eder\x07") == "\\x1b[31mred\\u202eder\\x07"


def test_brackets_in_a_cell_are_no_markup():
    shown = table.render([table.Table("t", ["[b]a[/b]", "b"], [["[red]x", "[/x]"]])], "rich")
    assert all(text in shown for text in ("[b]a[/b]", "[red]x", "[/x]"))


@pytest.fixture
def prompts(tmp_path, monkeypatch, capsys):
    """Call `alignir prompts` in the folder; gives (exit code, output, errors)."""

    def call(*arguments: str):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["alignir", "prompts", *arguments])
        return door.main(), *capsys.readouterr()

    return call


def parts(text: str) -> dict[str, list[dict]]:
    """The rows of several tables in csv, by the first word of their titles."""
    found = (part.split("\n", 1) for part in re.split("^# ", text, flags=re.M) if part)
    return {re.match(r"\w+", title)[0]: list(csv.DictReader(io.StringIO(body))) for title, body in found}


def test_a_changed_file_is_a_version_whose_labels_scores_and_pairs_are_compared(
    alignir, prompts, small, tmp_path, monkeypatch
):
    (small / "passages.tsv").write_text(
        "d1\tred \x1b[31mapples [/x] are sweet\nd2\tapples\nd3\tgreen pears\nd4\ta pear is a fruit\n"
    )
    (tmp_path / "prompts").mkdir()
    changed = (shipped("prompts") / "zeshot.txt").read_text().replace("0 to 3", "0 (worst) to 3 (best)")
    (tmp_path / "prompts" / "zeshot_v2.txt").write_text(changed)
    files = "prompt.file=zeshot.txt,prompts/zeshot_v2.txt"
    alignir("-m", "model=scripted", "dataset=folder", "dataset.path=small", files)

    code, output, _ = prompts("log", "zeshot", "--format", "csv")
    log = list(csv.DictReader(io.StringIO(output)))
    assert code == 0
    assert [(row["prompt"], row["file"], row["pairs"]) for row in log] == [
        ("zeshot@1", "zeshot.txt", "4"),
        ("zeshot@2", "zeshot_v2.txt", "4"),
    ]
    assert [version.version for version in read_prompts(None)] == [1, 2]
    runs = {run.prompt_version: run for run in read_runs(None, "alignir")}
    assert [judge_titles(run.judge) for run in Recordings(runs.values())] == [
        ["scripted", "zeshot"],
        ["scripted", "zeshot@2"],
    ]
    one, two = (runs[version].frame("labels.parquet").set_index(PAIR)["relevance"] for version in sorted(runs))

    code, output, errors = prompts("diff", "zeshot@1", "zeshot", "--format", "csv", "--pairs", "9")
    assert (code, errors) == (0, "")
    found = parts(output)
    assert {(row[""], row["line"]) for row in found["Text"]} >= {
        ("-", "Rate how relevant a passage is to a search query on a scale from 0 to 3:"),
        ("+", "Rate how relevant a passage is to a search query on a scale from 0 (worst) to 3 (best):"),
    }
    flow = pd.crosstab(one, two)
    for row in found["Labels"][:4]:
        before = int(row["zeshot@1 ↓ zeshot@2 →"])
        expected = [flow.get(after, pd.Series()).get(before, 0) for after in range(4)]
        assert [int(row[str(after)]) for after in range(4)] == expected
    tau, kappa, _ = found["Effect"]
    for row, metric in ((tau, "tau_b/ndcg_cut_10/baseline"), (kappa, "agreement/kappa")):
        for version in sorted(runs):
            value = runs[version].metrics[metric]
            assert row[version] == ("–" if value != value else f"{value:.4f}")
    differ = one[one != two].index
    pairs = {(row["query_id"], row["doc_id"]): row for row in found["Moved"]}
    assert set(pairs) == set(differ)
    assert len(pairs) > 0
    for pair, row in pairs.items():
        assert (row["zeshot@1"], row["zeshot@2"]) == (str(one[pair]), str(two[pair]))
        assert row["answer, zeshot@2"] == f"##final score: {two[pair]}"
    code, output, _ = prompts("diff", runs["zeshot@1"].run_id[:8], "zeshot@2", "--pairs", "9")
    assert code == 0
    assert "passage: red \\x1b[31mapples [/x] are sweet" in output
    assert "\x1b" not in output

    for arguments, message in (
        (["log", "nope"], "prompt=nope: expected one of zeshot"),
        (["log", "--model", "nope"], "model=nope has no finished run of a model that reads a prompt"),
        (["diff", "zeshot@1", "zeshot@7"], "no finished run of a prompt 'zeshot@7'"),
        (["diff", "zeshot@2", "zeshot"], "zeshot@2 and zeshot are the same run"),
    ):
        code, _, errors = prompts(*arguments)
        assert code == 1
        assert message in errors

    lost = runs["zeshot@1"].frame("labels.parquet")
    lost["relevance"] = lost["relevance"].mask(lost["doc_id"] == "d3")
    monkeypatch.setattr(
        Recorded,
        "frame",
        lambda run, name, frame=Recorded.frame: (
            lost if name == "labels.parquet" and run.run_id == runs["zeshot@1"].run_id else frame(run, name)
        ),
    )
    (gained,) = parts(prompts("diff", "zeshot@1", "zeshot@2", "--format", "csv")[1])["Lost"]
    assert [gained[column] for column in ("doc_id", "baseline", "zeshot@1")] == ["d3", "2", "–"]
    assert gained["zeshot@2"] == str(two["q2", "d3"])

    asked = argparse.Namespace(before="zeshot@1", after="zeshot@2")
    one, two = (runs[version] for version in sorted(runs))
    others = [replace(run, run_id=f"other{run.run_id}", params={**run.params, "model": "x"}) for run in (one, two)]
    with pytest.raises(InputError, match=r"no runs that can be compared.* differ in model: scripted and x"):
        comparable(asked, [one, others[1]])
    with pytest.raises(InputError, match="in 2 ways; choose with --model") as error:
        comparable(asked, [one, two, *others])
    assert one.run_id[:8] in str(error.value)
    decoded = replace(two, run_id="decoded", params={**two.params, "prompt.decoding": "logits"})
    assert comparable(asked, [one, two, decoded]) == (one, two)  # those that differ least
