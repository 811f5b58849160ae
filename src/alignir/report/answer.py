"""Answer: what a report begins with, for each setting, in sentences that are made from the numbers.

Which judge is best, which cannot be told from it, what is to be distrusted, and what of users can be predicted at all.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from alignir.alignment.ranks import shown
from alignir.alignment.significance import ALPHA
from alignir.formatting import counted, interval, number, share_of
from alignir.frames import BASELINE, LEXICAL, ONE_GRADE, SHUFFLED
from alignir.tables.best_judges import Judged, judged
from alignir.tables.names import headline_rows, heads_of, judge_name, online_order, setting_titles
from alignir.tables.rows import unsure
from alignir.tables.unlabelled import ENDS, MANY, share
from alignir.tracking.recordings import Recordings, Row
from alignir.tracking.shapes import AS_IS, Judge
from alignir.users.metrics import LOWER_IS_BETTER, metric_name

ENOUGH = 0.5  # of the pairs of systems: where the baseline's labels show a difference in fewer, queries are few
FLOORS = {
    LEXICAL: "Labels by shared words alone (floor: lexical) reach",
    SHUFFLED: "The baseline's own labels in random order (floor: shuffled) reach",
    ONE_GRADE: "One grade for every pair (floor: one grade) reaches",
}
UNDEFINED, DOUBTED, AGAINST, PREDICTED = "undefined", "doubted", "against", "predicted"
NOT_PREDICTED = {
    UNDEFINED: "say nothing of",
    DOUBTED: "cannot be told from chance with",
    AGAINST: "order systems against",
}


class Answer(NamedTuple):
    """Of one setting. Every text is a sentence."""

    title: str
    best: list[str]
    doubts: list[str]
    users: list[str]


def answers(recordings: Recordings) -> list[Answer]:
    """One for each setting with an order of systems, in the order of tables."""
    by_setting, every = recordings.by_setting(), headline_rows(recordings)
    settings = sorted(setting for setting in by_setting if setting.n_systems > 1)
    found = []
    for setting, title in zip(settings, setting_titles(settings), strict=True):
        of_judges = judged(recordings, setting, by_setting[setting])
        rows = [row for row in every if row.setting == setting]
        own = {row.judge: row for row in rows if row.reference == BASELINE}
        best, doubts = list(_best(of_judges, own)), list(_doubts(of_judges, own))
        found.append(Answer(title, best, doubts, list(_users(of_judges, rows))))
    return found


def _best(found: Judged, rows: dict[Judge, Row]) -> Iterator[str]:
    known = [judge for judge, line in found.lines.items() if line["tau_b"] == line["tau_b"]]
    systems = counted(found.setting.n_systems, "system")
    if not known:
        yield f"No judge puts the {systems} in an order: with the baseline labels, tau_b is undefined."
        return
    best, *others = known
    name, tau, alone = judge_name(best), _tau(rows[best]), len(found.lines) == 1
    of = "the only judge" if alone else f"the best of {counted(len(found.lines), 'judge')}"
    told = [judge for judge in known if not unsure(rows[judge])]
    if best in told:
        order = "the order" if rows[best].tau_b > 0 else "the reverse order"
        yield f"{name}, {of}, puts the {systems} in {order} of the baseline labels, with a tau_b of {tau}."
    elif told:
        yield f"The highest tau_b, that of {name}, cannot be told from chance: {tau}."
        yield f"That of {_listed([f'{judge_name(judge)} ({_tau(rows[judge])})' for judge in told])} can."
    else:
        yield f"No order of the {systems} can be told from chance: {name}, {of}, has a tau_b of {tau}."
    apart = {judge: found.lines[judge]["p_holm"] for judge in others}
    for begins, judges, ends in (
        ("These queries cannot tell it from", [judge for judge in others if apart[judge] > ALPHA], ""),
        ("It is better than", [judge for judge in others if apart[judge] <= ALPHA], f", by Holm's p ≤ {ALPHA}"),
        ("It was not compared with", [judge for judge in others if apart[judge] != apart[judge]], ": no resamples"),
    ):
        if judges:
            named = _listed([f"{judge_name(each)} ({_short(rows[each].tau_b)})" for each in judges])
            yield f"{begins} {named}{ends}."
    if tied := [judge_name(judge) for judge in found.lines if judge not in known]:
        yield f"{_listed(tied)} {'has' if len(tied) == 1 else 'have'} no tau_b: one side ties all systems."
    top = found.lines[best]["tau_top"]
    if top == top:
        yield f"Among the {found.top} best systems, where decisions are made, its tau_b is {_short(top)}."


def _doubts(found: Judged, rows: dict[Judge, Row]) -> Iterator[str]:
    """What is to be distrusted, and why."""
    queries, known = counted(found.setting.n_queries, "query"), shown(found.reference)
    if known.apart != known.apart:
        yield "With a single query no difference between two systems can be tested."
    elif known.apart < ENOUGH * known.pairs:
        yield (
            f"The queries are few: by the baseline labels of {queries}, {known.apart:,} of {known.pairs:,} pairs of "
            f"systems differ significantly (Holm's p ≤ {ALPHA}), and the order of the others is not known."
        )
    best = next((judge for judge, line in found.lines.items() if line["tau_b"] == line["tau_b"]), None)
    if best is not None:
        tau = rows[best].tau_b
        if tau >= found.ceiling:
            yield (
                f"{judge_name(best)} is at the ceiling: baseline labels of other queries would agree with these to "
                f"about {_short(found.ceiling)}, so that differences near it say nothing of judges."
            )
        yield from _floors(rows, best)
    for judge in found.lines:
        yield from _of_judge(rows[judge], judge_name(judge))
    if any(name.startswith("dataset.last_rank.") for run in found.runs.values() for name in run.params):
        yield "The baseline's grades are made from the ranks of another ranker, and are not people's labels."


def _floors(rows: dict[Judge, Row], best: Judge) -> Iterator[str]:
    """Labels that know nothing of relevance, and reach what the best judge does, or its interval."""
    least = rows[best].ci_low if rows[best].ci_low == rows[best].ci_low else rows[best].tau_b
    for floor, what in FLOORS.items():
        row = rows.get(Judge(floor))
        if row is None:
            continue
        high = row.ci_high if floor == SHUFFLED and row.ci_high == row.ci_high else row.tau_b
        if high >= least:
            where = "as much as the best judge" if high >= rows[best].tau_b else "within the best judge's interval"
            drawn = " in some draws" if high != row.tau_b else ""
            yield f"{what} {_short(high)}{drawn}, {where}."


def _of_judge(row: Row, name: str) -> Iterator[str]:
    metrics, lacking = row.run.metrics, share(row)
    if lacking > MANY:
        text = f"{name} gave {share_of(lacking)} of the pairs no label"
        if "unlabelled/tried_low" in metrics:
            low, high, least, most = (metrics[f"unlabelled/{end}"] for end in ENDS)
            tried, bounds = interval(low, high, 2), interval(least, most, 2)
            text += f"; other grades in their place make its tau_b anything in {tried}, and none outside of {bounds}"
        yield f"{text}."
    if metrics.get("failed"):
        yield f"Requests of {name} failed for {metrics['failed']:,.0f} pairs: the same command asks them again."
    if metrics.get("family/moved") == 1:
        systems = counted(metrics["family/left_out"], "system")
        yield (
            f"{name} orders systems of its own family otherwise than the rest: without {systems} of "
            f"{row.run.params['model.family']} its tau_b is {_short(metrics['family/tau_b'])} instead of "
            f"{_short(metrics['family/tau_all'])}."
        )


def _users(found: Judged, rows: list[Row]) -> Iterator[str]:
    """What the baseline labels predict of users, and how far the best judge does; of users as they are, if recorded."""
    online = [row for row in rows if row.reference != BASELINE]
    if not online:
        yield "No online metric was recorded, so that nothing is said of users."
    best, every = next(iter(found.lines)), dict.fromkeys(row.users for row in online)
    for users in [each for each in every if each.assumption == AS_IS] or list(every):
        here = sorted((row for row in online if row.users == users), key=lambda row: online_order(row.column))
        people = {row.reference: row for row in here if row.judge == Judge(BASELINE)}
        own = {row.reference: row for row in here if row.judge == best}
        heads = heads_of(here[0].run)
        outcomes: dict[str, list[str]] = {outcome: [] for outcome in (*NOT_PREDICTED, PREDICTED)}
        for metric, row in people.items():
            outcomes[_outcome(row)].append(metric_name(metric, heads))
        texts = [f"{text} {_listed(outcomes[outcome])}" for outcome, text in NOT_PREDICTED.items() if outcomes[outcome]]
        if texts:
            yield f"Users ({users.title}): even the baseline labels {', and '.join(texts)}."
        both = [metric for metric, row in people.items() if _outcome(row) == PREDICTED and metric in own]
        both = [metric for metric in both if own[metric].tau_b == own[metric].tau_b]
        if both:
            of_judge, of_people = (_span([_directed(side[metric]) for metric in both]) for side in (own, people))
            yield (
                f"Users ({users.title}): for {_listed([metric_name(metric, heads) for metric in both])}, which the "
                f"baseline labels do predict, tau_b is {of_judge} by the labels of {judge_name(best)} "
                f"and {of_people} by the baseline's, in each metric's own direction."
            )


def _outcome(row: Row) -> str:
    """What the baseline's tau_b with a metric says of it."""
    if row.tau_b != row.tau_b:
        return UNDEFINED
    return DOUBTED if unsure(row) else AGAINST if _directed(row) < 0 else PREDICTED


def _directed(row: Row) -> float:
    """tau_b, and -tau_b where lower is better."""
    return -row.tau_b if row.reference in LOWER_IS_BETTER else row.tau_b


def _tau(row: Row) -> str:
    reach = f", 95% interval {interval(row.ci_low, row.ci_high, 2)}" if not math.isnan(row.ci_low) else ""
    return f"{_short(row.tau_b)}{reach}"


def _short(tau: float) -> str:
    return number(tau, 2)


def _span(taus: list[float]) -> str:
    return " to ".join(dict.fromkeys(_short(tau) for tau in (min(taus), max(taus))))


def _listed(names: list[str]) -> str:
    """
    >>> _listed(["a"]), _listed(["a", "b"]), _listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
