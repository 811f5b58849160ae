"""Terminal: tables in lines of a given width."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignir.formatting import interval, number
from alignir.tables import terminal
from alignir.tables.table import Definition, Table, render, show, with_best


def wide(n_judges: int = 3, n_columns: int = 9) -> Table:
    """A table with a number in each cell that is nowhere else."""
    rows = [
        [f"judge {row}", "zeshot", *(number(row + column / 100) for column in range(n_columns))]
        for row in range(n_judges)
    ]
    heads = [f"average of metric {column} ↓" for column in range(n_columns)]
    return Table("A title", ["model", "prompt", *heads], rows, ["a note " * 20])


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_every_number_is_printed_whole_and_once_in_lines_that_fit(width):
    table = wide()
    text = render([table], "rich", width=width)
    assert max(map(len, text.splitlines())) <= width
    assert sorted(re.findall(r"\d\.\d{4}", text)) == sorted(cell for row in table.rows for cell in row[2:])
    assert "…" not in text


def test_every_block_names_its_rows():
    blocks = [part for part in render([wide()], "rich", notes="none", width=60).split("\n\n")[1:] if part.strip()]
    assert len(blocks) > 1
    for block in blocks:
        named = [line.split("zeshot")[0].strip() for line in block.splitlines() if "zeshot" in line]
        assert named == ["judge 0", "judge 1", "judge 2"]


def test_a_head_takes_more_lines_only_where_that_saves_a_block():
    table = Table("t", ["model", "top 20"], [["a", number(0.5, 2)]])
    assert "top 20" in terminal.text([table], 80)


@given(st.lists(st.text("ab c", max_size=90), min_size=1, max_size=4), st.integers(1, 6), st.integers(50, 100))
def test_long_texts_are_broken_and_nothing_is_wider_than_asked(names, n_numbers, width):
    rows = [[name, "p" * 20, *(interval(-1, 1) for _ in range(n_numbers))] for name in names]
    table = Table("word " * 30, ["model", "prompt", *("head " * 5 for _ in range(n_numbers))], rows)
    text = terminal.text([table], width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("[-1.0000, 1.0000]") == len(names) * n_numbers


def test_the_columns_of_the_environment_are_obeyed(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    show([wide()], "rich")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


def test_what_several_tables_say_stands_once_and_definitions_last():
    tables = [
        Table("one", ["a"], [["x"]], ["shared: 1", Definition("word: means"), "own of one", "differs: 1"]),
        Table("two", ["a"], [["x"]], ["shared: 1", Definition("word: means"), "differs: 2"]),
    ]
    text = render(tables, "rich")
    first, second = text.split("two\n")
    assert [note for note in ("shared: 1", "word: means", "own of one", "differs: 1") if note in first] == [
        "own of one",
        "differs: 1",
    ]
    assert [text.count(note) for note in ("shared: 1", "word: means")] == [1, 1]
    assert second.index("differs: 2") < second.index("shared: 1")
    assert "word: means" not in render(tables, "rich", "short")
    assert "shared" not in render(tables, "markdown", "none")


def test_the_best_is_bold():
    rows = with_best([["a", number(0.5)], ["b", number(0.75)]], {1: False})
    table = Table("t", ["model", "tau_b"], rows)
    assert "\x1b[1m0.7500" in render([table], "rich", styled=True)
    assert "\x1b" not in render([table], "rich")
    assert "**0.7500**" in render([table], "markdown")
    assert '<td class="best">0.7500</td>' in render([table], "html")
    assert "& \\textbf{0.7500}" in render([table], "latex")
