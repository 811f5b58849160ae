"""Gallery: the figures that recorded runs give together, each under its name."""

import re
from collections.abc import Callable, Iterable, Iterator

import pandas as pd

from alignir.evaluation.measures import NDCG
from alignir.evaluation.scores import means
from alignir.figures import labels, systems
from alignir.formatting import counted
from alignir.frames import BASELINE, GRADES, SECOND
from alignir.tables.names import BOUNDS, DATASETS, by_dataset, in_order, judge_name, online_order, setting_titles
from alignir.tables.rows import Row, alignment_rows
from alignir.tracking.runs import Recorded, by_judge

PROMPTS_IN_ORDER = ("basic", "zeshot")
CALIBRATED = "agreement/calibration_error"  # the metric of runs whose judge gave probabilities
Draw = Callable[[], object]  # a matplotlib Figure


def drawings(recorded: list[Recorded], kinds: Iterable[str]) -> dict[str, Draw]:
    """{name: how to draw it} of these kinds: a figure for each dataset or setting that was recorded.

    Where a kind has several, its name is followed by what tells them apart: dataset, users, judge. A kind that the runs
    cannot fill, as calibration without probabilities, has none.
    """
    made = {
        "labels": _labels,
        "confusion": _confusion,
        "calibration": _calibration,
        "scores": _scores,
        "ranks": _ranks,
        "online": _online,
        "tau": _taus,
    }
    found: dict[str, Draw] = {}
    for kind in kinds:
        of_kind = list(made[kind](recorded))
        names = _apart([where for where, _ in of_kind])
        for where, draw in of_kind:
            name = "-".join([kind, *map(_slug, names[where])])
            while name in found:  # names that differ in signs only
                name += "-"
            found[name] = draw
    return found


def _apart(places: list[tuple[str, ...]]) -> dict[tuple[str, ...], list[str]]:
    """{place: those of its parts that tell it from the other places, as few as do}."""
    parts: dict[tuple[str, ...], list[str]] = {place: [] for place in places}
    for number, values in enumerate(zip(*places, strict=True)):
        told = len({tuple(found) for found in parts.values()}) == len(parts)
        if len(set(values)) > 1 and not told:
            for place in places:
                parts[place].append(place[number])
    return parts


def _labels(recorded: list[Recorded]) -> Iterator[tuple[tuple[str, ...], Draw]]:
    for where, title, runs in _labelled(recorded):

        def draw(title=title, runs=runs):
            some = next(iter(runs.values())).metrics
            counts = {"baseline labels": [some[f"labels/{BASELINE}/{grade}"] for grade in GRADES] + [0]}
            people = next((run.metrics for run in runs.values() if f"labels/{SECOND}/0" in run.metrics), None)
            if people:
                counts[BOUNDS[SECOND]] = [people[f"labels/{SECOND}/{grade}"] for grade in GRADES] + [0]
            for judge, run in runs.items():
                graded = [run.metrics[f"labels/{grade}"] for grade in GRADES]
                counts[judge] = [*graded, run.metrics["n_pairs"] - sum(graded)]
            counts = pd.DataFrame(counts, index=[*GRADES, "none"])
            counts = counts if counts.loc["none"].any() else counts.drop("none")
            return labels.distribution_figure(counts, f"Labels, {title}")

        yield where, draw


def _confusion(recorded: list[Recorded]) -> Iterator[tuple[tuple[str, ...], Draw]]:
    for where, title, runs in _labelled(recorded):

        def draw(title=title, runs=runs):
            tables = {judge: run.frame("confusion.csv").set_index(BASELINE) for judge, run in runs.items()}
            tables = {judge: table.rename(columns=int) for judge, table in tables.items()}
            return labels.confusion_figure(tables, f"Judges' labels against baseline labels, {title}")

        yield where, draw


def _calibration(recorded: list[Recorded]) -> Iterator[tuple[tuple[str, ...], Draw]]:
    for where, title, runs in _labelled([run for run in recorded if CALIBRATED in run.metrics]):

        def draw(title=title, runs=runs):
            tables = {judge: run.frame("calibration.csv") for judge, run in runs.items()}
            return labels.calibration_figure(tables, f"Calibration of expected grades, {title}")

        yield where, draw


def _scores(recorded: list[Recorded]) -> Iterator[tuple[tuple[str, ...], Draw]]:
    for where, title, runs, rows in _compared(recorded):

        def draw(title=title, runs=runs, rows=rows):
            values = {
                judge_name(row.judge): (row.tau_b, row.ci_low, row.ci_high) for row in rows if row.reference == BASELINE
            }
            taus = pd.DataFrame.from_dict(values, orient="index", columns=["tau_b", "ci_low", "ci_high"])
            return systems.scores_figure(_means(runs), taus, f"nDCG@10 of systems, {title}")

        yield where, draw


def _ranks(recorded: list[Recorded]) -> Iterator[tuple[tuple[str, ...], Draw]]:
    for where, title, runs, _ in _compared(recorded):

        def draw(title=title, runs=runs):
            return systems.ranks_figure(_means(runs), f"Ranks of systems by nDCG@10, {title}")

        yield where, draw


def _online(recorded: list[Recorded]) -> Iterator[tuple[tuple[str, ...], Draw]]:
    for where, title, runs, rows in _compared(recorded, users=True):
        for judge, run in runs.items():

            def draw(title=title, judge=judge, run=run, rows=rows):
                online = means(run.frame("online.parquet"), "metric")
                online = online[[metric for metric in _references(rows) if metric in online]]
                scores = _means({judge: run})
                taus = _grid(rows, "tau_b").T.reindex(index=online.columns, columns=scores.columns)
                return systems.online_figure(scores, online, taus, f"Online metrics over nDCG@10, {title}")

            yield (*where, judge), draw


def _taus(recorded: list[Recorded]) -> Iterator[tuple[tuple[str, ...], Draw]]:
    for where, title, runs, rows in _compared(recorded, users=True):

        def draw(title=title, runs=runs, rows=rows):
            taus, p_values = _grid(rows, "tau_b"), _grid(rows, "p_value")
            return systems.tau_figure(taus, p_values, f"Kendall's tau_b of nDCG@10, {title}", len(runs))

        yield where, draw


def _labelled(recorded: list[Recorded]) -> Iterator[tuple[tuple[str, ...], str, dict[str, Recorded]]]:
    """(what names it, title, {judge: its newest run}) of each dataset and number of labelled pairs."""
    newest = by_judge(recorded, lambda run: (run.names["dataset"], run.metrics["n_pairs"]))
    for dataset, n_pairs in sorted(newest, key=by_dataset):
        runs = newest[dataset, n_pairs]
        judges = {judge_name(judge): runs[judge] for judge in in_order(set(runs), PROMPTS_IN_ORDER)}
        yield (dataset, f"{n_pairs:.0f}"), f"{DATASETS.get(dataset, dataset)}: {n_pairs:,.0f} pairs", judges


def _compared(recorded: list[Recorded], users: bool = False) -> Iterator[tuple[tuple[str, ...], str, dict, list[Row]]]:
    """(what names it, title, {judge: its newest run}, rows) of each setting, or of each setting and user model."""
    newest = by_judge(recorded, lambda run: (run.setting, run.names["user_model"] if users else ""))
    settings = sorted({setting for setting, _ in newest}, key=by_dataset)
    titles, rows = dict(zip(settings, setting_titles(settings), strict=True)), alignment_rows(recorded)
    rows = [row for row in rows if row.offline == NDCG]
    for setting, user_model in sorted(newest, key=lambda key: (settings.index(key[0]), key[1])):
        runs = newest[setting, user_model]
        judges = {judge_name(judge): runs[judge] for judge in in_order(set(runs), PROMPTS_IN_ORDER)}
        here = [row for row in rows if row.setting == setting and user_model in ("", row.names["user_model"])]
        title = f"{titles[setting]}: {counted(setting[3], 'system')}, {counted(setting[4], 'query')}"
        where = (titles[setting], user_model)
        yield where, title + (f", users: {user_model}" if users else ""), judges, here


def _means(runs: dict[str, Recorded]) -> pd.DataFrame:
    """Mean nDCG@10, a row a system: by the baseline labels, then by each judge's."""
    sides = {}
    for judge, run in runs.items():
        scores = run.frame("scores.parquet")
        found = means(scores[scores["measure"] == NDCG], "labels")
        sides.setdefault("baseline labels", found[BASELINE])
        sides[judge] = found["model"]
    return pd.DataFrame(sides)


def _grid(rows: list[Row], value: str) -> pd.DataFrame:
    """A value of the rows, a row a judge (labels that no judge gave last), a column a reference, the baseline first."""
    values = {(row.judge, row.reference): getattr(row, value) for row in rows}
    judges = in_order({row.judge for row in rows}, PROMPTS_IN_ORDER)
    table = [[values.get((judge, name), float("nan")) for name in _references(rows)] for judge in judges]
    return pd.DataFrame(table, index=[judge_name(judge) for judge in judges], columns=_references(rows))


def _references(rows: list[Row]) -> list[str]:
    """The baseline, then the metrics in the order of Table 2."""
    found = {(row.names["user_model"], row.reference) for row in rows if row.reference != BASELINE}
    return [BASELINE, *dict.fromkeys(metric for _, metric in sorted(found, key=online_order))]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
