"""Tables know their numbers: as a DataFrame, and shown by a notebook as they are printed."""

import math

import pandas as pd
import pytest

from alignir.formatting import Number, count, full, interval, number, share_of, signed, with_interval
from alignir.tables.table import Table

NAN = math.nan


def test_a_written_number_is_a_text_that_knows_its_value():
    written = {number(0.12345): "0.1235", signed(0.5): "+0.5000", share_of(0.123): "12.3%", count(1234): "1,234"}
    written |= {full(0.1): "0.1", with_interval(0.5, 0.25, 0.75): "0.5000 [0.25, 0.75]", number(-1.0, 1): "-1.0"}
    assert all(isinstance(cell, str) and str(cell) == text for cell, text in written.items())
    assert [cell.value for cell in written] == [0.12345, 0.5, 0.123, 1234, 0.1, 0.5, -1.0]
    assert [number(NAN), share_of(NAN), interval(NAN, NAN), with_interval(NAN, NAN, NAN), full(NAN)] == ["–"] * 4 + [""]
    assert math.isnan(number(NAN).value)
    assert interval(-0.5, 0.25, 2, "+") == "[-0.50, +0.25]"
    assert interval(-0.5, 0.25).values == {"low": -0.5, "high": 0.25}


@pytest.fixture
def table() -> Table:
    rows = [
        ["a", "zeshot", number(0.5), share_of(0.25), interval(0.1, 0.2), Number("0.9000°†", 0.9)],
        ["a", "–", number(NAN), share_of(1), interval(NAN, NAN), "not run"],
        ["b <x>", "", "", share_of(NAN), "", Number("not run", NAN)],
    ]
    return Table("A title", ["model", "prompt", "tau", "share", "interval", "tau"], rows, ["a note"])


def test_a_table_is_a_frame_of_numbers_and_nan(table):
    frame = table.to_frame()
    assert list(frame) == ["model", "prompt", "tau", "share", "interval low", "interval high", "tau"]
    assert [str(kind) for kind in frame.dtypes[2:]] == ["float64"] * 5
    assert frame["model"].tolist() == ["a", "a", "b <x>"]  # a name stands in every row
    assert frame["prompt"].tolist() == ["zeshot", "–", ""]
    expected = [[0.5, 0.25, 0.1, 0.2, 0.9], [NAN, 1, NAN, NAN, NAN], [NAN] * 5]
    assert frame.iloc[:, 2:].to_numpy() == pytest.approx(pd.DataFrame(expected).to_numpy(), nan_ok=True)


def test_a_frame_is_shown_as_its_table_until_something_else_is_made_of_it(table):
    frame = table.to_frame()
    assert frame._repr_html_() == table._repr_html_()
    assert "<figcaption>A title</figcaption>" in frame._repr_html_()
    assert "<td>b &lt;x&gt;</td>" in frame._repr_html_()
    assert "0.9000°†" in frame._repr_html_()
    assert "body {" not in frame._repr_html_()  # a notebook keeps its own
    assert type(frame[frame["share"] > 0.5]) is pd.DataFrame
    assert type(frame.drop(columns="tau")) is pd.DataFrame


def test_an_empty_table_is_an_empty_frame():
    assert list(Table("t", ["a", "b"], []).to_frame()) == ["a", "b"]
