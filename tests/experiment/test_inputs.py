"""What is read before any model is asked: systems that cannot be compared are named, or stop the cell."""

import pytest

from alignir.config import composed_cell
from alignir.errors import InputError
from alignir.experiment import pipeline
from alignir.experiment.inputs import read_inputs
from alignir.tracking.recorder import Recorder

BM25_NOTHING = r"systems=bm25: no system returns anything for any of the 3 queries, such as '如何清洗水壶': BM25 takes"


def cell_of(folder, *settings: str):
    return composed_cell(["dataset=folder", f'dataset.path="{folder}"', "model=lexical", "bootstrap.B=0", *settings])


def notes_of(folder, *settings: str) -> list[str]:
    return list(read_inputs(cell_of(folder, *settings)).notes)


def test_a_system_of_which_no_result_is_judged_is_named(small):
    (small / "runs" / "other.run").write_text("".join(f"q1 Q0 MS-{place} {place} {-place} t\n" for place in range(20)))
    with open(small / "runs" / "bad.run", "a") as file:  # one that is judged, below the first ten
        file.write("".join(f"q1 Q0 x{place} {place} {20 - place} t\n" for place in range(3, 15)))
    assert notes_of(small) == [
        "other: has no results for 1 of 2 queries and scores 0 there",
        "other: none of its results is judged, so it scores 0 under the baseline labels: are its doc_ids, such as "
        "'MS-0', those of the dataset folder?",
    ]


def test_a_system_of_which_no_query_is_known_is_left_out_and_named(small):
    (small / "runs" / "other.run").write_text("Q-1 Q0 d1 1 9 t\nQ-2 Q0 d1 1 9 t\n")
    with pytest.raises(InputError, match=r"other\.run:1: the query Q-1 is not in the dataset folder"):
        notes_of(small)
    inputs = read_inputs(cell_of(small, "systems.unknown=ignore"))
    assert inputs.runs.systems == ("bad", "good")
    (note,) = inputs.notes
    assert note.startswith(
        "other: left out, since none of its queries, such as 'Q-1', is a judged query of the dataset folder ("
    )
    for file in ("good.run", "bad.run"):
        (small / "runs" / file).unlink()
    with pytest.raises(InputError, match=r"systems=runs: no system returns anything .*: other: left out, since none"):
        notes_of(small, "systems.unknown=ignore")


def test_ranks_that_contradict_scores_are_noted_and_the_scores_decide(small):
    (small / "runs" / "bad.run").write_text("q1 Q0 d1 1 0.2 t\nq1 Q0 d2 2 0.9 t\nq2 Q0 d3 1 3 t\nq2 Q0 d4 2 1 t\n")
    inputs = read_inputs(cell_of(small))
    (note,) = inputs.notes
    assert note == (
        "ranks contradict scores in bad (1 of 2 queries): read by score, higher first, as trec_eval reads a run. Are "
        "the scores distances?"
    )
    found = inputs.runs.frame.query("system == 'bad' and query_id == 'q1'")
    assert found["doc_id"].tolist() == ["d2", "d1"]


def test_notes_of_run_files_reach_cells_whose_systems_build_on_them(small):
    (small / "runs" / "bad.run").write_text("q1 Q0 d1 1 0.2 t\nq1 Q0 d2 2 0.9 t\nq2 Q0 d3 1 3 t\nq2 Q0 d4 2 1 t\n")
    first = "+systems.first.runs={_target_: alignir.run_files, _partial_: true}"
    found = notes_of(small, "systems=pipelines", first)
    assert found[0].startswith("ranks contradict scores in bad (1 of 2 queries)")


@pytest.mark.parametrize("systems", ["bm25", "pipelines"])
def test_a_dataset_on_which_no_system_returns_anything_stops_before_a_model_is_asked(tmp_path, systems):
    """No word of these queries is in a passage as BM25 takes them apart: they are written without spaces."""
    (tmp_path / "queries.tsv").write_text("q1\t如何清洗水壶\nq2\t怎样修理自行车\nq3\t面包怎么烤\n")
    (tmp_path / "passages.tsv").write_text("d1\t清洗水壶时先倒入醋，再煮沸，最后冲洗干净。\nd2\t水壶有很多种颜色。\n")
    (tmp_path / "qrels.txt").write_text("q1 0 d1 3\nq2 0 d2 0\nq3 0 d1 0\n")
    cell = cell_of(tmp_path, f"systems={systems}")
    for read in (read_inputs, pipeline.plan):
        with pytest.raises(InputError, match=BM25_NOTHING.replace("bm25", systems)):
            read(cell)


def test_the_collected_dataset_without_results_stops_in_the_check(cases):
    with pytest.raises(InputError, match=r"systems=bm25: no system returns anything for .*'如何清洗水壶'"):
        pipeline.plan(cell_of(cases / "no_results", "systems=bm25"))


def test_the_collected_distances_are_read_as_scores_and_noted(cases):
    folder = cases / "ranks_contradict_scores"
    (note,) = notes_of(folder)
    assert note.startswith("ranks contradict scores in sys0 (8 of 8 queries), sys1 (8 of 8 queries), sys2 (8 of 8")


def without_texts(small, *settings: str):
    """A cell of the small dataset's qrels and runs, and labels of somebody's."""
    (small / "labels.qrels").write_text("q1 0 d1 2\nq1 0 d2 1\nq2 0 d3 3\nq2 0 d4 0\n")
    for file in ("queries.tsv", "passages.tsv"):
        (small / file).unlink(missing_ok=True)
    judge = ["model=replay", f"model.labels={small / 'labels.qrels'}", "bootstrap.B=0"]
    return composed_cell([*judge, *settings])


@pytest.mark.parametrize("choice", ["folder", "files"])
def test_qrels_labels_and_runs_are_enough(small, tmp_path, choice):
    with open(small / "runs" / "bad.run", "a") as file:
        file.write("unjudged Q0 d1 1 9 t\n")  # as official runs have them; no queries say that it is none
    data = {
        "folder": ["dataset=folder", f"dataset.path={small}"],
        "files": ["dataset=files", f"dataset.qrels={small / 'qrels.txt'}", f"systems.path={small / 'runs'}"],
    }
    cell = without_texts(small, *data[choice], "floor.shuffles=0")
    assert list(read_inputs(cell).notes) == [f"{choice}: read without texts, so that there is no lexical floor"]
    found = pipeline.run(cell, Recorder(f"sqlite:///{tmp_path}/mlflow.db", "x"))
    assert found.labelling.labels["relevance"].tolist() == [2, 1, 3, 0]
    assert set(found.alignment["labels"]) == {"model", "baseline", "floor: one grade"}


@pytest.mark.parametrize("model", ["lexical", "scripted"])
def test_who_reads_texts_names_those_that_lack(small, model):
    cell = without_texts(small, "dataset=folder", f"dataset.path={small}")
    with pytest.raises(InputError, match=r"no queries in .*small: expected queries\.tsv or queries\.jsonl \("):
        read_inputs(cell_of(small, f"model={model}"))
    with pytest.raises(InputError, match=r"dataset\.queries has no value: set dataset\.queries=FILE"):
        read_inputs(composed_cell(["dataset=files", f"dataset.qrels={small / 'qrels.txt'}", f"model={model}"]))
    with pytest.raises(InputError, match=r"systems=bm25: no queries in .*small: expected"):
        read_inputs(without_texts(small, "dataset=folder", f"dataset.path={small}", "systems=bm25"))
    assert read_inputs(cell).dataset.lacking


def test_labels_of_results_without_a_text_are_taken(small):
    (small / "labels.qrels").write_text("q1 0 d1 2\nq1 0 d9 3\n")
    with open(small / "runs" / "bad.run", "a") as file:
        file.write("q1 Q0 d9 1 99 t\n")
    judge = ["model=replay", f"model.labels={small / 'labels.qrels'}", "pool=runs@2"]
    pairs = read_inputs(cell_of(small, *judge)).pairs
    assert pairs.loc[pairs["doc_id"] == "d9", "passage"].isna().all()
    assert len(read_inputs(cell_of(small, *judge, "without_text=skip")).pairs) == len(pairs) - 1


def test_what_was_read_of_scales_is_noted(small):
    (small / "judge.qrels").write_text("q1 0 d1 1\nq1 0 d2 0\nq2 0 d3 1\nq2 0 d4 0\n")
    replay = ["model=replay", f'model.labels="{small}/judge.qrels"', "model.name=gpt4"]
    apart = (
        "labels of gpt4 are of 0-1, relevant from 1, the baseline's of 0-3, from 2; grades of the two are not compared"
    )
    assert notes_of(small, *replay) == [apart]
    assert notes_of(small) == []

    strict = notes_of(small, *replay, "model.scale.grades=[0,1,2,3]", "model.scale.relevant_from=3")
    assert strict == ["labels of gpt4 are of 0-3, relevant from 3, the baseline's of 0-3, from 2"]
    (_, nothing) = notes_of(small, *replay, "model.scale.relevant_from=2")
    assert nothing == "gpt4: no grade of 0-1 reaches 2, so that nothing is relevant"

    (small / "qrels.txt").write_text("q1 0 d1 1\nq2 0 d3 1\n")
    read, all_relevant = notes_of(small, *replay)
    assert read == "baseline labels are of 0-1, relevant from 1, as read (dataset.scale)"
    assert all_relevant.startswith("every baseline label is relevant, from 1, so that kappa of relevant or not is 0")
    with pytest.raises(InputError, match="labels of 0-3 cannot fill the holes of baseline labels of 0-1"):
        notes_of(small, "pool=holes@2", "without_text=skip")
