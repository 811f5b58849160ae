"""Results: what a cell finds once its pairs are labelled: scores, users' metrics, alignment, agreement."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alignir.alignment import correlations
from alignir.alignment.bootstrap import matrices
from alignir.alignment.families import without
from alignir.alignment.significance import pairwise
from alignir.alignment.tau import against_baseline, against_users, common, why_undefined
from alignir.alignment.unlabelled import Range, ranges
from alignir.data.pools import filled
from alignir.data.ranked import Runs
from alignir.data.scales import Scale
from alignir.evaluation import agreement
from alignir.evaluation.names import title as measure_title
from alignir.evaluation.scores import evaluate, judged_at, means
from alignir.experiment.cells import Cell
from alignir.experiment.inputs import Inputs
from alignir.experiment.references import references
from alignir.formatting import counted
from alignir.frames import ALL, BASELINE, SECOND
from alignir.labelling.labels import Labelling, fall_back, flip_rate, judge_again, label, unknown_endings
from alignir.labelling.ledger import Ledger


@dataclass(frozen=True)
class Result:
    """What a cell found."""

    labelling: Labelling
    scores: pd.DataFrame  # SCORES under the model's labels
    baseline: pd.DataFrame  # SCORES under the baseline labels
    online: pd.DataFrame  # ONLINE
    noise: pd.DataFrame | None  # NOISE of sampled users
    outcomes: pd.DataFrame | None  # OUTCOMES of users who compare two systems
    alignment: pd.DataFrame  # ALIGNMENT with `labels`: "model", "baseline", or one of CEILING_AND_FLOORS
    # of the headline measure with the baseline's, and the shares of significant differences kept
    correlations: dict[str, float]
    agreement: dict[str, float]
    calibration: pd.DataFrame | None  # CALIBRATION, where the model gave probabilities
    judged: pd.DataFrame  # by system: the shares of its first 10 results with a "baseline" and with a "model" label
    family: dict[str, float]  # what families.without finds; nothing where no system is of the model's family
    unlabelled: dict[str, Range]  # of tau_b over grades of the missing labels: "tried" and "bounds"; empty: none miss
    notes: tuple[str, ...]


def compute(cell: Cell, inputs: Inputs) -> Result:
    """The line that the project is about: label, evaluate, simulate, align."""
    qrels, runs = inputs.dataset.qrels, inputs.runs
    labelling = _labelled(cell, inputs)
    labels = filled(cell.pool, qrels, labelling.labels)
    scores = evaluate(labels, runs, (cell.headline, *cell.measures), cell.missing, inputs.scale, cell.unjudged)
    beside = references(cell, inputs)
    baseline, online = beside.baseline, beside.online
    alignment = [
        against_baseline(scores, baseline, cell.resampling).assign(labels="model"),
        against_users(scores, online, cell.resampling).assign(labels="model"),
        beside.alignment,
    ]
    alignment = pd.concat(alignment, ignore_index=True)
    expected = labelling.labels["expected"].notna().any()
    calibration = agreement.calibration(qrels, labelling.labels, inputs.scale) if expected else None
    judged, people = (side[side["measure"] == cell.headline] for side in (scores, baseline))
    family = without(inputs.own, judged, people, cell.resampling) if inputs.own else {}
    notes = [
        *inputs.notes,
        *labelling.notes,
        *_family_notes(cell, inputs.own, family),
        *_undefined(alignment, scores, baseline, online),
        *_unlabelled(labelling.labels, scores),
        *_unanswered(labelling),
        *_unmeasured(online, runs.query_ids, cell.called["user_model"]),
    ]
    return Result(
        labelling,
        scores,
        baseline,
        online,
        beside.noise,
        beside.outcomes,
        alignment,
        _correlations(judged, people),
        _agreement(cell, inputs, labelling, calibration),
        calibration,
        pd.DataFrame({BASELINE: judged_at(qrels, runs), "model": judged_at(labels, runs)}),
        family,
        _unlabelled_ranges(labels, inputs.scale, runs, judged, people) if cell.unjudged == "not_relevant" else {},
        tuple(notes),
    )


def _labelled(cell: Cell, inputs: Inputs) -> Labelling:
    ledger = Ledger(cell.ledger)
    labelling = label(inputs.pairs, inputs.prompt, cell.llm or cell.model, ledger, cell.reader, inputs.scale)
    if cell.missing == "fallback" and cell.llm is not None:
        labelling = fall_back(labelling, inputs.pairs, inputs.prompt, cell.llm, ledger)
    return labelling


def _agreement(cell: Cell, inputs: Inputs, labelling: Labelling, calibration: pd.DataFrame | None) -> dict[str, float]:
    """Of labels with the baseline's, of people with people, and of the model with itself where it was asked again."""
    dataset, scale = inputs.dataset, inputs.scale
    sides = (dataset.qrels, labelling.labels, dataset.scale, scale)
    found = agreement.agreement(*sides) | agreement.details(*sides)
    if calibration is not None and scale.grades == dataset.scale.grades:
        found["calibration_error"] = agreement.calibration_error(calibration)
    if dataset.second is not None:
        people = agreement.agreement(dataset.qrels, dataset.second, dataset.scale, dataset.scale)
        found |= {f"{SECOND}/{name}": people[name] for name in ("kappa", "kappa_relevant")}
    if labelling.repeats is not None:
        found["flip_rate"] = flip_rate(labelling.repeats)
    if cell.rejudge.n and cell.llm is not None:
        rng = np.random.default_rng(cell.rejudge.seed)
        ledger = Ledger(cell.ledger)
        again = judge_again(inputs.pairs, inputs.prompt, cell.llm, ledger, cell.reader, cell.rejudge.n, rng)
        both = agreement.joined(labelling.labels, again)
        found |= {"self/exact": float((both["baseline"] == both["label"]).mean()), "self/kappa": agreement.kappa(both)}
    return found


def _correlations(scores: pd.DataFrame, baseline: pd.DataFrame) -> dict[str, float]:
    """Other answers than tau_b to how alike two SCORES of one measure order the systems, on the queries of both."""
    sides = common(scores, baseline)
    left, right = (means(side).iloc[:, 0] for side in sides)
    both = matrices(*sides)
    return correlations.every(left, right) | pairwise(both.left, both.right)["share"].to_dict()


def _unlabelled_ranges(
    labels: pd.DataFrame, scale: Scale, runs: Runs, scores: pd.DataFrame, baseline: pd.DataFrame
) -> dict[str, Range]:
    """What is known of nDCG@K only: of another measure nothing is said."""
    cut = re.fullmatch(r"ndcg_cut_(\d+)", scores["measure"].iloc[0])
    if cut is None or not labels["relevance"].isna().any():
        return {}
    tried, bounds = ranges(labels, runs, scores, baseline, scale.grades, int(cut[1]))
    return {"tried": tried, "bounds": bounds}


def _family_notes(cell: Cell, own: list[str], family: dict[str, float]):
    if own:
        shown = {name: "–" if value != value else f"{value:.4f}" for name, value in family.items()}
        yield (
            f"{', '.join(own)}: of the judge's own family, {cell.model.family}. tau_b with the baseline labels is "
            f"{shown['tau_all']} with them, {shown['tau_b']} without: {shown['difference']}"
            + (f" [{shown['ci_low']}, {shown['ci_high']}]" if family["ci_low"] == family["ci_low"] else "")
            + (", more than chance" if family["moved"] == 1 else "")
        )


def _undefined(alignment: pd.DataFrame, scores: pd.DataFrame, baseline: pd.DataFrame, online: pd.DataFrame):
    sides = {"model": means(scores), BASELINE: means(baseline)}
    users = means(online, "metric")
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for row in alignment[alignment["tau_b"].isna() & alignment["labels"].isin(sides)].itertuples():
        left = sides[row.labels][row.offline]
        right = sides[BASELINE][row.offline] if row.reference == BASELINE else users[row.reference]
        reasons.setdefault((row.labels, why_undefined(left, right), row.offline), []).append(row.reference)
    measures: dict[tuple[str, str, str], list[str]] = {}
    for (labels, why, measure), names in reasons.items():
        measures.setdefault((labels, why, ", ".join(names)), []).append(measure_title(measure))
    for (labels, why, against), alike in measures.items():
        yield f"tau_b of {', '.join(alike)} under the {labels}'s labels is undefined against {against}: {why}"


def _unlabelled(labels: pd.DataFrame, scores: pd.DataFrame):
    unknown = scores.loc[scores["value"].isna(), "query_id"].nunique()
    if unknown:
        have, are = ("has", "is") if unknown == 1 else ("have", "are")
        yield f"{counted(unknown, 'query')} {have} no label at all and {are} left out on both sides"
    missing = int(labels["relevance"].isna().sum())
    if missing:
        yield f"{missing:,} of {counted(len(labels), 'pair')} {'has' if missing == 1 else 'have'} no label"


def _unanswered(labelling: Labelling):
    """Requests that failed, and words for an answer's end that nobody knows yet."""
    if labelling.failed:
        last = f", the last with: {labelling.problem}" if labelling.problem else ""
        yield f"{labelling.failed} of {labelling.asked} requests failed and are asked again by the next run{last}"
    for reason, count in unknown_endings(labelling.labels).items():
        yield f"{count} answers ended with the unknown finish reason {reason!r} and are read as finished ones"


def _unmeasured(online: pd.DataFrame, query_ids: Sequence[str], user_model: str):
    measured = online["query_id"].unique()
    if online.empty:  # of users who compare two systems
        return
    if list(measured) != [ALL] and len(measured) < len(query_ids):
        yield (
            f"{user_model}: {len(query_ids) - len(measured)} of {counted(len(query_ids), 'query')} without sessions of "
            "every system, left out of the online metrics"
        )
    undefined = online[online["value"].isna()]
    for metric, rows in undefined.groupby("metric"):
        systems = rows["system"].nunique()
        pairs = f"{len(rows):,} {'pair' if len(rows) == 1 else 'pairs'} of system and query"
        yield f"{metric} is undefined for {counted(systems, 'system')} on {pairs}, left out there"
