"""Reading answers: a label, or a status that says why there is none. Never a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignir.frames import GRADES, STATUSES
from alignir.labelling.answers import FORMS, read

FINAL = "<|start|>assistant<|channel|>final<|message|>"

FINAL_SCORE = [
    ("##final score: 0", 0, "ok"),
    ("##final score: 3", 3, "ok"),
    ("## Final Score : 2", 2, "ok"),
    ("##FINAL SCORE:1", 1, "ok"),
    ("  ##final score: 2.  ", 2, "ok"),
    ("**##final score: 2**", 2, "ok"),
    ("##**final score:** 2", 2, "ok"),
    ("##final score: **3**", 3, "ok"),
    ("##final score: **3**.", 3, "ok"),
    ("`##final score: 1`", 1, "ok"),
    ("```\n##final score: 1\n```", 1, "ok"),
    ("```text\n##final score: 0```", 0, "ok"),
    ("The passage is related to 3 topics. ##final score: 0", 0, "ok"),
    ("On a scale of 0 to 3 I weigh M and T.\n##final score: 0", 0, "ok"),
    ("0 = nothing, 1 = related, 2 = some answer, 3 = exact.\n##final score: 2", 2, "ok"),
    ("It was written in 2013. ##final score: 1", 1, "ok"),
    ("M: 2\nT: 3\n##final score: 2", 2, "ok"),
    ("##final score: 1\n##final score: 2", 2, "ok"),
    ("##final score: 3 ##final score: 3", 3, "ok"),
    ("##final score: 2 (some answer, but hidden)", 2, "ok"),
    ("##final score: score\n##final score: 2", 2, "ok"),
    ("##final score: 2\nIn the form ##final score: N", 2, "ok"),
    ("I'm sorry that this is short. ##final score: 1", 1, "ok"),
    ("<think>It says ##final score: 3</think>##final score: 1", 1, "ok"),
    ("It says ##final score: 3</think>\n\n##final score: 1", 1, "ok"),
    ("<think>a</think><think>b</think>##final score: 2", 2, "ok"),
    ("<THINKING>##final score: 3</THINKING> ##final score: 0", 0, "ok"),
    (f"<|channel|>analysis<|message|>##final score: 3<|end|>{FINAL}##final score: 1", 1, "ok"),
    (
        "<|channel|>final<|message|>##final score: 1<|end|><|channel|>final<|message|>##final score: 2<|return|>",
        2,
        "ok",
    ),
    ("analysisWe weigh it: ##final score: 3assistantfinal##final score: 1", 1, "ok"),
    ("##final score: 10", None, "out_of_scale"),
    ("##final score: -1", None, "out_of_scale"),
    ("##final score: 4", None, "out_of_scale"),
    ("##final score: 2.5", None, "out_of_scale"),
    ("##final score: 2/3", None, "out_of_scale"),
    ("##final score: 2 / 3", None, "out_of_scale"),
    ("##final score: 03", None, "out_of_scale"),
    ("##final score: 2-3", None, "out_of_scale"),
    ("##final score: 2013", None, "out_of_scale"),
    ("##final score: 2\n##final score: 10", None, "out_of_scale"),
    ("##final score: 2 or 3", None, "unparsed"),
    ("##final score: 0 to 3", None, "unparsed"),
    ("##final score: 2 – 3", None, "out_of_scale"),
    ("##final score: 3, because", None, "unparsed"),
    ("##final score: 3rd", None, "unparsed"),
    ("##final score: 2nd of 3", None, "unparsed"),
    ("##final score: high", None, "unparsed"),
    ("##final score: N", None, "unparsed"),
    ("##final score: [0-3]", None, "unparsed"),
    ("##final score: ２", None, "unparsed"),
    ("##final score", None, "unparsed"),
    ("final score 2", None, "unparsed"),
    ("Score: 2", None, "unparsed"),
    ("2", None, "unparsed"),
    ("The passage is related to 3 topics.", None, "unparsed"),
    ("2013", None, "unparsed"),
    ('{"final score": 3}', None, "unparsed"),
    ('{"answer": "##final score: 3"}', None, "unparsed"),
    ("I cannot tell", None, "unparsed"),
    ("I'm sorry, but I can't assist with that request.", None, "refused"),
    ("I cannot provide a score for this passage.", None, "refused"),
    ("As an AI language model, I do not judge passages.", None, "refused"),
    ("", None, "empty"),
    (" \n\t ", None, "empty"),
    (None, None, "empty"),
    ("<think>thought about it</think>\n", None, "empty"),
    ("<think>It is about ##final score: 3", None, "truncated"),
    ("<think>a</think>##final score: 2<think>or rather", None, "truncated"),
    ("<|channel|>analysis<|message|>##final score: 3", None, "truncated"),
    ("analysisWe need to weigh ##final score: 3", None, "truncated"),
]

LAST_LINE = [
    ("The passage answers it.\n3", 3, "ok"),
    ("The passage answers it.\n\n  2  \n\n", 2, "ok"),
    ("It is related to 3 topics.\n**1**", 1, "ok"),
    ("Because.\n0.", 0, "ok"),
    ("Because.\n__2__", 2, "ok"),
    ("Because.\n```\n2\n```", 2, "ok"),
    ("Because.\n`2`", 2, "ok"),
    ("1", 1, "ok"),
    ("1\n2", 2, "ok"),
    ("<think>3</think>It is off topic.\n0", 0, "ok"),
    ("Because.\n10", None, "out_of_scale"),
    ("Because.\n-1", None, "out_of_scale"),
    ("Because.\n2.5", None, "out_of_scale"),
    ("Because.\n2/3", None, "out_of_scale"),
    ("Because.\n03", None, "out_of_scale"),
    ("Because.\n2013", None, "out_of_scale"),
    ("Because.\nCategory: 2", None, "unparsed"),
    ("Because.\n2 it is", None, "unparsed"),
    ("Because.\n2\nI hope this helps.", None, "unparsed"),
    ("It is related to 3 topics.", None, "unparsed"),
    ("Because.\n２", None, "unparsed"),
    ("Because.\n##final score: 2", None, "unparsed"),
    ("I'm unable to determine a category.", None, "refused"),
    ("", None, "empty"),
]


@pytest.mark.parametrize(("response", "label", "status"), FINAL_SCORE)
def test_final_score(response, label, status):
    assert read(response, "final_score") == (label, status)


@pytest.mark.parametrize(("response", "label", "status"), LAST_LINE)
def test_last_line(response, label, status):
    assert read(response, "last_line") == (label, status)


def test_how_an_answer_ended_comes_before_what_it_says():
    assert read("##final score: 2", "final_score", "length") == (None, "truncated")
    assert read("##final score: 2", "final_score", "error") == (None, "error")
    assert read("##final score: 2", "final_score", "content_filter") == (None, "refused")


TEXTS = st.text() | st.lists(
    st.sampled_from(
        ["##", "final score:", " ", "\n", "2", "10", "**", "```", "<think>", "</think>", "<|channel|>", "final"]
    )
).map("".join)


@given(TEXTS, st.sampled_from(FORMS), st.sampled_from(["stop", "length", "error", None]))
def test_no_text_makes_the_reader_raise(response, form, finish_reason):
    label, status = read(response, form, finish_reason)
    assert status in STATUSES
    assert (label in GRADES) if status == "ok" else (label is None)


@given(TEXTS, st.sampled_from(GRADES))
def test_the_last_score_wins_whatever_stands_before_it(before, grade):
    assert read(f"{before}</think>\n##final score: {grade}", "final_score") in {(grade, "ok"), (None, "truncated")}
