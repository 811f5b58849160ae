"""User models: what users do with a ranking, given the relevance grades down it.

A model is exact (`expect`, a closed form) and can be sampled (`sample`); both take rankings of grades (n, k), -1 where
no result is shown, and treat each ranking on its own.
"""

from dataclasses import dataclass

import numpy as np

from alignir.errors import InputError
from alignir.frames import GRADES


@dataclass(frozen=True)
class Behaviour:
    """Probabilities for n rankings of k results."""

    clicks: np.ndarray  # (n, k) P(click) at each rank; its sum is the expected number of clicks
    satisfied: np.ndarray  # (n,) P(the session has a satisfying click)
    no_click: np.ndarray  # (n,) P(the session has no click)


@dataclass(frozen=True)
class Sessions:
    """Sampled sessions, s for each of n rankings of k results."""

    clicks: np.ndarray  # (n, s, k) bool
    satisfied: np.ndarray  # (n, s) bool


@dataclass(frozen=True)
class DBN:
    """Dynamic Bayesian network click model (Chapelle and Zhang, WWW 2009).

    Users read from the top. An examined result attracts a click with probability a by its grade; a clicked one
    satisfies with probability s by its grade and ends the session; otherwise users go on to the next with
    probability gamma. Nobody examines a rank where no result is shown.

        E_1 = 1,  E_{r+1} = E_r gamma (1 - a_r s_r)        P(examined)
        P(click at r) = E_r a_r,  P(satisfied) = sum_r E_r a_r s_r
        N_1 = 1,  N_{r+1} = N_r gamma (1 - a_r)            P(examined, nothing clicked yet)
        P(no click) = 1 - sum_r N_r a_r

    Expected clicks do not grow with quality throughout: a satisfied user stops clicking. P(satisfied) does.
    """

    attraction: tuple[float, ...]  # a by grade 0, 1, 2, 3; each in [0, 1]
    satisfaction: tuple[float, ...]  # s by grade 0, 1, 2, 3; each in [0, 1]
    continuation: float  # gamma in [0, 1]

    def __post_init__(self):
        for name in ("attraction", "satisfaction"):
            values = getattr(self, name)
            if len(values) != len(GRADES) or not all(0 <= value <= 1 for value in values):
                raise InputError(
                    f"user_model.{name}: expected {len(GRADES)} probabilities, one a grade, found {values}"
                )
        if not 0 <= self.continuation <= 1:
            raise InputError(f"user_model.continuation: expected a probability, found {self.continuation}")

    def expect(self, grades: np.ndarray) -> Behaviour:
        """The exact behaviour on rankings of grades (n, k); -1 = no result shown."""
        a, s = self._by_grade(grades)
        examined = _carried_on(self.continuation * (1 - a * s))
        first = _carried_on(self.continuation * (1 - a)) * a
        clicks = examined * a
        return Behaviour(clicks, (clicks * s).sum(axis=1), 1 - first.sum(axis=1))

    def sample(self, grades: np.ndarray, sessions: int, rng: np.random.Generator) -> Sessions:
        """`sessions` independent sessions on each ranking of grades (n, k)."""
        a, s = self._by_grade(grades)
        n, k = a.shape
        here = np.ones((n, sessions), dtype=bool)
        clicks = np.zeros((n, sessions, k), dtype=bool)
        satisfied = np.zeros((n, sessions), dtype=bool)
        for rank in range(k):
            clicks[:, :, rank] = here & (rng.random((n, sessions)) < a[:, rank, None])
            satisfied |= clicks[:, :, rank] & (rng.random((n, sessions)) < s[:, rank, None])
            here &= ~satisfied & (rng.random((n, sessions)) < self.continuation)
        return Sessions(clicks, satisfied)

    def _by_grade(self, grades: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(attraction, satisfaction) at each rank; both 0 where no result is shown."""
        nothing_shown = 0.0  # the entry that grade -1 picks
        return tuple(np.array([*by_grade, nothing_shown])[grades] for by_grade in (self.attraction, self.satisfaction))


def _carried_on(goes_on: np.ndarray) -> np.ndarray:
    """P(the user reaches each rank), from P(going on from each rank to the next); both (n, k)."""
    return np.cumprod(np.insert(goes_on[:, :-1], 0, 1.0, axis=1), axis=1)
