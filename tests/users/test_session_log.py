"""Session logs are read as written, count what was published of them, and every mistake is named by its line."""

import gzip
import logging
import math

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from alignir import files
from alignir.errors import InputError
from alignir.frames import LOG
from alignir.users import log_forms, session_log

HEADER = "session_id,system,query_id,rank,doc_id,clicked,dwell_s\n"


def write(path, text):
    path.write_text(text)
    return path


def values(log, *columns):
    """The rows of some columns in plain values, a missing one as None."""
    return log[list(columns)].astype(object).where(log[list(columns)].notna(), None).to_numpy().tolist()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log.csv", HEADER + "007,a,NA,1,1e3,1,30.5\n007,a,NA,2,null,0,\n2,a,q,,,0,\n"),
        ("log.tsv", (HEADER + "007,a,NA,1,1e3,1,30.5\n007,a,NA,2,null,0,\n2,a,q,,,0,\n").replace(",", "\t")),
        ("log.csv", "\ufeff" + HEADER + '"007",a,NA,1,1e3,TRUE,30.5\r\n\r\n007,a,NA,2,null,False,\r\n2,a,q,,,false,'),
    ],
)
def test_ids_stay_as_they_are_written(tmp_path, name, text):
    (tmp_path / name).write_bytes(text.encode())
    log = session_log.read_log(tmp_path / name)
    assert list(log) == LOG
    assert values(log, *LOG) == [
        ["007", "a", "NA", 1, "1e3", True, 30.5],
        ["007", "a", "NA", 2, "null", False, None],
        ["2", "a", "q", None, None, False, None],
    ]
    assert [str(log[name].dtype) for name in ("rank", "clicked", "dwell_s")] == ["Int64", "bool", "float64"]


def test_dwell_times_may_be_absent_and_other_columns_are_ignored(tmp_path):
    text = "browser,doc_id,clicked,rank,query_id,system,session_id\nx,d1,1,1,q1,a,s1\n"
    log = session_log.read_log(write(tmp_path / "log.csv", text))
    assert values(log, *LOG) == [["s1", "a", "q1", 1, "d1", True, None]]


def test_numbers_as_ids_of_a_parquet_file_become_whole_strings(tmp_path):
    table = {"session_id": [7, 8], "system": "a", "query_id": [1.0, 2.0], "rank": [1, math.nan], "clicked": [1, 0]}
    pd.DataFrame(table | {"doc_id": [5, math.nan]}).to_parquet(tmp_path / "log.parquet")
    log = session_log.read_log(tmp_path / "log.parquet")
    assert values(log, *LOG) == [["7", "a", "1", 1, "5", True, None], ["8", "a", "2", None, None, False, None]]


PAGES = HEADER + 's1,a,q1,1,d1,1,0.1\ns1,a,q1,2,"d,2",0,\ns1,b,q1,2,d1,1,\ns2,a,q2,,,0,\n01,"é ""x""",q2,1,d1,1,1e-07\n'


@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.csv.gz", "log.tsv.gz", "log.parquet"])
def test_a_log_that_was_written_reads_the_same(tmp_path, name):
    log = session_log.read_log(write(tmp_path / "first.csv", PAGES))
    session_log.write_log(log, tmp_path / name)
    pd.testing.assert_frame_equal(session_log.read_log(tmp_path / name), log, check_exact=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["first.csv", name])
    packed = (tmp_path / name).read_bytes()[:2] == b"\x1f\x8b"
    assert packed == name.endswith(".gz")


def test_a_log_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    log = session_log.read_log(write(tmp_path / "log.csv", PAGES))

    def full(*paths):
        raise OSError("no space left")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(InputError, match=r"log\.csv: cannot be written: no space left"):
        session_log.write_log(log[:1], tmp_path / "log.csv")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("log.csv", PAGES)]


@pytest.mark.parametrize("name", ["log.txt", "log.parquet.gz", "log.gz", "log"])
def test_a_file_of_another_kind_is_named(tmp_path, name):
    with pytest.raises(InputError, match=r"expected a session log named \*\.csv, \*\.tsv"):
        session_log.read_log(write(tmp_path / name, PAGES))
    with pytest.raises(InputError, match=r"expected a session log named \*\.csv, \*\.tsv"):
        session_log.write_log(pd.DataFrame(columns=LOG), tmp_path / name)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no folder at .*nowhere"):
        session_log.write_log(pd.DataFrame(columns=LOG), tmp_path / "nowhere" / "log.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "log.csv: expected a session log, found an empty file"),
        (HEADER, "log.csv: expected rows of a session log, found none"),
        (
            "session_id,query_id,rank,doc_id,clicked\ns1,q1,1,d1,0\n",
            "log.csv:1: expected the columns session_id, system, query_id, rank, doc_id, clicked, perhaps dwell_s, "
            "each once, found session_id, query_id, rank, doc_id, clicked",
        ),
        (HEADER.replace("dwell_s", "rank") + "s1,a,q1,1,d1,0,1\n", "log.csv:1: expected the columns session_id, "),
        (HEADER.replace("\n", "\r") + "s1,a,q1,1,d1,0,\r", "log.csv:1: expected a row of fields, found 'session_id"),
        (HEADER + "s1,a,q1,1,d1,0\n", "log.csv:2: expected 7 fields as in the first line, found 6: 's1,a,q1,1,d1,0'"),
        (HEADER + "s1,a,q1,0,d1,0,\n", "log.csv:2: expected a whole number from 1 as rank, found '0'"),
        (HEADER + "s1,a,q1,1.5,d1,0,\n", "log.csv:2: expected a whole number from 1 as rank, found '1.5'"),
        (HEADER + "s1,a,q1,1,d1,0,\n\ns1,a,q1,x,d2,0,\n", "log.csv:4: expected a whole number from 1 as rank, found"),
        (HEADER + "s1,a,q1,1,d1,2,\n", "log.csv:2: expected 0, 1, true or false as clicked, found '2'"),
        (HEADER + "s1,a,q1,1,d1,,\n", "log.csv:2: expected 0, 1, true or false as clicked, found ''"),
        (HEADER + "s1,a,q1,1,d1,1,-1\n", "log.csv:2: expected a finite dwell_s from 0, in s, or nothing, found '-1'"),
        (HEADER + "s1,a,q1,1,d1,1,inf\n", "log.csv:2: expected a finite dwell_s from 0, in s, or nothing, found 'inf'"),
        (HEADER + "s1,a,q1,1,d1,1,nan\n", "log.csv:2: expected a finite dwell_s from 0, in s, or nothing, found 'nan'"),
        (HEADER + "s1,a,q1,1,d1,1,NA\n", "log.csv:2: expected a finite dwell_s from 0, in s, or nothing, found 'NA'"),
        (HEADER + "s1,a,q1,1,d1,0,3\n", "log.csv:2: expected a dwell_s of clicked results only, found 3 s of a result"),
        (HEADER + "s1,a,q1,1,d1,0,\n ,a,q1,2,d2,0,\n", "log.csv:3: expected a session_id, found ''"),
        (HEADER + "s1,,q1,1,d1,0,\n", "log.csv:2: expected a system, found ''"),
        (HEADER + "s1,a,,1,d1,0,\n", "log.csv:2: expected a query_id, found ''"),
        (
            HEADER + "s1,a,q1,1,,0,\n",
            "log.csv:2: expected a rank and a doc_id, or neither (a page that showed nothing)",
        ),
        (
            HEADER + "s1,a,q1,,d1,0,\n",
            "log.csv:2: expected a rank and a doc_id, or neither (a page that showed nothing)",
        ),
        (HEADER + "s1,a,q1,,,1,\n", "log.csv:2: found a click on a page that showed nothing"),
        (
            HEADER + "s1,a,q1,,,0,\ns1,a,q1,1,d1,0,\n",
            "log.csv:2: session s1, system a, query q1 showed nothing, but has other rows",
        ),
    ],
)
def test_wrong_logs_are_named(tmp_path, text, message):
    (tmp_path / "log.csv").write_bytes(text.encode())
    with pytest.raises(InputError) as error:
        session_log.read_log(tmp_path / "log.csv")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("s1,a,q1,2,d3,0,\n", r"rank 2 of session s1, system a, query q1 is already in \S*log\.csv:3"),
        ("s1,a,q1,3,d1,0,\n", r"doc_id d1 of session s1, system a, query q1 is already in \S*log\.csv:2"),
    ],
)
def test_what_stands_twice_on_a_page_is_named_with_both_lines(tmp_path, row, what):
    text = HEADER + "s1,a,q1,1,d1,0,\ns1,a,q1,2,d2,0,\ns2,a,q1,2,d1,0,\n"
    assert len(session_log.read_log(write(tmp_path / "log.csv", text))) == 3
    with pytest.raises(InputError, match=rf"log\.csv:5: {what}"):
        session_log.read_log(write(tmp_path / "log.csv", text + row))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"clicked": [0, 2]}, "log.parquet: row 1: expected 0, 1, true or false as clicked, found '2'"),
        ({"doc_id": [["d1"], ["d2"]]}, "log.parquet: row 0: expected text or numbers as doc_id, found list"),
        ({"dwell_s": [math.inf, math.nan]}, "log.parquet: row 0: expected a finite dwell_s from 0, in s, or nothing"),
        ({"query_id": [None, "q1"]}, "log.parquet: row 0: expected a query_id, found ''"),
    ],
)
def test_wrong_rows_of_a_parquet_file_are_named(tmp_path, columns, message):
    table = {"session_id": "s1", "system": "a", "query_id": "q1", "rank": [1, 2], "doc_id": ["x", "y"], "clicked": True}
    pd.DataFrame(table | columns).to_parquet(tmp_path / "log.parquet")
    with pytest.raises(InputError) as error:
        session_log.read_log(tmp_path / "log.parquet")
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["log.parquet", "log.csv.gz"])
def test_a_file_that_is_not_what_its_name_says_is_named(tmp_path, name):
    with pytest.raises(InputError, match=rf"{name}: cannot be read"):
        session_log.read_log(write(tmp_path / name, PAGES))


def test_ctr_by_rank_is_the_share_of_the_results_shown_there(tmp_path):
    text = (
        HEADER + "s1,a,q1,1,d1,1,\ns1,a,q1,2,d2,0,\ns2,a,q1,1,d1,0,\ns2,a,q1,2,d2,1,\ns3,a,q1,1,d1,0,\ns4,a,q1,,,0,\n"
    )
    ctr = session_log.ctr_by_rank(session_log.read_log(write(tmp_path / "log.csv", text)))
    assert ctr.to_dict() == pytest.approx({1: 1 / 3, 2: 1 / 2})


def yandex(folder, *lines, name="log.tsv", **settings):
    return log_forms.read_yandex(
        write(folder / name, "\n".join(line.replace(" ", "\t") for line in lines)), "a", **settings
    )


def test_dwell_is_the_time_until_the_next_line_of_the_session(tmp_path):
    log = yandex(
        tmp_path,
        "7 0 Q q1 0 u1 u2 u3",
        "7 1000 C u2",
        "8 1500 Q q1 0 u1",  # another session: not an event of this one
        "7 3500 C u1",
        "7 4000 Q q2 0 u9",
        "7 5000 C u9",
        units_per_second=1000,
    )
    assert values(log, "session_id", "query_id", "rank", "doc_id", "clicked", "dwell_s") == [
        ["7.1", "q1", 1, "u1", True, 0.5],
        ["7.1", "q1", 2, "u2", True, 2.5],
        ["7.1", "q1", 3, "u3", False, None],
        ["8.1", "q1", 1, "u1", False, None],
        ["7.2", "q2", 1, "u9", True, None],
    ]


def test_units_of_time_are_an_argument(tmp_path):
    lines = ("7 0 Q q1 0 u1", "7 10 C u1", "7 40 C u1", "7 70 Q q2 0 u2")
    assert yandex(tmp_path, *lines, units_per_second=1)["dwell_s"][0] == 60
    assert yandex(tmp_path, *lines)["dwell_s"][0] == 0.06
    for wrong in (0, -1, math.nan, math.inf):
        with pytest.raises(InputError, match="units_per_second: expected a number above 0"):
            yandex(tmp_path, *lines, units_per_second=wrong)


def test_a_result_clicked_twice_is_one_clicked_result_read_for_both_times(tmp_path):
    known = ["7 0 Q q1 0 u1 u2", "7 1000 C u1", "7 1200 C u1", "7 4000 C u2", "7 9000 C u1", "7 9500 C u2"]
    log = yandex(tmp_path, *known)
    assert log["clicked"].tolist() == [True, True]
    assert log["dwell_s"][0] == pytest.approx(0.2 + 2.8 + 0.5)
    assert np.isnan(log["dwell_s"][1])  # how long the last click was read is not known, so neither is the sum
    assert log.attrs == {"clicks": 5, "dropped_clicks": 0}


def test_clicks_on_what_the_page_did_not_show_are_dropped_and_counted(tmp_path, caplog):
    lines = ("6 0 C u1", "7 0 Q q1 0 u1", "7 1000 Q q2 0 u2", "7 2000 C u2", "7 3000 C u1", "8 0 C u2")
    with caplog.at_level(logging.WARNING):
        log = yandex(tmp_path, *lines)
    assert values(log, "session_id", "clicked", "dwell_s") == [["7.1", False, None], ["7.2", True, 1.0]]
    assert log.attrs == {"clicks": 4, "dropped_clicks": 3}
    assert "log.tsv: 3 of 4 clicks are on nothing that their page showed" in caplog.text


def test_of_a_result_shown_twice_the_first_place_stays(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        log = yandex(tmp_path, "7 0 Q q1 0 u1 u2 u1 u3", "7 5 C u1")
    assert values(log, "rank", "doc_id", "clicked") == [[1, "u1", True], [2, "u2", False], [4, "u3", False]]
    assert "log.tsv: 1 results are shown a second time on their page" in caplog.text


def test_a_page_without_results_is_one_row(tmp_path):
    log = yandex(tmp_path, "7 0 Q q1 0", "8 0 Q q1 0   ")
    assert values(log, *LOG) == [[f"{name}.1", "a", "q1", None, None, False, None] for name in "78"]
    session_log.write_log(log, tmp_path / "out.csv")
    assert values(session_log.read_log(tmp_path / "out.csv"), *LOG) == values(log, *LOG)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7 0 Q", "log.tsv:2: expected 'session time Q query region url1 url2 ...' or 'session time C url', tab-sep"),
        ("7 0 Q q1", "log.tsv:2: expected 'session time Q query region url1"),
        ("7 0 Q q1 0 u1  u2", "log.tsv:2: expected 'session time Q query region url1"),
        ("7 0 C", "log.tsv:2: expected 'session time Q query region url1"),
        ("7 0 C u1 u2", "log.tsv:2: expected 'session time Q query region url1"),
        ("7 0 M u1", "log.tsv:2: expected 'session time Q query region url1"),
        (" 0 C u1", "log.tsv:2: expected 'session time Q query region url1"),
        ("7 soon C u1", "log.tsv:2: expected a time from 0, found 'soon'"),
        ("7 inf C u1", "log.tsv:2: expected a time from 0, found 'inf'"),
        ("7 -1 C u1", "log.tsv:2: expected a time from 0, found '-1'"),
        ("7 4 C u1", "log.tsv:2: expected the lines of session 7 in order of time, found 4 after 5"),
    ],
)
def test_wrong_yandex_lines_are_named(tmp_path, line, message):
    with pytest.raises(InputError) as error:
        yandex(tmp_path, "7 5 Q q1 0 u1", line)
    assert message in str(error.value)


def test_logs_without_a_page_or_a_system_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"log\.tsv: expected result pages, found none"):
        yandex(tmp_path, "7 0 C u1")
    with pytest.raises(InputError, match="expected the name of a system, found ' '"):
        log_forms.read_yandex(write(tmp_path / "log.tsv", "7\t0\tQ\tq1\t0\tu1"), " ")


def test_the_search_log_of_clara2_has_its_published_counts(clicks):
    log = log_forms.read_yandex(clicks / "clara2_search_log.tsv.gz", "clara2")
    assert log.attrs == {"clicks": 11613, "dropped_clicks": 724}
    clicked = log.groupby("session_id")["clicked"].sum()
    assert len(clicked) == 31564
    assert log["session_id"].str.partition(".")[0].nunique() == 18522
    assert log["query_id"].nunique() == 1951
    assert clicked.clip(upper=3).value_counts().to_dict() == {0: 23527, 1: 6960, 2: 904, 3: 173}
    published = [0.151, 0.062, 0.031, 0.017, 0.013, 0.007, 0.005, 0.004, 0.003, 0.003]
    assert session_log.ctr_by_rank(log).round(3).tolist() == published
    assert 1 < log["dwell_s"].median() < 600  # s: a person's reading; in other units it is not


INTERACTION = """<sessiontrack2013>
<session num="3" starttime="0"><topic num="1"><query>not this</query></topic>
<interaction num="2" starttime="1.5"><query> Red   Apples&amp;Pears </query>
<results>
<result rank="1"><url>http://a</url><clueweb12id>c-1</clueweb12id><title>t</title><snippet>s</snippet></result>
<result rank="2"><clueweb12id>c-2</clueweb12id></result>
<result rank="4"><clueweb12id>c-4</clueweb12id></result>
</results>
<clicked>
<click num="1" starttime="2.0" endtime="5.5"><rank>2</rank></click>
<click num="2" starttime="6.0" endtime="7.0"><rank>2</rank></click>
<click num="3" starttime="8.0" endtime="NA"><rank>4</rank></click>
<click num="4" starttime="8.5" endtime="9"><rank>3</rank></click>
</clicked>
</interaction>
<interaction num="3" starttime="9.0"><query>red apples&amp;pears</query><results></results></interaction>
</session>
</sessiontrack2013>
"""


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_interactions_become_pages(tmp_path, monkeypatch, chunk, ending):
    monkeypatch.setattr(log_forms, "CHUNK", chunk)
    content = INTERACTION.encode()
    (tmp_path / f"log.xml{ending}").write_bytes(gzip.compress(content) if ending else content)
    log = log_forms.read_trec_session(tmp_path / f"log.xml{ending}", "a")
    assert values(log, *LOG) == [
        ["3.2", "a", "red_apples&pears", 1, "c-1", False, None],
        ["3.2", "a", "red_apples&pears", 2, "c-2", True, 4.5],
        ["3.2", "a", "red_apples&pears", 4, "c-4", True, None],
        ["3.3", "a", "red_apples&pears", None, None, False, None],
    ]
    assert log.attrs == {"clicks": 4, "dropped_clicks": 1}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</clicked>", "</click>", "log.xml:14: expected XML, found: mismatched tag"),
        (INTERACTION, "", "log.xml:1: expected XML, found: no element found"),
        ('rank="2"', 'rank="0"', "log.xml:6: expected a whole number from 1 as rank, found '0'"),
        (
            'rank="2"',
            'rank="1"',
            "log.xml:6: expected a result with a ClueWeb id and a rank of its own, found 'c-2' at",
        ),
        ("<clueweb12id>c-2</clueweb12id>", "", "log.xml:6: expected a result with a ClueWeb id and a rank of its own"),
        ("<rank>4</rank>", "", "log.xml:12: expected a whole number from 1 as rank, found ''"),
        ('endtime="5.5"', 'endtime="1"', "log.xml:10: expected starttime and endtime in s, the one before the other"),
        ('endtime="5.5"', 'endtime="00:00:05"', "log.xml:10: expected starttime and endtime in s, the one before the"),
        ('num="3" starttime="9.0"', 'num="2"', "log.xml:16: interaction 3.2 is already in line 3"),
        ("<query>red apples&amp;pears</query>", "", "log.xml:16: expected an interaction with a num and a query, in a"),
        (
            '<session num="3"',
            "<session",
            "log.xml:3: expected an interaction with a num and a query, in a session with",
        ),
        ("interaction", "page", "log.xml: expected result pages, found none"),
    ],
)
def test_wrong_session_tracks_are_named(tmp_path, old, new, message):
    assert old in INTERACTION
    with pytest.raises(InputError) as error:
        log_forms.read_trec_session(write(tmp_path / "log.xml", INTERACTION.replace(old, new)), "a")
    assert message in str(error.value)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "secret.txt">]>',
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY e "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x SYSTEM "secret.txt">',
    ],
)
def test_xml_that_defines_entities_is_refused(tmp_path, declaration):
    write(tmp_path / "secret.txt", "a secret")
    text = f"\n{declaration}\n" + INTERACTION.replace("Red", "&e;")
    with pytest.raises(InputError, match=r"log\.xml:2: expected XML without a document type"):
        log_forms.read_trec_session(write(tmp_path / "log.xml", text), "a")


def test_a_truncated_gzip_file_is_named(tmp_path):
    (tmp_path / "log.xml.gz").write_bytes(gzip.compress(INTERACTION.encode())[:-20])
    with pytest.raises(InputError, match=r"log\.xml\.gz: cannot be read"):
        log_forms.read_trec_session(tmp_path / "log.xml.gz", "a")


def test_the_session_track_of_2013_has_its_published_counts(clicks):
    log = log_forms.read_trec_session(clicks / "trec_session2013.xml.gz", "track")
    assert log.attrs == {"clicks": 586, "dropped_clicks": 0}
    assert log["session_id"].nunique() == 401
    assert log["session_id"].str.partition(".")[0].nunique() == 133
    text = gzip.decompress((clicks / "trec_session2013.xml.gz").read_bytes()).decode()
    assert log["rank"].notna().sum() == text.count("<result rank=")


@pytest.mark.parametrize("form", ["yandex", "trec_session"])
def test_real_logs_survive_being_written_and_read(clicks, tmp_path, form):
    file, read = {
        "yandex": ("clara2_search_log.tsv.gz", log_forms.read_yandex),
        "trec_session": ("trec_session2013.xml.gz", log_forms.read_trec_session),
    }[form]
    log = read(clicks / file, "a")
    for name in ("log.csv", "log.tsv.gz", "log.parquet"):
        session_log.write_log(log, tmp_path / name)
        pd.testing.assert_frame_equal(session_log.read_log(tmp_path / name), log, check_exact=True)


@pytest.fixture
def import_log(alignir):
    """Run `python scripts/import_log.py` in an empty folder."""

    def run(*arguments: str, ok: bool = True):
        return alignir(*arguments, ok=ok, program=(str(ROOT / "scripts" / "import_log.py"),))

    return run


def test_a_log_is_imported_and_summed_up(tmp_path, import_log):
    write(tmp_path / "live.tsv", "7\t0\tQ\tq1\t0\tu1\tu2\n7\t10\tC\tu1\n7\t40\tC\tu5\n8\t0\tQ\tq2\t0\n")
    arguments = ("--form", "yandex", "live.tsv", "--out", "log.csv", "--units-per-second", "1", "--format", "csv")
    done = import_log(*arguments)
    assert (
        tmp_path / "log.csv"
    ).read_text() == HEADER + "7.1,live,q1,1,u1,1,30.0\n7.1,live,q1,2,u2,0,\n8.1,live,q2,,,0,\n"
    assert "live,2,2,1,1,2,1,1,30.0\n" in done.stdout
    assert "live,1.000,0.000,–,–,–,–,–,–,–,–\n" in done.stdout
    assert "1 of 2 clicks are on nothing that their page showed" in done.stderr
    again = import_log("--form", "log", "log.csv", "--out", "log.parquet")
    assert "Session log log.parquet" in again.stdout
    pd.testing.assert_frame_equal(
        session_log.read_log(tmp_path / "log.parquet"), session_log.read_log(tmp_path / "log.csv")
    )


def test_a_log_that_cannot_be_imported_is_one_line_and_writes_nothing(tmp_path, import_log):
    write(tmp_path / "live.tsv", "7\t0\tX\tq1\n")
    for form, more, message in [
        ("yandex", (), "live.tsv:1: expected 'session time Q query region url1"),
        ("log", ("--system", "b"), "--system is for the other forms"),
        ("trec_session", ("--units-per-second", "1"), "--units-per-second is for --form yandex"),
        ("trec_session", (), "live.tsv:1: expected XML"),
    ]:
        done = import_log("--form", form, "live.tsv", "--out", "log.csv", *more, ok=False)
        assert done.returncode == 1
        assert done.stderr.startswith(f"alignir import-log: {message}")
        assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "log.csv").exists()
