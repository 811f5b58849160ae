"""Stepwise users: they read from the top, and at each rank click or not, are satisfied or not, go on or leave.

DBN, SDBN, Cascade, DCM and CCM differ only in the probabilities of these steps. `Stepwise` turns such steps into
expected behaviour and sampled sessions.
"""

from dataclasses import dataclass, fields

import numpy as np

from alignir.users.behaviour import Behaviour, Sessions


@dataclass(frozen=True)
class Steps:
    """What may happen at each rank once it is examined: probabilities (n, k), or numbers that hold everywhere."""

    attracted: np.ndarray  # P(click); 0 where no result is shown
    satisfied: np.ndarray | float  # P(satisfied), once clicked
    after_skip: np.ndarray | float  # P(going on to the next rank) after a skipped result,
    after_click: np.ndarray | float  # after a click that did not satisfy,
    after_satisfied: np.ndarray | float  # and after one that did

    def arrays(self, shape: tuple[int, int]) -> tuple[np.ndarray, ...]:
        """The five probabilities, in this order, as arrays of this shape (n, k).

        >>> Steps(np.array([[0.5, 0.2]]), 1.0, 0.9, 0.9, 0.0).arrays((1, 2))[2].tolist()
        [[0.9, 0.9]]
        """
        return tuple(np.broadcast_to(getattr(self, field.name), shape) for field in fields(self))


class Stepwise:
    """Mixed into the click models of users who read from the top: all three methods follow from the model's `steps`."""

    def steps(self, grades: np.ndarray) -> Steps:
        """The probabilities of each step on rankings of grades (n, k); the model's own."""
        raise NotImplementedError

    def expect(self, grades: np.ndarray) -> Behaviour:
        """The exact behaviour on rankings of grades (n, k); -1 = no result shown.

        With a, s, and the three probabilities t of going on (after a skip, a click, a satisfying click), by rank:

            E_1 = 1,  E_{r+1} = E_r [(1 - a_r) t1_r + a_r ((1 - s_r) t2_r + s_r t3_r)]    P(examined)
            P(click at r) = E_r a_r

        Leaving out what ends in satisfaction gives P(satisfied), leaving out all clicks P(no click).

        >>> from alignir.users.click_models import DBN
        >>> DBN().expect(np.array([[3, 0]])).clicks.round(4).tolist()
        [[0.875, 0.0211]]
        """
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

    def marked(self, grades: np.ndarray, mark: np.ndarray) -> np.ndarray:
        """P(at least one click is marked) (n,), each click with probability `mark` (n, k) at its rank.

        A long dwell time is such a mark. With a mark of 1 it is P(at least one click):

        >>> from alignir.users.click_models import Cascade
        >>> Cascade().marked(np.array([[3, 3]]), np.ones((1, 2))).tolist()
        [0.984375]
        """
        steps = self.steps(grades)
        a, s = steps.attracted, steps.satisfied
        onwards = (1 - s) * steps.after_click + s * steps.after_satisfied
        return (_reached((1 - a) * steps.after_skip + a * (1 - mark) * onwards) * a * mark).sum(axis=1)

    def sample(self, grades: np.ndarray, sessions: int, rng: np.random.Generator) -> Sessions:
        """`sessions` independent sessions on each ranking of grades (n, k).

        >>> from alignir.users.click_models import SDBN
        >>> drawn = SDBN().sample(np.array([[3, 0]]), 1000, np.random.default_rng(0))
        >>> drawn.clicks.shape, bool(abs(drawn.clicks[0, :, 0].mean() - 0.875) < 0.05)
        ((1, 1000, 2), True)
        """
        steps = self.steps(grades)
        n, k = shape = steps.attracted.shape
        a, s, *onwards = (
            np.broadcast_to(np.asarray(values, dtype=np.float32), shape)
            for values in (
                steps.attracted, steps.satisfied, steps.after_satisfied, steps.after_click, steps.after_skip
            )
        )  # fmt: skip
        here = np.ones((n, sessions), dtype=bool)
        satisfied = np.zeros((n, sessions), dtype=bool)
        clicks = np.zeros((k, n, sessions), dtype=bool)  # by rank first, so that each step writes one block of memory
        for rank in range(k):
            # One uniform number decides all: its interval says satisfied, clicked or skipped, its place there says
            # whether the user goes on
            chance = rng.random((n, sessions), dtype=np.float32)
            ends = [column[:, None] for column in (a[:, rank] * s[:, rank], a[:, rank], np.ones(n, dtype=np.float32))]
            content, clicked = here & (chance < ends[0]), here & (chance < ends[1])
            satisfied |= content
            clicks[rank] = clicked
            start, stays = np.zeros((n, 1), dtype=np.float32), np.zeros((n, sessions), dtype=bool)
            for end, onward in zip(ends, onwards, strict=True):
                stays |= (chance >= start) & (chance < start + (end - start) * onward[:, rank, None])
                start = end
            here &= stays
        return Sessions(np.moveaxis(clicks, 0, 2), satisfied)


def _reached(goes_on: np.ndarray) -> np.ndarray:
    """P(the user reaches each rank), from P(going on from each rank to the next); both (n, k)."""
    return np.cumprod(np.insert(goes_on[:, :-1], 0, 1.0, axis=1), axis=1)
