"""Results: what a cell finds once its pairs are labelled: scores, users' metrics, alignment, agreement."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alignir.alignment import correlations
from alignir.alignment.bootstrap import NONE, matrices
from alignir.alignment.families import without
from alignir.alignment.significance import pairwise
from alignir.alignment.tau import against_baseline, against_users, average, between_draws, why_undefined
from alignir.data.pools import filled
from alignir.evaluation import agreement
from alignir.evaluation.measures import NAMES, NDCG
from alignir.evaluation.scores import evaluate, judged_at, means
from alignir.experiment.cells import Cell
from alignir.experiment.floors import bounds
from alignir.experiment.inputs import Inputs, digest
from alignir.frames import ALL, BASELINE, SECOND
from alignir.labelling.labels import Labelling, fall_back, flip_rate, judge_again, label
from alignir.labelling.ledger import Ledger


@dataclass(frozen=True)
class Result:
    """What a cell found."""

    labelling: Labelling
    scores: pd.DataFrame  # SCORES under the model's labels
    baseline: pd.DataFrame  # SCORES under the baseline labels
    online: pd.DataFrame  # ONLINE
    noise: pd.DataFrame | None  # NOISE of sampled users
    alignment: pd.DataFrame  # ALIGNMENT with `labels`: "model", "baseline", or one of bounds.CEILING_AND_FLOORS
    correlations: dict[str, float]  # of nDCG@10 with the baseline's, and the shares of significant differences kept
    agreement: dict[str, float]
    judged: pd.DataFrame  # by system: the shares of its first 10 results with a "baseline" and with a "model" label
    family: dict[str, float]  # what families.without finds; nothing where no system is of the model's family
    notes: tuple[str, ...]


def compute(cell: Cell, inputs: Inputs) -> Result:
    """The line that the project is about: label, evaluate, simulate, align."""
    dataset, runs, ledger = inputs.dataset, inputs.runs, Ledger(cell.ledger)
    query_ids, pairs = list(dataset.queries.index), inputs.pairs

    labelling = label(pairs, inputs.prompt, cell.model, ledger, cell.reader)
    if cell.missing == "fallback":
        labelling = fall_back(labelling, pairs, inputs.prompt, cell.model, ledger)
    labels = filled(cell.pool, dataset.qrels, labelling.labels)
    measures, level = (NDCG, *cell.measures), cell.relevance_level
    scores = evaluate(labels, runs, query_ids, inputs.systems, measures, cell.missing, level)
    baseline = evaluate(dataset.qrels, runs, query_ids, inputs.systems, measures, relevance_level=level)
    measured, noise = (dataset.qrels, runs, query_ids, inputs.systems), None
    if getattr(cell.user_model, "sessions", None):
        draws = list(cell.user_model.draw(*measured, cell.user_model.draws))
        online, noise = draws[0], between_draws(draws)
    else:
        online = cell.user_model.measure(*measured)
    alignment = pd.concat(
        [
            against_baseline(scores, baseline, cell.resampling).assign(labels="model"),
            against_users(scores, online, cell.resampling).assign(labels="model"),
            against_baseline(baseline, baseline).assign(labels=BASELINE),
            against_users(baseline, online, cell.resampling).assign(labels=BASELINE),
            *_bounds(cell, inputs, baseline, online),
        ],
        ignore_index=True,
    )
    sides = {BASELINE: dataset.qrels, "model": labels}
    judged = {side: judged_at(known, runs, query_ids, inputs.systems) for side, known in sides.items()}
    found = agreement.agreement(dataset.qrels, labelling.labels)
    found |= agreement.details(dataset.qrels, labelling.labels)
    if labelling.labels["expected"].notna().any():
        calibration = agreement.calibration(dataset.qrels, labelling.labels)
        found["calibration_error"] = agreement.calibration_error(calibration)
    if dataset.second is not None:
        people = agreement.agreement(dataset.qrels, dataset.second)
        found |= {f"{SECOND}/{name}": people[name] for name in ("kappa4", "kappa_bin")}
    if labelling.repeats is not None:
        found["flip_rate"] = flip_rate(labelling.repeats)
    if cell.rejudge and not hasattr(cell.model, "grade"):
        rng = np.random.default_rng(cell.rejudge_seed)
        again = judge_again(pairs, inputs.prompt, cell.model, ledger, cell.reader, cell.rejudge, rng)
        both = agreement.joined(labelling.labels, again)
        found |= {"self/exact": float((both["baseline"] == both["label"]).mean()), "self/kappa4": agreement.kappa(both)}
    family = without(inputs.own, scores, baseline, cell.resampling.seed) if inputs.own else {}
    notes = [
        *inputs.notes,
        *_family_notes(cell, inputs.own, family),
        *_undefined(alignment, scores, baseline, online),
        *_unlabelled(labelling.labels, scores),
        *_unmeasured(online, query_ids, cell.names["user_model"]),
    ]
    return Result(
        labelling,
        scores,
        baseline,
        online,
        noise,
        alignment,
        _correlations(scores, baseline),
        found,
        pd.DataFrame(judged),
        family,
        tuple(notes),
    )


def _correlations(scores: pd.DataFrame, baseline: pd.DataFrame) -> dict[str, float]:
    """Other answers than tau_b to how alike nDCG@10 orders the systems by both."""
    both = matrices(*(side[side["measure"] == NDCG] for side in (scores, baseline)))
    found = correlations.every(means(scores)[NDCG], means(baseline)[NDCG])
    return found | pairwise(both.left, both.right)["share"].to_dict()


def _bounds(cell: Cell, inputs: Inputs, baseline: pd.DataFrame, online: pd.DataFrame) -> list[pd.DataFrame]:
    """ALIGNMENT of nDCG@10 by each of the bounds, as if a judge had given those labels.

    They are the same for all judges of a sweep and take longer than a judge's own numbers, so they are kept.
    """
    frames = [inputs.runs, baseline, online, *([] if inputs.dataset.second is None else [inputs.dataset.second])]
    settings = (inputs.dataset.fingerprint, cell.resampling, cell.shuffles, cell.shuffle_seed)
    this = (*settings, *map(digest, frames))
    if this not in _known_bounds:
        _known_bounds[this] = list(_align_bounds(cell, inputs, baseline, online))
    return _known_bounds[this]


_known_bounds: dict[tuple, list[pd.DataFrame]] = {}


def _align_bounds(cell: Cell, inputs: Inputs, baseline: pd.DataFrame, online: pd.DataFrame):
    query_ids, rng = list(inputs.dataset.queries.index), np.random.default_rng(cell.shuffle_seed)
    for name, draws in bounds(inputs.dataset, cell.shuffles, rng).items():
        scored = [evaluate(labels, inputs.runs, query_ids, inputs.systems) for labels in draws]
        resampling = cell.resampling if len(draws) == 1 else NONE
        aligned = [
            pd.concat([against_baseline(each, baseline, resampling), against_users(each, online, resampling)])
            for each in scored
        ]
        yield average(aligned).assign(labels=name)


def _family_notes(cell: Cell, own: list[str], family: dict[str, float]):
    if own:
        shown = {name: "–" if value != value else f"{value:.4f}" for name, value in family.items()}
        yield (
            f"{', '.join(own)}: of the judge's own family, {cell.model.family}. tau_b with the baseline labels is "
            f"{shown['tau_all']} with them, {shown['tau_b']} without: {shown['difference']} [{shown['ci_low']}, "
            f"{shown['ci_high']}]" + (", more than chance" if family["moved"] == 1 else "")
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
    for (labels, why, measure), references in reasons.items():
        measures.setdefault((labels, why, ", ".join(references)), []).append(NAMES.get(measure, measure))
    for (labels, why, references), alike in measures.items():
        yield f"tau_b of {', '.join(alike)} under the {labels}'s labels is undefined against {references}: {why}"


def _unlabelled(labels: pd.DataFrame, scores: pd.DataFrame):
    unknown = scores.loc[scores["value"].isna(), "query_id"].nunique()
    if unknown:
        yield f"{unknown} queries have no label at all and are left out of the model's means"
    missing = int(labels["relevance"].isna().sum())
    if missing:
        yield f"{missing} of {len(labels)} pairs have no label"


def _unmeasured(online: pd.DataFrame, query_ids: list[str], user_model: str):
    measured = online["query_id"].unique()
    if list(measured) != [ALL] and len(measured) < len(query_ids):
        yield (
            f"{user_model}: {len(query_ids) - len(measured)} of {len(query_ids)} queries have no sessions of every "
            "system and are left out of the online metrics"
        )
    undefined = online[online["value"].isna()]
    for metric, rows in undefined.groupby("metric"):
        systems = rows["system"].nunique()
        yield f"{metric} is undefined for {systems} systems on {len(rows)} pairs of system and query, left out there"
