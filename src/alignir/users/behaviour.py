"""Behaviour: what users do on rankings, in expectation or sampled, and the parameters by grade and by rank behind it.

Rankings are arrays of grades (n, k): n rankings of k results, -1 where no result is shown. A click model that was
fitted to query-document pairs has one attraction for every pair, and takes the pairs' numbers in the place of grades.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol

import numpy as np

from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError


@dataclass(frozen=True)
class Behaviour:
    """Probabilities for n rankings of k results."""

    clicks: np.ndarray  # (n, k) P(click) at each rank; its sum is the expected number of clicks
    satisfied: np.ndarray  # (n,) P(the session has a satisfying click)
    no_click: np.ndarray  # (n,) P(the session has no click)
    first: np.ndarray  # (n, k) P(the first click is at this rank)
    last: np.ndarray  # (n, k) P(the last click is at this rank)


@dataclass(frozen=True)
class Sessions:
    """Sampled sessions, s for each of n rankings of k results."""

    clicks: np.ndarray  # (n, s, k) bool
    satisfied: np.ndarray  # (n, s) bool


class ClickModel(Protocol):
    """A dataclass of parameters that turns the grades down a ranking into behaviour.

    `attraction` is P(click) of an examined result, by grade (or by pair). Rankings are grades (n, k), -1 where no
    result is shown, and each is treated on its own.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def attraction(self) -> tuple[float, ...]: ...

    def expect(self, grades: np.ndarray) -> Behaviour:
        """The exact behaviour on each ranking."""
        ...

    def marked(self, grades: np.ndarray, mark: np.ndarray) -> np.ndarray:
        """P(at least one click is marked) (n,), each click with probability `mark` (n, k) at its rank.

        It is a polynomial in `mark`, which may be any numbers, complex ones too: `interleaving.wins` rests on that.
        """
        ...

    def sample(self, grades: np.ndarray, sessions: int, rng: np.random.Generator) -> Sessions:
        """`sessions` independent sessions on each ranking."""
        ...


class FromScale(tuple[float, ...]):
    """Values by grade that nobody chose: a rule makes them, on 0-3 and on any other scale; see `from_scale`."""

    rule: Callable[[Scale], Iterable[float]] | None

    def __new__(cls, values: Iterable[float], rule: Callable[[Scale], Iterable[float]] | None = None) -> "FromScale":
        made = super().__new__(cls, values)
        made.rule = rule
        return made

    def __getnewargs__(self):  # for copies and pickles
        return tuple(self), self.rule


def from_scale(rule: Callable[[Scale], Iterable[float]], scale: Scale = FOUR) -> FromScale:
    """The values of a rule on a scale.

    >>> from_scale(lambda scale: [grade / scale.highest for grade in scale.grades], Scale((0, 1), 1))
    (0.0, 1.0)
    """
    return FromScale(rule(scale), rule)


def on_scale(name: str, values: Sequence[float], scale: Scale) -> tuple[float, ...]:
    """The values for the grades of a scale; an InputError that names them, if somebody chose them for another.

    >>> on_scale("attraction", (0.1, 0.9), FOUR)
    Traceback (most recent call last):
    alignir.errors.InputError: attraction: expected 4 values, one for each grade of 0-3, found 2
    """
    if isinstance(values, FromScale) and values.rule:
        return from_scale(values.rule, scale)
    if len(values) != len(scale.grades):
        raise InputError(
            f"{name}: expected {len(scale.grades)} values, one for each grade of {scale.text}, found {len(values)}"
        )
    return tuple(values)


def use_defaults(parameters: Any) -> None:
    """Give each field of a dataclass that is None, as a setting that is null in YAML, its default."""
    for each in fields(parameters):
        if getattr(parameters, each.name) is None:
            object.__setattr__(parameters, each.name, each.default)


def by_grade(values: Sequence[float], grades: np.ndarray) -> np.ndarray:
    """The value of each result by its grade, in the shape of `grades`; 0 where no result is shown (-1).

    >>> by_grade((0.1, 0.125, 0.375, 0.875), np.array([[3, 0, -1]])).tolist()
    [[0.875, 0.1, 0.0]]
    """
    nothing_shown = 0.0  # the entry that grade -1 picks
    return np.append(values, nothing_shown)[grades]


def by_rank(name: str, values: Sequence, grades: np.ndarray) -> Sequence:
    """The values of the first k ranks, for rankings (n, k); an InputError that names them where there are fewer.

    >>> by_rank("examination", (1.0, 0.5, 0.3333), np.zeros((1, 2), dtype=int))
    (1.0, 0.5)
    """
    k = grades.shape[1]
    if len(values) < k:
        raise InputError(f"{name}: expected values for {k} ranks, found {len(values)}")
    return values[:k]


def check_probability(name: str, value: float) -> None:
    """Raise an InputError that names the parameter, unless it is a probability.

    >>> check_probability("continuation", 1.1)
    Traceback (most recent call last):
    alignir.errors.InputError: continuation: expected a probability from 0 to 1, found 1.1
    """
    found = numbers(value)
    if found.ndim or not 0 <= found <= 1:
        raise InputError(f"{name}: expected a probability from 0 to 1, found {value}")


def check_probabilities(name: str, values: Sequence[float]) -> None:
    """Raise an InputError that names the parameter, unless it is one probability or more, in a row.

    >>> check_probabilities("attraction", (0.1, 2))
    Traceback (most recent call last):
    alignir.errors.InputError: attraction: expected probabilities from 0 to 1, found (0.1, 2)
    """
    found = numbers(values)
    if found.ndim != 1 or found.size == 0 or not ((found >= 0) & (found <= 1)).all():
        raise InputError(f"{name}: expected probabilities from 0 to 1, found {values}")


def check_by_grade(attraction: Sequence[float], satisfaction: Sequence[float]) -> None:
    """Raise an InputError unless both are probabilities, as many of the one as of the other.

    >>> check_by_grade((0.1, 0.5), (0.0, 0.5))
    """
    check_probabilities("attraction", attraction)
    check_probabilities("satisfaction", satisfaction)
    if len(satisfaction) != len(attraction):
        raise InputError(
            f"satisfaction: expected {len(attraction)} probabilities, as many as for attraction, "
            f"found {len(satisfaction)}"
        )


def numbers(values: float | Sequence[float]) -> np.ndarray:
    """The values as floats; NaN where they are no numbers, so that no comparison with them holds.

    >>> numbers([0, 0.5]).tolist(), numbers("half").tolist()
    ([0.0, 0.5], nan)
    """
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        return np.array(np.nan)
