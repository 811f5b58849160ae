"""Formatting: how numbers are written, wherever people read them. A written number still knows its value."""

from datetime import datetime

UNDEFINED = "–"


class Number(str):
    """A text with the number that it was written from; NaN where there is none. `best`: of its column."""

    value: float
    best: bool

    def __new__(cls, text: str, value: float, best: bool = False) -> "Number":
        made = super().__new__(cls, text)
        made.value = float(value)
        made.best = best
        return made


class Numbers(str):
    """A text with the numbers that it was written from, by name."""

    values: dict[str, float]

    def __new__(cls, text: str, **values: float) -> "Numbers":
        made = super().__new__(cls, text)
        made.values = {name: float(value) for name, value in values.items()}
        return made


def is_best(cell: str) -> bool:
    """Whether a cell is the best of its column, which is written in bold."""
    return isinstance(cell, Number) and cell.best


def counted(n: float, what: str) -> str:
    """A number with its noun, which is in the singular for one only.

    >>> counted(1, "query"), counted(2, "query"), counted(1_200, "system")
    ('1 query', '2 queries', '1,200 systems')
    """
    several = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{n:,.0f} {what if n == 1 else several}"


def number(value: float, digits: int = 4, sign: str = "") -> Number:
    """`sign`: "+" writes that of a positive number too."""
    return Number(UNDEFINED if value != value else f"{value:{sign}.{digits}f}", value)


def signed(value: float, digits: int = 4) -> Number:
    return number(value, digits, "+")


def interval(low: float, high: float, digits: int = 4, sign: str = "") -> Numbers:
    text = UNDEFINED if low != low else f"[{low:{sign}.{digits}f}, {high:{sign}.{digits}f}]"
    return Numbers(text, low=low, high=high)


def with_interval(value: float, low: float, high: float, digits: int = 4) -> Number:
    """A number, and behind it its interval in two digits, if it has one."""
    return Number(f"{number(value, digits)} {interval(low, high, 2)}" if low == low else number(value, digits), value)


def full(value: float) -> Number:
    """In full precision, for programs; an undefined number is empty."""
    return Number("" if value != value else repr(float(value)), value)


def count(value: float) -> Number:
    return Number(UNDEFINED if value != value else f"{value:,.0f}", value)


def share(part: float, total: float) -> Number:
    return share_of(part / total if total else float("nan"))


def share_of(share: float, digits: int = 1) -> Number:
    return Number(UNDEFINED if share != share else f"{share:.{digits}%}", share)


def day(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else ""


def visible(text: str) -> str:
    """A text from outside, with what could steer a terminal or turn the order of letters around written out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
