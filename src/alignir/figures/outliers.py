"""Outliers: systems so far from all others that a panel which shows them shows nothing of the others."""

from collections.abc import Mapping, Sequence

import pandas as pd

FENCE = 1.5  # interquartile ranges: where the whiskers of a box plot end
SHARE = 0.1  # of the systems, beyond which they are no outliers
SQUEEZED = 2 / 3  # of the whole range, at most, that all others are in


def outlying(scores: pd.DataFrame) -> list[str]:
    """The systems (rows) that would squeeze the others into two thirds of the range of all scores, or less.

    They lie beyond the fences of a box plot in some column, and are a tenth of the systems at most, at least one.

    >>> outlying(pd.DataFrame({"nDCG": [0.05, 0.6, 0.62, 0.64, 0.66, 0.7]}, index=list("abcdef")))
    ['a']
    >>> outlying(pd.DataFrame({"nDCG": [0.58, 0.6, 0.62, 0.64, 0.66, 0.7]}, index=list("abcdef")))
    []
    """
    low, high = scores.quantile(0.25), scores.quantile(0.75)
    reach = FENCE * (high - low)
    far = ((scores < low - reach) | (scores > high + reach)).any(axis=1)
    if not 0 < far.sum() <= max(1, SHARE * len(scores)):
        return []
    return list(scores.index[far]) if _range(scores[~far]) <= SQUEEZED * _range(scores) else []


def equal_limits(sides: Sequence[pd.Series], margin: float = 0.05) -> list[tuple[float, float]]:
    """The ends of an axis for each side, all of one length, and each with its own scores in the middle.

    So that a step of one size is as long on both axes, and a judge that is milder throughout takes no room.

    >>> [[float(round(end, 3)) for end in ends] for ends in equal_limits([pd.Series([0, 0.4]), pd.Series([0.8, 1])], 0)]
    [[0.0, 0.4], [0.7, 1.1]]
    """
    ends = [(side.min(), side.max()) if side.notna().any() else (0.5, 0.5) for side in sides]
    reach = (0.5 + margin) * (max(high - low for low, high in ends) or 0.1)
    return [((low + high) / 2 - reach, (low + high) / 2 + reach) for low, high in ends]


def note(values: Mapping[str, str]) -> str:
    """What stands under a figure about its outlying systems, each with its values; empty where there is none."""
    texts = (f"{system} ({text})" for system, text in values.items())
    return f"× outside of the axes, drawn at the edge and counted by tau: {', '.join(texts)}" if values else ""


def _range(scores: pd.DataFrame) -> float:
    return scores.max().max() - scores.min().min()
