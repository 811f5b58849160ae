"""Dwell: how long users stay with what they clicked, by its grade."""

from dataclasses import dataclass
from math import log

import numpy as np

from alignir.data.scales import Scale
from alignir.errors import InputError
from alignir.users.behaviour import by_grade, from_scale, numbers, use_defaults


def _usual(scale: Scale) -> list[float]:
    """10, 20, 40 and 60 s for the grades 0-3; on other scales on the line through these."""
    shares = np.array(scale.grades) / scale.highest
    return np.interp(shares, [0, 1 / 3, 2 / 3, 1], [10, 20, 40, 60]).tolist()


@dataclass(frozen=True)
class Dwell:
    """How long users stay on a clicked result: log-normal by its grade, independent of everything else.

        ln T ~ Normal(ln(mean) - sigma^2 / 2, sigma^2),  so that E[T] = mean

    A mean of 0 is a click that takes no time. The defaults are ours. Other means than finite times from 0 s, or another
    sigma than a number from 0, are an InputError.

    >>> Dwell().expect(np.array([3, 0, -1])).tolist()
    [60.0, 10.0, 0.0]
    """

    mean: tuple[float, ...] = from_scale(_usual)  # by grade; s
    sigma: float = 1.0  # of ln T, all grades alike; 0: everybody stays for exactly the mean

    def __post_init__(self) -> None:
        use_defaults(self)
        means, sigma = numbers(self.mean), numbers(self.sigma)
        if means.ndim != 1 or not ((means >= 0) & (means < np.inf)).all():
            raise InputError(f"mean: expected dwell times in s, one a grade, found {self.mean}")
        if sigma.ndim or not 0 <= sigma < np.inf:
            raise InputError(f"sigma: expected a number from 0, the spread of ln(dwell time), found {self.sigma}")

    def expect(self, grades: np.ndarray) -> np.ndarray:
        """The expected dwell time of a click on results of these grades, s; an array of the grades' shape.

        0 where no result is shown (-1).
        """
        return by_grade(self.mean, grades)

    def at_least(self, seconds: float, grades: np.ndarray) -> np.ndarray:
        """P(a click on results of these grades takes at least so long); `seconds` > 0, the array as in `expect`.

        Phi((ln(mean) - sigma^2 / 2 - ln(seconds)) / sigma), with Phi the standard normal distribution.

        >>> Dwell().at_least(30, np.array([3, 0])).round(3).tolist()
        [0.577, 0.055]
        """
        from scipy.special import ndtr

        def reached(mean: float) -> float:
            if mean == 0 or self.sigma == 0:
                return float(mean >= seconds)
            return float(ndtr((log(mean) - self.sigma**2 / 2 - log(seconds)) / self.sigma))

        return by_grade([reached(mean) for mean in self.mean], grades)

    def sample(self, grades: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A dwell time of a click on each of these results, s; an array of the grades' shape.

        >>> Dwell(sigma=0).sample(np.array([3, 0]), np.random.default_rng(0)).tolist()
        [60.0, 10.0]
        """
        return self.expect(grades) * np.exp(self.sigma * rng.standard_normal(grades.shape) - self.sigma**2 / 2)
