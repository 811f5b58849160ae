"""TREC's files are read as trec_eval reads them, and every mistake is named by file and line."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alignir.data import trec
from alignir.data.ranked import ranked, together
from alignir.errors import InputError


def write(path, text):
    path.write_text(text)
    return path


def test_negative_grades_count_as_zero(tmp_path):
    qrels = trec.read_qrels(write(tmp_path / "qrels.txt", "q1 0 d1 -1\nq1 0 d2 -2\nq1 0 d3 3\n"))
    assert qrels["relevance"].tolist() == [0, 0, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1 d1\n", "qrels.txt:1: expected 'query_id iteration doc_id relevance', found 'q1 d1'"),
        ("q1 0 d1\n", "qrels.txt:1: expected 'query_id iteration doc_id relevance', found 'q1 0 d1'; iteration may"),
        ("q1 0 d1 1\nq1 d2 1\n", "qrels.txt:2: expected 'query_id iteration doc_id relevance', found 'q1 d2 1'"),
        ("q1 d1 1\nq1 0 d2 1\n", "qrels.txt:2: expected 'query_id doc_id relevance', found 'q1 0 d2 1'"),
        ("q1 0 d1 1\nq1 0 d2 high\n", "qrels.txt:2: expected a whole number as relevance, found 'high'"),
        ("q1 0 d1 1\nq1 0 d2 2.5\n", "qrels.txt:2: expected a whole number as relevance, found 2.5: thresholds"),
        ("q1 0 d1 -3\n", "qrels.txt:1: expected a relevance from 0, found -3: a map makes a grade of it, as"),
        ("q1 0 d1 1\n\nq1 0 d1 1\n", "qrels.txt:3: the pair q1 d1 is already in line 1"),
        ("\n", "qrels.txt: expected qrels lines, found none"),
    ],
)
def test_wrong_qrels_are_named(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        trec.read_qrels(write(tmp_path / "qrels.txt", text))
    assert message in str(error.value)


RUN = "q1 Q0 a 1 2.0 tag\nq1 Q0 b 2 2.0 tag\nq1 Q0 c 3 5 tag\nq2 Q0 a 1 1e-3 tag\n"


@pytest.mark.parametrize("text", [RUN, RUN.replace(" ", "\t"), RUN.replace(" ", "   "), "\n" + RUN, "\ufeff" + RUN])
def test_a_run_is_ranked_by_score_then_doc_id_descending(tmp_path, text):
    run = trec.read_run(write(tmp_path / "x.run", text), "x")
    assert run[["query_id", "doc_id", "rank"]].to_numpy().tolist() == [
        ["q1", "c", 1],
        ["q1", "b", 2],
        ["q1", "a", 3],
        ["q2", "a", 1],
    ]
    assert run["system"].unique().tolist() == ["x"]


# What may stand between two fields, and at either end of a line, of files that people have.
SEPARATORS = [" ", " ", " ", "\t", "  ", " \t", "\t ", "\t\t", "\xa0", " \xa0", "\u3000", "\x0b", "\x1c", "\r"]
ENDS = ["", "", "", " ", "\t", "\xa0", "\r"]
IDS = ["q1", "d1", "d01", "10", "é", "日本", '"a"', "\\", "#", "\ufeffq", "a,b", "\x00", "NULL", "nan"]
NUMBERS = ["1", "2", "-1.5", "1e-3", "0x1", "1_0", "inf", "NaN", "+3", "1.", ".5", "1e400", "", "２", "true", "1,5"]


def line_of(fields: list[str], separators: list[str], ends: list[str]) -> str:
    between = [*separators, ""][: len(fields)]
    return ends[0] + "".join(field + between for field, between in zip(fields, between, strict=True)) + ends[1]


@st.composite
def run_files(draw) -> bytes:
    """A run file of a few lines, most of them as they should be."""
    usual = draw(st.sampled_from([" ", "\t"]))
    lines = []
    for number in range(draw(st.integers(0, 4))):
        fields = [draw(st.sampled_from(IDS)), "Q0", draw(st.sampled_from([f"d{number}", *IDS]))]
        fields += [draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(["t", "a b"]))]
        fields = fields[: draw(st.sampled_from([6, 6, 6, 6, 5]))]
        odd = draw(st.booleans())
        separators = [draw(st.sampled_from([usual, usual, *SEPARATORS])) if odd else usual for _ in fields[1:]]
        lines.append(line_of(fields, separators, [draw(st.sampled_from(ENDS)) if odd else "" for _ in "12"]))
    text = draw(st.sampled_from(["\n", "\n", "\r\n", "\n\n", "\r"])).join(lines) + draw(
        st.sampled_from(["\n", "", "\n\n"])
    )
    start = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2, b"\n"]))
    return start + text.encode() + draw(st.sampled_from([b"", b"", b"", b"\xff", b"q9 Q0 d1 1 1 \xe4\n"]))


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=run_files())
@example(b"q1\tQ0\td1  \t1\t9\tt\n")  # padded
@example(b"q1 Q0 d1\xc2\xa0 1 9 t\n")
@example(b"q1 Q0 d1 1 9 \n")  # five columns
@example(b"q1 Q0 d1  9 t\n")
@example(b"q1\tQ0\td1\t1\t9\ta tag of four words\n")
@example(b"q1 Q0 d1 1 9 t\rq1 Q0 d2 2 8 t\n")
@example(b"q1 Q0 d1 1 9 \xe4\n")  # cp1252, in a field that is not kept
def test_the_fast_reader_of_runs_reads_as_the_slow_one_or_steps_back(tmp_path, content):
    file = tmp_path / "x.run"
    file.write_bytes(content)
    fast = trec._read_run_fast(file)
    if fast is not None:
        ids = {"query_id": str, "doc_id": str}
        pd.testing.assert_frame_equal(fast.astype(ids), trec._read_run_by_line(file).astype(ids))


@pytest.mark.parametrize("text", [RUN, RUN.replace(" ", "\t"), "\ufeff" + RUN, RUN.replace("\n", "\r\n"), "日" + RUN])
def test_a_run_as_most_are_is_read_the_fast_way(tmp_path, text):
    (tmp_path / "x.run").write_bytes(text.encode())
    assert trec._read_run_fast(tmp_path / "x.run") is not None


@pytest.mark.parametrize("step", [-1e-5, 0.0])
def test_a_run_of_several_blocks_is_the_same_in_order_or_with_ties(tmp_path, step):
    """Ids of one block know nothing of those of another."""
    lines = (f"q{n // 100} Q0 d{n % 90_000:020} {n % 100 + 1} {9 + step * (n % 100):.5f} t\n" for n in range(120_000))
    file = write(tmp_path / "x.run", "".join(lines))
    assert file.stat().st_size > trec.BLOCK
    by_line = trec._read_run_by_line(file).assign(system="x")
    fast = trec._read_run_fast(file).assign(system=pd.Categorical(["x"]).repeat(len(by_line)))
    found, expected = together([ranked(fast)]), ranked(by_line)
    pd.testing.assert_frame_equal(found.astype(dict.fromkeys(("system", *trec.PAIR), str)), expected, check_dtype=False)


@pytest.mark.parametrize("odd", ["\tQ0 \t", "  Q0 ", "\xa0Q0\u3000", " Q0\t"])
def test_padded_fields_are_read_as_if_they_were_not(tmp_path, odd):
    plain = trec.read_run(write(tmp_path / "plain.run", RUN), "x")
    padded = RUN.replace(" Q0 ", odd).replace(" tag", "   tag  ")
    assert trec.read_run(write(tmp_path / "padded.run", padded), "x").equals(plain)


def test_a_tag_of_several_words_stays_one_field_between_tabs(tmp_path):
    text = RUN.replace(" tag", " a tag").replace(" ", "\t").replace("a\ttag", "a tag")
    assert trec.read_run(write(tmp_path / "x.run", text), "x").equals(
        trec.read_run(write(tmp_path / "y.run", RUN), "x")
    )


@pytest.mark.parametrize(
    ("places", "scores", "queries"),
    [
        ("1 2 3", "3 2 1", 0),
        ("1 2 3", "1 2 3", 1),  # distances
        ("3 2 1", "1 2 3", 0),  # from the last to the first
        ("1 2 3", "3 1 2", 1),
        ("0 0 0", "1 2 3", 0),  # no places
        ("x y z", "1 2 3", 0),
        ("1 2 3", "1 1 1", 0),
        ("1 2 3", "0.5 0.50000000001 0.4", 0),  # one float32
    ],
)
def test_places_that_contradict_scores_are_counted_by_query(tmp_path, places, scores, queries):
    rows = zip("abc", places.split(), scores.split(), strict=True)
    text = "".join(f"q1 Q0 {doc_id} {place} {score} t\n" for doc_id, place, score in rows)
    text += "q2 Q0 a 1 9 t\nq2 Q0 b 2 8 t\n"
    assert trec.contradicted(trec.read_results(write(tmp_path / "x.run", text))) == queries


def test_scores_that_differ_less_than_a_float32_tie(tmp_path):
    text = "q1 Q0 a 1 0.50000000001 t\nq1 Q0 b 2 0.5 t\n"
    assert np.float32(0.50000000001) == np.float32(0.5)
    assert trec.read_run(write(tmp_path / "x.run", text), "x")["doc_id"].tolist() == ["b", "a"]


def test_a_gzipped_run_is_the_same(tmp_path):
    with gzip.open(tmp_path / "x.run.gz", "wt") as file:
        file.write(RUN)
    plain = trec.read_run(write(tmp_path / "x.run", RUN), "x")
    assert trec.read_run(tmp_path / "x.run.gz", "x").equals(plain)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.run: expected run lines, found an empty run"),
        ("q1 Q0 a 1 2.0 t\nq1 Q0 b 2 t\n", "x.run:2: expected 'query_id Q0 doc_id rank score tag'"),
        ("q1 Q0 a 1 nan t\n", "x.run:1: expected a finite number as score, found 'nan'"),
        ("q1 Q0 a 1 3 t\nq1 Q0 b 1 inf t\n", "x.run:2: expected a finite number as score, found 'inf'"),
        ("q1 Q0 a 1 high t\n", "x.run:1: expected a finite number as score, found 'high'"),
        ("q1 Q0 a 1 3 t\nq1 Q0 a 2 2 t\n", "x.run:2: query q1 already has a, in line 1"),
    ],
)
def test_wrong_runs_are_named(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        trec.read_run(write(tmp_path / "x.run", text), "x")
    assert message in str(error.value)


def test_a_truncated_gzip_file_is_named(tmp_path):
    whole = gzip.compress("".join(f"q1 Q0 d{i} {i} {i} t\n" for i in range(5000)).encode())
    (tmp_path / "x.run.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"x\.run\.gz: cannot be read"):
        trec.read_run(tmp_path / "x.run.gz", "x")


def test_ids_are_compared_as_trec_eval_compares_them(tmp_path):
    """Byte by byte, as C's strcmp orders UTF-8: 9 is above 10, z above Z, and what is longer above its start."""
    doc_ids = ["10", "9", "Z", "z", "zz", "é", "\uffff", "\U0001d11e"]
    for order in (doc_ids, doc_ids[::-1]):
        text = "".join(f"q1 Q0 {doc_id} 1 {score} t\n" for doc_id, score in zip(order, ["0", "-0.0"] * 4, strict=True))
        run = trec.read_run(write(tmp_path / "x.run", text), "x")
        assert run["doc_id"].tolist() == sorted(doc_ids, key=str.encode, reverse=True)
