"""The figure of judges: each tau with its interval, hollow what is worse than the best, no mark of an undefined one."""

import math

import pandas as pd

from alignir.figures.judges import judges_figure

COLUMNS = ["judge", "tau_b", "ci_low", "ci_high", "worse"]
JUDGES = pd.DataFrame(
    [("best", 0.9, 0.8, 1.0, False), ("worse", 0.5, 0.4, 0.6, True), ("tied", *[math.nan] * 3, False)], columns=COLUMNS
)
FLOORS = pd.DataFrame([("floor: lexical", 0.1, -0.1, 0.3, False)], columns=COLUMNS)


def test_each_judge_is_a_line_with_its_interval_and_what_is_undefined_has_no_mark():
    figure = judges_figure(JUDGES, FLOORS, 0.85, "")
    (panel,) = figure.axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["best", "worse", "tied", "floor: lexical"]
    marks = {tuple(line.get_xydata()[0]): line for line in panel.lines if len(line.get_xydata()) == 1}
    assert list(marks) == [(0.9, 0), (0.5, 1), (0.1, 3)]
    assert [mark.get_markerfacecolor() == "white" for mark in marks.values()] == [False, True, False]
    intervals = [line.get_xydata().tolist() for line in panel.lines if len(line.get_xydata()) == 2][:3]
    assert intervals == [[[0.8, 0], [1, 0]], [[0.4, 1], [0.6, 1]], [[-0.1, 3], [0.3, 3]]]
    assert [(text.get_text(), text.get_position()) for text in panel.texts] == [("–", (0, 2))]
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["judge", "judge, worse than the best (†)", "floor", "baseline, resampled"]


def test_without_a_ceiling_there_is_no_line_of_one():
    figure = judges_figure(JUDGES[:1], FLOORS[:0], math.nan, "")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["judge"]
