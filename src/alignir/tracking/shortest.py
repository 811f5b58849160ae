"""Shortest: of texts that differ, the part that tells them apart."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath

LETTERS = 40  # of a text that is said whole


def shortest(texts: Iterable[str]) -> dict[str, str]:
    """{text: a part of it, another one for each}: of paths that of a folder or file, of what is long its ends.

    >>> shortest(["judges/gpt4/qrels.txt", "judges/llama/qrels.txt"])
    {'judges/gpt4/qrels.txt': 'gpt4', 'judges/llama/qrels.txt': 'llama'}
    """
    distinct = list(dict.fromkeys(texts))
    if any("/" in text for text in distinct) and all(re.fullmatch(r"[^\[\]{},]*", text) for text in distinct):
        return _of_paths(distinct)
    ends = {
        text: text if len(text) <= LETTERS else f"{text[: LETTERS // 2]}…{text[-LETTERS // 2 :]}" for text in distinct
    }
    if _apart(ends):
        return ends
    return {text: f"{end} ({hashlib.sha256(text.encode()).hexdigest()[:8]})" for text, end in ends.items()}


def _of_paths(paths: list[str]) -> dict[str, str]:
    parts = {path: PurePath(path).parts for path in paths}
    stems = {path: each[-1].removesuffix(".gz").removesuffix(".qrels") if each else "" for path, each in parts.items()}
    if _apart(stems):
        return stems
    for depth in range(1, max(map(len, parts.values())) + 1):
        alone = {path: each[-depth] if len(each) >= depth else "" for path, each in parts.items()}
        if _apart(alone):
            return alone
        ends = {path: str(PurePath(*each[-depth:])) for path, each in parts.items()}
        if _apart(ends):
            return ends
    return {path: path for path in paths}


def _apart(found: Mapping[str, str]) -> bool:
    return all(found.values()) and len(set(found.values())) == len(found)
