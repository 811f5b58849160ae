"""Datasets: the demo, a folder, TREC DL 2019 and Rank-DistiLLM, from every source they can come from."""

import gzip
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from alignir.data import collections
from alignir.errors import InputError
from alignir.frames import PAIR
from alignir.labelling.graders import Lexical


def test_the_demo_has_all_four_grades_well_represented():
    demo = collections.demo("demo")
    assert len(demo.queries) == 36
    assert (demo.qrels.groupby("query_id").size() == 10).all()
    grades = demo.qrels.groupby("query_id")["relevance"].value_counts().unstack()
    assert (grades.to_numpy() == [3, 3, 2, 2]).all()
    assert demo.passages.is_unique


def test_the_demo_has_cases_that_are_hard_for_shared_words():
    demo = collections.demo("demo")
    shared = Lexical((0.25, 0.5, 0.75)).grade(demo.pairs())
    relevance = demo.qrels["relevance"]
    assert ((relevance == 0) & (shared == 3)).sum() >= 20  # all the words, and no answer
    assert ((relevance == 3) & (shared == 0)).sum() >= 25  # an answer in other words
    texts = demo.pairs()["passage"]
    orders = texts.str.contains("Ignore the instructions")
    french = texts.str.contains("Le pluriel")
    assert relevance[orders].tolist() == [0]
    assert relevance[french].tolist() == [2]


def test_demo_ids_do_not_give_the_grade_away():
    demo = collections.demo("demo")
    numbers = demo.qrels["doc_id"].str[1:].astype(int)
    assert abs(np.corrcoef(numbers, demo.qrels["relevance"])[0, 1]) < 0.2


def test_a_folder_is_read_whole(small):
    dataset = collections.folder("small", small)
    assert dataset.queries.to_dict() == {"q1": "red apples", "q2": "green pears"}
    assert dataset.pairs().iloc[0].tolist() == ["q1", "d1", "red apples", "red apples are sweet"]
    assert dataset.runs == small / "runs"


def test_the_order_of_files_does_not_change_the_fingerprint_but_a_grade_does(small):
    before = collections.folder("small", small).fingerprint
    lines = (small / "qrels.txt").read_text().splitlines()
    (small / "qrels.txt").write_text("\n".join(reversed(lines)))
    assert collections.folder("small", small).fingerprint == before
    (small / "qrels.txt").write_text("\n".join(lines).replace("q1 0 d1 3", "q1 0 d1 2"))
    assert collections.folder("small", small).fingerprint != before


def test_a_query_without_a_judged_pair_is_left_out_and_named(small):
    with open(small / "queries.tsv", "a") as file:
        file.write("q3\tnobody judged this\n")
    dataset = collections.folder("small", small)
    assert list(dataset.queries.index) == ["q1", "q2"]
    assert dataset.unjudged == {"q3"}


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("qrels.txt", "q1 0 d9 1\n", "qrels.txt:5: the passage d9 (query q1) has no text in"),
        ("qrels.txt", "q9 0 d1 1\n", "qrels.txt:5: the query q9 has no text in"),
    ],
)
def test_a_pair_without_text_is_named(small, file, line, message):
    with open(small / file, "a") as opened:
        opened.write(line)
    with pytest.raises(InputError) as error:
        collections.folder("small", small)
    assert message in str(error.value)


def test_a_missing_file_is_named(small):
    (small / "qrels.txt").unlink()
    with pytest.raises(InputError, match=r"no qrels in .*small: expected qrels\.txt"):
        collections.folder("small", small)


@pytest.mark.parametrize("missing", ["queries", "passages"])
def test_texts_that_are_missing_are_named_where_they_are_needed(small, missing):
    (small / f"{missing}.tsv").unlink()
    dataset = collections.folder("small", small)
    assert dataset.queries.index.tolist() == ["q1", "q2"]
    assert dataset.pairs()["passage"].isna().all() == (missing == "passages")
    with pytest.raises(InputError, match=rf"no {missing} in .*small: expected {missing}\."):
        dataset.need_texts()
    with pytest.raises(InputError, match=rf"no {missing} in "):
        _ = dataset.collection
    with pytest.raises(InputError, match="no file or folder of"):
        collections.folder("small", small, **{{"passages": "documents"}.get(missing, missing): small / "nowhere.tsv"})


def test_grades_by_rank_follow_the_map():
    grades = collections.grade_by_rank(np.arange(1, 101), {3: 10, 2: 30, 1: 60})
    assert [int((grades == grade).sum()) for grade in (3, 2, 1, 0)] == [10, 20, 30, 40]
    assert grades[:11].tolist() == [3] * 10 + [2]


def ranking(queries: int, depth: int) -> list[tuple]:
    return [(f"q{q}", f"d{q * depth + r}", r + 1, 100.0 - r) for q in range(queries) for r in range(depth)]


def texts_beside(folder, rows):
    folder.mkdir()
    (folder / "queries.tsv").write_text("".join(f"{q}\ttext of {q}\n" for q in dict.fromkeys(row[0] for row in rows)))
    with gzip.open(folder / "passages.jsonl.gz", "wt") as file:
        for row in rows:
            file.write(json.dumps({"doc_id": row[1], "text": f"text of {row[1]}"}) + "\n")
    return folder


MAP = {3: 1, 2: 2, 1: 3}


def test_rank_distillm_is_read_from_a_trec_run(tmp_path):
    rows = ranking(6, 5)
    run = tmp_path / "rerank.run"
    run.write_text("".join(f"{q} q0 {d} {r} {s} rankzephyr\n" for q, d, r, s in rows))
    dataset = collections.rank_distillm("rd", run, MAP, n=4, seed=1, path=texts_beside(tmp_path / "texts", rows))
    assert len(dataset.queries) == 4
    assert dataset.qrels.groupby("query_id")["relevance"].apply(list).map(tuple).unique().tolist() == [(3, 2, 1, 0, 0)]
    assert (dataset.second, dataset.source.startswith(str(tmp_path / "texts"))) == (None, True)
    assert set(dataset.of(dataset.queries.index[:2]).qrels["query_id"]) == set(dataset.queries.index[:2])
    again = collections.rank_distillm("rd", run, MAP, n=4, seed=1, path=tmp_path / "texts")
    assert again.fingerprint == dataset.fingerprint
    other = collections.rank_distillm("rd", run, MAP, n=4, seed=2, path=tmp_path / "texts")
    assert set(other.queries.index) != set(dataset.queries.index)


@pytest.mark.parametrize(
    "columns",
    [
        ("qid", "docno", "score"),
        ("query_id", "doc_id", "rank"),
        ("qid", "docid", "rank", "score"),
        ("qid", "docno", "score", "query", "text"),
    ],
)
def test_rank_distillm_is_read_from_parquet_in_every_spelling(tmp_path, columns):
    rows = ranking(6, 5)
    table = pd.DataFrame(rows, columns=["query_id", "doc_id", "rank", "score"])
    table["query"] = "text of " + table["query_id"]
    table["text"] = "text of " + table["doc_id"]
    old = {"qid": "query_id", "docno": "doc_id", "docid": "doc_id"}
    parquet = tmp_path / "rerank.parquet"
    pd.DataFrame({name: table[old.get(name, name)] for name in columns}).sample(frac=1, random_state=0).to_parquet(
        parquet
    )
    path = None if "text" in columns else texts_beside(tmp_path / "texts", rows)
    dataset = collections.rank_distillm("rd", parquet, MAP, n=6, seed=0, path=path)
    expected = table.assign(relevance=[3, 2, 1, 0, 0] * 6)[[*PAIR, "relevance"]]
    found = dataset.qrels.merge(expected, on=PAIR)
    assert len(found) == 30
    assert (found["relevance_x"] == found["relevance_y"]).all()
    assert dataset.pairs()["passage"].str.startswith("text of d").all()


def test_rank_distillm_names_what_is_wrong(tmp_path):
    pd.DataFrame({"qid": ["1"], "score": [1.0]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="expected columns qid, docno and score"):
        collections.rank_distillm("rd", tmp_path / "x.parquet", MAP, n=1, seed=0)
    rows = ranking(2, 5)
    (tmp_path / "x.run").write_text("".join(f"{q} q0 {d} {r} {s} t\n" for q, d, r, s in rows))
    with pytest.raises(InputError, match=r"^n=3, but .* has 2 queries"):
        collections.rank_distillm("rd", tmp_path / "x.run", MAP, n=3, seed=0)


def test_trec_dl_2019_and_rank_distillm_come_through_ir_datasets(tmp_path):
    """ir_datasets' own code reads stand-ins laid where it keeps its downloads; nothing is fetched."""
    pytest.importorskip("ir_datasets")
    home = tmp_path / "home" / "msmarco-passage"
    (home / "trec-dl-2019").mkdir(parents=True)
    (home / "train").mkdir()
    (home / "irds_version.txt").write_text("v2")  # or ir_datasets would take the collection for an outdated one
    (home / "collection.tsv").write_text("".join(f"{i}\tpassage number {i}\n" for i in range(20)))
    (home / "trec-dl-2019" / "queries.tsv").write_text("11\tfirst query\n12\tsecond query\n13\tnot judged\n")
    (home / "trec-dl-2019" / "qrels").write_text("11 Q0 3 3\n11 Q0 4 0\n12 Q0 5 2\n")
    (home / "train" / "queries.tsv").write_text("21\ttrain query\n22\tother query\n")
    (tmp_path / "rd.run").write_text("21 q0 7 1 9 t\n21 q0 8 2 8 t\n22 q0 9 1 9 t\n")
    script = """
import sys
from pathlib import Path
from alignir.data import collections
import ir_datasets
from ir_datasets.util import home_path
dl = collections.trec_dl_2019("dl", ir_dataset="msmarco-passage/trec-dl-2019/judged")
assert dl.queries.to_dict() == {"11": "first query", "12": "second query"}, dl.queries
assert dl.pairs().iloc[0].tolist() == ["11", "3", "first query", "passage number 3"], dl.pairs()
assert dl.qrels["relevance"].tolist() == [3, 0, 2]
beyond = dl.pairs(dl.qrels.assign(doc_id=["19", "4", "99"]))  # unjudged, judged, nowhere
assert beyond["passage"].fillna("").tolist() == ["passage number 19", "passage number 4", ""], beyond
rd = collections.rank_distillm("rd", Path(sys.argv[1]), {3: 1}, n=2, seed=0, ir_queries="msmarco-passage/train",
                            ir_passages="msmarco-passage")
assert sorted(rd.queries) == ["other query", "train query"]
assert dict(zip(rd.qrels.doc_id, rd.qrels.relevance)) == {"7": 3, "8": 0, "9": 3}
assert rd.passages["7"] == "passage number 7"
print("read")
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "rd.run")],
        env={**os.environ, "IR_DATASETS_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip().endswith("read"), done.stdout + done.stderr
