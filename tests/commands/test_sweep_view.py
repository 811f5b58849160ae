"""The terminal: one live view of a sweep, plain lines where there is none, and warnings once, at the end."""

import re
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import forked
import pandas as pd
import pytest
from conftest import write_small
from test_labels import PROMPT, Asked

from alignir import progress
from alignir.commands import sweep_view
from alignir.commands.sweep_view import View
from alignir.frames import STATUSES
from alignir.labelling.labels import label
from alignir.labelling.ledger import Ledger
from alignir.labelling.models import Answer
from alignir.progress import bar

SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"
SWEEP = ["-m", "alignir", "-m", "dataset=folder", "dataset.path=small", "model=slow,three", "bootstrap.B=10"]


def prepared(folder: Path, delay: float = 0.3) -> Path:
    """The folder with what SWEEP needs: a judge that takes `delay` seconds a pair, and one that has 3 of 4 labels."""
    (folder / "conf" / "model").mkdir(parents=True)
    (folder / "conf" / "model" / "slow.yaml").write_text(f"_target_: alignir.Scripted\nname: slow\ndelay: {delay}\n")
    (folder / "conf" / "model" / "three.yaml").write_text("_target_: alignir.Replay\nlabels: three.txt\n")
    (folder / "three.txt").write_text("q1 0 d1 3\nq1 0 d2 1\nq2 0 d3 2\n")
    write_small(folder / "small")
    with open(folder / "small" / "queries.tsv", "a") as file:
        file.write("q3\tplums\n")  # nothing is judged for it: something to warn of
    return folder


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The sweep, run where there is no terminal, and its `folder`."""
    folder = prepared(tmp_path_factory.mktemp("swept"))
    done = forked.run(*SWEEP, folder=folder)
    assert done.returncode == 0, done.output
    return SimpleNamespace(**vars(done), folder=folder)


def without_times(text: str) -> list[str]:
    """The lines, with every time that something took or was at as 0."""
    text = re.sub(r"in \d+ s, \d+\.\d pairs", "in 0 s, 0 pairs", text)
    return [line.rstrip() for line in re.sub(r"\d+:\d\d:\d\d", "0", text).splitlines()]


def left_on_the_screen(written: str) -> str:
    """What a terminal shows in the end: text goes over what is there, and lines are erased when it is told so."""
    lines, row, column = [""], 0, 0
    for found in re.finditer(r"\x1b\[\??(\d*)(?:;\d+)*([A-Za-z])|\r|\n|[^\x1b\r\n]+", written):
        text, (number, what) = found[0], found.groups()
        if text == "\r":
            column = 0
        elif text == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif what == "A":
            row -= int(number or 1)
            assert row >= 0
        elif what == "K":
            lines[row] = ""
        elif what is None:
            lines[row] = lines[row].ljust(column)[:column] + text + lines[row][column + len(text) :]
            column += len(text)
        else:
            assert what in "mhl"  # colours, and the cursor is shown or hidden
    return "\n".join(lines)


def recorded_statuses(folder) -> dict[str, int]:
    """Of all labels that were recorded there."""
    frames = [pd.read_parquet(file) for file in {*folder.rglob("artifacts/**/labels.parquet")}]
    counts = pd.concat(frames)["status"].value_counts()
    return {status: int(counts[status]) for status in STATUSES if status in counts}


def test_a_sweep_is_told_in_lines_where_there_is_no_terminal(swept):
    lines = [re.sub(r"about \d+ s", "about N s", line) for line in without_times(swept.stderr)]
    assert lines[:5] == [
        "0 cell 1 of 2: slow · zeshot · folder: started",
        "0 cell 1 of 2: slow · zeshot · folder: done in 0: ok 4; about N s left",
        "0 cell 2 of 2: three · folder: started",
        "0 cell 2 of 2: three · folder: done in 0: ok 3, absent 1",
        "0 2 of 2 cells done in 0: ok 7, absent 1",
    ]
    assert recorded_statuses(swept.folder) == {"ok": 7, "absent": 1}
    assert swept.stdout.count("nDCG@10 with") == 2
    assert "\x1b" not in swept.output


def test_warnings_are_told_at_the_end_with_the_cells_that_they_concern(swept):
    lines = swept.stderr.partition("recorded  ")[0].splitlines()  # next steps come last
    (start,) = [number for number, line in enumerate(lines) if line.endswith(" warnings:")]
    told = dict(zip(lines[start + 1 :: 2], lines[start + 2 :: 2], strict=True))
    assert lines[start] == f"{len(told)} warnings:"
    assert told["  folder: 1 of 3 queries has no judged pair and is left out"] == "    in all 2 cells"
    assert told["  1 of 4 pairs has no label"] == "    in 1 of 2 cells: three · folder"
    assert all(swept.output.count(message) == 1 for message in told)


def test_the_result_of_a_cell_fits_into_80_columns(swept):
    assert max(map(len, swept.stdout.splitlines())) <= 80


@pytest.mark.parametrize("columns", [80, 120])
def test_the_live_view_leaves_the_results_as_they_are_without_it(swept, tmp_path, columns):
    live = forked.run_on_a_terminal(*SWEEP, folder=prepared(tmp_path), columns=columns)
    assert live.returncode == 0, live.output
    expected = without_times(swept.stdout) + without_times(swept.stderr)[4:]
    assert without_times(left_on_the_screen(live.output)) == expected
    assert live.output.rindex(SHOW_CURSOR) > live.output.rindex(HIDE_CURSOR)
    written = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", live.output).split(" warnings:")[0]
    lines = [line.rstrip() for line in re.split("[\r\n]+", written)]
    assert max(map(len, lines)) <= columns
    shown = [line.removeprefix("labels  ") for line in lines if line.startswith("labels  ")]
    assert shown[-1] == progress.in_words(recorded_statuses(tmp_path)) == "ok 7, absent 1"
    counts = [int(re.match(r"ok (\d+)", line)[1]) for line in shown]
    assert counts == sorted(counts)
    assert 0 < counts[0] < 4  # while the first cell was being labelled
    assert any(re.search(r"1 of 2 done, \S+, about \d+ s left", line) for line in lines)
    assert any(line.startswith("now     slow · zeshot · folder") for line in lines)
    assert any(line.startswith("slow, zeshot") and re.search(r"pairs/s .*\d s left", line) for line in lines)


def test_ctrl_c_leaves_the_terminal_sane_and_says_how_to_go_on(tmp_path):
    folder = prepared(tmp_path, delay=5)
    done = forked.run_on_a_terminal(*SWEEP, folder=folder, columns=80, interrupt_at="pairs/s")
    assert done.returncode == 130
    assert without_times(left_on_the_screen(done.output))[:2] == [
        "0 0 of 2 cells done in 0",
        "1 warning:",
    ]
    assert "the same command goes on" in left_on_the_screen(done.output).splitlines()[-1]
    assert done.output.rindex(SHOW_CURSOR) > done.output.rindex(HIDE_CURSOR)


def test_cells_that_fail_or_have_finished_before_are_counted_apart(capsys):
    with View() as view:
        with pytest.raises(OSError, match="full"), view.cell("first", 3):
            raise OSError("disk full")
        with view.cell("second", 3):
            view.skip()
        with view.cell("third", 3):
            view.found({"ok": 3, "unparsed": 2})
    assert without_times(capsys.readouterr().err) == [
        "0 cell 1 of 3: first: started",
        "0 cell 1 of 3: first: failed after 0",
        "0 cell 2 of 3: second: started",
        "0 cell 2 of 3: second: finished before",
        "0 cell 3 of 3: third: started",
        "0 cell 3 of 3: third: done in 0: ok 3, unparsed 2",
        "0 1 of 3 cells done, 1 failed, 1 finished before in 0: ok 3, unparsed 2",
    ]


def test_what_a_sweep_takes_yet_is_said_by_the_cells_that_are_done(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(sweep_view, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with View() as view:
        with view.cell("first", 4):
            now[0] += 1
            view.skip()  # says nothing of those that are not left out
        for title, seconds in (("second", 60), ("third", 120)):
            with view.cell(title, 4):
                now[0] += seconds
        with view.cell("fourth", 4):
            now[0] += 30
            assert view._left() == "about 60 s left"
    said = [line.partition("; ")[2] for line in capsys.readouterr().err.splitlines() if "done in" in line]
    assert said == ["about 2 min left", "about 90 s left", ""]


def test_a_warning_of_many_cells_is_told_once(capsys):
    with View() as view:
        for number in range(6):
            with view.cell(f"cell {number}", 6):
                if number:
                    warnings.warn("an old way", DeprecationWarning, stacklevel=1)
                    view.warn("common")
    assert capsys.readouterr().err.splitlines()[-5:] == [
        "2 warnings:",
        "  DeprecationWarning: an old way",
        "    in 5 of 6 cells: cell 1; cell 2; cell 3; and 2 more",
        "  common",
        "    in 5 of 6 cells: cell 1; cell 2; cell 3; and 2 more",
    ]


def test_what_takes_long_is_told_every_ten_seconds(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0], strftime=time.strftime))
    with bar("judge, zeshot", 40, "pairs") as advance:
        for number in range(40):
            now[0] += 1
            advance(1, "unparsed" if number % 4 == 3 else "ok")
    assert without_times(capsys.readouterr().err) == [
        "0 judge, zeshot: 10 of 40 pairs, 1.0 pairs/s, 30 s left; ok 8, unparsed 2",
        "0 judge, zeshot: 20 of 40 pairs, 1.0 pairs/s, 20 s left; ok 15, unparsed 5",
        "0 judge, zeshot: 30 of 40 pairs, 1.0 pairs/s, 10 s left; ok 23, unparsed 7",
        "0 judge, zeshot: 40 of 40 pairs, 1.0 pairs/s, 0 s left; ok 30, unparsed 10",
    ]


class Mumbling(Asked):
    """Of three answers one is unreadable and one is cut short."""

    def answer(self, prompt, pairs):
        said = [("##final score: 1", "stop"), ("I cannot tell", "stop"), ("The passage", "length")]
        for index in range(len(pairs)):
            response, reason = said[index % 3]
            yield Answer(index, response, reason, 1, 1)


def test_answers_are_counted_as_they_will_be_recorded(tmp_path):
    pairs = pd.DataFrame({"query_id": "q", "doc_id": [f"d{i}" for i in range(8)], "query": "q"})
    pairs["passage"] = [f"passage {i}" for i in range(8)]
    with View() as view:
        labels = label(pairs, PROMPT, Mumbling(), Ledger(tmp_path)).labels
        assert view.answers == labels["status"].value_counts().to_dict() == {"ok": 3, "unparsed": 3, "truncated": 2}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_the_command(tmp_path):
    command = tmp_path / "alignir"
    command.write_text(f"#!{sys.executable}\nfrom alignir.commands.door import main\nraise SystemExit(main())\n")
    command.chmod(0o755)
    script = """
        export PATH="$PWD:$PATH"
        eval "$(alignir -sc install=bash)"
        complete_line() { COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            hydra_bash_completion; echo "${COMPREPLY[@]}"; }
        complete -p alignir
        complete_line "alignir prompt=z"
        complete_line "alignir model=scripted model.d"
    """
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == ""
    registered, choice, setting = done.stdout.splitlines()
    assert registered.endswith("hydra_bash_completion alignir")
    assert choice == "prompt=zeshot"
    assert setting == "model.delay="
