"""Labels in files: `alignir agreement` and `alignir align` read no texts, record nothing, give published numbers."""

import csv
import io

import pandas as pd
import pytest
from conftest import DATA
from scipy.stats import kendalltau

from alignir.commands import door


def printed(capsys, monkeypatch, *arguments) -> str:
    monkeypatch.setattr("sys.argv", ["alignir", *map(str, arguments)])
    assert door.main() == 0
    return capsys.readouterr().out


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Qrels, two judges (one of them binary) and two systems."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "qrels.txt").write_text("q1 0 a 3\nq1 0 b 0\nq1 0 c 2\nq2 0 a 0\nq2 0 b 1\nq2 0 c 3\n")
    (tmp_path / "same.qrels").write_text("q1 0 a 3\nq1 0 b 0\nq1 0 c 2\nq2 0 a 0\nq2 0 b 1\nq2 0 c 3\n")
    (tmp_path / "yes.qrels").write_text("q1 0 a 1\nq1 0 b 0\nq1 0 c 1\nq2 0 a 0\nq2 0 b 1\nq2 0 c 1\n")
    (tmp_path / "runs").mkdir()
    for system, order in (("good", "acb"), ("bad", "bac"), ("last", "bca")):
        lines = [
            f"{query_id} Q0 {doc_id} 1 {9 - rank} t" for query_id in ("q1", "q2") for rank, doc_id in enumerate(order)
        ]
        (tmp_path / "runs" / f"{system}.run").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_agreement_draws_each_sides_own_line(files, capsys, monkeypatch):
    table = printed(capsys, monkeypatch, "agreement", "qrels.txt", "same.qrels", "yes.qrels", "--format", "csv")
    first = list(csv.DictReader(io.StringIO(table.split("\n\n")[0].partition("\n")[2])))
    assert [row["labels"] for row in first] == ["same", "yes"]
    assert first[0]["kappa"] == first[0]["kappa, relevant"] == "1.0000"
    assert first[1]["kappa"] == "–"  # 0 and 1 are no grades of 0-3
    assert first[1]["kappa, relevant"] == "0.6667"  # 5 of 6 agree, by chance 3 of 6 do
    text = printed(capsys, monkeypatch, "agreement", "qrels.txt", "yes.qrels", "--format", "markdown")
    assert "qrels 0-3, from 2; yes 0-1, from 1" in text
    assert not (files / "mlruns").exists()


def test_align_is_scipys_tau_of_trec_evals_means(files, capsys, monkeypatch):
    from alignir.evaluation.scores import evaluate
    from alignir.notebook.session import read_runs

    arguments = ["--qrels", "qrels.txt", "--labels", "same.qrels", "--labels", "yes.qrels", "--runs", "runs"]
    found = printed(capsys, monkeypatch, "align", *arguments, "--format", "csv", "--users", "dbn")
    rows = list(csv.DictReader(io.StringIO(found)))
    runs = read_runs(files / "runs")
    sides = {}
    for name in ("qrels.txt", "yes.qrels"):
        labels = pd.read_csv(files / name, sep=" ", names=["query_id", "i", "doc_id", "relevance"])
        sides[name] = evaluate(labels, runs).groupby("system")["value"].mean()
    expected = kendalltau(*sides.values()).statistic
    (row,) = [row for row in rows if row["labels"] == "yes" and row["reference"] == "baseline"]
    assert float(row["tau_b"]) == pytest.approx(expected, abs=1e-12)
    assert {row["reference"] for row in rows if row["labels"] == "qrels"} >= {"clicks", "ssr"}
    assert not (files / "mlruns").exists()


def test_a_file_that_is_not_named_has_no_scale(files, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["alignir", "agreement", "qrels.txt", "yes.qrels", "--relevant-from", "no=1"])
    assert door.main() == 1
    assert "--relevant-from no=1: there is no file no; there are qrels, yes" in capsys.readouterr().err


def test_the_thirteen_published_judges(capsys, monkeypatch):
    """kappa of grades and of relevant or not, each judge on its own scale, and tau over all systems."""
    folder = DATA / "trec-dl-2019"
    if not folder.is_dir():
        pytest.skip(f"needs the real data in {DATA}, which is not part of the repository")
    published = pd.read_csv(folder / "llm_labels" / "judges.tsv", sep="\t").set_index("judge")
    labels = [folder / "llm_labels" / f"{judge}.qrels.gz" for judge in published.index]
    line = ["--relevant-from", "exam_graded_max_gpt4=4"]
    found = printed(capsys, monkeypatch, "agreement", folder / "qrels.txt", *labels, *line, "--format", "csv")
    table = pd.read_csv(io.StringIO(found.split("\n\n")[0].partition("\n")[2]), na_values="–").set_index("labels")
    assert len(table) == 13
    assert table["kappa, relevant"].to_dict() == published["kappa_bin"].to_dict()
    assert table["kappa"].dropna().to_dict() == published["kappa4"].dropna().to_dict()
    given = [argument for file in labels for argument in ("--labels", file)]
    arguments = ["--qrels", folder / "qrels.txt", *given, "--runs", folder / "runs", "--B", 0, *line, "--format", "csv"]
    rows = pd.read_csv(io.StringIO(printed(capsys, monkeypatch, "align", *arguments))).set_index("labels")
    # Seven of the published ones broke a tie of two systems that show the same results, which is less than a swap.
    assert (rows["tau_b"] - published["tau_all46"]).abs().max() < 0.0005 < 4 / (46 * 45)


def test_files_that_name_queries_by_their_texts_are_joined_with_them(files, capsys, monkeypatch):
    (files / "queries.tsv").write_text("q1\tred apples\nq2\tgreen pears\n")
    (files / "quepid.csv").write_text("query,docid,rating\nred apples,a,3\nred apples,b,1\ngreen pears,c,\n")
    found = printed(
        capsys, monkeypatch, "agreement", "qrels.txt", "quepid.csv", "--queries", "queries.tsv", "--format", "csv"
    )
    (row,) = csv.DictReader(io.StringIO(found))
    assert (row["labels"], row["pairs"], row["exact"]) == ("quepid", "2", "0.5000")
    monkeypatch.setattr("sys.argv", ["alignir", "agreement", "qrels.txt", "quepid.csv"])
    assert door.main() == 1
    assert (
        "by query and doc_id in quepid.csv, and by query_id and doc_id in qrels.txt: texts of queries become ids"
        in (capsys.readouterr().err)
    )


def test_files_that_name_passages_by_their_texts_agree_with_each_other_only(files, capsys, monkeypatch):
    for name in ("one.jsonl", "two.jsonl"):
        lines = [f'{{"query": "red", "passage": "p{n}", "judgment": {n}, "result_status": 1}}\n' for n in range(3)]
        (files / name).write_text("".join(lines))
    found = printed(capsys, monkeypatch, "agreement", "one.jsonl", "two.jsonl", "--format", "csv")
    assert next(csv.DictReader(io.StringIO(found)))["exact"] == "1.0000"
    monkeypatch.setattr("sys.argv", ["alignir", "agreement", "qrels.txt", "one.jsonl"])
    assert door.main() == 1
    assert "texts of passages are joined by model=replay, with those of a dataset" in capsys.readouterr().err
