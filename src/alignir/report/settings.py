"""Settings: tables of every setting that recorded runs have, those that they share and those that differ."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from alignir.report.entries import Entry, alike, numbers
from alignir.tables.table import Table

NOT_SETTINGS = ("_partial_", "_convert_", "_recursive_")
CLASS = "_target_"


def under(names: Iterable[str]) -> Callable[[Entry], dict]:
    return lambda entry: {name: entry.config[name] for name in names if name in entry.config}


def of_group(entries: list[Entry], group: str) -> list[Table]:
    return settings([entry for entry in entries if group in entry.config], lambda entry: entry.config[group])


def settings(entries: list[Entry], of: Callable[[Entry], dict]) -> list[Table]:
    """For each class of object: a table of what its runs share, and one of what differs between them."""
    found = []
    for made_by, some in alike(entries, lambda entry: of(entry).get(CLASS, "")):
        settings = {entry.number: dict(_flat(of(entry))) for entry in some}
        keys = list(dict.fromkeys(chain.from_iterable(settings.values())))
        value = {
            (key, entry.number): _shown(settings[entry.number][key]) if key in settings[entry.number] else "–"
            for key in keys
            for entry in some
        }
        shared = [key for key in keys if len({value[key, entry.number] for entry in some}) == 1]
        differing = [key for key in keys if key not in shared]
        title = f"{made_by}, {numbers(some, entries)}" if made_by else f"Settings of {numbers(some, entries)}"
        if shared:
            rows = [[key, value[key, some[0].number]] for key in shared]
            found.append(Table(title + (": what they share" if differing else ""), ["setting", "value"], rows))
        if differing:
            variants = alike(some, lambda entry: [value[key, entry.number] for key in differing])  # noqa: B023
            lines = [[numbers(group), *values] for values, group in variants]
            table = [["setting", *differing], *lines]
            if len(differing) > len(variants):  # higher than wide
                table = [list(row) for row in zip(*table, strict=True)]
            else:
                table[0][0] = "runs"
            note = ["–: there is no such setting"] if any("–" in row for row in table) else []
            found.append(Table(f"{title}: what differs", table[0], table[1:], note))
    return found


def _flat(node: dict, prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        elif key not in NOT_SETTINGS and (prefix or key != CLASS):
            yield f"{prefix}{key}".removesuffix(f".{CLASS}"), value


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
