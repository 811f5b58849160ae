"""Families: which systems are built on which family of models."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from alignir.data.lines import existing
from alignir.errors import InputError


def of_family(family: str | None, systems: Sequence[str], families: dict[str, str] | str | None) -> list[str]:
    """The systems of a family; none where the judge has no family or nothing is known of the systems.

    `families` gives the family of name patterns (`*`, `?`; the first that matches, in any case), or is a tab-separated
    file with the columns system and family.
    """
    if not family or not families:
        return []
    if isinstance(families, dict):
        known = {
            system: next((kin for pattern, kin in families.items() if fnmatchcase(system.lower(), pattern.lower())), "")
            for system in systems
        }
    else:
        known = _read(existing(families, "file of systems' families (families=FILE)"))
    return [system for system in systems if known.get(system) == family]


def _read(path: Path) -> dict[str, str]:
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a tab-separated table: {error}") from error
    if not {"system", "family"} <= set(table.columns):
        raise InputError(f"{path}: expected columns system and family, found {', '.join(table.columns)}")
    return dict(zip(table["system"], table["family"], strict=True))
