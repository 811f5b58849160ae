"""`--out` means the same to every command: a name with an ending is a file, any other one a folder."""

from importlib import import_module
from pathlib import Path

import pytest

from alignir.commands import output
from alignir.commands.door import COMMANDS
from alignir.errors import InputError

RULE = "a name with an ending is a file, any other one a folder, made if need be"


def helps_with_out():
    """(command, its help), of every parser and those within it that take --out."""
    for name in COMMANDS:
        parsers = [import_module(f"alignir.commands.{name.replace('-', '_')}").arguments(name)]
        for parser in parsers:
            for action in parser._actions:
                if isinstance(action.choices, dict) and all(
                    hasattr(each, "_actions") for each in action.choices.values()
                ):
                    parsers += action.choices.values()
                if "--out" in action.option_strings:
                    yield parser.prog, action


def test_every_command_that_takes_it_says_the_same_of_it():
    found = dict(helps_with_out())
    assert set(found) >= {
        *("tables", "figures", "report", "explore", "budget", "traffic", "sensitivity", "circularity", "import-log"),
        *("export labels", "export results", "export requests", "batch write"),
    }
    for prog, action in found.items():
        assert RULE in action.help, prog
        assert action.metavar == "PATH", prog


def test_only_commands_that_are_for_files_write_any_without_being_asked():
    defaults = {prog: str(action.default) for prog, action in helps_with_out() if action.default}
    assert defaults == {
        "figures": "figures",
        "report": "report",
        "explore": "explore.html",
        "export labels": "export",
        "export results": "export",
        "export requests": "export",
        "batch write": "batch",
    }


def test_a_folder_is_made_and_a_folder_that_is_there_is_one_whatever_its_name(tmp_path):
    output.check_out(tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder").is_dir()
    (tmp_path / "v1.2").mkdir()
    output.check_out(tmp_path / "v1.2", ("html",))
    assert output.paths(tmp_path / "v1.2", "index", ("html",)) == [tmp_path / "v1.2" / "index.html"]


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (
            lambda path: output.check_out(path / "a.txt", ("png", "svg")),
            r"a\.txt: expected a file that ends in \.png, ",
        ),
        (lambda path: output.check_out(path / "nowhere" / "a.png"), r"a\.png: there is no such folder"),
        (
            lambda path: output.check_out(path / "file" / "folder"),
            r"folder: expected a folder, or a path where one can",
        ),
        (lambda path: output.check_folder(path / "a.jsonl"), r"a\.jsonl: expected a folder, whose name has no ending"),
        (lambda path: output.check_one(path / "a.pdf", ["tau", "top"], "figures"), r"a folder for 2 figures: tau, top"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_work(tmp_path, check, message):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=message):
        check(tmp_path)


def test_without_out_nothing_is_checked_or_drawn():
    output.check_out(None)
    output.draw(lambda: pytest.fail("nobody asked for it"), None, "tau")


def test_one_thing_goes_into_the_file_and_several_into_the_folder():
    output.check_one(Path("a.pdf"), ["tau"], "figures")
    output.check_one(Path("drawn"), ["tau", "top"], "figures")
