"""Sensitivity: what moves tau far has a letter, the same in the figure and in the table, and the key says its name."""

import math

import pandas as pd

from alignir.figures.sensitivity import sensitivity_figure
from alignir.tables.sensitivity import order_table, outlying_table

COLUMNS = ["judge", "user_model", "metric", "tau_b", "p_value"]
ROWS = pd.DataFrame(
    [
        ("a judge", "dbn", "clicks", 0.7, 0.001),
        ("a judge", "dbn, near", "clicks", 0.65, 0.001),
        ("a judge", "dbn, far", "clicks", -0.4, 0.001),
        ("a judge", "dbn, lost", "clicks", math.nan, math.nan),
        ("a judge", "pbm", "clicks", 0.2, 0.2),
        ("baseline labels", "dbn", "clicks", 0.8, 0.001),
        ("baseline labels", "dbn, near", "clicks", 0.78, 0.001),
        ("baseline labels", "dbn, far", "clicks", -0.5, 0.001),
        ("baseline labels", "dbn, lost", "clicks", math.nan, math.nan),
        ("baseline labels", "pbm", "clicks", 0.75, 0.001),
    ],
    columns=COLUMNS,
)


def test_each_outlying_point_has_the_letter_of_its_assumption():
    figure = sensitivity_figure(ROWS, "dbn", "")
    (panel,) = figure.axes
    drawn = {(text.get_text(), round(text.xy[0], 2), text.xy[1]) for text in panel.texts}
    assert drawn == {("a", -0.4, 0), ("c", 0.2, 0), ("a", -0.5, 1)}
    assert figure.legends[0].get_title().get_text() == "a far, c pbm"


def test_the_table_names_each_with_its_tau_and_what_is_undefined():
    table = outlying_table(ROWS, "dbn", "of what")
    assert table.columns == ["metric", "", "assumption", "a judge", "baseline labels"]
    assert table.rows == [
        ["Clicks", "a", "far", "-0.40", "-0.50"],
        ["Clicks", "b", "lost", "–", "–"],
        ["Clicks", "c", "pbm", "0.20", ""],
    ]


def test_letters_that_would_cover_each_other_are_one_text():
    rows = [("a judge", "dbn, b", "clicks", 0.35, 0.01), ("a judge", "dbn, c", "clicks", 0.4, 0.01)]
    rows = pd.concat([ROWS.iloc[:1], pd.DataFrame(rows, columns=COLUMNS)])
    (panel,) = sensitivity_figure(rows, "dbn", "").axes
    assert [(text.get_text(), text.xy[0]) for text in panel.texts] == [("ab", 0.375)]


def test_where_nothing_is_far_nothing_is_named():
    near = ROWS[ROWS["user_model"].isin(["dbn", "dbn, near"])]
    figure = sensitivity_figure(near, "dbn", "")
    assert [text.get_text() for text in figure.axes[0].texts] == []
    assert outlying_table(near, "dbn", "").rows == []


def test_the_baseline_labels_are_no_judge_whose_order_is_compared():
    rows = ROWS[ROWS["judge"] == "baseline labels"]
    table = order_table(pd.concat([ROWS, rows.assign(judge="another", tau_b=0.1)]), "dbn", "")
    assert ["dbn, far", "-1.00*"] in table.rows  # of two judges that change places
