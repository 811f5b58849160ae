"""Outcomes of pairs: what is read from files, and the way to the table from the command line."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of
from scipy.stats import binomtest

from alignir.errors import InputError
from alignir.frames import OUTCOMES, RUNS
from alignir.users.pairs import Pairs, read_outcomes

TESTS = """system_a,system_b,metric,difference,ci_low,ci_high
new,old,CTR,0.02,0.01,0.03
new,old,sar,0.02,0.01,0.05
new,other,ctr,-0.01,,
"""
WINS = """system_a\tsystem_b\twins_a\twins_b\tties
new\told\t60\t40\t100
other\told\t9\t1\t
new\tother\t0\t0\t5
"""


@pytest.fixture
def write(tmp_path):
    def written(text: str, name: str = "tests.csv"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return written


def test_differences_say_how_much_better_a_is_where_lower_is_better_too(write, tmp_path):
    found = read_outcomes(write(TESTS))
    assert list(found) == OUTCOMES
    assert found["metric"].tolist() == ["ctr", "sar", "ctr"]
    assert found["difference"].tolist() == [0.02, -0.02, -0.01]
    assert found["ci_low"].tolist()[:2] == [0.01, -0.05]
    assert found["ci_high"].tolist()[:2] == [0.03, -0.01]
    assert found.loc[2, ["ci_low", "ci_high"]].isna().all()
    assert read_outcomes(write(TESTS), lower=["ctr"])["difference"].tolist() == [-0.02, 0.02, 0.01]
    pd.read_csv(write(TESTS)).to_parquet(tmp_path / "tests.parquet")
    pd.testing.assert_frame_equal(read_outcomes(tmp_path / "tests.parquet"), found)


def test_an_interval_follows_from_n_and_the_standard_deviation_of_a_session(write):
    path = write("system_a,system_b,metric,difference,n\nnew,old,ctr,0.02,800\n")
    assert read_outcomes(path)[["ci_low", "ci_high"]].isna().all(axis=None)
    found = read_outcomes(path, sd=0.5).iloc[0]
    assert found["ci_high"] - 0.02 == pytest.approx(1.96 * 0.5 * np.sqrt(1 / 800 + 1 / 800), rel=1e-4)
    rng = np.random.default_rng(0)  # what 4,000 tests of two equally good systems find
    arms = rng.binomial(800, 0.5, (2, 4000)) / 800
    inside = np.abs(arms[0] - arms[1]) <= found["ci_high"] - found["difference"]
    assert 0.94 < inside.mean() < 0.97


def test_wins_are_decided_by_a_sign_test(write):
    found = read_outcomes(write(WINS, "wins.tsv"))
    assert found["metric"].unique().tolist() == ["wins"]
    assert found["difference"].tolist() == pytest.approx([(60 + 50) / 200 - 0.5, 0.9 - 0.5, 0])
    for row, (a, b) in zip(found.itertuples(), ((60, 40), (9, 1)), strict=False):
        assert (row.ci_low > 0 or row.ci_high < 0) is bool(binomtest(a, a + b).pvalue < 0.05)
    assert np.isnan(found["ci_low"].iloc[2])


def test_sign_test_and_interval_decide_alike_for_all_small_counts(write):
    rows = [(a, b) for a in range(13) for b in range(13) if a + b]
    text = "".join(f"x{a},y{b},{a},{b},3\n" for a, b in rows)
    found = read_outcomes(write("system_a,system_b,wins_a,wins_b,ties\n" + text))
    decided = (found["ci_low"] > 0) | (found["ci_high"] < 0)
    assert decided.tolist() == [bool(binomtest(a, a + b).pvalue <= 0.05) for a, b in rows]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("system,metric,value\na,ctr,1\n", ":1: expected the columns system_a, system_b, and difference"),
        ("system_a,system_b,difference\n", "expected rows of outcomes"),
        ("system_a,system_b,difference\na,a,1\n", ":2: expected two systems and a metric, found a, a, 1"),
        ("system_a,system_b,difference\na,b,1\nb,a,2\n", ":3: expected each pair of systems once for a metric"),
        ("system_a,system_b,difference\na,b,much\n", ":2: expected a finite number as difference"),
        ("system_a,system_b,difference\na,b,\n", ":2: expected a difference"),
        ("system_a,system_b,difference,ci_low,ci_high\na,b,1,0,\n", ":2: expected both ends"),
        ("system_a,system_b,difference,ci_low,ci_high\na,b,1,2,3\n", ":2: expected an interval that holds"),
        ("system_a,system_b,difference,n\na,b,1,0\n", ":2: expected a number of sessions n above 0"),
        ("system_a,system_b,wins_a,wins_b\na,b,1,\n", ":2: expected whole numbers of wins"),
        ("system_a,system_b,wins_a,wins_b\na,b,0,0\n", ":2: expected whole numbers of wins"),
    ],
)
def test_a_wrong_row_is_named_with_its_line(write, text, message):
    with pytest.raises(InputError, match=message):
        read_outcomes(write(text))


def test_pairs_of_other_systems_are_left_out_and_told(write, caplog):
    runs = rankings_of(pd.DataFrame(columns=RUNS), ["q"], ["new", "old"])
    users = Pairs(str(write(TESTS)))
    users.check(pd.DataFrame(), runs)
    assert "1 of 3 outcomes are of systems that are not compared here" in caplog.text
    assert users.outcomes(pd.DataFrame(), runs)["metric"].tolist() == ["ctr", "sar"]
    assert users.measure(pd.DataFrame(), runs).empty
    with pytest.raises(InputError, match="has no outcome of two of the systems x, y; the first is of new and old"):
        users.outcomes(pd.DataFrame(), rankings_of(pd.DataFrame(columns=RUNS), ["q"], ["x", "y"]))


def test_from_the_command_line_to_the_table(alignir, tmp_path, write):
    a, b, c = "lucene-k0.9-b0.4", "lucene-k1.6-b0.9", "lucene-k0.9-b0.4-stem"
    lines = [f"{a},{b},ctr,.2,.1,.3", f"{c},{b},ctr,.1,-.1,.3", f"{a},{b},sar,.1,,"]
    write("\n".join(["system_a,system_b,metric,difference,ci_low,ci_high", *lines]))
    cell = ("systems=bm25", "systems.scoring=[lucene]", "bootstrap.B=0", "floor.shuffles=0")
    alignir("-m", "model=lexical,scripted", *cell, "user_model=pairs", "user_model.path=tests.csv")
    tables = ("-m", "alignir", "tables", "--table", "pairs")
    shown = alignir(program=tables).stdout
    assert max(map(len, shown.splitlines()[:8])) <= 80
    rows = list(csv.DictReader(io.StringIO(alignir("--format", "csv", program=tables).stdout)))
    assert [(row["metric"], row["labels"]) for row in rows] == [
        (metric, labels) for metric in ("ctr", "sar") for labels in ("baseline", "lexical", "scripted zeshot")
    ]
    assert {row["signs_n"] for row in rows if row["metric"] == "ctr"} == {"2"}
    assert {row["decided_n"] for row in rows} == {"1", "0"}
    by_pairs = {row["labels"]: row["signs"] for row in rows if row["metric"] == "sar"}
    by_tests = {row["labels"]: row["decided"] for row in rows if row["metric"] == "ctr"}
    assert all(int(by_pairs[labels]) + int(by_tests[labels]) <= 1 for labels in by_pairs)  # sar is the other way round
    alignir("report", "--out", "report")  # nothing there needs a metric
    alignir("tables")
