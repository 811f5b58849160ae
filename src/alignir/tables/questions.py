"""Tables of the study's questions, each with its answer in a sentence made from the numbers.

Whether LLM labels are better aligned with users than the baseline's, whether a judge's size and its prompt matter, and
where a tau that points the wrong way comes from.
"""

import math
from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

import numpy as np

from alignir.alignment.bootstrap import NONE, ends, plain_means
from alignir.alignment.comparison import against_one, certainty, enough, together
from alignir.alignment.questions import by_query, slope, without_each
from alignir.alignment.significance import ALPHA, holm
from alignir.formatting import Number, counted, interval, number, signed, with_interval
from alignir.frames import BASELINE
from alignir.tables.comparison import Group, group_of, resampling
from alignir.tables.names import in_order, judge_name, judge_titles, setting_titles
from alignir.tables.notes import measure_notes, size_note
from alignir.tables.quality import following, shares_of
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import AS_IS, NOBODY, Column, Judge, UserModel
from alignir.users.metrics import LOWER_IS_BETTER

PEOPLE = Judge(BASELINE)
REFERENCE = Column(NOBODY, BASELINE)
UNSATISFIED = "never_satisfied"


class Where(NamedTuple):
    """Where a negative tau of the baseline labels comes from."""

    low: float  # of its 95% interval
    high: float
    within: float  # the mean of the tau of each query
    without: float  # the highest tau without one of the systems
    system: str  # which
    going_on: float  # the tau where users are never satisfied; NaN: not recorded


class Known(NamedTuple):
    """tau_b of an online metric with the order of systems of known order."""

    tau_b: float
    low: float  # of its 95% interval
    high: float


def question_tables(recordings: Recordings) -> list[Table]:
    """One or two tables a question, setting and user model, where the runs can answer it.

    Runs of systems of known order (systems=degraded) answer part of question 4, and are asked nothing else.
    """
    by_setting, by_users = recordings.by_setting(), recordings.by_users()
    degraded = [run for run in recordings if shares_of(run)]
    asked = sorted(set(by_setting) - {run.setting for run in degraded})
    found = [
        group_of(
            {NOBODY: by_setting[setting]} | {users: runs for (of, users), runs in by_users.items() if of == setting}
        )
        for setting in asked
    ]
    return [
        *(table for group in found for table in _with_users(group)),
        *(table for group in found for table in _size(group)),
        *(table for group in found for table in _prompt(group)),
        *(table for group in found for table in _direction(group, degraded)),
    ]


def _with_users(group: Group) -> list[Table]:
    """Question 1: every judge's row of Table 2 less the baseline's."""
    tables = []
    for users in _users(group):
        metrics = {column: values for column, values in group.references.items() if column.users == users}
        judges = {**group.judges, PEOPLE: group.references[REFERENCE]}
        rows = against_one(judges, PEOPLE, metrics, resampling(group.runs))
        for judge in in_order(group.judges):
            lines, outcomes = [], Counter[str]()
            for row in rows[[left == judge for left in rows["left"]]].itertuples():
                outcome = _outcome(row.difference, row.p_holm, row.reference.metric)
                outcomes[outcome] += 1
                difference = with_interval(row.difference, row.ci_low, row.ci_high)
                taus = number(row.tau_left), number(row.tau_right)
                lines.append([group.titles[row.reference], *taus, difference, number(row.p_holm), outcome])
            answer = (
                f"with {counted(len(lines), 'online metric')}, scores by these labels are better aligned than by the "
                f"baseline's in {outcomes['better']}, worse in {outcomes['worse']}, and it cannot be told in "
                f"{outcomes['']}"
            )
            columns = ["metric", "tau_b", "baseline", "difference", "Holm", ""]
            notes = [
                f"Holm's p over all judges and metrics of these users; better, worse: p ≤ {ALPHA}, by the metric's own "
                "direction (↓ lower is better)"
            ]
            asked = f"Question 1. Is {judge_name(judge)} closer to users than the baseline?"
            tables.append(_table(group, asked, users, columns, lines, answer, notes))
    return tables


def _outcome(difference: float, p_holm: float, metric: str) -> str:
    if not p_holm <= ALPHA:
        return ""
    return "better" if (difference > 0) != (metric in LOWER_IS_BETTER) else "worse"


def sizes(runs: Iterable[Recorded]) -> dict[Judge, float]:
    """The billions of parameters of the judges whose are known."""
    known = {run.judge: run.params.get("model.parameters", "None") for run in runs}
    return {judge: float(size) for judge, size in known.items() if size != "None"}


def _size(group: Group) -> list[Table]:
    """Question 2: tau_b with the baseline over the size of the model, for each prompt."""
    sized = sizes(group.runs)
    lines, answers = [], []
    chosen = resampling(group.runs)
    for prompt, judges in _by(sized, _prompt_name).items():
        billions = np.array([sized[judge] for judge in judges])
        if len(set(billions)) < 2:
            continue
        taus = together({judge: group.judges[judge] for judge in judges}, group.references[REFERENCE], chosen)
        for judge, size, tau in sorted(zip(judges, billions, taus[:, 0], strict=True), key=lambda each: each[1]):
            lines.append([prompt, judge_titles(judge)[0], f"{size:g}", number(tau), "", ""])
        rise = slope(billions, taus)
        low, high, p_value = certainty(rise[0], rise[1:], chosen.method)
        lines.append([prompt, "ten times the size", "", signed(rise[0]), interval(low, high, 2), number(p_value)])
        answers.append(
            f"with {prompt}, tau_b moves by {signed(rise[0], 2)} for ten times the parameters of {len(judges)} models: "
            + _told(p_value, "it rises with size" if rise[0] > 0 else "it falls with size")
        )
    if not lines:
        return []
    columns = ["prompt", "model", "billions", "tau_b", "95% interval", "p"]
    notes = [
        "billions of parameters, of a mixture the active ones (model.parameters); ten times the size: the slope of "
        "tau_b over log10 of the size, least squares, and a paired bootstrap of it"
    ]
    return [_table(group, "Question 2. Does size matter?", NOBODY, columns, lines, "; ".join(answers), notes)]


def _prompt(group: Group) -> list[Table]:
    """Question 3: the difference that the prompt makes, for each model and over all that have both."""
    judges = {(_model_name(judge), _prompt_name(judge)): judge for judge in group.judges if judge.prompt}
    chosen, lines, answers = resampling(group.runs), [], []
    for one, other in combinations(sorted({prompt for _, prompt in judges}), 2):
        models = sorted(model for model, prompt in judges if prompt == one and (model, other) in judges)
        if not models:
            continue
        both = {
            judges[model, prompt]: group.judges[judges[model, prompt]] for prompt in (one, other) for model in models
        }
        used = enough(chosen, len(models))
        taus = together(both, group.references[REFERENCE], used).reshape(2, len(models), -1)
        differences = taus[0] - taus[1]  # (models, 1 + B)
        found = [certainty(each[0], each[1:], used.method) for each in differences]
        corrected = holm(np.array([p_value for *_, p_value in found]))
        pair = f"{one} - {other}"
        for model, tau, each, (low, high, _), p_holm in zip(
            models, taus[:, :, 0].T, differences, found, corrected, strict=True
        ):
            lines.append([model, pair, *map(number, tau), signed(each[0]), interval(low, high, 2), number(p_holm)])
        mean = differences.mean(axis=0)
        low, high, p_value = certainty(mean[0], mean[1:], used.method)
        lines.append(["all models", pair, "", "", signed(mean[0]), interval(low, high, 2), number(p_value)])
        answers.append(
            f"{one} less {other} is {signed(mean[0], 2)} over {counted(len(models), 'model')}: "
            + _told(p_value, f"{one if mean[0] > 0 else other} is better")
        )
    if not lines:
        return []
    columns = ["model", "prompts", "tau first", "tau second", "difference", "95% interval", "p"]
    notes = ["p: Holm's over the models of a pair of prompts; all models: the mean of their differences"]
    return [_table(group, "Question 3. Does the prompt matter?", NOBODY, columns, lines, "; ".join(answers), notes)]


def _direction(group: Group, degraded: list[Recorded]) -> list[Table]:
    """Question 4: where the baseline's own tau with a metric is negative, what is it that makes it so?

    Whether the metric follows quality at all, the newest of the `degraded` runs on the dataset with these users knows.
    """
    tables = []
    people, systems = group.references[REFERENCE], group.systems
    for users in _users(group):
        lines, answers = [], []
        of_known_order = [run for run in degraded if _data_of(run) == _data_of(group.runs[0]) and run.users == users]
        known_order = _known(of_known_order[-1]) if of_known_order else {}
        for column, values in group.references.items():
            if column.users != users or values.shape[1] != people.shape[1]:
                continue
            known = ~np.isnan(values).all(axis=0) & ~np.isnan(people).all(axis=0)
            chosen = resampling(group.runs)
            taus = together({PEOPLE: people}, values, chosen)[0]
            if not taus[0] < 0:
                continue
            low, high = ends(taus, chosen.method)
            each = by_query(people[:, known], values[:, known])
            within = float(np.nanmean(each)) if not np.isnan(each).all() else math.nan
            rest = without_each(plain_means(people[:, known]), plain_means(values[:, known]))
            least = int(np.nanargmax(rest))
            title = group.titles[column]
            unsatisfied = group.references.get(Column(users._replace(assumption=UNSATISFIED), column.metric))
            on = math.nan if unsatisfied is None else together({PEOPLE: people}, unsatisfied, NONE)[0, 0]
            follows = known_order.get(column.metric, Known(math.nan, math.nan, math.nan))
            numbers = [number(each, 2) for each in (within, rest[least], on, follows.tau_b)]
            lines.append([title, Number(f"{number(taus[0], 2)} {interval(low, high, 2)}", taus[0]), *numbers])
            found = Where(low, high, within, float(rest[least]), systems[least], float(on))
            follow = f", and {_follows(column.metric, follows)}" if of_known_order else ""
            answers.append(f"{title}: {_why(column.metric, found)}{follow}")
        if lines:
            if not of_known_order:
                answers.append(_lacking(group.runs[0], users))
            columns = ["metric", "tau_b, 95% interval", "within", "without one", "going on", "degraded"]
            notes = [
                "within: the mean of the tau_b of each query alone, where there is one; without one: the highest tau_b "
                f"without one of the systems; going on: where users are never satisfied (assumption={UNSATISFIED}); "
                "degraded: with the known order of systems=degraded (--table quality)"
            ]
            asked = "Why is tau with some metrics negative?"
            tables.append(_table(group, f"Question 4. {asked}", users, columns, lines, "; ".join(answers), notes))
    return tables


def _why(metric: str, found: Where) -> str:
    """What makes a negative tau of the baseline labels, in a sentence."""
    if metric in LOWER_IS_BETTER:
        return "lower is better, " + (
            "and that is all there is to it" if found.within < 0 else "but not within queries"
        )
    if not found.high < 0:
        return "cannot be told from 0"
    if found.within > 0:
        return "it is so only over the queries' means: within queries better systems have more of it"
    if found.without > 0:
        return f"{found.system} alone makes it so"
    if found.going_on > 0:
        return "satisfied users stop: where they go on, better systems have more of it"
    return "better systems have less of it, within queries too"


def _known(run: Recorded) -> dict[str, Known]:
    """By metric, from a run of systems of known order."""
    return {row.offline: Known(row.tau_b, row.ci_low, row.ci_high) for row in following(run).itertuples()}


def _follows(metric: str, found: Known) -> str:
    """Does the metric follow quality at all? In half a sentence."""
    ends = sorted((-found.low, -found.high) if metric in LOWER_IS_BETTER else (found.low, found.high))
    said = f"degraded systems: {with_interval(*found, 2)}"
    if ends[0] > 0:
        return f"it follows quality ({said})"
    if ends[1] < 0:
        return f"it falls with quality ({said})"
    return f"whether it follows quality cannot be told ({said})"


def _data_of(run: Recorded) -> tuple[str, str]:
    """The dataset, and the queries of it with their labels."""
    return run.setting.dataset, run.tags.get("dataset.fingerprint", "")


def _lacking(run: Recorded, users: UserModel) -> str:
    """What cannot be told without a run of systems of known order, and how to get one."""
    cell = {"dataset": run.params["dataset"], "queries": run.params["queries"], "user_model": users.name}
    cell |= {} if users.assumption == AS_IS else {"assumption": users.assumption}
    settings = " ".join(f"{name}={value}" for name, value in cell.items())
    return (
        "whether these metrics follow quality at all cannot be told without systems of known order: add a run with "
        f"systems=degraded {settings}, other settings as they are"
    )


def _users(group: Group) -> list[UserModel]:
    """Those that are asked about: users who are never satisfied only explain others."""
    found = dict.fromkeys(column.users for column in group.references if column.users != NOBODY)
    return [users for users in found if users.assumption != UNSATISFIED]


def _by(judges: Iterable[Judge], key) -> dict[str, list[Judge]]:
    found: dict[str, list[Judge]] = {}
    for judge in judges:
        found.setdefault(key(judge), []).append(judge)
    return found


def _model_name(judge: Judge) -> str:
    return judge_titles(judge)[0]


def _prompt_name(judge: Judge) -> str:
    return judge_titles(judge)[1]


def _told(p_value: float, answer: str) -> str:
    return answer if p_value <= ALPHA else "cannot be told"


def _table(
    group: Group, title: str, users: UserModel, columns: list[str], lines: list, answer: str, notes: list[str]
) -> Table:
    where = setting_titles([group.setting])[0] + (f", users: {users.title}" if users != NOBODY else "")
    about = [size_note([group.setting]), *measure_notes(group.runs)]
    return Table(f"{title} {where}", columns, lines, [f"Answer: {answer}", *about, *notes])
