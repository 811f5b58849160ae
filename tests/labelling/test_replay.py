"""Somebody's labels: joined with the pairs by ids or by exact texts, and their stored answers read again."""

import json

import pandas as pd
import pytest

from alignir.data import collections
from alignir.errors import InputError
from alignir.evaluation import agreement
from alignir.labelling.labels import label
from alignir.labelling.ledger import Ledger
from alignir.labelling.models import FileGrader
from alignir.labelling.prompts import read_prompt
from alignir.labelling.replay import Replay

PROMPT = read_prompt("zeshot", "zeshot.txt", "final_score", 10)
PAIRS = pd.DataFrame(
    [
        ("q1", "d1", "red apples", "apples are red"),
        ("q1", "d2", "red apples", "pears are not"),
        ("q2", "d1", "green pears", "apples are red"),
        ("q2", "d3", "green pears", "apples are red"),  # the same text under another id
    ],
    columns=["query_id", "doc_id", "query", "passage"],
)


def labelled(file, pairs: pd.DataFrame = PAIRS, **settings):
    return label(pairs, PROMPT, Replay(str(file), **settings), Ledger("nowhere"))


def outcomes(labelling) -> list[tuple[int | None, str]]:
    grades = [None if pd.isna(grade) else int(grade) for grade in labelling.labels["relevance"]]
    return list(zip(grades, labelling.labels["status"], strict=True))


def judged(query: str, passage: str, prediction: str, judgment: int, status: int = 1) -> str:
    fields = {"model": "m", "query": query, "passage": passage, "prompt": "", "prediction": prediction}
    return json.dumps({**fields, "judgment": judgment, "result_status": status}) + "\n"


@pytest.fixture
def umbrela(tmp_path):
    """Judgments by texts; of one answer umbrela took a number for the label that is none."""
    file = tmp_path / "judgments.jsonl"
    file.write_text(
        judged("red apples", "apples are red ", "##final score: 3", 3)
        + judged("red apples", "pears are not", "It falls into the category 2 or 3, hard to say", 2)
        + judged("green pears", "apples are red", "no idea", 0, 0)
        + judged("green pears", "nobody has this", "##final score: 1", 1)
        + judged("blue plums", "nor this", "##final score: 1", 1)
    )
    return file


def test_texts_are_joined_exactly_and_what_could_not_be_is_counted(umbrela):
    found = labelled(umbrela)
    assert outcomes(found) == [(3, "ok"), (2, "ok"), (None, "unparsed"), (None, "unparsed")]
    assert found.labels["response"].tolist()[:2] == [
        "##final score: 3",
        "It falls into the category 2 or 3, hard to say",
    ]
    assert found.notes == (
        f"{umbrela}: 2 of 5 labels are of no pair here: 1 of other queries, such as 'blue plums', 1 of other "
        "passages of these queries",
    )


def test_stored_answers_are_read_again(umbrela):
    found = labelled(umbrela, reread=True, form="final_score")
    assert outcomes(found) == [(3, "ok"), (None, "unparsed"), (None, "unparsed"), (None, "unparsed")]


def test_reading_again_knows_what_was_cut_off_and_leaves_what_has_no_answer(tmp_path):
    labels = PAIRS[["query_id", "doc_id"]].head(3).assign(
        relevance=pd.array([None, 1, None], dtype="Int64"), status=["unparsed", "ok", "refused"],
        response=["##final sco", "I say ##final score: 2", ""], finish_reason=["length", "stop", "stop"],
    )  # fmt: skip
    labels.to_parquet(tmp_path / "labels.parquet")
    found = outcomes(labelled(tmp_path / "labels.parquet", reread=True, form="final_score"))
    assert found == [(None, "truncated"), (2, "ok"), (None, "refused"), (None, "absent")]
    assert outcomes(labelled(tmp_path / "labels.parquet"))[:2] == [(None, "unparsed"), (1, "ok")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reread": True}, "reread: expected the form that the answers were asked for, form=final_score or last_line"),
        ({"form": "any"}, "form=any: expected one of final_score, last_line"),
        (
            {"reread": True, "form": "last_line", "grades": {1: 2}},
            "reread: what is read again needs no grades and no cut",
        ),
    ],
)
def test_settings_of_reading_again_are_checked(settings, message):
    with pytest.raises(InputError, match=message):
        Replay("x", **settings)


def test_a_file_without_answers_has_nothing_to_read_again(tmp_path):
    (tmp_path / "x.qrels").write_text("q1 0 d1 1\n")
    with pytest.raises(InputError, match=r"x\.qrels: model\.reread=true reads answers again, and it has none"):
        Replay(str(tmp_path / "x.qrels"), reread=True, form="last_line").check()


def test_a_query_is_named_by_its_text_or_else_by_its_id(tmp_path):
    file = tmp_path / "quepid.csv"
    file.write_text("query,docid,rating\n red apples,d1,3\nq2,d3,1\nunknown,d1,2\nblue,d1,0\n")
    found = labelled(file)
    assert outcomes(found) == [(3, "ok"), (None, "absent"), (None, "absent"), (1, "ok")]
    (note,) = found.notes
    assert note == (f"{file}: 2 of 4 labels are of no pair here: 2 of other queries, such as 'unknown'")


def test_ids_need_no_texts_and_more_labels_than_pairs_are_no_news(tmp_path):
    (tmp_path / "x.qrels").write_text("q1 0 d1 1\nq9 0 d9 2\n")
    found = labelled(tmp_path / "x.qrels", PAIRS[["query_id", "doc_id"]])
    assert (found.notes, outcomes(found)[0]) == ((), (1, "ok"))
    assert isinstance(Replay(str(tmp_path / "x.qrels")), FileGrader)


def test_nothing_joined_is_an_error_that_says_why(umbrela):
    others = PAIRS.assign(query="Red apples", passage="other")
    with pytest.raises(InputError, match=r"absent 4; .*5 of 5 labels are of no pair here: 5 of other queries"):
        labelled(umbrela, others)
    with pytest.raises(InputError, match=r"5 of other queries, such as 'red apples'"):
        labelled(umbrela, PAIRS.assign(query=float("nan"), passage=float("nan")))


def test_the_thirteen_published_judges_agree_as_published(dl19):
    """Five of them are of 0-1 or 0-5: read as grades of 0-3 their kappa of relevant or not was .0000."""
    dataset = collections.folder("dl19", qrels=dl19 / "qrels.txt")
    settings = {"0-3": {}, "0-1": {"grades": [0, 1]}, "0-5": {"grades": list(range(6)), "relevant_from": 4}}
    judges = pd.read_csv(dl19 / "llm_labels" / "judges.tsv", sep="\t").set_index("judge")
    assert len(judges) == 13
    for name, judge in judges.iterrows():
        replay = Replay(str(dl19 / "llm_labels" / f"{name}.qrels.gz"), scale=settings[judge["scale"]])
        scale = replay.scale_beside(dataset.scale)
        labels = label(dataset.pairs(), PROMPT, replay, Ledger("nowhere"), scale=scale).labels
        assert labels["relevance"].notna().sum() == judge["rows"]
        found = agreement.agreement(dataset.qrels, labels, dataset.scale, scale)
        for statistic, column in (("kappa", "kappa4"), ("kappa_relevant", "kappa_bin"), ("mae", "mae")):
            assert found[statistic] == pytest.approx(judge[column], abs=5e-5, nan_ok=True), (name, statistic)
