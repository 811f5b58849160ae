"""Page: what MLflow shows of a run before anything else: its headline, and labels beside the texts they are about."""

import math
from collections.abc import Mapping

import pandas as pd

from alignir.evaluation.names import title
from alignir.formatting import counted, number
from alignir.frames import BASELINE, PAIR
from alignir.users.metrics import NO_HEADS, metric_title

ROWS = 2_000  # of the table of labels: the browser loads it whole
LETTERS = 500  # of a text in it


def description(
    metrics: dict[str, float],
    headline: str,
    notes: tuple[str, ...] = (),
    heads: Mapping[str, str] = NO_HEADS,
) -> str:
    """Markdown from a run's metrics: tau_b with its intervals, kappa, missing labels, and what they were measured on.

    `headline` is the recorded name of the measure that orders the systems, `heads` what metrics are called.
    """
    with_users = [name.rpartition("/")[2] for name in metrics if name.startswith(f"tau_b/{headline}/")]
    with_users.remove(BASELINE)
    lines = [
        f"**tau_b with the baseline labels {_number(metrics, f'tau_b/{headline}/{BASELINE}')}**"
        f"{_interval(metrics, headline, BASELINE, ' (95% interval {} to {})')}: "
        f"{title(headline)} of {counted(metrics['n_systems'], 'system')} on {counted(metrics['n_queries'], 'query')}.",
        f"Cohen's kappa {_number(metrics, 'agreement/kappa')}, of relevant or not "
        f"{_number(metrics, 'agreement/kappa_relevant')}; {1 - metrics['missing']:.1%} of "
        f"{counted(metrics['n_pairs'], 'pair')} have a label.",
        *_if_labels_were_other(metrics),
        "",
        "| users | tau_b | 95% interval |",
        "|:--|--:|--:|",
        *(
            f"| {metric_title(metric, heads)} "
            f"| {_number(metrics, f'tau_b/{headline}/{metric}')} | {_interval(metrics, headline, metric, '{} to {}')} |"
            for metric in with_users
        ),
        "",
        "↓ lower is better; tau is raw. – is undefined, or was not measured.",
        "",
        *(f"- {note}" for note in notes),
    ]
    if metrics["n_pairs"] > ROWS:
        lines.append(
            f"- `labels.json` shows {ROWS:,} of {metrics['n_pairs']:,} pairs, drawn at random; `labels.parquet` has all"
        )
    return "\n".join(lines).strip()


def _if_labels_were_other(metrics: dict[str, float]) -> list[str]:
    """What tau_b with the baseline labels could be with the labels that are missing, where some are."""
    if "unlabelled/tried_low" not in metrics:
        return []
    tried, bounds = (
        " to ".join(_number(metrics, f"unlabelled/{name}_{end}") for end in ("low", "high"))
        for name in ("tried", "bounds")
    )
    return [f"With grades in place of the missing labels tau_b can be {tried}, and nothing outside of {bounds}."]


def _number(metrics: dict[str, float], name: str) -> str:
    return number(metrics.get(name, math.nan), 4)


def _interval(metrics: dict[str, float], headline: str, reference: str, form: str) -> str:
    ends = [_number(metrics, f"{end}/{headline}/{reference}") for end in ("ci_low", "ci_high")]
    return "" if "–" in ends else form.format(*ends)


def labels(pairs: pd.DataFrame, qrels: pd.DataFrame, labels: pd.DataFrame, rows: int = ROWS) -> pd.DataFrame:
    """query, passage, label, baseline, status, response and the ids: `rows` pairs at most, drawn with one seed.

    `pairs` has the texts, `qrels` the baseline labels, `labels` are LABELS. Long texts end with "…".
    """
    drawn = labels.sample(rows, random_state=0).sort_index() if len(labels) > rows else labels
    table = drawn.merge(pairs, on=PAIR, how="left")
    table = table.rename(columns={"relevance": "label"})
    table = table.merge(qrels[[*PAIR, "relevance"]].rename(columns={"relevance": "baseline"}), on=PAIR, how="left")
    table = table[["query", "passage", "label", "baseline", "status", "response", *PAIR]]
    for column in ("query", "passage", "response"):
        cut = table[column].str.len() > LETTERS
        table[column] = table[column].mask(cut, table[column].str.slice(stop=LETTERS) + "…")
    return table
