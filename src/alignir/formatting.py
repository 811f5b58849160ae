"""Formatting: how numbers are written, wherever people read them."""

import math

import pandas as pd


def number(value: float, digits: int) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def counted(n: float, what: str) -> str:
    """A number with its noun, which is in the singular for one only.

    >>> counted(1, "query"), counted(2, "query"), counted(1_200, "system")
    ('1 query', '2 queries', '1,200 systems')
    """
    several = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{n:,.0f} {what if n == 1 else several}"


def signed(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:+.4f}"


def interval(low: float, high: float, digits: int = 4) -> str:
    return "–" if pd.isna(low) else f"[{low:.{digits}f}, {high:.{digits}f}]"


def full(value: float) -> str:
    return "" if pd.isna(value) else repr(float(value))


def share(count: float, total: float) -> str:
    return share_of(count / total if total else math.nan)


def share_of(share: float) -> str:
    return "–" if pd.isna(share) else f"{share:.1%}"
