"""User models: what users do with a ranking, given the relevance grades down it.

A model is exact (`expect`, in closed form or by recursion over the ranks) and can be sampled (`sample`); both take
rankings of grades (n, k), -1 where no result is shown, and treat each ranking on its own. `marked` is exact too: P(at
least one click gets a mark), when each click gets one with a probability of its own; long dwell is such a mark.

Attraction and satisfaction are given by grade. A model fitted to query-document pairs has one of each for every pair,
and takes the pairs' numbers in the place of grades.
"""

from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True)
class Steps:
    """What may happen at each rank of users who read from the top; arrays (n, k), or numbers that hold for all.

    Five of the models differ in nothing else, so `expect`, `marked` and `sample` are theirs in common.
    """

    attracted: np.ndarray
    satisfied: np.ndarray | float  # P(satisfied), once clicked
    after_skip: np.ndarray | float  # P(going on to the next rank), each of the three
    after_click: np.ndarray | float  # that did not satisfy
    after_satisfied: np.ndarray | float


def _expect(self, grades: np.ndarray) -> Behaviour:
    """The exact behaviour on rankings of grades (n, k); -1 = no result shown."""
    steps = self.steps(grades)
    a, s = steps.attracted, steps.satisfied
    skips, returns, stays = (1 - a) * steps.after_skip, (1 - s) * steps.after_click, s * steps.after_satisfied
    clicks = _reached(skips + a * (returns + stays)) * a
    satisfied = _reached(skips + a * returns) * a * s
    first = _reached(skips) * a
    # P(a click at this rank or below, once it is examined), from the last rank up; nothing is below the last
    below = np.zeros(a.shape)
    for rank in range(a.shape[1] - 2, -1, -1):
        below[:, rank] = a[:, rank + 1] + skips[:, rank + 1] * below[:, rank + 1]
    return Behaviour(
        clicks, satisfied.sum(axis=1), 1 - first.sum(axis=1), first, clicks * (1 - (returns + stays) * below)
    )


def _marked(self, grades: np.ndarray, mark: np.ndarray) -> np.ndarray:
    """P(at least one click is marked) (n,), each click with probability `mark` (n, k) at its rank."""
    steps = self.steps(grades)
    a, s = steps.attracted, steps.satisfied
    onwards = (1 - s) * steps.after_click + s * steps.after_satisfied
    return (_reached((1 - a) * steps.after_skip + a * (1 - mark) * onwards) * a * mark).sum(axis=1)


def _sample(self, grades: np.ndarray, sessions: int, rng: np.random.Generator) -> Sessions:
    """`sessions` independent sessions on each ranking of grades (n, k)."""
    steps = self.steps(grades)
    shape = steps.attracted.shape
    a, s, *onwards = (
        np.broadcast_to(np.asarray(values, dtype=np.float32), shape)
        for values in (
            steps.attracted, steps.satisfied, steps.after_satisfied, steps.after_click, steps.after_skip
        )
    )  # fmt: skip
    n, k = shape
    here = np.ones((n, sessions), dtype=bool)
    satisfied = np.zeros((n, sessions), dtype=bool)
    clicks = np.zeros((k, n, sessions), dtype=bool)  # by rank first, so that each step writes one block of memory
    for rank in range(k):
        # One uniform number decides all: its interval says satisfied, clicked or skipped, its place there who goes on.
        chance = rng.random((n, sessions), dtype=np.float32)
        ends = [column[:, None] for column in (a[:, rank] * s[:, rank], a[:, rank], np.ones(n, dtype=np.float32))]
        content, clicked = here & (chance < ends[0]), here & (chance < ends[1])
        satisfied |= content
        clicks[rank] = clicked
        start, stays = np.float32(0), np.zeros((n, sessions), dtype=bool)
        for end, onward in zip(ends, onwards, strict=True):
            stays |= (chance >= start) & (chance < start + (end - start) * onward[:, rank, None])
            start = end
        here &= stays
    return Sessions(np.moveaxis(clicks, 0, 2), satisfied)


@dataclass(frozen=True)
class DBN:
    """Dynamic Bayesian network click model (Chapelle and Zhang, WWW 2009).

    Users read from the top. An examined result attracts a click with probability a by its grade; a clicked one
    satisfies with probability s by its grade and ends the session; otherwise users go on to the next with
    probability gamma. Nobody clicks where no result is shown.

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
        _check_by_grade(self)
        _check_probabilities("continuation", [self.continuation])

    expect, marked, sample = _expect, _marked, _sample

    def steps(self, grades: np.ndarray) -> Steps:
        a, s = by_grade(self.attraction, grades), by_grade(self.satisfaction, grades)
        return Steps(a, s, self.continuation, self.continuation, 0.0)


@dataclass(frozen=True)
class SDBN:
    """Simplified DBN (Chapelle and Zhang, WWW 2009, section 4): the DBN whose users never give up, gamma = 1.

    Everything down to the last click is examined, which makes its parameters a matter of counting. Formulas: DBN.
    """

    attraction: tuple[float, ...]  # a by grade 0, 1, 2, 3; each in [0, 1]
    satisfaction: tuple[float, ...]  # s by grade 0, 1, 2, 3; each in [0, 1]

    def __post_init__(self):
        _check_by_grade(self)

    expect, marked, sample = _expect, _marked, _sample

    def steps(self, grades: np.ndarray) -> Steps:
        a, s = by_grade(self.attraction, grades), by_grade(self.satisfaction, grades)
        return Steps(a, s, 1.0, 1.0, 0.0)


@dataclass(frozen=True)
class Cascade:
    """Cascade model (Craswell, Zoeter, Taylor and Ramsey, WSDM 2008).

    Users read from the top and leave with the first result that attracts them: one click at most. The model knows no
    satisfaction; since the click ends the session, it is taken for a satisfying one, so P(satisfied) = 1 - P(no click).

        P(click at r) = a_r prod_{i<r} (1 - a_i),  P(no click) = prod_r (1 - a_r)
    """

    attraction: tuple[float, ...]  # a by grade 0, 1, 2, 3; each in [0, 1]

    def __post_init__(self):
        _check_by_grade(self)

    expect, marked, sample = _expect, _marked, _sample

    def steps(self, grades: np.ndarray) -> Steps:
        return Steps(by_grade(self.attraction, grades), 1.0, 1.0, 1.0, 0.0)


@dataclass(frozen=True)
class DCM:
    """Dependent click model (Guo, Liu and Wang, WSDM 2009).

    Users read from the top and skip whatever does not attract them. After a click at rank r they go on with
    probability lambda_r, whatever the result was; those who leave then were satisfied.

        E_1 = 1,  E_{r+1} = E_r (1 - a_r + a_r lambda_r)   P(examined)
        P(click at r) = E_r a_r,  P(satisfied) = sum_r E_r a_r (1 - lambda_r),  P(no click) = prod_r (1 - a_r)
    """

    attraction: tuple[float, ...]  # a by grade 0, 1, 2, 3; each in [0, 1]
    continuation: tuple[float, ...]  # lambda by rank 1, 2, ...; each in [0, 1]

    def __post_init__(self):
        _check_by_grade(self)
        _check_probabilities("continuation", self.continuation)

    expect, marked, sample = _expect, _marked, _sample

    def steps(self, grades: np.ndarray) -> Steps:
        leaves = 1 - np.array(_by_rank("continuation", self.continuation, grades))
        return Steps(by_grade(self.attraction, grades), leaves, 1.0, 1.0, 0.0)


@dataclass(frozen=True)
class CCM:
    """Click chain model (Guo, Liu, Kannan, Minka, Taylor, Wang and Faloutsos, WWW 2009).

    Users read from the top. A result's relevance a is both the probability that it attracts and that it satisfies.
    They go on with probability t1 after a skipped result, t2 after a click that did not satisfy, and t3 after one
    that did: a satisfied user may want more.

        E_1 = 1,  E_{r+1} = E_r [(1 - a_r) t1 + a_r ((1 - a_r) t2 + a_r t3)]      P(examined)
        U_1 = 1,  U_{r+1} = U_r [(1 - a_r) t1 + a_r (1 - a_r) t2]                 P(examined, not satisfied yet)
        P(click at r) = E_r a_r,  P(satisfied) = sum_r U_r a_r^2,  P(no click): as in the DBN with gamma = t1
    """

    attraction: tuple[float, ...]  # a by grade 0, 1, 2, 3; each in [0, 1]
    continuation: tuple[float, float, float]  # t1, t2, t3; each in [0, 1]

    def __post_init__(self):
        _check_by_grade(self)
        _check_probabilities("continuation", self.continuation)
        if len(self.continuation) != 3:
            raise InputError(f"user_model.model.continuation: expected t1, t2, t3, found {self.continuation}")

    expect, marked, sample = _expect, _marked, _sample

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
    """

    attraction: tuple[float, ...]  # a by grade 0, 1, 2, 3; each in [0, 1]
    satisfaction: tuple[float, ...]  # s by grade 0, 1, 2, 3; each in [0, 1]
    examination: tuple[float, ...]  # e by rank 1, 2, ...; each in [0, 1]

    def __post_init__(self):
        _check_by_grade(self)
        _check_probabilities("examination", self.examination)

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
        return _sample_ranks(grades.shape, satisfaction, lambda rank, _: clicks[:, rank, None], sessions, rng)

    def _clicks(self, grades: np.ndarray) -> np.ndarray:
        return np.array(_by_rank("examination", self.examination, grades)) * by_grade(self.attraction, grades)


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
    """

    attraction: tuple[float, ...]  # a by grade 0, 1, 2, 3; each in [0, 1]
    satisfaction: tuple[float, ...]  # s by grade 0, 1, 2, 3; each in [0, 1]
    examination: tuple[tuple[float, ...], ...]  # row r = 1, 2, ...: e_{r,p} for p = 0, ..., r - 1; each in [0, 1]

    def __post_init__(self):
        _check_by_grade(self)
        for rank, row in enumerate(self.examination, start=1):
            _check_probabilities("examination", row)
            if len(row) != rank:
                raise InputError(
                    f"user_model.model.examination: expected {rank} probabilities for rank {rank} (the last click at "
                    f"none of the ranks above, or at 1, ..., {rank - 1}), found {len(row)}"
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
        a, examination = by_grade(self.attraction, grades), _by_rank("examination", self.examination, grades)

        def chance(rank: int, last: np.ndarray) -> np.ndarray:
            return np.array(examination[rank], dtype=np.float32)[last] * a[:, rank, None]

        return _sample_ranks(grades.shape, by_grade(self.satisfaction, grades), chance, sessions, rng)

    def _walk(self, grades: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """P(click) and P(first click) at each rank (n, k), P(the last click is at none, 1, ..., k) (n, k + 1).

        Each is the share of sessions left when a click at a rank lets the share `kept` (n, k) of them stay.
        """
        a, examination = by_grade(self.attraction, grades), _by_rank("examination", self.examination, grades)
        n, k = grades.shape
        clicks, first, last = np.zeros((n, k)), np.zeros((n, k)), np.zeros((n, k + 1))
        last[:, 0] = 1.0
        for rank in range(k):
            clicked = last[:, : rank + 1] * np.array(examination[rank]) * a[:, rank, None]
            clicks[:, rank], first[:, rank] = clicked.sum(axis=1), clicked[:, 0]
            last[:, : rank + 1] -= clicked
            last[:, rank + 1] = clicks[:, rank] * kept[:, rank]
        return clicks, first, last


def _sample_ranks(shape: tuple[int, int], satisfaction: np.ndarray, chance, sessions: int, rng) -> Sessions:
    """Sessions where P(click at rank) is `chance(rank, last)`; `last` (n, s) is the rank of the click before, or 0."""
    n, k = shape
    last = np.zeros((n, sessions), dtype=np.int16)
    satisfied = np.zeros((n, sessions), dtype=bool)
    clicks = np.zeros((k, n, sessions), dtype=bool)
    for rank in range(k):
        drawn, here = rng.random((n, sessions), dtype=np.float32), chance(rank, last)
        clicks[rank] = drawn < here
        satisfied |= drawn < here * satisfaction[:, rank, None]
        last[clicks[rank]] = rank + 1
    return Sessions(np.moveaxis(clicks, 0, 2), satisfied)


def _reached(goes_on: np.ndarray) -> np.ndarray:
    """P(the user reaches each rank), from P(going on from each rank to the next); both (n, k)."""
    return np.cumprod(np.insert(goes_on[:, :-1], 0, 1.0, axis=1), axis=1)


def by_grade(values, grades: np.ndarray) -> np.ndarray:
    """The value at each rank, by its grade; 0 where no result is shown."""
    nothing_shown = 0.0  # the entry that grade -1 picks
    return np.append(values, nothing_shown)[grades]


def _by_rank(name: str, values, grades: np.ndarray):
    """The values of the first k ranks, for rankings of k results."""
    k = grades.shape[1]
    if len(values) < k:
        raise InputError(f"user_model.model.{name}: expected values for {k} ranks, found {len(values)}")
    return values[:k]


def _check_by_grade(model) -> None:
    """attraction and, where the model has it, satisfaction: probabilities, as many of the one as of the other."""
    satisfaction = getattr(model, "satisfaction", model.attraction)
    _check_probabilities("attraction", model.attraction)
    _check_probabilities("satisfaction", satisfaction)
    if len(satisfaction) != len(model.attraction):
        raise InputError(
            f"user_model.model.satisfaction: expected {len(model.attraction)} probabilities, one a grade as for "
            f"attraction, found {len(satisfaction)}"
        )


def _check_probabilities(name: str, values) -> None:
    array = np.array(values, dtype=float)
    if array.size == 0 or not ((array >= 0) & (array <= 1)).all():
        raise InputError(f"user_model.model.{name}: expected probabilities, found {values}")
