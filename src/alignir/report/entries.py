"""Entries: recorded runs with the texts that they recorded, each under the number that all that is said of it names."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from alignir.formatting import count, day, share_of
from alignir.tables.names import dataset_title, judge_titles
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded


@dataclass(frozen=True)
class Entry:
    """A recorded run and the number that identifies it on the page."""

    number: int  # from 1
    run: Recorded
    config: dict  # as composed, without where it was recorded, and without a prompt that is not read
    prompt: str  # the whole text; empty where the model reads none
    system: str  # message beside the prompt; mostly empty
    notes: tuple[str, ...]


def read(recordings: Recordings) -> list[Entry]:
    """The runs, numbered in their order, with the texts that they recorded."""
    entries = []
    for place, run in enumerate(recordings, 1):
        prompt, system = (run.text(f"{name}.txt") if run.reads_prompt else "" for name in ("prompt", "prompt_system"))
        config = {name: value for name, value in run.config.items() if name != "prompt" or run.reads_prompt}
        entries.append(Entry(place, run, config, prompt, system, tuple(run.text("notes.txt").splitlines())))
    return entries


def runs_table(entries: list[Entry]) -> Table:
    """What each number stands for."""
    columns = [
        "run",
        "model",
        "prompt",
        "dataset",
        "systems",
        "queries",
        "users",
        "labelled",
        "recorded",
        "id in MLflow",
    ]
    rows = []
    for entry in entries:
        run, setting = entry.run, entry.run.setting
        labelled = f"{share_of(1 - run.metrics.get('missing', float('nan')))} of {count(run.metrics['n_pairs'])}"
        rows.append(
            [
                str(entry.number),
                *judge_titles(run.judge),
                dataset_title(setting),
                f"{setting.systems}: {setting.n_systems:,}",
                f"{setting.queries}: {setting.n_queries:,}",
                run.users.title,
                labelled,
                day(run.started),
                run.run_id,
            ]
        )
    notes = ["labelled: the share of the pairs that have a label; –: the model reads no prompt"]
    return Table("The recorded runs, the newest of each cell", columns, rows, notes)


def notes(entries: list[Entry]) -> list[str]:
    """What the runs noted and warned of, each once, with the runs that did."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        for note in dict.fromkeys(entry.notes):
            found.setdefault(note, []).append(entry)
    return [f"{numbers(some, entries)}: {note}" for note, some in found.items()]


def numbers(some: list[Entry], of: Iterable[Entry] = ()) -> str:
    """`run 3`, `runs 1–4, 7`, or `all runs` where they are all there are."""
    found = [entry.number for entry in some]
    if len(found) == len(list(of)):
        return "all runs"
    spans: list[list[int]] = []
    for each in found:
        if spans and each == spans[-1][1] + 1:
            spans[-1][1] = each
        else:
            spans.append([each, each])
    texts = [
        str(low) if low == high else f"{low}, {high}" if high == low + 1 else f"{low}–{high}" for low, high in spans
    ]
    return f"run{'s' * (len(found) > 1)} {', '.join(texts)}"


def alike(entries: list[Entry], of: Callable[[Entry], Any]) -> list[tuple[Any, list[Entry]]]:
    """The entries in groups that have the same value, with it, in the order in which the values first appear."""
    groups: dict[str, tuple[Any, list[Entry]]] = {}
    for entry in entries:
        value = of(entry)
        groups.setdefault(json.dumps(value, default=str), (value, []))[1].append(entry)
    return list(groups.values())
