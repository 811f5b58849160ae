"""The door: what a first word means, what help teaches and how little it loads, and how mistakes end."""

import ast
import os
import pickle
import re
import resource
import subprocess
import sys
from argparse import SUPPRESS
from importlib import import_module

import forked
import pytest
from conftest import ROOT

from alignir.commands import door, run
from alignir.commands.door import COMMANDS

HEAVY = ("pandas", "pyarrow", "numpy", "scipy", "matplotlib", "mlflow", "rich")
HELPS = [[], *([command] for command in COMMANDS), ["prompts", "log"], ["prompts", "diff"]]
HELPS += [["export", kind] for kind in ("labels", "results", "requests")]
WIDTH = 80
LOADED = """
import sys
from alignir.commands.door import main
try:
    code = main()
except SystemExit as stopped:
    code = stopped.code
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""


def parser_of(words: list[str]):
    """The parser of a command, or of a part of it."""
    command, *part = words
    parser = import_module(f"alignir.commands.{command.replace('-', '_')}").arguments(f"alignir {command}")
    for name in part:
        (parts,) = (action.choices for action in parser._actions if action.dest == "command")
        parser = parts[name]
    return parser


@pytest.mark.parametrize("words", HELPS, ids=" ".join)
def test_help_is_there_at_once(words, tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words, "--help"],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": str(WIDTH)},
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert not set(HEAVY) & set(done.stderr.split())
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    assert done.stdout.startswith(f"usage: {' '.join(['alignir', *words])} ")
    too_wide = [line for line in done.stdout.splitlines() if len(line) > WIDTH]
    assert not too_wide
    assert list(tmp_path.iterdir()) == []


def test_the_main_help_has_every_command_with_its_line(alignir):
    text = alignir("-h").stdout
    found = dict(re.findall(r"^  ([a-z-]+) +(\S.*)$", text.split("commands, of which")[1].split("examples:")[0], re.M))
    assert found == COMMANDS
    assert alignir("model=lexical", "--help").stdout == text


def test_every_command_is_a_module_that_opens_with_its_help():
    for command in COMMANDS:
        parser = parser_of([command])
        text = parser.format_help()
        assert re.findall(r"^  alignir .*", text.partition("examples:")[2], re.M), command
        assert f"alignir {command}" in text.partition("examples:")[2]
        assert import_module(f"alignir.commands.{command.replace('-', '_')}").__doc__ == parser.description


@pytest.mark.parametrize("words", HELPS[1:], ids=" ".join)
def test_every_option_says_its_default_or_that_it_is_required(words):
    parser = parser_of(words)
    for action in parser._actions:
        if action.dest in ("help", "command") and action.default in (None, SUPPRESS):
            continue
        told = action.help % {"default": action.default}
        assert re.search(r"\(default: \S|\(required\)", told), f"{words}: {action.dest}: {told}"
        if isinstance(action.default, int | float) and not isinstance(action.default, bool):
            assert f"(default: {action.default})" in told
        if action.required:
            assert "(required)" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tabels"], "alignir: no command 'tabels'; did you mean tables? There are: tables, figures, report,"),
        (["import_log"], "alignir: no command 'import_log'; did you mean import-log?"),
        (["lexical"], "alignir: no command 'lexical'; there are: tables,"),
        (["lexical"], "A setting of the main job has the form NAME=VALUE; alignir --help lists both"),
        (
            ["tables", "--formt", "csv"],
            "alignir tables: unrecognized arguments: --formt csv (alignir tables --help says",
        ),
        (["tables", "--format", "word"], "alignir tables: argument --format: invalid choice: 'word'"),
        (["probe", "--pairs", "few"], "alignir probe: argument --pairs: invalid int value: 'few'"),
        (["verify"], "alignir verify: the following arguments are required: DATA"),
        (["export"], "alignir export: the following arguments are required: labels|results|requests"),
        (["tables"], "alignir tables: no recorded runs in"),
        (["budget", "model=nobody"], "alignir budget: Could not find 'model/nobody'; there are"),
        (["budget", "dataset.pth=1"], "alignir budget: Could not override 'dataset.pth'"),
        (["traffic", "user_model.model.gamma=2"], "alignir traffic: "),
        (["tables", "--out", "nowhere/t.md"], "alignir tables: --out nowhere/t.md: there is no such folder"),
        (["probe", "--pairs", "-1"], "alignir probe: --pairs -1: expected a number from 1"),
        (["probe", "--seed", "-1"], "alignir probe: --seed -1: expected a number from 0"),
        (["budget", "--seed", "-1"], "alignir budget: --seed -1: expected a number from 0"),
        (["traffic", "--draws", "1"], "alignir traffic: --draws 1: expected a number from 2"),
        (["fit", "user_model=dbn", "log=x", "seed=-1"], "alignir fit: expected held_out between 0 and 1, depth from 1"),
        (["fit", "user_model=dbn", "log=x.csv", "depth="], "alignir fit: "),
        (["fit", "user_model=dbn", "lgo=x"], "alignir fit: setting=lgo=x: expected one of user_model=, log=,"),
    ],
)
def test_a_mistake_is_one_message_with_the_command_before_it(alignir, arguments, message):
    done = alignir(*arguments, ok=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.count("alignir: ") + done.stderr.count(f"alignir {arguments[0]}: ") == 1


@pytest.mark.parametrize("arguments", [["--help"], ["model=scripted", "+plan=true"]])
def test_output_that_nobody_reads_ends_without_a_word(arguments, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "alignir", *arguments]
    done = subprocess.run(command, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == door.UNREAD == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's device that is always full")
def test_output_for_which_there_is_no_room_is_one_message(tmp_path):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "alignir", "--help"]
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "alignir: No space left on device\n")


def test_ctrl_c_ends_a_command_without_a_stack_trace(tmp_path):
    command = ["-m", "alignir", "traffic", "--draws", "1000000", "--sessions", "10"]
    done = forked.run_on_a_terminal(*command, folder=tmp_path, columns=100, interrupt_at="sampling")
    assert done.returncode == door.STOPPED == 130
    assert "alignir traffic: stopped" in done.output
    assert "Traceback" not in done.output


def test_main_defines_nothing_so_that_a_launchers_processes_find_all_they_need():
    main = ast.parse((ROOT / "src" / "alignir" / "__main__.py").read_text())
    _doc, *statements = main.body
    assert {type(statement) for statement in statements} == {ast.Import, ast.ImportFrom, ast.If}
    assert pickle.loads(pickle.dumps(run.job)) is run.job  # noqa: S301


def test_nothing_that_a_wheel_holds_names_a_script_of_the_checkout():
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "conf").rglob("*.yaml"), *(ROOT / "prompts").rglob("*")]
    assert len(files) > 100
    naming = [str(file) for file in files if re.search(r"\bscripts/|\b\w+\.sh\b", file.read_text())]
    assert not naming


def test_the_scripts_are_doors(alignir):
    doors = [file for file in (ROOT / "scripts").glob("*.py")]
    assert {re.search(r'main\("(.*)"\)', file.read_text())[1] for file in doors} == set(COMMANDS)
    for file in doors:
        lines = [line for line in file.read_text().splitlines() if line]
        assert len(lines) == 3, file
    assert "usage: alignir tables " in alignir("--help", program=(str(ROOT / "scripts" / "summarize.py"),)).stdout
