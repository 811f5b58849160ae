"""Click models: what users do with a ranking, given the relevance grades down it.

A model is exact (`expect`, in closed form or by recursion over the ranks) and can be sampled (`sample`); both take
rankings of grades (n, k), -1 where no result is shown, and treat each ranking on its own. `marked` is exact too: P(at
least one click gets a mark), when each click gets one with a probability of its own; long dwell is such a mark.

Attraction a and satisfaction s are by grade g, by default (2^g - 1) / 2^h with the highest grade h of the labels'
scale, and a floor of 0.1 for attraction: users click on anything at times. What is not in a model's paper (all
defaults, and what satisfies in Cascade, PBM and UBM) is ours. A parameter that is no probability, or lacks a value, is
an InputError that names it.

A model of your own is a dataclass with `attraction` and these three methods. If its users read from the top it needs
`steps` only, and mixes in `Stepwise`; see `DCM`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from alignir.data.scales import Scale
from alignir.errors import InputError
from alignir.users.behaviour import (
    Behaviour,
    Sessions,
    by_grade,
    by_rank,
    check_by_grade,
    check_probabilities,
    check_probability,
    from_scale,
    use_defaults,
)
from alignir.users.browsing import sample_ranks, walk
from alignir.users.stepwise import Steps, Stepwise

FLOOR = 0.1  # of attraction


def _satisfying(scale: Scale) -> Iterator[float]:
    return ((2**grade - 1) / 2**scale.highest for grade in scale.grades)


def _attractive(scale: Scale) -> Iterator[float]:
    return (max(FLOOR, value) for value in _satisfying(scale))


SATISFACTION, ATTRACTION = from_scale(_satisfying), from_scale(_attractive)
RANKS = range(1, 11)  # that the defaults by rank are for


@dataclass(frozen=True)
class DBN(Stepwise):
    """Dynamic Bayesian network click model (Chapelle and Zhang, WWW 2009).

    Users read from the top. An examined result attracts a click with probability a by its grade; a clicked one
    satisfies with probability s by its grade and ends the session; otherwise users go on to the next with
    probability gamma. Nobody clicks where no result is shown.

        E_1 = 1,  E_{r+1} = E_r gamma (1 - a_r s_r)        P(examined)
        P(click at r) = E_r a_r,  P(satisfied) = sum_r E_r a_r s_r
        N_1 = 1,  N_{r+1} = N_r gamma (1 - a_r)            P(examined, nothing clicked yet)
        P(no click) = 1 - sum_r N_r a_r

    Expected clicks do not grow with quality throughout: a satisfied user stops clicking. P(satisfied) does.

    >>> DBN()
    DBN(attraction=(0.1, 0.125, 0.375, 0.875), satisfaction=(0.0, 0.125, 0.375, 0.875), continuation=0.9)
    >>> DBN().expect(np.array([[3, 0]])).satisfied.tolist()
    [0.765625]
    >>> DBN((0.1, 2, 0, 0))
    Traceback (most recent call last):
    alignir.errors.InputError: attraction: expected probabilities from 0 to 1, found (0.1, 2, 0, 0)
    """

    attraction: tuple[float, ...] = ATTRACTION  # a by grade; each in [0, 1]
    satisfaction: tuple[float, ...] = SATISFACTION  # s by grade; each in [0, 1]
    continuation: float = 0.9  # gamma in [0, 1]

    def __post_init__(self) -> None:
        use_defaults(self)
        check_by_grade(self.attraction, self.satisfaction)
        check_probability("continuation", self.continuation)

    def steps(self, grades: np.ndarray) -> Steps:
        a, s = by_grade(self.attraction, grades), by_grade(self.satisfaction, grades)
        return Steps(a, s, self.continuation, self.continuation, 0.0)


@dataclass(frozen=True)
class SDBN(Stepwise):
    """Simplified DBN (Chapelle and Zhang, WWW 2009, section 4): the DBN whose users never give up, gamma = 1.

    Everything down to the last click is examined, which makes its parameters a matter of counting. Formulas: DBN.

    >>> SDBN().expect(np.array([[3, 0]])).clicks.tolist()
    [[0.875, 0.0234375]]
    """

    attraction: tuple[float, ...] = ATTRACTION  # a by grade; each in [0, 1]
    satisfaction: tuple[float, ...] = SATISFACTION  # s by grade; each in [0, 1]

    def __post_init__(self) -> None:
        use_defaults(self)
        check_by_grade(self.attraction, self.satisfaction)

    def steps(self, grades: np.ndarray) -> Steps:
        a, s = by_grade(self.attraction, grades), by_grade(self.satisfaction, grades)
        return Steps(a, s, 1.0, 1.0, 0.0)


@dataclass(frozen=True)
class Cascade(Stepwise):
    """Cascade model (Craswell, Zoeter, Taylor and Ramsey, WSDM 2008).

    Users read from the top and leave with the first result that attracts them: one click at most. The model knows no
    satisfaction; since the click ends the session, it is taken for a satisfying one, so P(satisfied) = 1 - P(no click).

        P(click at r) = a_r prod_{i<r} (1 - a_i),  P(no click) = prod_r (1 - a_r)

    >>> Cascade().expect(np.array([[3, 0]])).clicks.tolist()
    [[0.875, 0.0125]]
    """

    attraction: tuple[float, ...] = ATTRACTION  # a by grade; each in [0, 1]

    def __post_init__(self) -> None:
        use_defaults(self)
        check_probabilities("attraction", self.attraction)

    def steps(self, grades: np.ndarray) -> Steps:
        return Steps(by_grade(self.attraction, grades), 1.0, 1.0, 1.0, 0.0)


@dataclass(frozen=True)
class DCM(Stepwise):
    """Dependent click model (Guo, Liu and Wang, WSDM 2009).

    Users read from the top and skip whatever does not attract them. After a click at rank r they go on with
    probability lambda_r, whatever the result was; those who leave then were satisfied.

        E_1 = 1,  E_{r+1} = E_r (1 - a_r + a_r lambda_r)   P(examined)
        P(click at r) = E_r a_r,  P(satisfied) = sum_r E_r a_r (1 - lambda_r),  P(no click) = prod_r (1 - a_r)

    >>> DCM().expect(np.array([[3, 0]])).clicks.tolist()
    [[0.875, 0.05625]]
    """

    attraction: tuple[float, ...] = ATTRACTION  # a by grade; each in [0, 1]
    # lambda by rank 1, 2, ...; each in [0, 1]
    continuation: tuple[float, ...] = (0.5, 0.55, 0.6, 0.65, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7)

    def __post_init__(self) -> None:
        use_defaults(self)
        check_probabilities("attraction", self.attraction)
        check_probabilities("continuation", self.continuation)

    def steps(self, grades: np.ndarray) -> Steps:
        leaves = 1 - np.array(by_rank("continuation", self.continuation, grades))
        return Steps(by_grade(self.attraction, grades), leaves, 1.0, 1.0, 0.0)


@dataclass(frozen=True)
class CCM(Stepwise):
    """Click chain model (Guo, Liu, Kannan, Minka, Taylor, Wang and Faloutsos, WWW 2009).

    Users read from the top. A result's relevance a is both the probability that it attracts and that it satisfies.
    They go on with probability t1 after a skipped result, t2 after a click that did not satisfy, and t3 after one
    that did: a satisfied user may want more.

        E_1 = 1,  E_{r+1} = E_r [(1 - a_r) t1 + a_r ((1 - a_r) t2 + a_r t3)]      P(examined)
        U_1 = 1,  U_{r+1} = U_r [(1 - a_r) t1 + a_r (1 - a_r) t2]                 P(examined, not satisfied yet)
        P(click at r) = E_r a_r,  P(satisfied) = sum_r U_r a_r^2,  P(no click): as in the DBN with gamma = t1

    >>> CCM().expect(np.array([[3, 0]])).satisfied.round(4).tolist()
    [0.7676]
    """

    attraction: tuple[float, ...] = ATTRACTION  # a by grade; each in [0, 1]
    continuation: tuple[float, float, float] = (0.9, 0.8, 0.2)  # t1, t2, t3; each in [0, 1]

    def __post_init__(self) -> None:
        use_defaults(self)
        check_probabilities("attraction", self.attraction)
        check_probabilities("continuation", self.continuation)
        if len(self.continuation) != 3:
            raise InputError(
                "continuation: expected t1, t2, t3 (after a skipped result, a click, a satisfying click), "
                f"found {self.continuation}"
            )

    def steps(self, grades: np.ndarray) -> Steps:
        a = by_grade(self.attraction, grades)
        return Steps(a, a, *self.continuation)


@dataclass(frozen=True)
class PBM:
    """Position-based model (Craswell, Zoeter, Taylor and Ramsey, WSDM 2008; Richardson et al., WWW 2007).

    Each rank is examined with a probability e of its own, and what is examined is clicked with probability a by its
    grade; nothing depends on what happened above. A click satisfies with probability s by its grade, a mark that we
    add (the model knows none) and that changes nothing else.

        P(click at r) = e_r a_r,  P(satisfied) = 1 - prod_r (1 - e_r a_r s_r),  P(no click) = prod_r (1 - e_r a_r)

    >>> PBM().expect(np.array([[3, 0]])).clicks.tolist()
    [[0.875, 0.05]]
    """

    attraction: tuple[float, ...] = ATTRACTION  # a by grade; each in [0, 1]
    satisfaction: tuple[float, ...] = SATISFACTION  # s by grade; each in [0, 1]
    examination: tuple[float, ...] = tuple(round(1 / rank, 4) for rank in RANKS)  # e by rank 1, 2, ...; in [0, 1]

    def __post_init__(self) -> None:
        use_defaults(self)
        check_by_grade(self.attraction, self.satisfaction)
        check_probabilities("examination", self.examination)

    def expect(self, grades: np.ndarray) -> Behaviour:
        """The exact behaviour on rankings of grades (n, k); -1 = no result shown."""
        clicks = self._clicks(grades)
        nothing_above = np.cumprod(np.insert(1 - clicks, 0, 1.0, axis=1), axis=1)
        nothing_below = np.cumprod(np.insert(1 - clicks[:, ::-1], 0, 1.0, axis=1), axis=1)[:, ::-1]
        satisfied = self.marked(grades, by_grade(self.satisfaction, grades))
        return Behaviour(
            clicks, satisfied, nothing_above[:, -1], clicks * nothing_above[:, :-1], clicks * nothing_below[:, 1:]
        )

    def marked(self, grades: np.ndarray, mark: np.ndarray) -> np.ndarray:
        """P(at least one click is marked) (n,), each click with probability `mark` (n, k) at its rank."""
        return 1 - np.prod(1 - self._clicks(grades) * mark, axis=1)

    def sample(self, grades: np.ndarray, sessions: int, rng: np.random.Generator) -> Sessions:
        """`sessions` independent sessions on each ranking of grades (n, k)."""
        clicks, satisfaction = self._clicks(grades), by_grade(self.satisfaction, grades)
        return sample_ranks(satisfaction, lambda rank, _: clicks[:, rank, None], sessions, rng)

    def _clicks(self, grades: np.ndarray) -> np.ndarray:
        return np.array(by_rank("examination", self.examination, grades)) * by_grade(self.attraction, grades)


@dataclass(frozen=True)
class UBM:
    """User browsing model (Dupret and Piwowarski, SIGIR 2008).

    The probability e that a rank r is examined depends on r and on the rank p of the last click above it (p = 0: none
    yet). What is examined is clicked with probability a by its grade. A click satisfies with probability s by its
    grade, a mark that we add (the model knows none) and that changes nothing else.

        L_1(0) = 1                                          P(the last click above rank r is at p)
        P(click at r) = a_r sum_p L_r(p) e_{r,p}
        L_{r+1}(p) = L_r(p) (1 - a_r e_{r,p}) for p < r,  L_{r+1}(r) = P(click at r)
        P(no click) = L_{k+1}(0)

    By default the deeper a rank, and the farther below the last click (or the top), the less it is examined:
    e_{r,p} = 0.95^(r - 1) 0.9^(r - 1 - p), rounded to 4 digits.

    >>> UBM().examination[:3]
    ((1.0,), (0.855, 0.95), (0.731, 0.8123, 0.9025))
    >>> UBM().expect(np.array([[3, 0]])).clicks.round(4).tolist()
    [[0.875, 0.0938]]
    """

    attraction: tuple[float, ...] = ATTRACTION  # a by grade; each in [0, 1]
    satisfaction: tuple[float, ...] = SATISFACTION  # s by grade; each in [0, 1]
    # row r = 1, 2, ...: e_{r,p} for p = 0, ..., r - 1; each in [0, 1]
    examination: tuple[tuple[float, ...], ...] = tuple(
        tuple(round(0.95 ** (rank - 1) * 0.9 ** (rank - 1 - last), 4) for last in range(rank)) for rank in RANKS
    )

    def __post_init__(self) -> None:
        use_defaults(self)
        check_by_grade(self.attraction, self.satisfaction)
        for rank, row in enumerate(self.examination, start=1):
            check_probabilities("examination", row)
            if len(row) != rank:
                raise InputError(
                    f"examination: expected {rank} probabilities for rank {rank} (the last click at none of the ranks "
                    f"above, or at 1, ..., {rank - 1}), found {len(row)}"
                )

    def expect(self, grades: np.ndarray) -> Behaviour:
        """The exact behaviour on rankings of grades (n, k); -1 = no result shown."""
        clicks, first, last = self._walk(grades, np.ones(grades.shape))
        satisfied = self.marked(grades, by_grade(self.satisfaction, grades))
        return Behaviour(clicks, satisfied, last[:, 0], first, last[:, 1:])

    def marked(self, grades: np.ndarray, mark: np.ndarray) -> np.ndarray:
        """P(at least one click is marked) (n,), each click with probability `mark` (n, k) at its rank."""
        _, _, unmarked = self._walk(grades, 1 - mark)
        return 1 - unmarked.sum(axis=1)

    def sample(self, grades: np.ndarray, sessions: int, rng: np.random.Generator) -> Sessions:
        """`sessions` independent sessions on each ranking of grades (n, k)."""
        a, examination = by_grade(self.attraction, grades), by_rank("examination", self.examination, grades)

        def chance(rank: int, last: np.ndarray) -> np.ndarray:
            return np.array(examination[rank], dtype=np.float32)[last] * a[:, rank, None]

        return sample_ranks(by_grade(self.satisfaction, grades), chance, sessions, rng)

    def _walk(self, grades: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        examination = by_rank("examination", self.examination, grades)
        return walk(by_grade(self.attraction, grades), examination, kept)
