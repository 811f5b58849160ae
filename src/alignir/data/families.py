"""Families: which systems are built on which family of models."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from alignir.data.lines import existing
from alignir.errors import InputError

LLM_BASED = "LLM-based"


def of_family(family: str | None, systems: Sequence[str], families: dict[str, str] | str | None) -> list[str]:
    """The systems of a family; none where the judge has no family or nothing is known of the systems.

    `families` gives the family of name patterns (`*`, `?`; the first that matches, in any case), or is a tab-separated
    file with the columns system and family.
    """
    if not family or not families:
        return []
    return by_family(systems, families).get(family, [])


def by_family(systems: Sequence[str], families: dict[str, str] | str | None) -> dict[str, list[str]]:
    """The systems of every family that one of them belongs to, in the order of the families' names.

    >>> by_family(["repllama", "bm25", "ada2"], {"*llama*": "llama", "ada?": "gpt"})
    {'gpt': ['ada2'], 'llama': ['repllama']}
    """
    if not families:
        return {}
    if isinstance(families, dict):
        known = {
            system: next((kin for pattern, kin in families.items() if fnmatchcase(system.lower(), pattern.lower())), "")
            for system in systems
        }
    else:
        table = _read(Path(families))
        known = dict(zip(table["system"], table["family"], strict=True))
    named = sorted({kin for system in systems if (kin := known.get(system))})
    return {family: [system for system in systems if known.get(system) == family] for family in named}


def kinds(systems: Sequence[str], families: dict[str, str] | str | None) -> dict[str, list[str]]:
    """The systems of every family and, unless one family is all of these, of LLM-based ones.

    >>> kinds(["repllama", "bm25", "ada2"], {"*llama*": "llama", "ada?": "gpt"})
    {'gpt': ['ada2'], 'llama': ['repllama'], 'LLM-based': ['repllama', 'ada2']}
    >>> kinds(["repllama", "bm25"], {"*llama*": "llama"})
    {'llama': ['repllama']}
    """
    found = by_family(systems, families)
    based = llm_based(systems, families)
    return found | ({LLM_BASED: based} if based and based not in found.values() else {})


def llm_based(systems: Sequence[str], families: dict[str, str] | str | None) -> list[str]:
    """The systems that are known to be built on an LLM: those of any family, where name patterns give families.

    Such patterns name families of models; a file may as well have other kinds of systems, and says with `yes` or `no`
    in a column `llm` which they are. Of a file without one nothing is known.

    >>> llm_based(["repllama", "bm25", "ada2"], {"*llama*": "llama", "ada?": "gpt"})
    ['repllama', 'ada2']
    """
    if isinstance(families, dict):
        members = {system for some in by_family(systems, families).values() for system in some}
    elif families:
        path = Path(families)
        table = _read(path)
        given = table["llm"].str.lower() if "llm" in table else table["system"].map(lambda _: "")
        if strange := sorted(set(given) - {"yes", "no", ""}):
            raise InputError(f"{path}: expected yes, no or nothing in the column llm, found {strange[0]!r}")
        members = set(table.loc[given == "yes", "system"])
    else:
        members = set()
    return [system for system in systems if system in members]


def _read(path: Path) -> pd.DataFrame:
    path = existing(path, "file of systems' families (families=FILE)")
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a tab-separated table: {error}") from error
    if not {"system", "family"} <= set(table.columns):
        raise InputError(f"{path}: expected columns system and family, found {', '.join(table.columns)}")
    return table
