"""Summary: tables from recorded runs: their numbers, marks and notes, which cells are missing, how they print."""

import csv
import io
import json
import math
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alignir import frames
from alignir.alignment.bootstrap import Resampling
from alignir.alignment.tau import against_baseline, against_users
from alignir.config import swept_names
from alignir.data.scales import FOUR
from alignir.errors import InputError
from alignir.evaluation.measures import NDCG
from alignir.frames import ALIGNMENT, BASELINE, ONE_GRADE, SHUFFLED, STATUSES
from alignir.tables import choices, kinds, latex, missing
from alignir.tables.choices import Choices
from alignir.tables.missing import Grid
from alignir.tables.paper import baseline_tables, online_tables
from alignir.tables.table import Table, render
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Failure, Recorded
from alignir.tracking.shapes import NOBODY, Judge
from alignir.users.metrics import METRICS

ROOT = Path(__file__).parents[2]
ODD = r"_ & % # ^ ~ \ → ≥ † ° – ≈ µ é $ { } < > | [x] * -- `q"
LLM = {"prompt.version": "1", "prompt.sha256": "0"}  # tags of runs whose model reads a prompt
BOOTSTRAP = {f"bootstrap.{name}": value for name, value in Resampling(500, seed=7)._asdict().items()}


def line(tau: float, reference=BASELINE, labels="model", p=0.001, low=math.nan, high=math.nan) -> tuple:
    return (NDCG, reference, tau, p, low, high, 12, 43, labels)


def run(model="llama8b", prompt="zeshot", dataset="trec_dl_2019", users="dbn", lines=None, tags=LLM, **params):
    names = {"dataset": dataset, "model": model, "prompt": prompt, "user_model": users}
    settings = {"systems": "runs", "queries": "all", "missing": "drop", "pool": "qrels", "reader": "strict"}
    settings |= {"headline": "nDCG@10", "unjudged": "not_relevant", "top": "[]"}
    if prompt:
        settings |= {"prompt.name": prompt, "prompt.file": f"{prompt}.txt"}
    else:
        del names["prompt"]
    settings |= {name.replace("__", "."): str(value) for name, value in params.items()}
    alignment = pd.DataFrame(lines or [line(0.5)], columns=[*ALIGNMENT, "labels"])
    sizes = {"n_systems": 12, "n_queries": 43, "n_pairs": 120}
    run_id = "-".join([*names.values(), *params])
    return Recorded(None, run_id, run_id, {**names, **settings}, tags, sizes, alignment)


def note(table: Table, start: str) -> str:
    (found,) = [text for text in table.notes if text.startswith(start)]
    return found


def baseline(*runs: Recorded, **chosen) -> Table:
    (table,) = baseline_tables(Recordings(runs), set(), Choices(**chosen))
    return table


def online_table(*runs: Recorded, **chosen) -> Table:
    (table,) = online_tables(Recordings(runs), set(), Choices(**chosen))
    return table


def test_the_posters_value_and_the_unrounded_difference_stand_beside_ours():
    table = baseline(run(lines=[line(0.8704)]), run(prompt="basic", lines=[line(0.6636)]), run("mine"))
    cells = {tuple(row[:2]): row[2] for row in table.rows}
    assert cells["llama8b", "zeshot"] == "0.87 (0.851, +0.019)"
    assert cells["llama8b", "basic"] == "0.66 (0.664, -0.000)"
    assert cells["mine", "zeshot"] == "0.50"
    assert "43 queries of trec_dl_2019" in note(table, "in parentheses: the poster's value, and ours less the poster's")


def test_an_undefined_tau_and_a_cell_that_was_not_run_have_no_difference():
    lines = [line(math.nan, p=math.nan)]
    expected = Grid([{"dataset": "trec_dl_2019", "model": "qwen32b", "prompt": "basic", "user_model": "dbn"}])
    table = baseline(run(lines=lines), expected=expected)
    cells = {row[0]: row[2] for row in table.rows}
    assert cells == {"llama8b": "– (0.851)", "qwen32b": "not run (0.838)"}
    assert note(table, "– undefined")
    assert note(table, "not run: no finished run")


def test_table_2_sets_only_the_posters_columns_against_it():
    lines = [line(0.5, "clicks"), line(-0.25, "sar")]
    table = online_table(run(dataset="rank_distillm", lines=lines))
    assert table.rows == [["llama8b", "zeshot", "0.5000 (0.467, +0.033)", "-0.2500"]]
    assert table.columns[2:] == ["Clicks", "SAR ↓"]
    table = online_table(run(dataset="trec_dl_2019", lines=lines))
    assert table.rows[0][2:] == ["0.5000", "-0.2500"]
    assert not [text for text in table.notes if "poster" in text]


def test_table_2_has_intervals_when_asked():
    cell = run(lines=[line(0.5, "clicks", low=0.25, high=0.75)], **BOOTSTRAP)
    assert online_table(cell).rows[0][2:] == ["0.5000"]
    assert online_table(cell, with_intervals=True).rows[0][2:] == ["0.50 [0.25, 0.75]"]


def test_a_mark_stands_at_what_cannot_be_told_from_0_or_from_the_best():
    judges = [run("a", lines=[line(0.5, p=0.06)]), run("b", lines=[line(0.5, low=-0.1, high=0.9)], **BOOTSTRAP)]
    judges.append(run("c", lines=[line(0.9)]))
    judges = [replace(judge, params={**judge.params, **BOOTSTRAP}) for judge in judges]
    (table,) = baseline_tables(Recordings(judges), {(judges[0].setting, NOBODY, BASELINE, Judge("a", "zeshot"))})
    assert [row[2] for row in table.rows] == ["0.90", "0.50°†", "0.50° [-0.10, 0.90]"]  # the highest first
    assert [row[2].best for row in table.rows] == [True, False, False]
    assert note(table, "° cannot be told from 0")
    assert "Holm's p ≤ 0.05 of a paired bootstrap of the queries, 500 resamples; each against the best only" in note(
        table, "† worse than"
    )
    assert not [text for text in baseline(judges[2]).notes if text[0] in "°†≈–"]


def test_a_judge_whose_requests_failed_is_marked_and_told_how_many():
    whole, lacking = run(lines=[line(0.5)]), run("qwen32b", lines=[line(0.5), line(0.2, labels=ONE_GRADE)])
    lacking.metrics.update({"failed": 15, "n_pairs": 120})
    table = baseline(whole, lacking)
    assert {row[0]: "‡" in row[2] for row in table.rows} == {
        "llama8b": False,
        "qwen32b": True,
        "floor: one grade": False,
    }
    said = note(table, "‡")
    assert "15 of 120" in said
    assert "qwen32b" in said
    assert "Llama" not in said


def test_missing_labels_stand_beside_tau_with_what_it_could_be():
    few, many, whole = (run(model, lines=[line(0.5), line(0.2, labels=ONE_GRADE)]) for model in ("a", "b", "c"))
    ends = {"tried_low": 0.4, "tried_high": 0.55, "bounds_low": -0.25, "bounds_high": 1.0}
    for cell, share in ((few, 0.05), (many, 0.1)):
        cell.metrics.update({"missing": share, **{f"unlabelled/{end}": value for end, value in ends.items()}})
    whole.metrics["missing"] = 0.0
    table = baseline(few, many, whole)
    assert table.columns[2:] == ["trec_dl_2019", "missing", "worst, best", "bounds"]
    assert {row[0]: row[3:] for row in table.rows} == {
        "a": ["5.0%", "[0.40, 0.55]", "[-0.25, 1.00]"],
        "b": ["10.0%§", "[0.40, 0.55]", "[-0.25, 1.00]"],
        "c": ["0.0%", "", ""],
        "floor: one grade": ["", "", ""],
    }
    assert note(table, "missing: the share")
    assert baseline(whole).columns[2:] == ["trec_dl_2019"]
    two = baseline(few, run("c", dataset="rank_distillm", lines=[line(0.5)]))
    assert two.columns[2:] == [
        "rank_distillm",
        "trec_dl_2019",
        "missing, trec_dl_2019",
        "worst, best, trec_dl_2019",
        "bounds, trec_dl_2019",
    ]


def test_the_notes_say_what_the_interval_is_as_it_was_recorded():
    lines = [line(0.5, low=0.25, high=0.75)]
    table = baseline(run(lines=lines, **BOOTSTRAP))
    way = "500 bootstrap resamples of the queries, symmetric, seed 7"
    assert note(table, "in brackets") == f"in brackets: 95% interval, {way}"
    other = {
        f"bootstrap.{name}": value for name, value in Resampling(2000, "systems", "percentile", 1)._asdict().items()
    }
    table = baseline(run(lines=lines, **BOOTSTRAP), run(dataset="rank_distillm", lines=lines, **other))
    text = note(table, "in brackets")
    assert f"{way} (trec_dl_2019)" in text
    assert "2,000 bootstrap resamples of the systems, percentile, seed 1 (rank_distillm)" in text


def test_the_notes_name_the_pool_and_what_became_of_missing_labels():
    table = baseline(run(), run(prompt="basic"))
    assert "missing=drop: a pair without a label is unjudged; pool=qrels: the judged pairs are" in "\n".join(
        table.notes
    )
    text = note(baseline(run(), run("b", missing="zero", pool="runs@20", reader="lenient")), "missing=")
    assert "missing=drop: a pair without a label is unjudged (llama8b zeshot)" in text
    assert "missing=zero: a pair without a label has grade 0 (b zeshot)" in text
    assert "pool=runs@20: the first 20 results of every system are labelled (b zeshot)" in text
    assert "reader=lenient: also takes the likeliest number of an answer (b zeshot)" in text
    ranks = {f"dataset.last_rank.{grade}": rank for grade, rank in ((3, 10), (2, 30), (1, 60))}
    table = baseline(run(dataset="rank_distillm", **ranks))
    assert "rank_distillm: baseline grades from ranks, 3 to rank 10, 2 to rank 30, 1 to rank 60, 0 below" in str(table)


def test_the_notes_name_sizes_and_the_smallest_step():
    assert baseline(run()).notes[0] == "trec_dl_2019: 12 systems (runs), 43 queries (all), one swap is 0.0303"  # 2 / 66


def test_the_notes_define_the_metrics_as_the_users_were_made():
    tags = {**LLM, "user_model.definitions": "DBN, exact; ZRR: no result of grade 2 or more"}
    lines = [line(0.5, "zrr"), line(0.1, "clicks")]
    table = online_table(run(lines=lines, tags=tags, user_model__metrics__zero_result="no_relevant"))
    assert note(table, "dbn:") == "dbn: DBN, exact; ZRR: no result of grade 2 or more"
    expected = "Clicks: in a session; no relevant result: queries that show nothing relevant, recorded as zrr"
    assert note(table, "Clicks:") == expected
    assert note(table, "↓ lower is better")
    tags = {**LLM, "user_model.definitions": "imported from a.csv"}
    table = online_table(run(users="external", lines=lines, tags=tags))
    assert note(table, "external:") == "external: imported from a.csv; what they mean is not recorded"
    assert not [text for text in table.notes if text.startswith(("Clicks", "ZRR"))]


@pytest.mark.parametrize(
    ("settings", "zrr", "ssr"),
    [
        ({"zero_result": "no_relevant", "success": "satisfied"}, "no relevant result ↓", "SSR satisfied"),
        ({"zero_result": "no_results", "success": "dwell", "long_dwell": "30"}, "ZRR ↓", "SSR 30 s click"),
        ({"zero_result": "no_click", "success": "dwell", "long_dwell": "7.5"}, "no click ↓", "SSR 7.5 s click"),
        ({}, "ZRR ↓", "SSR"),  # not recorded
    ],
)
def test_a_column_is_called_by_the_recorded_definition_of_its_metric(settings, zrr, ssr):
    lines = [line(0.5, "zrr"), line(0.1, "ssr"), line(0.9, "clicks")]
    settings = {f"user_model__metrics__{name}": value for name, value in settings.items()}
    table = online_table(run(lines=lines, **settings))
    assert table.columns[2:] == ["Clicks", ssr, zrr]
    names = note(table, "Clicks:").split("; ")
    assert [name.partition(":")[0] for name in names] == ["Clicks", ssr, zrr.removesuffix(" ↓")]
    (table,) = kinds.tables(Recordings([run(lines=lines, **settings)]), ["measures"])
    assert table.columns[3:] == ["Clicks", ssr, zrr]
    (frame,) = kinds.tables(Recordings([run(lines=lines, **settings)]), ["alignment"])
    assert {row[frame.columns.index("reference")] for row in frame.rows} == {"zrr", "ssr", "clicks"}


def test_users_who_define_a_metric_differently_have_columns_of_different_names():
    ways = {"satisfied": "no_relevant", "dwell": "no_results"}
    lines = [line(0.5, "zrr"), line(0.1, "ssr")]
    runs = [
        replace(
            run(lines=lines, user_model__metrics__success=success, user_model__metrics__zero_result=zero), run_id=zero
        )
        for success, zero in ways.items()
    ]
    found = [table.columns[2:] for table in online_tables(Recordings(runs), set())]
    assert sorted(found) == [["SSR 30 s click", "ZRR ↓"], ["SSR satisfied", "no relevant result ↓"]]


def test_sampled_users_have_their_noise_and_what_it_rests_on():
    cells = [run("a", lines=[line(0.5, "ctr")]), run("b", lines=[line(0.9, "ctr")])]
    for cell in cells:
        cell.metrics.update({"noise/ctr": 0.8, "noise_low/ctr": 0.7})
        cell.params.update({"user_model.sessions": "20", "user_model.draws": "10"})
    table = online_table(*cells)
    assert [row[2] for row in table.rows] == ["0.5000", "0.9000≈", "0.8000"]
    assert note(table, "two draws of the users").endswith("any two of 10 draws of 20 sessions a system and query")


def test_nothing_is_said_to_be_missing_from_a_full_grid():
    cells = [run(model, prompt) for model, prompt in product(("a", "b"), ("zeshot", "basic"))]
    assert missing.missing(Grid(), Recordings(cells)) == ([], 4)
    assert missing.notes(Grid(), Recordings(cells)) == []


def test_missing_cells_of_the_combinations_are_named():
    cells = [run("llama8b"), run("llama8b", "basic"), run("qwen32b"), run("llama8b", dataset="rank_distillm")]
    (text,) = [text for text in baseline(*cells).notes if text.startswith("not found")]
    assert "4 of 8 cells (every model with every prompt, dataset): trec_dl_2019: qwen32b basic; " in text
    assert "rank_distillm: llama8b basic, qwen32b basic, qwen32b zeshot" in text


def test_a_model_that_reads_no_prompt_is_not_missed_under_another():
    cells = [run("lexical", "", tags={}), run("a"), run("a", "basic")]
    assert missing.missing(Grid(), Recordings(cells)) == ([], 3)
    lacking, n_expected = missing.missing(Grid(), Recordings([*cells, run("a", users="pbm")]))
    assert n_expected == 6
    assert [(names["model"], names["prompt"], names["user_model"]) for names in lacking] == [
        ("lexical", "", "pbm"),
        ("a", "basic", "pbm"),
    ]


def test_expected_cells_are_named_with_the_reason_of_a_failure():
    expected = swept_names(["experiment=paper"])
    cells = Recordings(run(**{name: names[name] for name in ("model", "prompt", "dataset")}) for names in expected)
    reasons = [Failure(names, names, f"InputError: no {names['model']}\nmore") for names in (expected[0], expected[-1])]
    full = Grid(expected, "experiment=paper", tuple(reasons))
    assert missing.notes(full, cells) == ["all 12 cells of experiment=paper were found"]
    assert missing.notes(full, Recordings(cells.runs[1:])) == [
        "not found: 1 of 12 cells (experiment=paper): trec_dl_2019, users dbn: llama8b zeshot",
        "did not finish: llama8b zeshot, trec_dl_2019, users dbn: InputError: no llama8b",
    ]
    assert missing.notes(full, cells, missing.JUDGED) == ["all 12 cells of experiment=paper were found"]


def test_the_expected_cells_are_those_that_hydra_would_run():
    paper = swept_names(["experiment=paper"])
    assert len(paper) == 12
    assert {names["dataset"] for names in paper} == {"trec_dl_2019", "rank_distillm"}
    assert {names["model"] for names in swept_names(["experiment=paper", "model=lexical"])} == {"lexical"}
    both = swept_names(["user_model=dbn,pbm", "model=lexical", "prompt=choice(zeshot,basic)"])
    assert [(names["user_model"], names["prompt"]) for names in both] == list(
        product(("dbn", "pbm"), ("zeshot", "basic"))
    )
    assert len(swept_names(["model=lexical", "queries.n=1,2", "queries=random"])) == 1
    with pytest.raises(InputError, match="nosuch"):
        swept_names(["prompt=nosuch", "model=a,b"])


@pytest.fixture(scope="module")
def every_kind() -> list[Table]:
    """Every table of two models, two prompts and two datasets, with names that are hard to print."""
    rng = np.random.default_rng(0)
    systems, query_ids = [f"s{place}" for place in range(8)], [f"q{place}" for place in range(6)]
    pairs = pd.DataFrame(list(product(query_ids, map(str, range(5)))), columns=["query_id", "doc_id"])

    def long(columns: list[str], name: str) -> pd.DataFrame:
        rows = [(system, query_id, name, rng.random()) for system, query_id in product(systems, query_ids)]
        return pd.DataFrame(rows, columns=columns)

    truth, clicks = long(frames.SCORES, NDCG), pd.concat([long(frames.ONLINE, name) for name in METRICS])
    runs, files = [], {}
    for model, prompt, dataset in product((ODD, "llama8b"), ("zeshot", f"basic {ODD}"), ("trec_dl_2019", ODD)):
        scores = long(frames.SCORES, NDCG)
        found = [against_baseline(scores, truth, Resampling(20)), against_users(scores, clicks, Resampling(20))]
        alignment = pd.concat([each.assign(labels=kind) for kind in ("model", SHUFFLED, ONE_GRADE) for each in found])
        labels = pairs.assign(relevance=rng.integers(0, 4, len(pairs)))
        metrics = {"n_systems": len(systems), "n_queries": len(query_ids), "n_pairs": len(pairs), "missing": 0.1}
        metrics |= {f"labels/{grade}": 7 for grade in FOUR.grades} | {
            f"labels/{BASELINE}/{grade}": 7 for grade in FOUR.grades
        }
        metrics |= {f"status/{status}": 1 for status in STATUSES} | {"agreement/kappa": 0.5, "correlation/same_best": 1}
        metrics |= {f"family/{name}": -0.1 for name in ("tau_all", "tau_b", "difference", "ci_low", "ci_high")}
        metrics |= {"family/left_out": 2, "family/moved": 1}
        base = run(model, prompt, dataset, tags={**LLM, "family.systems": ODD, "user_model.definitions": ODD})
        settings = {"model.family": ODD, "top": "[3, 5, 20]", **BOOTSTRAP}
        params = {**base.params, **settings}
        recorded = Recorded(None, base.run_id, base.run_id, params, base.tags, metrics, alignment)
        runs.append(recorded)
        sides = [scores.assign(labels="model"), truth.assign(labels=BASELINE)]
        judged = pd.DataFrame({"system": systems, BASELINE: 0.5, "model": 0.25})
        files[base.run_id] = {"scores.parquet": pd.concat(sides), "online.parquet": clicks}
        files[base.run_id] |= {"labels.parquet": labels, "judged.csv": judged}
    failed = {**runs[0].params, "user_model": "dbn"}
    failure = Failure(failed, failed, f"Error: {ODD}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorded, "frame", lambda self, name: files[self.run_id][name])
        patch.setattr(Recorded, "has", lambda self, name: name in files[self.run_id])
        patch.setattr(Recorded, "text", lambda self, name: json.dumps({ODD: systems[:3]}))
        return kinds.tables(
            Recordings(runs[1:]), choices.KINDS, Choices(Grid(failures=(failure,)), with_intervals=True)
        )


def test_every_kind_of_table_compiles_with_pdflatex(every_kind, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("needs pdflatex (Debian: texlive-latex-base and texlive-latex-recommended)")
    text = render(every_kind, "latex")
    (needed,) = re.findall(r"^% needs (\\usepackage{[a-z,]+})\n", text)
    document = f"\\documentclass{{article}}\n{needed}\n\\begin{{document}}\n{text}\\end{{document}}\n"
    (tmp_path / "tables.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-3000:]
    log = (tmp_path / "tables.log").read_text(errors="replace")
    assert not re.findall("Missing character|Float too large|Overfull", log)
    if shutil.which("pdftotext"):
        printed = subprocess.run(["pdftotext", "tables.pdf", "-"], cwd=tmp_path, capture_output=True, text=True).stdout
        for letter in "&%#\\→≥†≈${}<>|*":
            assert letter in printed, letter


def test_every_symbol_that_is_written_here_has_a_latex_form():
    package = ROOT / "src" / "alignir"
    wings = ("tables", "report", "users", "evaluation", "alignment", "experiment", "data")  # whose words tables print
    sources = [package / "formatting.py", *(file for wing in wings for file in (package / wing).rglob("*.py"))]
    written = {letter for file in sources for letter in file.read_text(encoding="utf-8") if not letter.isascii()}
    assert {"–", "°", "†", "≈", "↓", "≥", "≤", "→"} <= written
    assert [letter for letter in sorted(written) if "U+" in latex.escaped(letter)] == []


def test_a_letter_without_a_latex_form_is_not_lost():
    assert latex.escaped("a水b") == "a{[}U+6C34{]}b"
    assert latex.escaped("\x1b") == "{[}U+001B{]}"
    assert latex.escaped("é Å ñ") == r"\'{e} \r{A} \~{n}"
    assert latex.escaped("e\u0301") == r"\'{e}"


def test_a_minus_is_no_hyphen_and_two_hyphens_are_no_dash():
    assert latex.escaped("-0.25 [-0.5, -.1]") == "$-$0.25 {[}$-$0.5, $-$.1{]}"
    assert latex.escaped("gpt-4 2024-05-01 a--b") == "gpt-4 2024-05-01 a-{}-b"


def test_what_does_not_fit_a_page_is_several_tables_or_shrunk():
    long = Table("t", ["model", "b"], [["x", str(number)] for number in range(70)], ["note"])
    text = render([long], "latex")
    assert re.findall(r"\\caption{(.*)}", text) == ["t (1 of 3)", "t (2 of 3)", "t (3 of 3)"]
    assert [int(number) for number in re.findall(r"& (\d+) ", text)] == list(range(70))
    assert text.count("\nx & ") == 3  # the model is named again on each page
    assert text.count("noindent note") == 1
    wide = render([Table("t", ["a", "b", "c" * 100], [["x", "y", "z"]])], "latex")
    assert wide.startswith("% needs \\usepackage{booktabs,graphicx}\n")
    small = render([Table("Table 1. Title", ["a", "b"], [["[x", "*"]])], "latex")
    assert small.startswith("% needs \\usepackage{booktabs}\n")
    assert "\\caption{Title}" in small  # LaTeX counts itself


class Page(HTMLParser):
    """A page read strictly: every tag is closed in turn, and what stands in cells, captions and notes is kept."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.texts, self.links = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)
        if tag in ("th", "td", "figcaption", "li"):
            self.texts.append((tag, ""))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("th", "td", "figcaption", "li"):
            tag, text = self.texts.pop()
            self.texts.append((tag, text + data))


def test_the_page_of_every_kind_is_well_formed_and_needs_no_other_file(every_kind):
    text = render(every_kind, "html")
    page = Page(text)
    assert page.links == []
    assert not re.search(r"url\(|@import|<script", text)
    assert text.startswith("<!DOCTYPE html>\n")
    cells = [cell for tag, cell in page.texts if tag in ("th", "td")]
    assert len(cells) == sum(len(table.columns) * (1 + len(table.rows)) for table in every_kind)
    assert [cell for tag, cell in page.texts if tag == "figcaption"] == [table.title for table in every_kind]
    notes = [cell for tag, cell in page.texts if tag == "li"]
    assert set(notes) == {each for table in every_kind for each in table.notes}
    definitions = [each for each in notes if each.startswith("tau_b: Kendall's")]
    assert len(definitions) == 1  # of both tables that say it


def test_nothing_in_a_cell_is_html():
    hard = '<script>alert("1")</script>&amp;'
    text = render([Table(hard, ["a", hard], [["x", hard]], [hard])], "html")
    assert "<script" not in text
    assert [cell for _, cell in Page(text).texts] == [hard, "a", hard, "x", hard, hard]


def test_tables_of_a_csv_are_told_apart_by_their_titles(every_kind):
    printed = {id(table): table for table in (each.records or each for each in every_kind)}.values()
    assert len(printed) < len(every_kind)
    for table, text in zip(printed, render(every_kind, "csv").split("\n\n"), strict=True):
        title, _, body = text.partition("\n")
        assert title == f"# {table.title}"
        assert list(csv.reader(io.StringIO(body))) == [table.columns, *table.rows]


@pytest.mark.parametrize("form", ["rich", "markdown"])
def test_every_note_is_printed(every_kind, form):
    text = "".join(render(every_kind, form).split())
    assert all("".join(each.split()) in text for table in every_kind for each in table.notes)
