"""Scales: grades of any kind, declared or read, and what values of a file become on them."""

import pytest

from alignir.data.judgements import graded, read_values, scale_beside
from alignir.data.scales import FOUR, Scale, meaning, scale_of
from alignir.data.trec import read_qrels
from alignir.errors import InputError

BINARY, FIVE = Scale((0, 1), 1), Scale((0, 1, 2, 3, 4), 2)


@pytest.mark.parametrize(
    ("grades", "relevant_from", "expected"),
    [
        ([0, 1], None, BINARY),
        ([0, 1, 2], None, Scale((0, 1, 2), 1)),
        ([3, 2, 1, 0], None, FOUR),
        ([0, 1, 2, 3, 4], None, FIVE),
        ([0, 1, 2, 3, 4, 5], 4, Scale((0, 1, 2, 3, 4, 5), 4)),
        ([1, 2, 3], None, Scale((1, 2, 3), 2)),
    ],
)
def test_the_upper_half_is_relevant_unless_more_is_said(grades, relevant_from, expected):
    assert scale_of(grades, relevant_from) == expected


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"scale": {"grades": [0]}}, "scale.grades: expected two or more whole numbers from 0"),
        ({"scale": {"grades": [0, 0, 1]}}, "scale.grades: expected two or more whole numbers from 0"),
        ({"scale": {"grades": [-1, 1]}}, "scale.grades: expected two or more whole numbers from 0"),
        ({"scale": {"grades": "0-3"}}, "scale.grades: expected two or more whole numbers from 0"),
        ({"scale": {"grades": [0, 1], "relevant_from": 0}}, "scale.relevant_from: expected a grade above 0, found 0"),
        ({"scale": {"levels": [0, 1]}}, "scale: expected the settings grades and relevant_from, found levels"),
        ({"scale": {"grades": [0, 1]}, "grades": {4: 3}}, "grades: expected grades of the scale 0-1, found 3"),
        ({"grades": {"high": 3}}, "grades: expected whole numbers from 0 by value, such as {4: 3}, found high: 3"),
        ({"cut": [0.5, 0.25]}, "cut: expected rising numbers"),
        ({"cut": [0.5], "scale": {"grades": [0, 1, 2]}}, "cut: expected 2 thresholds for the scale 0-2, found [0.5]"),
        ({"cut": [0.5], "grades": {4: 3}}, "expected one of them, a map of values or thresholds, found both"),
    ],
)
def test_a_scale_that_is_none_is_refused(settings, said):
    with pytest.raises(InputError) as error:
        meaning(settings.get("scale"), settings.get("grades"), settings.get("cut"))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("settings", "grades"),
    [
        ({}, {0.0: 0, 4.0: 4, 2.0: 2, 0.7: None, -1.0: None, float("inf"): None}),
        ({"grades": {4: 3}}, {4.0: 3, 3.0: 3, 0.0: 0}),
        ({"grades": {-2: 0, 0.5: 1}}, {-2.0: 0, 0.5: 1, 1.0: 1}),
        ({"cut": [0.25, 0.5, 0.75]}, {0.0: 0, 0.2499: 0, 0.25: 1, 0.7: 2, 0.75: 3, 17.0: 3, -4.0: 0}),
        ({"cut": [10], "scale": {"grades": [0, 3]}}, {9.9: 0, 10.0: 3}),
        ({"scale": {"grades": [0, 2, 5]}}, {5.0: 5, 1.0: None}),
    ],
)
def test_what_a_value_becomes(settings, grades):
    said = meaning(settings.get("scale"), settings.get("grades"), settings.get("cut"))
    assert {value: said.grade(value) for value in grades} == grades


def scale_and_labels(tmp_path, values: list, baseline=FOUR, **settings):
    lines = "".join(f"q1 0 d{number} {value}\n" for number, value in enumerate(values))
    (tmp_path / "labels.qrels").write_text(lines)
    said = meaning(settings.get("scale"), settings.get("grades"), settings.get("cut"))
    found = read_values(tmp_path / "labels.qrels", meaning=said)
    scale = scale_beside(found, said, baseline)
    return scale, graded(found, "error", said, scale)


@pytest.mark.parametrize(
    ("values", "baseline", "expected"),
    [
        ([0, 1, 1, 0], FOUR, BINARY),
        ([0, 1, 2], FOUR, FOUR),  # it never gave a 3
        ([0, 1, 2, 3], FOUR, FOUR),
        ([0, 1, 2, 3] * 20 + [4], FOUR, FOUR),  # a slip
        ([0, 1, 3, 5, 5, 2], FOUR, Scale((0, 1, 2, 3, 4, 5), 3)),
        ([0, 1, 2, 3], BINARY, FOUR),
        ([0, 1, -1], BINARY, BINARY),
        ([0, 2, 1], FIVE, FIVE),
    ],
)
def test_a_file_shows_its_scale_beside_the_baselines(tmp_path, values, baseline, expected):
    scale, labels = scale_and_labels(tmp_path, values, baseline)
    assert scale == expected
    outside = [value for value in values if value not in expected.grades and value >= 0]
    assert (labels["status"] == "out_of_scale").sum() == len(outside)


def test_what_settings_say_of_a_file_counts(tmp_path):
    scale, labels = scale_and_labels(tmp_path, [0, 1, 1], scale={"grades": [0, 1, 2, 3]})
    assert scale == FOUR
    assert labels["relevance"].tolist() == [0, 1, 1]
    scale, labels = scale_and_labels(tmp_path, [0.1, 0.3, 0.9, -1], cut=[0.25, 0.5, 0.75])
    assert scale == FOUR
    assert labels["relevance"].astype(object).where(labels["relevance"].notna(), None).tolist() == [0, 1, 3, None]
    assert labels["status"].tolist() == ["ok", "ok", "ok", "empty"]
    scale, labels = scale_and_labels(tmp_path, [0, 1, 2], grades={1: 0, 2: 1}, scale={"grades": [0, 1]})
    assert (scale, labels["relevance"].tolist()) == (BINARY, [0, 0, 1])


def test_baseline_labels_are_read_strictly_and_say_how_a_value_can_be_a_grade(tmp_path):
    path = tmp_path / "qrels.txt"
    path.write_text("q1 0 d1 4\nq1 0 d2 -2\n")
    assert read_qrels(path)["relevance"].tolist() == [4, 0]
    assert read_qrels(path, meaning(None, {4: 3}))["relevance"].tolist() == [3, 0]
    with pytest.raises(InputError, match=r"qrels.txt:1: expected a relevance of 0-3, found 4: a map makes a grade"):
        read_qrels(path, meaning({"grades": [0, 1, 2, 3]}))
    path.write_text("q1 0 d1 0.7\n")
    assert read_qrels(path, meaning(None, None, [0.5]))["relevance"].tolist() == [1]
    with pytest.raises(InputError, match=r"qrels.txt:1: expected a whole number as relevance, found 0.7: thresholds"):
        read_qrels(path)
