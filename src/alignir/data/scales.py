"""Scales: the grades that labels can have, and the first that counts as relevant.

A dataset, a prompt and a file of labels each have one, and they need not be equal. What a file holds becomes grades of
its scale through a map (`{4: 3}`) or thresholds (`cut`); a value that does not is no label.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from alignir.data.lines import is_number
from alignir.errors import InputError


class Scale(NamedTuple):
    """Grades in rising order, and the first relevant one.

    >>> Scale((0, 1, 2, 3), 2).text, Scale((0, 2, 5), 2).text
    ('0-3', '0, 2, 5')
    """

    grades: tuple[int, ...]
    relevant_from: int

    @property
    def highest(self) -> int:
        return self.grades[-1]

    @property
    def text(self) -> str:
        """The grades in words."""
        without_gaps = self.grades == tuple(range(self.grades[0], self.highest + 1))
        return f"{self.grades[0]}-{self.highest}" if without_gaps else ", ".join(map(str, self.grades))

    @property
    def relevant_place(self) -> int:
        """The place of the first relevant grade, from 0; one behind the last where no grade is relevant."""
        return int(np.searchsorted(self.grades, self.relevant_from))

    def places(self, grades: np.ndarray) -> np.ndarray:
        """The place of each grade on the scale, from 0; -1 of -1, where no result is shown.

        >>> Scale((0, 2, 5), 2).places(np.array([[5, 0, -1]])).tolist()
        [[2, 0, -1]]
        """
        return np.where(grades < 0, -1, np.searchsorted(self.grades, grades))


FOUR = Scale((0, 1, 2, 3), 2)  # of TREC Deep Learning and UMBRELA: a 1 is related, and does not answer


def scale_of(grades: Sequence[int], relevant_from: int | None = None) -> Scale:
    """The scale of these grades. Without `relevant_from` the upper half is relevant: from 1 of 0-1 and 0-2, 2 of 0-3.

    >>> scale_of([0, 1]), scale_of([0, 1, 2, 3, 4, 5], 4)
    (Scale(grades=(0, 1), relevant_from=1), Scale(grades=(0, 1, 2, 3, 4, 5), relevant_from=4))
    >>> scale_of([0, 0.5])
    Traceback (most recent call last):
    alignir.errors.InputError: scale.grades: expected two or more whole numbers from 0, such as [0, 1], found [0, 0.5]
    """
    listed = list(grades) if isinstance(grades, (list, tuple, range)) else []
    if len(set(listed)) < max(2, len(listed)) or not all(type(grade) is int and grade >= 0 for grade in listed):
        raise InputError(f"scale.grades: expected two or more whole numbers from 0, such as [0, 1], found {grades}")
    rising = tuple(sorted(listed))
    chosen = rising[len(rising) // 2] if relevant_from is None else relevant_from
    if type(chosen) is not int or chosen <= rising[0]:
        raise InputError(f"scale.relevant_from: expected a grade above {rising[0]}, found {chosen}")
    return Scale(rising, chosen)


@dataclass(frozen=True)
class Meaning:
    """What the values of a file of labels mean: the settings `scale`, `grades` and `cut` of a dataset or a model.

    >>> Meaning().scale_for([2, 0, 0]), Meaning(grades={4: 3}).grade(4.0), Meaning(cut=(0.25, 0.5, 0.75)).grade(0.6)
    (Scale(grades=(0, 1, 2), relevant_from=1), 3, 2)
    """

    grades: Mapping[float, int] = field(default_factory=dict)  # the grade of a value; others are their own
    cut: tuple[float, ...] = ()  # rising thresholds: the grade of a value is how many of them it reaches
    declared: tuple[int, ...] | None = None  # the scale's grades; None: 0 to the highest grade of the file
    relevant_from: int | None = None

    def __post_init__(self) -> None:
        if self.cut and list(self.cut) != sorted(set(self.cut)):
            raise InputError(f"cut: expected rising numbers, such as [0.25, 0.5, 0.75], found {list(self.cut)}")
        if self.cut and self.grades:
            raise InputError("grades and cut: expected one of them, a map of values or thresholds, found both")
        if self.scale is not None:
            outside = sorted({grade for grade in self.grades.values() if grade not in self.scale.grades})
            if outside:
                raise InputError(f"grades: expected grades of the scale {self.scale.text}, found {outside[0]}")
            if self.cut and len(self.cut) != len(self.scale.grades) - 1:
                raise InputError(
                    f"cut: expected {len(self.scale.grades) - 1} thresholds for the scale {self.scale.text}, found "
                    f"{list(self.cut)}"
                )

    @property
    def scale(self) -> Scale | None:
        """The scale, where settings say it."""
        if self.declared is not None:
            return scale_of(self.declared, self.relevant_from)
        return scale_of(range(len(self.cut) + 1), self.relevant_from) if self.cut else None

    def grade(self, value: float) -> int | None:
        """The grade of a value; None of one that is no grade: not a whole number from 0, or not on the scale."""
        if self.cut:
            assert self.scale is not None
            return self.scale.grades[int(np.searchsorted(self.cut, value, side="right"))]
        value = self.grades.get(value, value)
        if not math.isfinite(value) or value < 0 or value != int(value):
            return None
        return int(value) if self.scale is None or int(value) in self.scale.grades else None

    def scale_for(self, grades: Iterable[int]) -> Scale:
        """The scale that settings say, else the one that these grades of a file fit: 0 to the highest, 1 at least."""
        if self.scale is not None:
            return self.scale
        return scale_of(range(max([1, *grades]) + 1), self.relevant_from)


AS_WRITTEN = Meaning()


def meaning(settings: Mapping | None, grades: Mapping | None = None, cut: Sequence[float] | None = None) -> Meaning:
    """From YAML: `scale: {grades: [0, 1], relevant_from: 1}`, `grades: {4: 3}`, `cut: [0.5]`.

    >>> meaning({"grades": [0, 1]}).scale
    Scale(grades=(0, 1), relevant_from=1)
    """
    declared, relevant_from = settings_of(settings)
    if declared is not None:
        scale_of(declared, relevant_from)  # says what is wrong with it
    mapped = {}
    for value, grade in dict(grades or {}).items():
        if type(grade) is not int or grade < 0 or not (is_number(value) and math.isfinite(float(value))):
            raise InputError(
                f"grades: expected whole numbers from 0 by value, such as {{4: 3}}, found {value}: {grade}"
            )
        mapped[float(value)] = grade
    if not all(is_number(threshold) and math.isfinite(float(threshold)) for threshold in cut or ()):
        raise InputError(f"cut: expected rising numbers, such as [0.25, 0.5, 0.75], found {list(cut or ())}")
    return Meaning(
        mapped,
        tuple(float(threshold) for threshold in cut or ()),
        None if declared is None else tuple(declared),
        relevant_from,
    )


def settings_of(scale: Mapping | None) -> tuple[Any, Any]:
    """(grades, relevant_from) of a scale in YAML, None of what it does not say.

    >>> settings_of({"grades": [0, 1]})
    ([0, 1], None)
    """
    scale = dict(scale or {})
    if unknown := sorted(set(scale) - {"grades", "relevant_from"}):
        raise InputError(f"scale: expected the settings grades and relevant_from, found {unknown[0]}")
    return scale.get("grades"), scale.get("relevant_from")
