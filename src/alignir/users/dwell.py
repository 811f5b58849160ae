"""Dwell: how long users stay with what they clicked, by its grade."""

from dataclasses import dataclass
from math import log

import numpy as np

from alignir.errors import InputError
from alignir.frames import GRADES
from alignir.users.click_models import by_grade


@dataclass(frozen=True)
class Dwell:
    """How long users stay on a clicked result: log-normal by its grade, independent of everything else.

        ln T ~ Normal(ln(mean) - sigma^2 / 2, sigma^2),  so that E[T] = mean

    A mean of 0 is a click that takes no time.
    """

    mean: tuple[float, ...]  # by grade 0, 1, 2, 3; s
    sigma: float  # of ln T, all grades alike; 0: everybody stays for exactly the mean

    def __post_init__(self):
        if len(self.mean) != len(GRADES) or not all(0 <= mean < np.inf for mean in self.mean):
            raise InputError(f"user_model.dwell.mean: expected {len(GRADES)} times in s, found {self.mean}")
        if not 0 <= self.sigma < np.inf:
            raise InputError(f"user_model.dwell.sigma: expected a number from 0, found {self.sigma}")

    def expect(self, grades: np.ndarray) -> np.ndarray:
        """The expected dwell time of a click on results of these grades, s."""
        return by_grade(self.mean, grades)

    def at_least(self, seconds: float, grades: np.ndarray) -> np.ndarray:
        """P(a click on results of these grades takes at least so long); `seconds` > 0."""
        from scipy.special import ndtr

        def reached(mean: float) -> float:
            if mean == 0 or self.sigma == 0:
                return float(mean >= seconds)
            return float(ndtr((log(mean) - self.sigma**2 / 2 - log(seconds)) / self.sigma))

        return by_grade([reached(mean) for mean in self.mean], grades)

    def sample(self, grades: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A dwell time of a click on each of these results, s; an array of the grades' shape."""
        return self.expect(grades) * np.exp(self.sigma * rng.standard_normal(grades.shape) - self.sigma**2 / 2)
