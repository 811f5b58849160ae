"""Labels that somebody else gave: what is a grade, what is none, and what several lines of one pair mean."""

import pytest

from alignir.data.judgements import read_judgements
from alignir.data.scales import meaning
from alignir.errors import InputError
from alignir.frames import PAIR


def read(tmp_path, text: str, duplicates: str = "error") -> dict:
    """{(query_id, doc_id): (grade or None, status)} of a file with this text."""
    (tmp_path / "labels.qrels").write_text(text)
    found = read_judgements(tmp_path / "labels.qrels", duplicates, meaning({"grades": [0, 1, 2, 3]}))
    assert found["relevance"].dtype == "Int64"
    grades = [None if grade != grade else int(grade) for grade in found["relevance"].astype(float)]
    return dict(
        zip(found[PAIR].itertuples(index=False, name=None), zip(grades, found["status"], strict=True), strict=True)
    )


@pytest.mark.parametrize(
    ("value", "grade", "status"),
    [
        ("0", 0, "ok"),
        ("3", 3, "ok"),
        ("2.0", 2, "ok"),
        ("1e0", 1, "ok"),
        ("4", None, "out_of_scale"),
        ("2.5", None, "out_of_scale"),
        ("-2", None, "out_of_scale"),
        ("inf", None, "out_of_scale"),
        ("-1", None, "empty"),
        ("-1.0", None, "empty"),
        ("nan", None, "empty"),
        ("", None, "empty"),
    ],
)
@pytest.mark.parametrize("separator", [" ", "\t"])
def test_what_a_value_means(tmp_path, value, grade, status, separator):
    line = separator.join(["q1", "0", "d1", value])
    assert read(tmp_path, f"{line}\nq1 0 d2 1\n") == {("q1", "d1"): (grade, status), ("q1", "d2"): (1, "ok")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1 0 d1\n", "labels.qrels:1: expected 'query_id iteration doc_id relevance', found 'q1 0 d1'"),
        ("q1 d1 2\nq1 0 d2 2\n", "labels.qrels:2: expected 'query_id doc_id relevance', found 'q1 0 d2 2'"),
        ("q1 0 d1 1\nq1 0 d2 high\n", "labels.qrels:2: expected a number as relevance, found 'high'"),
        ("\n", "labels.qrels: expected lines of labels, found none"),
        (
            "q1 0 d1 1\n\nq1 0 d1 2\n",
            "labels.qrels:3: the pair q1 d1 has 2 here and 1 in line 1: say which counts with "
            "model.duplicates=first, last, mode, max",
        ),
        ("q1 0 d1 1\nq1 0 d1 -1\n", "labels.qrels:2: the pair q1 d1 has no label here and 1 in line 1"),
        ("q1 0 d1 \nq1 0 d1 4\n", "labels.qrels:2: the pair q1 d1 has 4 here and no label in line 1"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "q1 d1 2\nq1 d2 -1\n",
        "q1 d1 2 \nq1 d2 \n",  # a space ends each line, also the one without a label
        "q1 0 d1 2\nq1 0 d2 \n",
        "q1 0 d2 \nq1 0 d1 2\n",
        "q1 0 d1 2 \nq1 0 d2 \n",
        "q1\t0\td1\t2\nq1\t0\td2\t\n",
        "qid docno rel\nq1 d1 2\nq1 d2 \n",
    ],
)
def test_three_columns_and_four_with_a_label_and_without(tmp_path, text):
    assert read(tmp_path, text) == {("q1", "d1"): (2, "ok"), ("q1", "d2"): (None, "empty")}


def test_a_line_that_is_repeated_is_one_line(tmp_path):
    text = "q1 0 d1 1\nq1 0 d2 -1\nq1 0 d1 1.0\nq1 Q0 d1 1\nq1 0 d2 \n"
    assert read(tmp_path, text) == {("q1", "d1"): (1, "ok"), ("q1", "d2"): (None, "empty")}


@pytest.mark.parametrize(("duplicates", "grade"), [("first", 1), ("last", 0), ("mode", 0), ("max", 3)])
def test_a_pair_with_several_values(tmp_path, duplicates, grade):
    text = "q1 0 d1 1\nq1 0 d1 0\nq1 0 d1 3\nq1 0 d1 0\nq2 0 d1 2\n"
    assert read(tmp_path, text, duplicates) == {("q1", "d1"): (grade, "ok"), ("q2", "d1"): (2, "ok")}


def test_the_mode_counts_repeated_lines_and_of_a_tie_takes_the_lower_grade(tmp_path):
    assert read(tmp_path, "q1 0 d1 3\nq1 0 d1 1\n", "mode") == {("q1", "d1"): (1, "ok")}
    assert read(tmp_path, "q1 0 d1 3\nq1 0 d1 1\nq1 0 d1 3\n", "mode") == {("q1", "d1"): (3, "ok")}


@pytest.mark.parametrize(
    ("duplicates", "found"),
    [("first", (None, "out_of_scale")), ("last", (None, "empty")), ("mode", (1, "ok")), ("max", (1, "ok"))],
)
def test_the_mode_and_the_highest_are_among_the_grades(tmp_path, duplicates, found):
    assert read(tmp_path, "q1 0 d1 7\nq1 0 d1 1\nq1 0 d1 -1\n", duplicates) == {("q1", "d1"): found}
    assert read(tmp_path, "q1 0 d1 7\nq1 0 d1 9\n", duplicates) == {("q1", "d1"): (None, "out_of_scale")}


def test_the_collected_labels_are_read(cases):
    found = read_judgements(cases / "labels" / "out_of_scale.qrels")
    assert found.loc[found["status"] == "out_of_scale", "relevance"].isna().tolist() == [True, True]  # a 4 and a 6
    assert (found["status"] == "ok").sum() == len(found) - 2
    unread = read_judgements(cases / "labels" / "unread.qrels")
    written = (cases / "labels" / "unread.qrels").read_text().split()[3::4]
    assert (unread["status"] == "empty").sum() == written.count("-1") > 0
    assert unread["relevance"].isna().sum() == written.count("-1")
