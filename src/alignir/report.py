"""Report: what a person sees when a cell is done."""

import sys
from pathlib import Path

from alignir import agreement
from alignir.alignment import BASELINE
from alignir.bounds import SECOND
from alignir.frames import GRADES, STATUSES
from alignir.online import NAMES
from alignir.scores import NDCG, means


def show(cell, result) -> None:
    """Print a cell's labels, scores and alignment."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    labels = result.labelling.labels
    counts = agreement.distribution(labels)
    status = ", ".join(f"{name} {n}" for name in STATUSES if (n := int((labels["status"] == name).sum())))
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(title=cell.title, title_justify="left", box=box.SIMPLE_HEAD, show_header=False, title_style="bold")
    table.add_column()
    table.add_column()
    table.add_row("labels", "  ".join(f"{grade}: {counts[grade]}" for grade in GRADES))
    table.add_row("status", status + (f"; {labels['cut'].sum()} passages cut to fit" if labels["cut"].any() else ""))
    table.add_row("asked", _asked(result.labelling))
    if result.labelling.fallback:
        table.add_row("fallback", f"{result.labelling.fallback} labels come from asking again, constrained")
    itself = ("flip_rate", "self/exact", "self/kappa4")  # only there when it was asked more than once
    people = [name for name in result.agreement if name.startswith(f"{SECOND}/")]
    for title, names in (("agreement", agreement.NAMES), ("with itself", itself), ("among people", people)):
        found = [f"{name} {_number(result.agreement[name])}" for name in names if name in result.agreement]
        if found:
            table.add_row(title, "  ".join(found))
    table.add_row(
        "nDCG@10",
        f"mean of systems {_number(means(result.scores)[NDCG].mean())}, "
        f"baseline {_number(means(result.baseline)[NDCG].mean())}",
    )
    noise = {} if result.noise is None else dict(zip(result.noise["metric"], result.noise["tau_b"], strict=True))
    alignment = result.alignment[result.alignment["labels"] == "model"]
    for row in alignment[alignment["offline"] == NDCG].itertuples():
        reference = "baseline labels" if row.reference == BASELINE else NAMES.get(row.reference, row.reference)
        value = _number(row.tau_b)
        if row.ci_low == row.ci_low:
            value += f" [{row.ci_low:.2f}, {row.ci_high:.2f}]"
        if row.p_value == row.p_value:
            value += f" (p {row.p_value:.2g})"
        drawn = f", two draws of the users {_number(noise[row.reference])}" if row.reference in noise else ""
        sizes = f"{row.n_systems} systems, {row.n_queries} queries"
        table.add_row(f"tau_b, {reference}", f"{value}  {sizes}{drawn}")
    others = [measure for measure in alignment["offline"].unique() if measure != NDCG]
    if others:
        table.add_row("recorded too", f"{len(others)} more measures: {', '.join(others)}")
    console.print(table)
    for note in result.notes:
        console.print(f"  {note}", markup=False, highlight=False)


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.4f}"


def _asked(labelling) -> str:
    if not labelling.asked:
        return "nothing: every answer was at hand"
    rate = labelling.asked / labelling.seconds
    return f"{labelling.asked} pairs in {labelling.seconds:.0f} s, {rate:.1f} pairs/s with loading"


def show_plan(cell, plan: dict[str, float]) -> None:
    """Print what a cell would ask."""
    price = f", at most about {plan['price']:,.2f} in money" if "price" in plan else ""
    print(
        f"{cell.title}: {plan['pairs']:,} pairs, {plan['in_ledger']:,} answered in {Path(cell.ledger)}, "
        f"{plan['to_ask']:,} to ask, about {plan['prompt_tokens']:,} prompt tokens and up to "
        f"{plan['output_tokens']:,} output tokens{price}"
    )
