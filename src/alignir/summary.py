"""Summary: what recorded runs say together, as the poster's two tables and those that explain them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import pandas as pd

from alignir.alignment import BASELINE, smallest_step
from alignir.bounds import LEXICAL, ONE_GRADE, SECOND, SHUFFLED
from alignir.frames import ALIGNMENT, GRADES, STATUSES
from alignir.online import LOWER_IS_BETTER, NAMES
from alignir.tables import Table
from alignir.tracking import GROUPS, Recorded, told_apart

KINDS = ("baseline", "online", "labels", "alignment", "judged")

ALIGNMENT_CSV = [*GROUPS, *ALIGNMENT]

# The poster's names, its rows in its order, and its values.
MODELS = {"llama8b": "Llama 3.1 8B", "gptoss20b": "GPT OSS 20B", "qwen32b": "Qwen3 32B"}
PROMPTS = {"zeshot": "zeshot", "basic": "zeshot basic"}
DATASETS = {"trec_dl_2019": "TREC 2019", "rank_distillm": "Rank-DistiLLM"}
# What stands below the judges: labels that no judge gave.
BOUNDS = {
    BASELINE: "baseline labels",
    SECOND: "second labels",
    LEXICAL: "floor: lexical",
    SHUFFLED: "floor: shuffled",
    ONE_GRADE: "floor: one grade",
}
POSTER_BASELINE = {
    ("llama8b", "basic"): {"trec_dl_2019": 0.664, "rank_distillm": 0.698},
    ("llama8b", "zeshot"): {"trec_dl_2019": 0.851, "rank_distillm": 0.798},
    ("gptoss20b", "basic"): {"trec_dl_2019": 0.851, "rank_distillm": 0.802},
    ("gptoss20b", "zeshot"): {"trec_dl_2019": 0.839, "rank_distillm": 0.814},
    ("qwen32b", "basic"): {"trec_dl_2019": 0.838, "rank_distillm": 0.804},
    ("qwen32b", "zeshot"): {"trec_dl_2019": 0.844, "rank_distillm": 0.814},
}
POSTER_ONLINE_COLUMNS = [("external", m) for m in ("adt", "ssr", "zrr", "clicks", "ctr")] + [("dbn", "clicks")]
POSTER_ONLINE = {
    ("llama8b", "zeshot"): (-0.257, -0.114, -0.114, -0.412, -0.330, 0.467),
    ("llama8b", "basic"): (-0.248, -0.164, -0.164, -0.353, -0.284, 0.422),
    ("gptoss20b", "zeshot"): (-0.251, -0.103, -0.103, -0.430, -0.342, 0.644),
    ("gptoss20b", "basic"): (-0.254, -0.112, -0.112, -0.428, -0.345, 0.644),
    ("qwen32b", "zeshot"): (-0.252, -0.107, -0.107, -0.433, -0.344, 0.600),
    ("qwen32b", "basic"): (-0.251, -0.109, -0.109, -0.421, -0.341, 0.733),
    (BASELINE, ""): (-0.234, -0.050, -0.050, -0.365, -0.293, 0.644),
}
POSTER_ONLINE_DATASET = "rank_distillm"
DRAWS = "two draws of the users"
PAGE = 14  # columns of numbers that can be read side by side


@dataclass(frozen=True)
class Row:
    """One tau_b with all that names it."""

    names: dict[str, str]  # by group; the model is one of BOUNDS for labels that no judge gave
    setting: tuple  # what the systems were compared on: the same for all rows of a table's column
    n_systems: int  # that have a value on both sides
    n_queries: int
    offline: str
    reference: str
    tau_b: float
    p_value: float
    ci_low: float  # of the 95% bootstrap interval; NaN: not made
    ci_high: float

    @property
    def judge(self) -> tuple[str, str]:
        return self.names["model"], self.names["prompt"]


def alignment_rows(recorded: list[Recorded]) -> list[Row]:
    """Every tau_b of the recorded runs; those of the BOUNDS once for each setting and user model."""
    rows = {}
    for run in told_apart(recorded):
        for line in run.alignment.itertuples():
            names = run.names
            if line.labels in BOUNDS:
                names = {**names, "model": line.labels, "prompt": ""}
            interval = (getattr(line, "ci_low", math.nan), getattr(line, "ci_high", math.nan))  # of older runs: none
            found = (line.offline, line.reference, line.tau_b, line.p_value, *interval)
            row = Row(names, run.setting, line.n_systems, line.n_queries, *found)
            rows[tuple(names.values()), row.setting, row.offline, row.reference] = row  # the newest stays
    return list(rows.values())


def alignment_table(recorded: list[Recorded]) -> Table:
    """One row a run and pair of measures, the numbers in full."""
    rows = [
        [
            *(row.names[group] for group in GROUPS),
            row.offline,
            row.reference,
            _full(row.tau_b),
            _full(row.p_value),
            _full(row.ci_low),
            _full(row.ci_high),
            str(row.n_systems),
            str(row.n_queries),
        ]
        for row in alignment_rows(recorded)
    ]
    return Table("Alignment (Kendall's tau_b)", ALIGNMENT_CSV, rows)


def baseline_table(recorded: list[Recorded]) -> Table:
    """Table 1: do a judge's labels put the systems in the order of the baseline labels?"""
    rows = [row for row in alignment_rows(recorded) if row.reference == BASELINE]
    settings = sorted({row.setting for row in rows}, key=by_dataset)
    values = {(row.judge, row.setting): row for row in rows}
    lines = []
    for judge in in_order({row.judge for row in rows}, ("basic", "zeshot")):
        poster = POSTER_BASELINE.get(judge, {})
        cells = [_cell(values.get((judge, setting)), poster.get(setting[0])) for setting in settings]
        lines.append([*judge_titles(judge), *cells])
    notes = [_size_note(settings), *_mark_notes(lines), *_bound_notes(rows)]
    titles = setting_titles(settings)
    return Table(
        "Table 1. Alignment of nDCG@10 against baseline labels (Kendall's tau_b)",
        ["model", "prompt", *titles],
        lines,
        notes,
    )


def family_tables(recorded: list[Recorded]) -> list[Table]:
    """Table 1 with and without the systems of the judge's own family, if any judge has such."""
    rows, systems = {}, {}
    for run in told_apart(recorded):
        if run.metrics.get("family/left_out"):
            tau, without, low, high = (run.metrics[f"family/{n}"] for n in ("tau_all", "tau_b", "ci_low", "ci_high"))
            moved = "!" if run.metrics["family/moved"] == 1 else ""
            numbers = [_number(tau, 4), _number(without, 4) + moved, f"{_number(low, 4)} to {_number(high, 4)}"]
            family, judge = run.params["model.family"], (run.names["model"], run.names["prompt"])
            rows[run.setting, judge] = [f"{family} ({run.metrics['family/left_out']:.0f})", *numbers]
            systems[family] = run.tags["family.systems"]
    settings = sorted({setting for setting, _ in rows}, key=by_dataset)
    titles = dict(zip(settings, setting_titles(settings), strict=True))
    lines = [
        [*judge_titles(judge), titles[setting], *rows[setting, judge]]
        for setting in settings
        for judge in in_order({judge for where, judge in rows if where == setting}, ("basic", "zeshot"))
    ]
    notes = [f"{family}: {names}" for family, names in systems.items()]
    if any("!" in line[5] for line in lines):
        notes.append("! without them tau_b moves by more than its interval: the judge may favour its own kind")
    columns = ["model", "prompt", "dataset", "own family", "all systems", "without it", "95% interval"]
    title = "Table 1 without the systems of the judge's own family (Kendall's tau_b)"
    return [Table(title, columns, lines, notes)] if rows else []


def online_tables(recorded: list[Recorded]) -> list[Table]:
    """Table 2, for each setting: do the judges' labels put the systems in the order of the online metrics?"""
    rows = [row for row in alignment_rows(recorded) if row.reference != BASELINE]
    apart = told_apart(recorded)
    definitions = {run.names["user_model"]: run.tags.get("user_model.definitions", "") for run in apart}
    tables = []
    for setting in sorted({row.setting for row in rows}, key=by_dataset):
        here = [row for row in rows if row.setting == setting]
        groups = _fitting_a_page(sorted({(row.names["user_model"], row.reference) for row in here}, key=online_order))
        for columns in groups:
            used = sorted({user_model for user_model, _ in columns})
            noise, floors = _noise([run for run in apart if run.setting == setting], columns)
            lines = _online_lines(here, columns, setting[0], floors)
            if noise:
                lines.append([DRAWS, "", *(_number(noise.get(column, math.nan), 4) for column in columns)])
            title = (
                f"Table 2. Alignment of nDCG@10 with online metrics (Kendall's tau_b), {setting_titles([setting])[0]}"
            )
            title += f", users: {', '.join(used)}" if len(groups) > 1 else ""
            notes = [_size_note([setting]), "↓ lower is better; tau is raw", *_mark_notes(lines), *_bound_notes(here)]
            notes += [f"{user_model}: {definitions[user_model]}" for user_model in used]
            alone = len(groups) > 1 and len(used) == 1  # the table's title names them
            titles = [_online_title(column, alone) for column in columns]
            tables.append(Table(title, ["model", "prompt", *titles], lines, notes))
    return tables


def _online_lines(rows: list[Row], columns: list[tuple[str, str]], dataset: str, floors: dict) -> list[list[str]]:
    """A line a judge, then the BOUNDS."""
    values = {(row.judge, row.names["user_model"], row.reference): row for row in rows}
    lines = []
    for judge in in_order({row.judge for row in rows}, ("zeshot", "basic")):
        poster = {}
        if dataset == POSTER_ONLINE_DATASET and judge in POSTER_ONLINE:
            poster = dict(zip(POSTER_ONLINE_COLUMNS, POSTER_ONLINE[judge], strict=True))
        cells = [_cell(values.get((judge, *c)), poster.get(c), floors.get(c, math.nan)) for c in columns]
        lines.append([*judge_titles(judge), *cells])
    return lines


def _fitting_a_page(columns: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The columns in groups, a user model's together, as many user models as fit a page: the poster's two do."""
    groups: list[list[tuple[str, str]]] = []
    for _, of_one in groupby(columns, key=lambda column: column[0]):
        of_one = list(of_one)
        if groups and len(groups[-1]) + len(of_one) <= PAGE:
            groups[-1] += of_one
        else:
            groups.append(of_one)
    return groups


def _noise(apart: list[Recorded], columns: list[tuple[str, str]]) -> tuple[dict, dict]:
    """tau_b between draws of sampled users by column, and the lower end of its middle 95%; nothing for exact users."""
    noise, floors = {}, {}
    for user_model, metric in columns:
        for run in apart:
            if run.names["user_model"] == user_model and f"noise/{metric}" in run.metrics:
                noise[user_model, metric] = run.metrics[f"noise/{metric}"]
                floors[user_model, metric] = run.metrics[f"noise_low/{metric}"]
    return noise, floors


def label_tables(recorded: list[Recorded]) -> list[Table]:
    """The distribution of the labels of each judge beside the baseline's, for each dataset."""
    tables = []
    newest = {
        (run.names["dataset"], run.metrics["n_pairs"], run.names["model"], run.names["prompt"]): run
        for run in told_apart(recorded)
    }
    statuses = [status for status in STATUSES if status != "ok"]
    for dataset, n_pairs in sorted({key[:2] for key in newest}, key=by_dataset):
        runs = {key[2:]: run for key, run in newest.items() if key[:2] == (dataset, n_pairs)}
        seen = [status for status in statuses if any(run.metrics[f"status/{status}"] for run in runs.values())]
        lines = []
        for judge in in_order(set(runs), ("basic", "zeshot")):
            metrics = runs[judge].metrics
            shares = [_share(metrics[f"labels/{grade}"], n_pairs) for grade in GRADES]
            failed = [f"{metrics[f'status/{status}']:,.0f}" for status in seen]
            kappas = [_number(metrics.get(f"agreement/{name}", math.nan), 4) for name in ("kappa4", "kappa_bin")]
            lines.append([*judge_titles(judge), *shares, *failed, *kappas])
        metrics = next(iter(runs.values())).metrics
        counts = [metrics[f"labels/{BASELINE}/{grade}"] for grade in GRADES]
        shares = [_share(count, sum(counts)) for count in counts]
        lines.append([*judge_titles((BASELINE, "")), *shares, *["0"] * len(seen), "", ""])
        people = next((run.metrics for run in runs.values() if f"labels/{SECOND}/0" in run.metrics), None)
        if people:
            counts = [people[f"labels/{SECOND}/{grade}"] for grade in GRADES]
            kappas = [_number(people[f"agreement/{SECOND}/{name}"], 4) for name in ("kappa4", "kappa_bin")]
            shares = [_share(count, sum(counts)) for count in counts]
            lines.append([*judge_titles((SECOND, "")), *shares, *["0"] * len(seen), *kappas])
        columns = ["model", "prompt", *map(str, GRADES), *seen, "kappa", "kappa ≥ 2"]
        title = f"Labels, {DATASETS.get(dataset, dataset)}: {n_pairs:,.0f} pairs"
        tables.append(Table(title, columns, lines, ["kappa: Cohen's, with the baseline labels"]))
    return tables


def judged_tables(recorded: list[Recorded]) -> list[Table]:
    """How much of each system's top 10 has a baseline label, and a label of each judge; a table for each setting."""
    runs = [run for run in told_apart(recorded) if f"judged_10/{BASELINE}" in run.metrics]
    tables = []
    for setting in sorted({run.setting for run in runs}, key=by_dataset):
        newest = {(run.names["model"], run.names["prompt"]): run for run in runs if run.setting == setting}
        shares = {}
        for judge in in_order(set(newest), ("basic", "zeshot")):
            judged = newest[judge].frame("judged.csv").set_index("system")
            shares |= {("baseline labels", ""): judged[BASELINE], judge: judged["model"]}
        table = pd.DataFrame(shares)
        table = table.iloc[table.min(axis=1).argsort(kind="stable")]
        lines = [
            [str(place), system, *(f"{share:.1%}" if share == share else "–" for share in table.loc[system])]
            for place, system in enumerate(table.index, 1)
        ]
        titles = [" ".join(filter(None, (MODELS.get(m, m), PROMPTS.get(p, p)))) for m, p in table]
        notes = [_size_note([setting]), "a result without a label counts as not relevant; the lowest first"]
        title = f"Results in the top 10 that have a label, {setting_titles([setting])[0]}"
        tables.append(Table(title, ["", "system", *titles], lines, notes))
    return tables


def tables(recorded: list[Recorded], kinds: Iterable[str]) -> list[Table]:
    """The tables of these kinds, in this order."""
    made = {
        "baseline": lambda: [baseline_table(recorded), *family_tables(recorded)],
        "online": lambda: online_tables(recorded),
        "labels": lambda: label_tables(recorded),
        "alignment": lambda: [alignment_table(recorded)],
        "judged": lambda: judged_tables(recorded),
    }
    return [table for kind in kinds for table in made[kind]()]


def in_order(judges: set[tuple[str, str]], prompts: tuple[str, str]) -> list[tuple[str, str]]:
    """In the poster's order, then by name; the BOUNDS last, in theirs."""
    bounds = list(BOUNDS)
    return sorted(
        judges,
        key=lambda judge: (
            bounds.index(judge[0]) if judge[0] in BOUNDS else -1,
            _place(judge[0], MODELS),
            _place(judge[1], prompts),
        ),
    )


def judge_titles(judge: tuple[str, str]) -> list[str]:
    model, prompt = judge
    return [{**MODELS, **BOUNDS}.get(model, model), PROMPTS.get(prompt, prompt)]


def _place(name: str, order: Iterable[str]) -> tuple[int, str]:
    order = list(order)
    return (order.index(name) if name in order else len(order), name)


def by_dataset(key: tuple) -> tuple:
    return (_place(key[0], DATASETS), key)


def online_order(column: tuple[str, str]) -> tuple:
    user_model, metric = column
    order = ("adt", "ssr", "zrr", "clicks", "ctr", "sar") if user_model == "external" else tuple(NAMES)
    return (user_model != "external", user_model, _place(metric, order))


def _online_title(column: tuple[str, str], alone: bool) -> str:
    user_model, metric = column
    title = NAMES.get(metric, metric) + (" ↓" if metric in LOWER_IS_BETTER else "")
    if alone or user_model == "external":
        return title
    return f"{title} ({user_model.upper() if user_model == 'dbn' else user_model})"


def setting_titles(settings: list[tuple]) -> list[str]:
    """A dataset's name, with what tells its settings apart where it has several."""
    titles = []
    for dataset, systems, queries, n_systems, n_queries in settings:
        others = [other for other in settings if other[0] == dataset]
        more = []
        if len({other[1] for other in others}) > 1:
            more.append(systems)
        if len({other[2] for other in others}) > 1:
            more.append(queries)
        if len({other[3] for other in others}) > 1:
            more.append(f"{n_systems} systems")
        if len({other[4] for other in others}) > 1:
            more.append(f"{n_queries} queries")
        titles.append(DATASETS.get(dataset, dataset) + (f" ({', '.join(more)})" if more else ""))
    return titles


def _size_note(settings: list[tuple]) -> str:
    sizes = []
    for title, (_, systems, queries, n_systems, n_queries) in zip(setting_titles(settings), settings, strict=True):
        step = smallest_step(n_systems)
        sizes.append(
            f"{title}: {n_systems} systems ({systems}), {n_queries} queries ({queries}), one swap is {step:.4f}"
        )
    return "; ".join(sizes)


def _bound_notes(rows: list[Row]) -> list[str]:
    """What the BOUNDS are that the rows have."""
    notes = {
        SECOND: "second: other people's labels",
        LEXICAL: "lexical: grades from the share of the query's terms",
        SHUFFLED: "shuffled: the baseline's grades dealt out anew to its pairs, the mean of several draws",
        ONE_GRADE: "one grade: the same for every judged pair, so that only the number of judged results counts",
    }
    found = [note for name, note in notes.items() if any(row.judge[0] == name for row in rows)]
    return ["; ".join(found)] if found else []


def _mark_notes(lines: list[list[str]]) -> list[str]:
    cells = [cell for line in lines for cell in line[2:]]
    notes = []
    if any("°" in cell for cell in cells):
        notes.append("° p > 0.05: cannot be told from no agreement")
    if any("≈" in cell for cell in cells):
        notes.append(f"≈ within the noise: agrees with the users as well as they do with themselves ({DRAWS})")
    if any("–" in cell for cell in cells):
        notes.append("– undefined: one side ties all systems, or the cell was not run; the run's notes say which")
    if any("(" in cell for cell in cells):
        notes.append("in parentheses: the poster's value")
    return notes


def _cell(row: Row | None, poster: float | None, floor: float = math.nan) -> str:
    text = "–" if row is None else _number(row.tau_b, 4)
    if row is not None and abs(row.tau_b) >= floor:
        text += "≈"
    if row is not None and row.p_value > 0.05:
        text += "°"
    return text if poster is None else f"{text} ({poster:.3f})"


def _number(value: float, digits: int) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def _full(value: float) -> str:
    return "" if pd.isna(value) else repr(float(value))


def _share(count: float, total: float) -> str:
    return f"{count / total:.1%}" if total else "–"
