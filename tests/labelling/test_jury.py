"""A jury: votes counted by hand, missing labels that are no votes, and what eight published judges come to together."""

import random
from collections import Counter
from fractions import Fraction

import pandas as pd
import pytest
from scipy.stats import kendalltau

from alignir.config import composed_cell, composed_job
from alignir.data import trec
from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError
from alignir.evaluation.scores import evaluate, means
from alignir.experiment import pipeline
from alignir.experiment.inputs import read_inputs
from alignir.experiment.keys import contents
from alignir.frames import PAIR
from alignir.labelling.jury import Jury
from alignir.labelling.models import FileGrader
from alignir.labelling.votes import VOTES
from alignir.notebook.session import read_runs
from alignir.tables.kinds import tables
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import read_runs as recorded_runs

PAIRS = pd.DataFrame([("q", f"d{number}") for number in range(6)], columns=PAIR)
FILES = {
    "a": "q 0 d0 3\nq 0 d1 2\nq 0 d2 1\nq 0 d3 0\n",
    "b": "q 0 d0 3\nq 0 d1 1\nq 0 d2 2\nq 0 d3 -1\nq 0 d4 2\n",
    "c": "q 0 d0 3\nq 0 d1 2\nq 0 d2 3\nq 0 d3 0\nq 0 d4 3\n",
}
EXPECTED = {
    "majority": [(3, "ok"), (2, "ok"), (1, "ok"), (0, "ok"), (2, "ok"), (None, "absent")],
    "mean": [(3, "ok"), (2, "ok"), (2, "ok"), (0, "ok"), (2, "ok"), (None, "absent")],
    "unanimous": [
        (3, "ok"), (None, "disagreed"), (None, "disagreed"), (None, "empty"), (None, "absent"), (None, "absent")
    ],
}  # fmt: skip


@pytest.fixture
def files(tmp_path):
    for name, text in FILES.items():
        (tmp_path / f"{name}.qrels").write_text(text)
    return [str(tmp_path / f"{name}.qrels") for name in FILES]


@pytest.mark.parametrize("vote", EXPECTED)
def test_a_missing_label_is_no_vote_and_unanimous_needs_all(vote, files):
    jury = Jury(files, vote)
    assert isinstance(jury, FileGrader)
    found = jury.found(PAIRS, FOUR)
    grades = [None if pd.isna(grade) else int(grade) for grade in found["relevance"]]
    assert list(zip(grades, found["status"], strict=True)) == EXPECTED[vote]


def by_hand(vote: str, votes: list[int | None], grades: tuple[int, ...]) -> int | None:
    known = [grade for grade in votes if grade is not None]
    if vote == "unanimous":
        return votes[0] if len(set(votes)) == 1 else None
    if not known:
        return None
    if vote == "majority":
        return max(sorted(set(known)), key=Counter(known).__getitem__)
    mean = Fraction(sum(known), len(known))
    return min(grades, key=lambda grade: (abs(grade - mean), grade))


@pytest.mark.parametrize("grades", [(0, 1, 2, 3), (0, 1, 3), (1, 5), (0, 2, 3, 7, 8)])
@pytest.mark.parametrize("vote", VOTES)
def test_votes_are_what_counting_them_by_hand_gives_in_any_order_of_the_judges(vote, grades):
    rng = random.Random(len(grades))
    votes = [[rng.choice((*grades, None)) for _ in range(rng.choice((4, 4)))] for _ in range(400)]
    expected = [by_hand(vote, row, grades) for row in votes]
    frame = pd.DataFrame(votes, dtype="Int64")
    for columns in ([0, 1, 2, 3], [3, 1, 0, 2]):
        found = VOTES[vote](frame[columns], grades)
        assert found.dtype == "Int64"
        assert [None if pd.isna(grade) else int(grade) for grade in found] == expected


def test_judges_of_different_scales_are_refused_until_a_map_makes_them_one(files, tmp_path):
    five = tmp_path / "five.qrels"
    five.write_text("".join(f"q 0 d{number} {number}\n" for number in range(6)))
    with pytest.raises(InputError, match=r"expected labels of one scale, found .*a.qrels 0-3, .*five.qrels 0-5, relev"):
        Jury([*files, str(five)]).scale_beside(FOUR)
    mapped = {"labels": str(five), "scale": {"grades": [0, 1, 2, 3]}, "grades": {4: 3, 5: 3}}
    assert Jury([*files, mapped]).scale_beside(FOUR) == FOUR
    milder = {"labels": files[1], "scale": {"grades": [0, 1, 2, 3], "relevant_from": 1}}
    with pytest.raises(InputError, match="relevant from 1"):
        Jury([files[0], milder]).scale_beside(FOUR)
    assert Jury([{**milder, "labels": file} for file in files]).scale_beside(FOUR) == Scale((0, 1, 2, 3), 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"judges": ["a"]}, "judges: expected two or more, .* found \\['a'\\]"),
        ({"judges": "a,b"}, "judges: expected two or more, .* found a,b"),
        ({"judges": ["a", "b", {"labels": "a"}]}, "judges: a is there twice"),
        ({"judges": ["a", "b"], "vote": "loudest"}, "vote=loudest: expected one of majority, mean, unanimous"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(InputError, match=message):
        Jury(**settings)


def test_equal_files_under_other_paths_are_the_same_judges(files, tmp_path):
    copy = tmp_path / "copy.qrels"
    copy.write_text(FILES["a"])
    sides = [contents({"model": {"judges": judges}}) for judges in ([*files], [str(copy), *files[1:]], files[1:])]
    assert sides[0] == sides[1] != sides[2]
    assert list(sides[0]) == ["model.judges"]
    mapped = [contents([files[0], {"labels": files[1], "grades": {1: grade}}], "j") for grade in (0, 2)]
    assert mapped[0] != mapped[1]
    assert contents({"systems": {"include": ["*"]}}) == {}


QUICK = ("bootstrap.B=0", "floor.shuffles=0")


def recorded(*settings: str):
    cell, recorder = composed_job([*settings, *QUICK])
    return pipeline.run(cell, recorder)


@pytest.fixture
def here(small, tmp_path, monkeypatch):
    """A folder with two recorded judges of the small dataset; one of them left a pair without a label."""
    (tmp_path / "mine.csv").write_text("query_id,doc_id,relevance,status\nq1,d1,2,ok\nq1,d2,1,ok\nq2,d3,,refused\n")
    (tmp_path / "same.qrels").write_text("q1 0 d1 2\nq1 0 d2 3\nq2 0 d3 0\nq2 0 d4 0\n")
    monkeypatch.chdir(tmp_path)
    data = ("dataset=folder", f"dataset.path={small}", "dataset.name=small")
    recorded(*data, "model=scripted")
    recorded(*data, "model=replay", "model.labels=mine.csv", "model.name=mine")
    return data


def test_recorded_judges_are_named_as_tables_name_them_and_their_runs_are_what_is_recorded(here):
    found = recorded(*here, "model=jury", "model.judges=[scripted/zeshot,mine,same.qrels]", "model.name=three")
    runs = {run.judge.model: run for run in recorded_runs(None, "alignir")}
    sides = [runs[name].frame("labels.parquet")["relevance"] for name in ("scripted", "mine")]
    votes = pd.DataFrame({0: sides[0], 1: sides[1], 2: pd.array([2, 3, 0, 0], dtype="Int64")})
    expected = [by_hand("majority", [None if pd.isna(vote) else int(vote) for vote in row], (0, 1, 2, 3))
                for row in votes.itertuples(index=False)]  # fmt: skip
    assert found.labelling.labels["relevance"].tolist() == expected
    ids = [runs["scripted"].run_id, runs["mine"].run_id, "same.qrels"]
    assert runs["three"].params["model.judges"] == str(ids)
    by_id = composed_cell([*here, "model=jury", f"model.judges=[{','.join(ids)}]"])
    assert read_inputs(by_id).pairs.equals(read_inputs(composed_cell([*here, "model=scripted"])).pairs)
    for table in tables(Recordings(runs.values()), ["baseline", "labels"]):
        assert "three" in [row[0] for row in table.rows]


def test_a_judge_that_nobody_recorded_is_named_beside_those_there_are(here):
    with pytest.raises(
        InputError,
        match=r"model=jury: no file and no recorded judge of small is called gpt9; .* there are mine, scripted/zeshot",
    ):
        composed_cell([*here, "model=jury", "model.judges=[gpt9,mine]"])
    recorded(*here, "model=scripted", "prompt=basic")
    with pytest.raises(InputError, match=r"several recorded judges of small are called scripted: .*ted basic \(run"):
        composed_cell([*here, "model=jury", "model.judges=[scripted,mine]"])
    with pytest.raises(InputError, match=r"model\.judges has no value"):
        composed_cell([*here, "model=jury"])


def test_mistakes_in_recorded_judges_are_told_by_what_was_typed(here, small):
    with pytest.raises(InputError, match="model=jury: judges: scripted/zeshot is there twice, and would have two"):
        read_inputs(composed_cell([*here, "model=jury", "model.judges=[scripted,scripted/zeshot]"]))
    with pytest.raises(InputError, match=r"expected two or more, .* found \['mine'\]"):
        read_inputs(composed_cell([*here, "model=jury", "model.judges=[mine]"]))
    milder = "{labels: mine, scale: {grades: [0, 1, 2, 3], relevant_from: 1}}"
    with pytest.raises(InputError, match="found scripted 0-3, relevant from 2; mine 0-3, relevant from 1"):
        read_inputs(composed_cell([*here, "model=jury", f"model.judges=[scripted,{milder}]"]))
    other = ("dataset=folder", f"dataset.path={small}", "dataset.name=other")
    recorded(*other, "model=lexical")
    (run,) = (run for run in recorded_runs(None, "alignir") if run.judge.model == "lexical")
    with pytest.raises(InputError, match=f"the run {run.run_id} has labels of other, not of small"):
        composed_cell([*here, "model=jury", f"model.judges=[mine,{run.run_id}]"])


def test_a_recorded_judge_can_have_its_grades_mapped(here):
    mapped = "{labels: mine, grades: {1: 0}, scale: {grades: [0, 1, 2, 3]}}"
    found = recorded(*here, "model=jury", f"model.judges=[same.qrels,{mapped}]", "model.vote=mean", "model.name=mapped")
    assert found.labelling.labels["relevance"].tolist() == [2, 1, 0, 0]  # means of 2 and 2, 3 and 0, 0, 0
    runs = {run.judge.model: run for run in recorded_runs(None, "alignir")}
    assert runs["mapped"].config["model"]["judges"][1]["labels"] == runs["mine"].run_id


EIGHT = [
    "umbrela_gpt4_zeroshot",
    "baseline3210_llama3-8b",
    "4prompts_llama3-8b",
    "4prompts_llama70b",
    "4prompts_flant5-large",
    "sun_decomposed_llama3-8b",
    "sun_decomposed_flant5-large",
    "genquery_similarity_llama3-8b",
]


@pytest.mark.parametrize(
    ("vote", "all_systems", "top"),
    [("majority", 0.903, {20: 0.832, 15: 0.771, 10: 0.644}), ("mean", 0.905, {20: 0.779, 15: 0.714, 10: 0.556})],
)
def test_the_eight_judges_of_dl19_order_its_systems_together(dl19, vote, all_systems, top):
    table = pd.read_csv(dl19 / "llm_labels" / "judges.tsv", sep="\t")
    assert sorted(table.loc[table["scale"] == "0-3", "judge"]) == sorted(EIGHT)
    qrels = trec.read_qrels(dl19 / "qrels.txt")
    runs = read_runs(dl19 / "runs").of(qrels["query_id"].unique())
    jury = Jury([str(dl19 / "llm_labels" / f"{name}.qrels.gz") for name in EIGHT], vote)
    labels = qrels[PAIR].assign(relevance=jury.grade(qrels[PAIR], FOUR))
    people, judged = (means(evaluate(side, runs)).iloc[:, 0] for side in (qrels, labels))
    best = people.sort_values(ascending=False, kind="stable").index
    taus = {k: kendalltau(people[best[:k]], judged[best[:k]]).statistic for k in (len(best), *top)}
    assert taus == pytest.approx({46: all_systems, **top}, abs=5e-4)
