"""Records: a cell and its result as a run keeps them: settings, numbers and artifacts."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from alignir.data.families import kinds
from alignir.evaluation import agreement
from alignir.evaluation.agreement import missing
from alignir.evaluation.names import recorded_names, title
from alignir.evaluation.scores import means
from alignir.experiment.cells import Cell
from alignir.experiment.inputs import Inputs
from alignir.experiment.results import Result
from alignir.figures.labels import confusion_figure, distribution_figure
from alignir.figures.taus import measures_figure
from alignir.frames import BASELINE, GROUPS, PAIR, SECOND, STATUSES, probabilities
from alignir.labelling.labels import differing

FIRST = (
    "headline",
    "unjudged",
    "missing",
    "reader",
    "pool",
    "without_text",
)  # settings that MLflow shows beside the choices
PRICED = 1000  # pairs that a price is of


def numbers(cell: Cell, inputs: Inputs, result: Result) -> dict[str, float]:
    """Every number of a run but those of ALIGNMENT, by name."""
    labelling, labels, dataset = result.labelling, result.labelling.labels, inputs.dataset
    scale, baseline_scale = inputs.scale, dataset.scale
    values = {}
    for row in result.alignment[result.alignment["labels"] == "model"].itertuples():
        for name in ("tau_b", "ci_low", "ci_high", "p_value"):
            values[f"{name}/{row.offline}/{row.reference}"] = getattr(row, name)
    values |= {
        "n_pairs": len(labels),
        "n_systems": len(inputs.runs.systems),
        "n_queries": len(dataset.queries),
        "missing": missing(labels),
        "cut": int(labels["cut"].sum()),
        "differing_scores": differing(labels),
        "prompt_tokens": labelling.prompt_tokens,
        "output_tokens": labelling.output_tokens,
        "fallback": labelling.fallback,
        "asked": labelling.asked,
        "failed": labelling.failed,
        "seconds": labelling.seconds,
    }
    values |= means(result.scores).mean().to_dict()
    values |= means(result.baseline).mean().add_suffix(f"/{BASELINE}").to_dict()
    if labels["expected"].notna().any():
        values["label_mass"] = labels[probabilities(scale.grades)].astype(float).sum(axis=1, min_count=1).mean()
    tokens = labelling.prompt_tokens, labelling.output_tokens
    if any(tokens):
        values["tokens"] = sum(tokens) / len(labels)
    if cell.llm is not None and cell.llm.price is not None:
        values["spent"] = money(cell.llm.price, labelling.asked_prompt_tokens, labelling.asked_output_tokens)
        values["price"] = PRICED * money(cell.llm.price, *tokens) / len(labels)
    if labelling.asked:
        values["pairs_per_second"] = labelling.asked / labelling.seconds
    values |= {f"agreement/{name}": value for name, value in result.agreement.items()}
    values |= {f"status/{status}": int((labels["status"] == status).sum()) for status in STATUSES}
    values |= {f"labels/{grade}": count for grade, count in agreement.distribution(labels, scale).items()}
    values |= {
        f"labels/{BASELINE}/{grade}": count
        for grade, count in agreement.distribution(dataset.qrels, baseline_scale).items()
    }
    values |= {f"judged_10/{side}": shares.mean() for side, shares in result.judged.items()}
    values |= {f"judged_10_min/{side}": shares.min() for side, shares in result.judged.items()}
    values |= {f"correlation/{name}": value for name, value in result.correlations.items()}
    for name, (low, high) in result.unlabelled.items():
        values |= {f"unlabelled/{name}_low": low, f"unlabelled/{name}_high": high}
    values |= {f"family/{name}": value for name, value in result.family.items()}
    if dataset.second is not None:
        values |= {
            f"labels/{SECOND}/{grade}": n for grade, n in agreement.distribution(dataset.second, baseline_scale).items()
        }
    for row in result.noise.itertuples() if result.noise is not None else ():
        values |= {f"noise/{row.metric}": row.tau_b, f"noise_low/{row.metric}": row.ci_low}
    return values


def money(price: Mapping[str, float], prompt_tokens: float, output_tokens: float) -> float:
    """What so many tokens cost by a model's price of a million of either."""
    return (prompt_tokens * price["input"] + output_tokens * price["output"]) / 1e6


def write(folder: Path, cell: Cell, inputs: Inputs, result: Result) -> None:
    """The artifacts of a run."""
    import yaml

    result.labelling.labels.to_parquet(folder / "labels.parquet")
    scores = [result.scores.assign(labels="model"), result.baseline.assign(labels=BASELINE)]
    pd.concat(scores, ignore_index=True).to_parquet(folder / "scores.parquet")
    result.online.to_parquet(folder / "online.parquet")
    if result.outcomes is not None:
        result.outcomes.to_parquet(folder / "outcomes.parquet")
    named = result.alignment.assign(offline=result.alignment["offline"].map(title))
    named.to_csv(folder / "alignment.csv", index=False)
    result.judged.rename_axis("system").to_csv(folder / "judged.csv")
    if result.noise is not None:
        result.noise.to_csv(folder / "noise.csv", index=False)
    if result.labelling.repeats is not None:
        repeats = result.labelling.repeats.rename(columns=str)
        pd.concat([result.labelling.labels[PAIR], repeats], axis=1).to_parquet(folder / "repeats.parquet")
    both = agreement.joined(inputs.dataset.qrels, result.labelling.labels)
    scales = inputs.dataset.scale, inputs.scale
    confusion = agreement.confusion(both, *scales)
    confusion.to_csv(folder / "confusion.csv")
    if result.calibration is not None:
        result.calibration.to_csv(folder / "calibration.csv", index=False)
    (folder / "config.yaml").write_text(
        yaml.safe_dump(cell.config, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    (folder / "families.json").write_text(
        json.dumps(kinds(inputs.runs.systems, cell.families), ensure_ascii=False), encoding="utf-8"
    )
    if cell.llm is not None:
        (folder / "prompt.txt").write_text(inputs.prompt.text, encoding="utf-8")
    if cell.llm is not None and inputs.prompt.system:
        (folder / "prompt_system.txt").write_text(inputs.prompt.system, encoding="utf-8")
    if result.notes:
        (folder / "notes.txt").write_text("\n".join(result.notes) + "\n", encoding="utf-8")
    counts = pd.DataFrame(
        {
            "baseline labels": agreement.distribution(inputs.dataset.qrels, scales[0]),
            cell.called["model"]: agreement.distribution(result.labelling.labels, scales[1]),
        }
    )
    counts = counts.fillna(0)
    counts.loc["none"] = [0, int(result.labelling.labels["relevance"].isna().sum())]
    (folder / "figures").mkdir()
    distribution_figure(counts, cell.title).savefig(folder / "figures" / "distribution.png")
    confusion_figure({cell.called["model"]: confusion}, cell.title).savefig(folder / "figures" / "confusion.png")
    if result.alignment["offline"].nunique() > 1:
        measures_figure(result.alignment, cell.title, cell.heads).savefig(folder / "figures" / "measures.png")


def params(cell: Cell, inputs: Inputs) -> dict[str, str]:
    """The choices of the groups and the settings beside them, then every setting under them as `group.setting`.

    Those of the prompt are left out where none is read.
    """
    first = {name: cell.config[name] for name in FIRST}
    settings = {name: value for name, value in cell.config.items() if name not in (*GROUPS, "families", "ledger")}
    settings["families"] = str(cell.families)  # whole: MLflow takes no name patterns as names
    for whose, scale in (("judge", inputs.scale), (BASELINE, inputs.dataset.scale)):
        grades = ", ".join(map(str, scale.grades))
        settings["scale"] = settings.get("scale", {}) | {
            f"{whose}.grades": grades,
            f"{whose}.relevant_from": scale.relevant_from,
        }
    settings["measures"] = ", ".join(recorded_names(cell.measures))
    known = [group for group in ("model", "prompt", *GROUPS) if group in cell.called]  # in the order that MLflow shows
    groups = {group: cell.config.get(group) or {} for group in known}
    names = {group: cell.names[group] for group in known}
    return {**names, **first, **dict(_flat(settings)), **dict(_flat(groups))}


def _flat(node: dict, prefix: str = ""):
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif not str(key).startswith("_"):
            yield f"{prefix}{key}", value
