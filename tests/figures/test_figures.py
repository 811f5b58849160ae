"""Figures: what is drawn is what the frames say, and it can be read in print."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from scipy.stats import kendalltau, linregress

from alignir.alignment.top import AMONG
from alignir.config import composed_cell
from alignir.data.scales import FOUR
from alignir.errors import InputError
from alignir.evaluation import agreement
from alignir.experiment import pipeline
from alignir.figures import canvas, curves, svg, systems
from alignir.figures.budget import budget_figure, human_figure
from alignir.figures.judges import judges_figure
from alignir.figures.labels import calibration_figure, confusion_figure, distribution_figure
from alignir.figures.online import online_figure
from alignir.figures.sensitivity import sensitivity_figure
from alignir.figures.taus import tau_figure
from alignir.frames import ALIGNMENT, BUDGET, HUMAN
from alignir.labelling.scripted import Scripted
from alignir.report import gallery, label_figures
from alignir.report.figure import pages
from alignir.tracking.recorder import Recorder
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded, read_runs
from alignir.users.metrics import METRICS

JUDGES = [f"{model} {prompt}" for model in ("llama8b", "gptoss20b", "qwen32b") for prompt in ("zeshot", "zeshot basic")]


def scores(n_systems: int, judges: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    baseline = rng.random(n_systems)
    sides = {"baseline labels": baseline} | {judge: baseline + rng.normal(0, 0.2, n_systems) for judge in judges}
    return pd.DataFrame(sides, index=[f"a-system-with-a-name-{i}" for i in range(n_systems)])


def taus(table: pd.DataFrame) -> pd.DataFrame:
    found = {judge: kendalltau(table[judge], table["baseline labels"]).statistic for judge in table.columns[1:]}
    return pd.DataFrame({"tau_b": found}).assign(ci_low=0.125, ci_high=0.875)


def calibrated(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 4, n)
    ids = pd.DataFrame({"query_id": "q", "doc_id": [f"d{i}" for i in range(n)]})
    expected = np.clip(grades + rng.normal(0, 0.6, n), 0, 3)
    return agreement.calibration(ids.assign(relevance=grades), ids.assign(expected=expected), FOUR)


def of_grades(judges: list[str]) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(0)
    return {judge: pd.DataFrame(rng.integers(0, 150_000, (4, 4))) for judge in judges}


def among(judges: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [(judge, k, rng.random(), 0.1, 1.0) for judge in judges for k in (46, 20, 5)]
    return pd.DataFrame(rows, columns=AMONG)


def every_figure(judges: list[str], n_systems: int) -> dict:
    """One of each kind."""
    table, rng = scores(n_systems, judges), np.random.default_rng(0)
    online = pd.DataFrame({metric: rng.random(n_systems) for metric in METRICS}, index=table.index)
    grid = pd.DataFrame(rng.uniform(-1, 1, (len(judges), 9)), index=judges, columns=["baseline", *METRICS])
    grid.iloc[0, 3] = np.nan
    users = pd.DataFrame(rng.random((8, len(table.columns))), index=list(METRICS), columns=table.columns)
    curve = pd.DataFrame([(m, 0.5, 0.4, 0.6, 9, size) for m in METRICS for size in (1, 1000)])
    curve.columns = ["metric", "tau_b", "ci_low", "ci_high", "draws", "sessions"]
    budget = [(s, "model", n, 9.5 * n, 0.5, 0.4, 0.6, 9) for s in ("random", "greedy") for n in (1, 2000)]
    budget = pd.DataFrame(budget, columns=BUDGET)
    human = pd.DataFrame([dict.fromkeys(HUMAN, 0.5) | {"way": "both", "labels": n} for n in (20, 2000)])
    users_of = ("dbn", *(f"dbn, assumption_{number}" for number in range(18)))
    sensitive = [(judge, user, m, rng.random(), 0.01) for judge in judges for user in users_of for m in METRICS]
    sensitive = pd.DataFrame(sensitive, columns=["judge", "user_model", "metric", "tau_b", "p_value"])
    counts = pd.DataFrame({judge: [100, 50, 2000, 3, 60] for judge in judges}, index=[0, 1, 2, 3, "none"])
    title = "what it is about, of a data set: 46 systems, 2,000 queries, users: informational"
    return {
        "judges": judges_figure(
            sized(judges).rename(columns={"model": "judge"}).assign(worse=True), sized(judges)[:0], 0.9, title
        ),
        "labels": distribution_figure(counts, title),
        "confusion": confusion_figure(of_grades(judges), title),
        "calibration": calibration_figure({judge: calibrated(9000) for judge in judges}, title),
        "scores": systems.scores_figure(table, taus(table), title),
        "ranks": systems.ranks_figure(table, title),
        "online": online_figure(table, online, users, title),
        "tau": tau_figure(grid, grid.abs() > 0.05, title, 1),
        "top": curves.top_figure(among(judges), pd.Series({5: 0.5, 46: 0.9}), title),
        "size": curves.size_figure(sized(judges), title),
        "cost": curves.cost_figure(priced(judges), {"tokens": "of a pair", "price": "of 1,000 pairs"}, title),
        "traffic": curves.traffic_figure(curve, 0.9, title),
        "budget": budget_figure(budget, {"model": "a model"}, 0.9, title),
        "human": human_figure(human, title),
        "sensitivity": sensitivity_figure(sensitive, "dbn", title),
    }


def priced(judges: list[str]) -> pd.DataFrame:
    """Judges of 100, 200, ... tokens; the first has no price, the others 0.01, 0.1, ..."""
    rows = [
        (judge, 0.5 + place / 20, 0.3, 1, 100 * (1 + place), 0.001 * 10**place) for place, judge in enumerate(judges)
    ]
    found = pd.DataFrame(rows, columns=["judge", "tau_b", "ci_low", "ci_high", "tokens", "price"])
    return found.assign(price=found["price"].where(found.index > 0))


def sized(judges: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (judge, prompt, 0.6 * 2**place, *(rng.uniform(0.2, 0.9) + np.array([0, -0.1, 0.1])))
        for place, judge in enumerate(judges)
        for prompt in ("zeshot", "basic")
    ]
    return pd.DataFrame(rows, columns=["model", "prompt", "billions", "tau_b", "ci_low", "ci_high"])


def test_a_judge_stands_at_its_size_and_the_line_is_that_of_least_squares():
    rows = sized(["one", "two", "three"])
    for prompt, panel in zip(("zeshot", "basic"), curves.size_figure(rows, "").axes, strict=True):
        here = rows[rows["prompt"] == prompt]
        *drawn, line = panel.lines
        assert [each.get_xydata()[0].tolist() for each in drawn[1::2]] == here[
            ["billions", "tau_b"]
        ].to_numpy().tolist()
        found = linregress(np.log10(here["billions"]), here["tau_b"])
        assert line.get_ydata() == pytest.approx(found.intercept + found.slope * np.log10(line.get_xdata()))


def test_a_judge_stands_at_its_cost_and_its_tau_and_not_where_its_cost_is_not_known():
    rows = priced(JUDGES[:4])
    figure = curves.cost_figure(rows, {"tokens": "of a pair", "price": "of 1,000 pairs"}, "")
    for cost, panel in zip(("tokens", "price"), figure.axes, strict=True):
        drawn = {line.get_label(): tuple(line.get_xydata()[0]) for line in panel.lines if len(line.get_xydata()) == 1}
        known = rows.dropna(subset=cost)
        assert drawn == dict(zip(known["judge"], zip(known[cost], known["tau_b"], strict=True), strict=True))
        intervals = [tuple(line.get_ydata()) for line in panel.lines if len(line.get_xydata()) == 2]
        assert intervals == [(0.3, 1)] * len(known)
    assert set(JUDGES[:4]) <= set(texts(figure.legends[0]))


def texts(artist) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in artist.findobj(Text) if text.get_text()]


@pytest.mark.parametrize(("judges", "n_systems"), [(JUDGES[:1], 8), (JUDGES, 46)], ids=["1 judge", "6 judges"])
def test_everything_fits_a_page_and_has_letters_of_8_points_within_the_picture(judges, n_systems):
    from matplotlib.text import Text

    for name, figure in every_figure(judges, n_systems).items():
        width, height = figure.get_size_inches()
        assert width <= 7, name
        assert height <= 9, name
        figure.draw_without_rendering()
        edges = figure.get_tightbbox()  # inches of what is drawn
        assert edges.x0 >= -0.02, name
        assert edges.y0 >= -0.02, name
        assert edges.x1 <= width + 0.02, name
        assert edges.y1 <= height + 0.02, name
        assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 8, name


def test_bars_are_the_shares_of_the_labels():
    counts = pd.DataFrame({"baseline labels": [6, 2, 1, 1], "a judge": [1, 1, 1, 5]}, index=[0, 1, 2, 3])
    (panel,) = distribution_figure(counts, "").axes
    drawn = np.array([[bar.get_width() for bar in grade] for grade in panel.containers])
    assert drawn == pytest.approx((counts / counts.sum()).to_numpy())
    assert {"60%", "62%", "10", "8"} <= set(texts(panel))


@pytest.mark.parametrize("shape", [(4, 4), (4, 5), (2, 4), (6, 4), (2, 6)])
def test_confusion_of_two_scales_is_within_the_picture(shape):
    figure = confusion_figure(
        {"smollm2 zeshot": pd.DataFrame(np.ones(shape))}, "Judges' labels against baseline labels, demo: 40 pairs"
    )
    width, height = figure.get_size_inches()
    figure.draw_without_rendering()
    edges = figure.get_tightbbox()
    assert 0 <= edges.x0 < edges.x1 <= width
    assert 0 <= edges.y0 < edges.y1 <= height


def test_confusion_says_shares_of_rows_and_counts_and_a_grade_without_pairs_is_no_zero():
    table = pd.DataFrame([[3, 1, 0, 0], [0, 2, 0, 0], [0, 0, 0, 7], [0, 0, 0, 0]])
    (panel,) = confusion_figure({"a judge": table}, "").axes
    cells = [text.get_text() for text in panel.texts]
    assert cells[:4] == ["75%\n3", "25%\n1", "0%\n0", "0%\n0"]
    assert cells[11] == "100%\n7"
    assert cells[12:] == ["–"] * 4


def test_panels_of_scores_hold_every_system_and_the_tau_that_scipy_finds():
    table = scores(20, JUDGES)
    figure = systems.scores_figure(table, taus(table), "")
    for judge, panel in zip(JUDGES, figure.axes, strict=True):
        tau = kendalltau(table["baseline labels"], table[judge]).statistic
        assert panel.get_title().endswith(f"tau {tau:.3f} [0.12, 0.88]")
        drawn = np.concatenate([points.get_offsets() for points in panel.collections])
        assert sorted(map(tuple, drawn)) == sorted(zip(table["baseline labels"], table[judge], strict=True))


def test_each_judge_has_its_taus_over_k_beside_the_others_and_the_ceiling():
    rows, ceilings = among(JUDGES), pd.Series({46: 0.9, 5: 0.5})
    for judge, panel in zip(JUDGES, curves.top_figure(rows, ceilings, "").axes, strict=True):
        drawn = {line.get_label(): line.get_xydata().tolist() for line in panel.lines}
        own = rows[rows["judge"] == judge].sort_values("top")
        assert drawn["judge"] == own[["top", "tau_b"]].to_numpy().tolist()
        assert drawn["baseline, resampled"] == [[5, 0.5], [46, 0.9]]
        assert len(panel.lines) == len(JUDGES) + 2  # with the ceiling and the line at 0


def test_who_moves_most_is_named_with_the_ranks_it_moved():
    table = pd.DataFrame({"baseline labels": [0.9, 0.8, 0.7, 0.6, 0.5], "a judge": [0.1, 0.8, 0.7, 0.6, 0.5]})
    table.index = ["fallen", "b", "c", "d", "e"]
    assert list(systems.moves(table["a judge"], table["baseline labels"])) == [-4, 1, 1, 1, 1]
    (panel,) = systems.scores_figure(table, taus(table), "").axes
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["fallen -4", "b +1", "c +1", "d +1"]
    bump = systems.ranks_figure(table, "").axes[0]
    (line,) = [line for line in bump.lines if line.get_linewidth() > 1]
    assert list(line.get_ydata()) == [1, 5]


def test_a_judge_that_moves_nobody_names_nobody():
    table = scores(8, ["a judge"]).assign(**{"a judge": lambda frame: frame["baseline labels"] / 2})
    (panel,) = systems.scores_figure(table, taus(table), "").axes
    assert panel.get_legend() is None
    assert "tau 1.000" in panel.get_title()


def test_lines_of_ranks_are_the_ranks_and_every_system_has_its_name():
    table = scores(12, JUDGES)
    (panel,) = systems.ranks_figure(table, "").axes
    drawn = sorted(tuple(line.get_ydata()) for line in panel.lines)
    assert drawn == sorted(map(tuple, table.rank(ascending=False).to_numpy()))
    left, right = ([text.get_text() for text in axes.get_yticklabels()] for axes in (panel, *panel.child_axes))
    by_rank = table.index[table["baseline labels"].argsort()[::-1]]
    assert left == [f"{rank}  {system}" for rank, system in enumerate(by_rank, 1)]
    assert right == list(table.index[table[JUDGES[-1]].argsort()[::-1]])


def test_panels_of_online_metrics_hold_both_sides_and_their_taus():
    table = scores(9, ["a judge"])
    rng = np.random.default_rng(1)
    online = pd.DataFrame({"clicks": rng.random(9), "sar": rng.random(9)}, index=table.index[::-1])
    joined = online.reindex(table.index)
    found = {side: {metric: kendalltau(table[side], joined[metric]).statistic for metric in online} for side in table}
    found = pd.DataFrame(found)
    clicks, sar = online_figure(table, online, found, "").axes
    assert clicks.get_ylabel() == f"Clicks\n○ tau {found.iloc[0, 0]:.3f}"
    assert clicks.texts[0].get_text() == f"▲ tau {found.iloc[0, 1]:.3f}"
    assert sar.get_ylabel().startswith("SAR ↓\n")
    for side, points in zip(table, clicks.lines, strict=True):
        x, y = points.get_data()
        assert list(y) == list(joined["clicks"])
        assert np.corrcoef(x, table[side])[0, 1] == pytest.approx(1)  # the scores, moved and stretched
    ticks = zip(sar.get_xticks(), sar.get_xticklabels(), strict=True)
    slope, start = np.polyfit(table["a judge"], clicks.lines[1].get_xdata(), 1)
    assert all(place == pytest.approx(start + slope * float(label.get_text())) for place, label in ticks)


def test_calibration_is_the_mean_grade_of_each_bin():
    pairs = pd.DataFrame({"query_id": "q", "doc_id": list("abcde")})
    baseline = pairs.assign(relevance=[0, 1, 3, 2, 3])
    labels = pairs.assign(expected=[0.1, 0.3, 3.0, np.nan, 2.5])
    table = agreement.calibration(baseline, labels, FOUR)
    assert list(table["pairs"]) == [2, 0, 0, 0, 0, 2]  # one pair has no expected grade
    assert table.loc[0, ["expected", "baseline"]].tolist() == pytest.approx([0.2, 0.5])
    assert table.loc[5, ["expected", "baseline"]].tolist() == pytest.approx([2.75, 3])
    assert table.loc[1:4, ["expected", "baseline"]].isna().all(axis=None)
    assert agreement.calibration_error(table) == pytest.approx((2 * 0.3 + 2 * 0.25) / 4)
    (panel,) = calibration_figure({"a judge": table}, "").axes
    assert panel.lines[1].get_xydata() == pytest.approx(np.array([[0.2, 0.5], [2.75, 3]]))
    assert [text.get_text() for text in panel.texts] == ["2", "0", "0", "0", "0", "2"]


def test_expected_grades_that_are_the_baselines_have_no_calibration_error():
    pairs = pd.DataFrame({"query_id": "q", "doc_id": list("abcd"), "relevance": [0, 1, 2, 3]})
    assert (
        agreement.calibration_error(agreement.calibration(pairs, pairs.assign(expected=pairs["relevance"]), FOUR)) == 0
    )
    nothing = agreement.calibration(pairs, pairs.assign(expected=np.nan), FOUR)
    assert np.isnan(agreement.calibration_error(nothing))


def recorded(model: str, metrics: dict) -> Recorded:
    names = {"dataset": "demo", "prompt": "zeshot", "systems": "bm25", "queries": "all", "user_model": "dbn"}
    names |= {"headline": "nDCG@10"}
    sizes = {"n_pairs": 120, "n_systems": 24, "n_queries": 12}
    line = ("ndcg_cut_10", "clicks", 0.5, 0.01, 0.3, 0.7, 24, 12, "model")
    alignment = pd.DataFrame([line], columns=[*ALIGNMENT, "labels"])
    return Recorded(None, model, model, {**names, "model": model}, {}, sizes | metrics, alignment)


def test_a_judge_without_probabilities_gets_no_calibration():
    without, with_them = recorded("lexical", {}), recorded("llama8b", {label_figures.CALIBRATED: 0.25})
    assert gallery.drawings(Recordings([without]), ["calibration"]) == {}
    assert list(gallery.drawings(Recordings([without, with_them]), ["calibration"])) == ["calibration"]


@dataclass(frozen=True)
class Unsure(Scripted):
    """Gives every grade of its script .55, and .15 to each other."""

    def answer(self, prompt, pairs):
        for answer in super().answer(prompt, pairs):
            chances = tuple(0.55 if str(grade) == answer.response[-1] else 0.15 for grade in FOUR.grades)
            yield replace(answer, probabilities=chances)


def test_a_run_with_probabilities_records_its_calibration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cell = replace(composed_cell(["model=scripted", "bootstrap.B=0", "floor.shuffles=0"]), model=Unsure())
    pipeline.run(cell, Recorder(None, "alignir"))
    runs = Recordings(read_runs(None, "alignir"))
    labels = runs.runs[0].frame("labels.parquet")
    expected = agreement.calibration(cell.dataset().qrels, labels, FOUR)
    assert expected["pairs"].sum() == 360
    pd.testing.assert_frame_equal(runs.runs[0].frame("calibration.csv"), expected)
    figure = gallery.drawings(runs, ["calibration"])["calibration"]()
    assert figure.axes[0].lines[1].get_xydata() == pytest.approx(expected.dropna()[["expected", "baseline"]].to_numpy())


def test_names_are_short_and_say_what_tells_figures_apart():
    runs = [recorded("lexical", {}), recorded("llama8b", {})]
    assert list(gallery.drawings(Recordings(runs), ["labels", "tau"])) == ["labels", "tau"]
    other = recorded("lexical", {"n_pairs": 9260})
    other.params["dataset"] = "trec_dl_2019"
    assert list(gallery.drawings(Recordings([*runs, other]), ["labels"])) == ["labels-demo", "labels-trec-dl-2019"]
    assert list(gallery.drawings(Recordings(runs), ["online"])) == ["online"]
    many = Recordings(recorded(f"judge{number}", {}) for number in range(10))
    assert list(gallery.drawings(many, ["online", "scores", "tau"])) == [
        *("online-1", "online-2", "scores-1", "scores-2", "tau")
    ]
    (runs,) = many.by_setting().values()
    paged = list(pages({judge.model: run for judge, run in runs.items()}, 6))
    assert [(page, len(some)) for page, some in paged] == [("1", 5), ("2", 5)]
    assert [judge for _, some in paged for judge in some] == [f"judge{number}" for number in range(10)]


def test_the_same_figure_is_the_same_file_and_its_letters_stay_letters(tmp_path):
    for name in ("one", "two"):
        for form in ("svg", "png"):
            canvas.save(systems.ranks_figure(scores(8, JUDGES), "A title"), tmp_path / f"{name}.{form}")
    for form in ("svg", "png"):
        assert (tmp_path / f"one.{form}").read_bytes() == (tmp_path / f"two.{form}").read_bytes()
    text = (tmp_path / "one.svg").read_text()
    assert ">A title</text>" in text
    assert "metadata" not in text
    with pytest.raises(InputError, match=r"expected a name that ends in one of .*png"):
        canvas.save(systems.ranks_figure(scores(8, JUDGES), ""), tmp_path / "figure.txt")
    assert len(list(tmp_path.iterdir())) == 4


def test_a_slim_svg_is_the_same_picture_in_fewer_letters(tmp_path):
    from matplotlib import rc_context

    for name, figure in every_figure(JUDGES[:2], 8).items():
        with rc_context({"svg.fonttype": "none"}):
            figure.savefig(tmp_path / "full.svg")
        full = (tmp_path / "full.svg").read_bytes()
        slim = svg.slim(full)
        assert len(slim) < 0.5 * len(full), name
        sides = [ElementTree.fromstring(text) for text in (full, slim)]
        counts = [Counter(_tag(element) for element in side.iter()) for side in sides]
        for tag in ("text", "image", "clipPath"):
            assert counts[0][tag] == counts[1][tag], (name, tag)
        texts = [[element.text for element in side.iter() if _tag(element) == "text"] for side in sides]
        assert texts[0] == texts[1], name
        places = [list(_marks(side)) for side in sides]
        assert np.array(places[0]) == pytest.approx(np.array(places[1]), abs=0.06), name
        names = {element.get("id") for element in sides[1].iter()}
        links = re.findall(r'href="#(\w+)"|url\(#(\w+)\)', slim.decode())
        assert {one or other for one, other in links} <= names


def _tag(element) -> str:
    return element.tag.rpartition("}")[2]


def _marks(picture) -> Iterator[tuple[float, float]]:
    """Where marks stand: each for itself, or at the corners of a path."""
    for element in picture.iter():
        if _tag(element) == "use" and "x" in element.attrib:
            yield float(element.get("x")), float(element.get("y"))
        elif "marker:" in element.get("style", "") or _class_of(picture, element).startswith("fill:none;marker:"):
            for corner in element.get("d").removeprefix("M").split("L"):
                x, y = map(float, corner.split())
                yield x, y


def _class_of(picture, element) -> str:
    """What the style sheet says of an element's class."""
    sheet = next(each.text for each in picture.iter() if _tag(each) == "style")
    found = re.search(rf"\.{element.get('class')}{{(.*?)}}", sheet)
    return found[1] if found else ""


def test_long_names_are_wrapped_and_shortened_without_losing_their_ends():
    name = "replay labels=sun_decomposed_llama3-8b zeshot"
    lines = canvas.wrapped(name, 1.5).split("\n")
    assert all(len(line) <= 1.5 * canvas.PER_INCH for line in lines)
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")
    assert canvas.shortened("bm25+-k1.6-b0.9-stem-stop", 1) == "bm25+-k…em-stop"
    assert canvas.shortened("p_bert", 1) == "p_bert"


def test_letters_are_light_on_dark_and_dark_on_light():
    assert [canvas.ink(colour) for colour in ("white", "yellow", "navy", "black")] == ["black"] * 2 + ["white"] * 2


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A folder with a small recorded sweep: two judges of the demo."""
    folder = tmp_path_factory.mktemp("figures")
    command = [sys.executable, "-m", "alignir", "-m", "model=lexical,scripted", "bootstrap.B=20", "floor.shuffles=1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def test_the_command_writes_every_figure_of_a_sweep(swept, alignir):
    done = alignir("--out", "drawn", folder=swept, program=(str(ROOT / "scripts/figures.py"),))
    names = ["judges", "labels", "confusion", "scores", "ranks", "top", "cost", "online", "tau"]
    assert done.stdout.split() == [f"drawn/{name}.png" for name in names]
    assert "no judge gave probabilities" in done.stderr
    for name in names:
        assert (swept / "drawn" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "</svg>" in (swept / "drawn" / f"{name}.svg").read_text()
    assert len(list((swept / "drawn").iterdir())) == 2 * len(names)


def test_recorded_taus_are_scipys_of_the_points_drawn(swept):
    drawings = gallery.drawings(
        Recordings(read_runs(f"sqlite:///{swept}/mlruns/mlflow.db", "alignir")), ["scores", "online"]
    )
    drawn = []
    for panel in drawings["scores"]().axes:  # systems that are named are points of their own
        drawn.append((panel.get_title(), np.concatenate([points.get_offsets() for points in panel.collections])))
    for panel in drawings["online"]().axes:
        baseline, judged = (np.split(line.get_xydata(), 2) for line in panel.lines)  # a block a judge
        drawn += [(panel.get_ylabel(), block) for block in baseline]
        drawn += zip([text.get_text() for text in panel.texts[:2]], judged, strict=True)
    assert len(drawn) == 2 + 4 * len(METRICS)
    for text, points in drawn:
        tau = float(text.split("tau ")[1].split()[0])
        assert tau == pytest.approx(kendalltau(*np.asarray(points).T).statistic, abs=0.0006)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--experiment", "nothing"], "no experiment 'nothing'"),
        (["--out", "mlruns/mlflow.db"], "--out mlruns/mlflow.db: expected a file that ends in .png, .svg, .pdf, or a"),
    ],
)
def test_a_mistake_is_one_message(swept, alignir, arguments, message):
    done = alignir(*arguments, ok=False, folder=swept, program=(str(ROOT / "scripts/figures.py"),))
    assert done.stderr.startswith(f"alignir figures: {message}")
    assert "Traceback" not in done.stderr
