"""The headline measure: what it is a person says, and every table, figure and page of a run is about it."""

import csv
import io

import matplotlib
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr

from alignir.commands import cell_report
from alignir.config import composed_cell
from alignir.errors import InputError
from alignir.experiment import description, pipeline
from alignir.experiment.inputs import read_inputs
from alignir.experiment.keys import key
from alignir.experiment.queries import select
from alignir.frames import BASELINE, LEXICAL
from alignir.labelling.graders import Lexical
from alignir.report import entries, methods, system_figures
from alignir.tables.choices import KINDS, Choices
from alignir.tables.kinds import tables, tables_by_kind
from alignir.tables.names import headline
from alignir.tables.paper import baseline_tables
from alignir.tracking.recorder import Recorder
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import read_runs

SMALL = ("model=lexical", "systems=bm25", "systems.stem=[false]", "floor.shuffles=2", "bootstrap.B=50")
OTHERS = ("nDCG@3", "AP(rel=2)", "rbp_0.8")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Runs of one judge by four headline measures, made in one process."""
    folder = tmp_path_factory.mktemp("headline")
    recorder = Recorder(f"sqlite:///{folder / 'mlflow.db'}", "alignir")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for measure in ("nDCG@10", *OTHERS):
            pipeline.run(composed_cell([*SMALL, f'headline="{measure}"']), recorder)
        yield {run.headline: run for run in read_runs(recorder.uri, "alignir")}


@pytest.fixture(scope="module")
def inputs():
    return read_inputs(composed_cell([*SMALL]))


def lexical(inputs) -> pd.DataFrame:
    """QRELS as the judge gives them."""
    grades = Lexical().grade(inputs.dataset.pairs())
    return inputs.dataset.qrels.assign(relevance=[int(grade) for grade in grades])


def by_ir_measures(measure: str, labels: pd.DataFrame, inputs) -> pd.Series:
    """The mean of each system, as ir_measures computes it by itself."""
    import ir_measures

    parsed = ir_measures.parse_measure({"rbp_0.8": "RBP(p=0.8,rel=2)"}.get(measure, measure))
    frame = inputs.runs.frame
    frame = frame.assign(score=-frame["rank"].astype(float))  # ties stand as trec_eval has them
    values = [
        (system, found.query_id, found.value)
        for system, run in frame.groupby("system")
        for found in ir_measures.iter_calc([parsed], labels, run)
    ]
    return pd.DataFrame(values).groupby(0)[2].mean()


@pytest.mark.parametrize("measure", ["nDCG@10", *OTHERS])
def test_tables_and_page_are_about_the_headline_with_the_tau_of_independent_scores(recorded, inputs, measure):
    run, qrels = recorded[measure], inputs.dataset.qrels
    scores = run.frame("scores.parquet")
    scores = scores[scores["measure"] == headline(run)]
    judge, people = (
        scores[scores["labels"] == labels].groupby("system")["value"].mean() for labels in ("model", BASELINE)
    )
    for side, labels in ((judge, lexical(inputs)), (people, qrels)):  # its last digits break ties, so not its tau
        assert side.to_dict() == pytest.approx(by_ir_measures(measure, labels, inputs).to_dict(), abs=1e-12)
    tau = kendalltau(judge, people).statistic
    alone = Recordings([run])
    table = tables(alone, ["baseline"])[0]
    found = {row[0]: row[2] for row in table.rows}
    assert table.title == f"Table 1. Alignment of {measure} against baseline labels (Kendall's tau_b)"
    assert found["lexical"].value == pytest.approx(tau, abs=1e-9)
    assert found["floor: lexical"].value == pytest.approx(tau, abs=1e-9)
    assert found["baseline labels"].value == pytest.approx(1)

    online = tables(alone, ["online"])[0]
    clicks = run.frame("online.parquet").query("metric == 'clicks'").groupby("system")["value"].mean()
    found = {row[0]: row[2] for row in online.rows}
    assert online.title.startswith(f"Table 2. Alignment of {measure} with online metrics")
    assert found["lexical"].value == pytest.approx(kendalltau(judge, clicks[judge.index]).statistic, abs=1e-9)
    assert found["baseline labels"].value == pytest.approx(kendalltau(people, clicks[judge.index]).statistic, abs=1e-9)

    (table,) = tables(alone, ["correlations"])
    assert table.title.startswith(f"Other correlations of {measure} with the baseline labels")
    assert table.rows[0][2].value == pytest.approx(tau, abs=1e-9)
    assert table.rows[0][3].value == pytest.approx(spearmanr(judge, people).statistic, abs=1e-9)
    text = run.tags["mlflow.note.content"]
    assert f"baseline labels {tau:.4f}**" in text
    assert f": {measure} of 12 systems on 36 queries." in text


@pytest.mark.parametrize("measure", OTHERS)
def test_nothing_of_another_headline_says_ndcg_10(recorded, measure):
    run = recorded[measure]
    for kind, some in tables_by_kind(Recordings([run]), KINDS).items():
        for table in some:
            said = "\n".join(
                [table.title, *table.columns, *map(str, table.notes), *(" ".join(row) for row in table.rows)]
            )
            assert "nDCG@10" not in said, kind
            assert "ndcg_cut_10" not in said, kind
    drawn = [system_figures.scores, system_figures.ranks, system_figures.online, system_figures.taus]
    for kind in drawn:
        for figure in kind(Recordings([run])):
            file = io.StringIO()
            with matplotlib.rc_context({"svg.fonttype": "none"}):
                figure.draw().savefig(file, format="svg")
            assert "nDCG@10" not in file.getvalue()
            assert measure in file.getvalue()
    text = "\n".join(line for part in methods.parts(entries.read(Recordings([run]))) for line in part.sentences)
    assert "nDCG@10" not in text
    assert f"{measure}: " in text
    assert "nDCG@10" not in run.tags["mlflow.note.content"]


def test_runs_of_different_headlines_share_no_column(recorded):
    recordings = Recordings(recorded.values())
    found = baseline_tables(recordings, set(), Choices(top=()))
    assert [table.title.split(" ")[4] for table in found] == ["nDCG@10", *OTHERS]
    assert [table.columns[2:] for table in found] == [[f"demo (headline={name})"] for name in ("nDCG@10", *OTHERS)]
    values = [table.rows[0][2].value for table in found]
    assert len(set(values)) == 4
    assert len({run.setting for run in recordings}) == 4
    assert len(tables(recordings, ["online"])) == len(tables(recordings, ["correlations"])) == 4


def test_two_names_of_one_measure_are_one_cell(inputs):
    cells = [composed_cell([*SMALL, *more]) for more in ([], ["headline=ndcg_cut_10"], ["headline=NDCG@10"])]
    assert {cell.headline for cell in cells} == {"ndcg_cut_10"}
    assert len({key(cell, inputs) for cell in cells}) == 1
    other = composed_cell([*SMALL, "headline=nDCG@20"])
    assert key(other, inputs) != key(cells[0], inputs)


def test_a_headline_that_is_no_measure_is_told_at_once():
    with pytest.raises(InputError, match="headline: there is no measure 'clicks'"):
        composed_cell(["headline=clicks"])
    with pytest.raises(InputError, match=r"""needs quotes, inside those of the shell: 'headline="AP\(rel=2\)"'"""):
        composed_cell(["headline=AP(rel=2)"])


def test_queries_are_chosen_by_the_headline(inputs):
    def varying(dataset, scores):
        assert scores["measure"].unique().tolist() == ["P_3"]
        return [scores.groupby("query_id")["value"].var().idxmax()]

    (chosen,) = select(varying, inputs.dataset, inputs.runs, "P_3")
    shown = inputs.runs.grades(inputs.dataset.qrels, 3) >= 2
    spread = pd.Series(shown.mean(axis=2).var(axis=0, ddof=1), index=inputs.runs.query_ids)
    assert spread[chosen] == pytest.approx(spread.max())


def test_the_budget_is_of_the_headline(budget_script):
    """P_4 is of quarters, which floats hold exactly, so that equal means are equal."""
    found = budget_script(*SMALL, "headline=P_4", "--format", "csv", "--draws", "2", "--queries", "2").stdout
    assert "by P_4" in found.splitlines()[0]
    rows = list(csv.DictReader(found.partition("\n\n")[0].splitlines()[1:]))
    (tau,) = {row["lexical"] for row in rows if row["queries"] == "36" and row["strategy"] == "most_judged"}
    cell = composed_cell([*SMALL, "headline=P_4"])
    inputs = read_inputs(cell)
    sides = [
        pd.Series((inputs.runs.grades(side, 4) >= 2).mean(axis=(1, 2)), index=inputs.runs.systems)
        for side in (lexical(inputs), inputs.dataset.qrels)
    ]
    assert float(tau.split(" ")[0]) == pytest.approx(kendalltau(*sides).statistic, abs=5e-4)


def test_the_page_of_a_run_says_its_headline():
    metrics = {f"tau_b/AP-rel.2/{BASELINE}": 0.5, "n_systems": 2, "n_queries": 1, "missing": 0.0, "n_pairs": 1}
    assert "AP(rel=2) of 2 systems on 1 query" in description.description(metrics, "AP-rel.2")


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ([], ("no relevant result", "SSR satisfied")),
        (["assumption=zero_no_results"], ("ZRR", "SSR satisfied")),
        (["assumption=success_dwell", "user_model.metrics.long_dwell=20"], ("no relevant result", "SSR 20 s click")),
    ],
)
def test_metrics_are_called_by_the_definition_that_the_cell_records(setting, names, capsys, tmp_path, monkeypatch):
    """On the terminal, on the run's page, in tables and figures; what is recorded keeps its key."""
    monkeypatch.chdir(tmp_path)
    recorder = Recorder(f"sqlite:///{tmp_path / 'mlflow.db'}", "alignir")
    cell = composed_cell([*SMALL, "bootstrap.B=0", *setting])
    cell_report.show(cell, pipeline.run(cell, recorder))
    printed = capsys.readouterr().out
    (run,) = read_runs(recorder.uri, "alignir")
    page = run.tags["mlflow.note.content"]
    (figure,) = system_figures.taus(Recordings([run]))
    drawn = {text.get_text().replace("\n", " ") for text in figure.draw().axes[0].get_xticklabels()}
    (table,) = tables(Recordings([run]), ["online"])
    zrr, ssr = names
    for name in (f"{zrr} ↓", ssr):
        assert name.removesuffix(" ↓") in printed
        assert f"| {name} |" in page
        assert name in drawn
        assert [title for title in table.columns if name in title.split(" = ")]
    assert {"tau_b/ndcg_cut_10/zrr", "tau_b/ndcg_cut_10/ssr"} <= set(run.metrics)
    assert {"zrr", "ssr"} <= set(run.frame("online.parquet")["metric"])


def test_the_floors_are_of_the_headline(recorded):
    run = recorded["rbp_0.8"]
    of_floor = run.alignment[run.alignment["labels"] == LEXICAL]
    assert set(of_floor["offline"]) == {"rbp_0.8"}
