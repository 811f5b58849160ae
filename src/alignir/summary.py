"""Summary: what recorded runs say together, as the poster's two tables and those that explain them."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import groupby

import pandas as pd

from alignir import agreement
from alignir.alignment import BASELINE, smallest_step
from alignir.bounds import LEXICAL, ONE_GRADE, SECOND, SHUFFLED
from alignir.comparison import LEVEL, B, better, compared, worse
from alignir.frames import ALIGNMENT, GRADES, STATUSES
from alignir.online import LOWER_IS_BETTER, NAMES
from alignir.scores import NAMES as MEASURES
from alignir.scores import NDCG
from alignir.significance import OUTCOMES
from alignir.tables import Table
from alignir.tracking import GROUPS, Recorded, told_apart

KINDS = ("baseline", "online", "labels", "compare", "agreement", "correlations", "judged", "alignment", "measures")

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
AGREEMENT = [*agreement.NAMES, *(f"kappa4_{name}" for name in ("q25", "median", "q75"))]
AGREEMENT += [f"{name}_{grade}" for name in ("precision", "recall") for grade in GRADES]
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


def baseline_table(recorded: list[Recorded], marked: set[tuple]) -> Table:
    """Table 1: do a judge's labels put the systems in the order of the baseline labels? `marked`: comparison.worse."""
    rows = [row for row in alignment_rows(recorded) if row.offline == NDCG and row.reference == BASELINE]
    settings = sorted({row.setting for row in rows}, key=by_dataset)
    values = {(row.judge, row.setting): row for row in rows}
    lines = []
    for judge in in_order({row.judge for row in rows}, ("basic", "zeshot")):
        poster = POSTER_BASELINE.get(judge, {})
        cells = [
            _cell(
                values.get((judge, setting)),
                poster.get(setting[0]),
                worse=(setting, "", BASELINE, judge) in marked,
                interval=True,
            )
            for setting in settings
        ]
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
            names = ("tau_all", "tau_b", "difference", "ci_low", "ci_high")
            tau, without, difference, low, high = (run.metrics[f"family/{name}"] for name in names)
            moved = "!" if run.metrics["family/moved"] == 1 else ""
            numbers = [_number(tau, 4), _number(without, 4), _signed(difference) + moved, _interval(low, high)]
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
    notes.append("interval: 95%, of the difference, from the same resamples of the queries for both")
    if any("!" in line[6] for line in lines):
        notes.append(
            "! not 0: above, the judge orders its own kind unlike the baseline; below, that kind was easy to order"
        )
    columns = ["model", "prompt", "dataset", "own family", "all systems", "without it", "difference", "interval"]
    title = "Table 1 without the systems of the judge's own family (Kendall's tau_b)"
    return [Table(title, columns, lines, notes)] if rows else []


def online_tables(recorded: list[Recorded], marked: set[tuple]) -> list[Table]:
    """Table 2, for each setting: do the judges' labels put the systems in the order of the online metrics?"""
    rows = [row for row in alignment_rows(recorded) if row.offline == NDCG and row.reference != BASELINE]
    apart = told_apart(recorded)
    definitions = {run.names["user_model"]: run.tags.get("user_model.definitions", "") for run in apart}
    tables = []
    for setting in sorted({row.setting for row in rows}, key=by_dataset):
        here = [row for row in rows if row.setting == setting]
        groups = _fitting_a_page(sorted({(row.names["user_model"], row.reference) for row in here}, key=online_order))
        for columns in groups:
            used = sorted({user_model for user_model, _ in columns})
            noise, floors = _noise([run for run in apart if run.setting == setting], columns)
            lines = _online_lines(here, columns, setting, floors, marked)
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


def _online_lines(
    rows: list[Row], columns: list[tuple[str, str]], setting: tuple, floors: dict, marked: set[tuple]
) -> list[list[str]]:
    """A line a judge, then the BOUNDS."""
    values = {(row.judge, row.names["user_model"], row.reference): row for row in rows}
    lines = []
    for judge in in_order({row.judge for row in rows}, ("zeshot", "basic")):
        poster = {}
        if setting[0] == POSTER_ONLINE_DATASET and judge in POSTER_ONLINE:
            poster = dict(zip(POSTER_ONLINE_COLUMNS, POSTER_ONLINE[judge], strict=True))
        cells = [
            _cell(values.get((judge, *c)), poster.get(c), floors.get(c, math.nan), (setting, *c, judge) in marked)
            for c in columns
        ]
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
    statuses = [status for status in STATUSES if status != "ok"]
    for (dataset, n_pairs), runs in _by_labels(recorded).items():
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


def agreement_tables(recorded: list[Recorded]) -> list[Table]:
    """How far each judge's labels agree with the baseline's, and every two judges' with each other's."""
    columns = [
        "model",
        "prompt",
        "kappa",
        "kappa ≥ 2",
        "quadratic",
        "alpha",
        "exact",
        "MAE",
        "bias",
        "kappa of a query",
    ]
    tables = []
    for (dataset, n_pairs), runs in _by_labels(recorded).items():
        lines = []
        judges = in_order(set(runs), ("basic", "zeshot"))
        for judge in judges:
            found = {name: runs[judge].metrics.get(f"agreement/{name}", math.nan) for name in AGREEMENT}
            median, low, high = (found[f"kappa4_{name}"] for name in ("median", "q25", "q75"))
            over_queries = f"{_number(median, 2)} {_interval(low, high, 2)}"
            grades = [f"{_share_of(found[f'precision_{g}'])} / {_share_of(found[f'recall_{g}'])}" for g in GRADES]
            numbers = [_number(found[name], 4) for name in agreement.NAMES]
            lines.append([*judge_titles(judge), *numbers, over_queries, *grades])
        notes = [
            "kappa: Cohen's with the baseline labels, quadratic: its weights; alpha: Krippendorff's, ordinal; "
            "bias: label - baseline; kappa of a query: median and quartiles",
            "0 to 3: of that grade's labels the share that is right / of the baseline's pairs the share that is found",
        ]
        title = f"Agreement of labels, {DATASETS.get(dataset, dataset)}: {n_pairs:,.0f} pairs"
        tables.append(Table(title, [*columns, *map(str, GRADES)], lines, notes))
        if len(judges) > 1:
            labels = {judge: runs[judge].frame("labels.parquet") for judge in judges}
            kappas = agreement.matrix(labels)
            lines = [
                [
                    str(place),
                    _judge_name(judge),
                    *(_number(kappas.loc[[judge], [other]].iat[0, 0], 4) for other in judges),
                ]
                for place, judge in enumerate(judges, 1)
            ]
            notes = [f"Krippendorff's ordinal alpha of all: {_number(agreement.alpha_among(labels), 4)}"]
            title = f"Cohen's kappa of every two judges, {DATASETS.get(dataset, dataset)}: {n_pairs:,.0f} pairs"
            tables.append(Table(title, ["", "judge", *(str(place) for place, _ in enumerate(judges, 1))], lines, notes))
    return tables


def correlation_tables(recorded: list[Recorded]) -> list[Table]:
    """Other answers than tau_b to how alike a judge's labels and the baseline's order the systems."""
    columns = {
        "spearman": "Spearman",
        "pearson": "Pearson",
        "tau_ap_a": "tau_AP a",
        "tau_ap_b": "tau_AP b",
        "rbo_a": "RBO a",
        "rbo_b": "RBO b",
        "top1": "same best",
        "largest_drop": "largest drop",
        "concordant": "concordant",
        "discordant": "discordant",
        "missed": "missed",
        "false_alarm": "false alarm",
        "neither": "neither",
    }
    tables = []
    for setting, runs in _by_setting(recorded).items():
        lines = []
        for judge in in_order(set(runs), ("basic", "zeshot")):
            metrics = runs[judge].metrics
            numbers = {name: metrics.get(f"correlation/{name}", math.nan) for name in columns}
            cells = [
                _number(numbers[name], 1 if name == "largest_drop" else 4)
                if name not in OUTCOMES
                else _share_of(numbers[name])
                for name in columns
            ]
            lines.append([*judge_titles(judge), _number(metrics.get(f"tau_b/{NDCG}/{BASELINE}", math.nan), 4), *cells])
        notes = [
            _size_note([setting]),
            "tau_AP and RBO (p = .9) weigh the top; a, b: two ways with ties; "
            "largest drop: the most ranks that a system loses",
            "from concordant on: all pairs of systems, by who beats whom at Holm's p ≤ 0.05 of paired t-tests; "
            "discordant: the other way round; missed: only by the baseline labels; false alarm: only by the judge's",
        ]
        title = f"Other correlations of nDCG@10 with the baseline labels, {setting_titles([setting])[0]}"
        tables.append(Table(title, ["model", "prompt", "tau_b", *columns.values()], lines, notes))
    return tables


def judged_tables(recorded: list[Recorded]) -> list[Table]:
    """How much of each system's top 10 has a baseline label, and a label of each judge; a table for each setting."""
    tables = []
    for setting, newest in _by_setting(recorded).items():
        shares = {}
        for judge in in_order(set(newest), ("basic", "zeshot")):
            judged = newest[judge].frame("judged.csv").set_index("system")
            shares |= {(BASELINE, ""): judged[BASELINE], judge: judged["model"]}
        table = pd.DataFrame(shares)
        table = table.iloc[table.min(axis=1).argsort(kind="stable")]
        lines = [
            [str(place), system, *map(_share_of, table.loc[system])] for place, system in enumerate(table.index, 1)
        ]
        titles = [_judge_name(judge) for judge in table]
        notes = [_size_note([setting]), "a result without a label counts as not relevant; the lowest first"]
        title = f"Results in the top 10 that have a label, {setting_titles([setting])[0]}"
        tables.append(Table(title, ["", "system", *titles], lines, notes))
    return tables


def measures_tables(recorded: list[Recorded]) -> list[Table]:
    """Which offline measure? tau_b of each with the baseline labels and the online metrics, a table for each judge."""
    runs: dict[tuple, dict[tuple, list[Recorded]]] = {}
    for run in told_apart(recorded):
        judge = (run.names["model"], run.names["prompt"])
        runs.setdefault(run.setting, {}).setdefault(judge, []).append(run)
    return [
        table
        for setting in sorted(runs, key=by_dataset)
        for judge in in_order(set(runs[setting]), ("zeshot", "basic"))
        for table in _judge_measures(setting, judge, runs[setting][judge])
    ]


def _judge_measures(setting: tuple, judge: tuple[str, str], runs: list[Recorded]) -> list[Table]:
    """Each measure by the judge's labels, and below it by the baseline's: what the measure itself has of users."""
    taus, by = {}, {"model": " ".join(filter(None, judge_titles(judge))), BASELINE: BOUNDS[BASELINE]}
    for run in runs:
        for line in run.alignment[run.alignment["labels"].isin(by)].itertuples():
            user_model = "" if line.reference == BASELINE else run.names["user_model"]
            taus[line.offline, line.labels, (user_model, line.reference)] = line.tau_b
    measures = dict.fromkeys(measure for measure, _, _ in taus)
    online = sorted({column for _, _, column in taus if column[0]}, key=online_order)
    notes = [_size_note([setting]), "↓ lower is better; tau is raw"]
    if level := runs[-1].params.get("relevance_level"):
        notes.append(f"binary measures count grades from {level} as relevant; nDCG, G and ERR use every grade")
    tables = []
    for columns in _fitting_a_page(online):
        lines = [
            [
                MEASURES.get(measure, measure),
                title,
                *(_number(taus.get((measure, labels, column), math.nan), 4) for column in [("", BASELINE), *columns]),
            ]
            for measure in measures
            for labels, title in by.items()
        ]
        alone = len({user_model for user_model, _ in columns}) == 1
        title = f"Offline measures by labels of {by['model']} (Kendall's tau_b), {setting_titles([setting])[0]}"
        title += f", users: {columns[0][0]}" if alone else ""
        titles = ["baseline", *(_online_title(column, alone) for column in columns)]
        tables.append(Table(title, ["measure", "labels", *titles], lines, notes))
    return tables


def compare_tables(found: pd.DataFrame) -> list[Table]:
    """Which judge is better aligned, two by two: a table for each setting and user model of what comparison found."""
    tables = []
    for (setting, user_model), rows in found.groupby(["setting", "user_model"], sort=False):
        lines = []
        for row in rows.itertuples():
            apart = better(row)
            reference = "baseline labels" if row.reference == BASELINE else _online_title(("", row.reference), True)
            lines.append(
                [
                    _judge_name(row.left),
                    _judge_name(row.right),
                    reference,
                    _number(row.tau_left, 4),
                    _number(row.tau_right, 4),
                    _signed(row.difference),
                    _interval(row.ci_low, row.ci_high),
                    _number(row.p_value, 4),
                    _number(row.p_holm, 4),
                    _judge_name(apart) if apart else "",
                ]
            )
        title = f"Judges compared by their tau_b, {setting_titles([setting])[0]}"
        notes = [
            _size_note([setting]),
            f"paired bootstrap of the queries, {B:,} resamples; Holm's p over all pairs of judges of a reference; "
            f"better: Holm's p ≤ {LEVEL}",
        ]
        columns = ["left", "right", "reference", "tau left", "tau right", "difference", "95% interval", "p", "Holm"]
        tables.append(
            Table(title + (f", users: {user_model}" if user_model else ""), [*columns, "better"], lines, notes)
        )
    return tables


def tables(recorded: list[Recorded], kinds: Iterable[str]) -> list[Table]:
    """The tables of these kinds, in this order."""
    pairs = cache(lambda users: compared(recorded, users))
    made = {
        "baseline": lambda: [baseline_table(recorded, worse(pairs(False))), *family_tables(recorded)],
        "online": lambda: online_tables(recorded, worse(pairs(True))),
        "labels": lambda: label_tables(recorded),
        "compare": lambda: [*compare_tables(pairs(False)), *compare_tables(pairs(True))],
        "agreement": lambda: agreement_tables(recorded),
        "correlations": lambda: correlation_tables(recorded),
        "judged": lambda: judged_tables(recorded),
        "alignment": lambda: [alignment_table(recorded)],
        "measures": lambda: measures_tables(recorded),
    }
    return [table for kind in kinds for table in made[kind]()]


def _by_setting(recorded: list[Recorded]) -> dict[tuple, dict[tuple, Recorded]]:
    """The newest run of each judge, by setting."""
    return _newest(recorded, lambda run: run.setting)


def _by_labels(recorded: list[Recorded]) -> dict[tuple, dict[tuple, Recorded]]:
    """The newest run of each judge, by dataset and number of pairs: the systems make no difference to labels."""
    return _newest(recorded, lambda run: (run.names["dataset"], run.metrics["n_pairs"]))


def _newest(recorded: list[Recorded], key: Callable[[Recorded], tuple]) -> dict[tuple, dict[tuple, Recorded]]:
    groups: dict[tuple, dict[tuple, Recorded]] = {}
    for run in told_apart(recorded):
        groups.setdefault(key(run), {})[run.names["model"], run.names["prompt"]] = run
    return {name: groups[name] for name in sorted(groups, key=by_dataset)}


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


def _judge_name(judge: tuple[str, str]) -> str:
    return " ".join(filter(None, judge_titles(judge)))


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
    if any("[" in cell for cell in cells):
        notes.append("in brackets: 95% interval")
    if any("°" in cell for cell in cells):
        notes.append("° cannot be told from 0: p > 0.05, or 0 is in the interval")
    if any("†" in cell for cell in cells):
        notes.append(f"† worse than the best judge of the column (Holm's p ≤ {LEVEL}; --table compare)")
    if any("≈" in cell for cell in cells):
        notes.append(f"≈ within the noise: agrees with the users as well as they do with themselves ({DRAWS})")
    if any("–" in cell for cell in cells):
        notes.append("– undefined: one side ties all systems, or the cell was not run; the run's notes say which")
    if any("(" in cell for cell in cells):
        notes.append("in parentheses: the poster's value")
    return notes


def _cell(
    row: Row | None, poster: float | None, floor: float = math.nan, worse: bool = False, interval: bool = False
) -> str:
    text = "–" if row is None else _number(row.tau_b, 4)
    if row is not None and abs(row.tau_b) >= floor:
        text += "≈"
    if row is not None and (row.p_value > 0.05 or row.ci_low <= 0 <= row.ci_high):
        text += "°"
    if worse:
        text += "†"
    if row is not None and interval and row.ci_low == row.ci_low:
        text += f" {_interval(row.ci_low, row.ci_high, 2)}"
    return text if poster is None else f"{text} ({poster:.3f})"


def _number(value: float, digits: int) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def _signed(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:+.4f}"


def _interval(low: float, high: float, digits: int = 4) -> str:
    return "–" if pd.isna(low) else f"[{low:.{digits}f}, {high:.{digits}f}]"


def _full(value: float) -> str:
    return "" if pd.isna(value) else repr(float(value))


def _share(count: float, total: float) -> str:
    return _share_of(count / total if total else math.nan)


def _share_of(share: float) -> str:
    return "–" if pd.isna(share) else f"{share:.1%}"
