"""Online metrics: what one measures of users, defined once for simulated and for real sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError, one_of
from alignir.frames import ONLINE
from alignir.users.behaviour import numbers

NAMES = {
    "clicks": "Clicks",
    "ctr": "CTR",
    "adt": "ADT",
    "ssr": "SSR",
    "sar": "SAR",
    "zrr": "ZRR",
    "first_click": "First click",
    "last_click": "Last click",
}
METRICS = tuple(NAMES)
NO_HEADS: Mapping[str, str] = MappingProxyType({})
LOWER_IS_BETTER = ("sar", "zrr", "first_click")
SUCCESS = ("satisfied", "dwell")
DWELL_PER = ("click", "session")
LONG_DWELL = 30  # s
ZERO_RESULT = ("no_relevant", "no_results", "no_click")


class Meaning(NamedTuple):
    """What a metric is called by one of its definitions, and what that is."""

    head: str
    what: str


def meanings(settings: Mapping[str, object]) -> dict[str, Meaning]:
    """Of the metrics whose meaning depends on settings of `Metrics`, by metric; the settings as they were recorded.

    ZRR is "no result" everywhere else, so what counts queries with nothing relevant is not called that. Where a setting
    is not known, or the metrics are somebody else's, there is no meaning, and they keep their names.

    >>> meanings({"zero_result": "no_relevant"})["zrr"].head, meanings({"zero_result": "no_results"})["zrr"].head
    ('no relevant result', 'ZRR')
    >>> meanings({"success": "dwell", "long_dwell": "30"})["ssr"]
    Meaning(head='SSR 30 s click', what='session success rate, a click of 30 s or more')
    """
    long = f"{float(str(settings.get('long_dwell', LONG_DWELL))):g} s"
    by_definition = {
        "ssr": {
            "satisfied": Meaning("SSR satisfied", "session success rate, a satisfying click"),
            "dwell": Meaning(f"SSR {long} click", f"session success rate, a click of {long} or more"),
        },
        "zrr": {
            "no_relevant": Meaning("no relevant result", "queries that show nothing relevant, recorded as zrr"),
            "no_results": Meaning("ZRR", "zero result rate, queries that show no result"),
            "no_click": Meaning("no click", "SAR again, in place of a zero result rate, recorded as zrr"),
        },
    }
    chosen = {"ssr": settings.get("success"), "zrr": settings.get("zero_result")}
    return {metric: found[str(chosen[metric])] for metric, found in by_definition.items() if chosen[metric] in found}


def heads(settings: Mapping[str, object]) -> dict[str, str]:
    """What those metrics are called, by metric."""
    return {metric: meaning.head for metric, meaning in meanings(settings).items()}


def metric_name(metric: str, heads: Mapping[str, str] = NO_HEADS) -> str:
    """A metric's name for people, by its definition where that is among the `heads`; one that is not ours as it is.

    >>> metric_name("clicks"), metric_name("zrr", {"zrr": "no relevant result"}), metric_name("revenue")
    ('Clicks', 'no relevant result', 'revenue')
    """
    return heads.get(metric, NAMES.get(metric, metric))


def metric_title(metric: str, heads: Mapping[str, str] = NO_HEADS) -> str:
    """`metric_name`, with ↓ where lower is better.

    >>> metric_title("ssr"), metric_title("sar"), metric_title("revenue")
    ('SSR', 'SAR ↓', 'revenue')
    """
    return metric_name(metric, heads) + (" ↓" if metric in LOWER_IS_BETTER else "")


@dataclass(frozen=True)
class PerSession:
    """What happens in a session, on average or in expectation: arrays (n,), for each of n rankings or groups."""

    results: np.ndarray  # shown
    clicks: np.ndarray
    timed: np.ndarray  # clicks whose dwell time is known
    seconds: np.ndarray  # dwell time of those
    satisfied: np.ndarray  # the share of sessions with a satisfying click; NaN: a log does not say
    long: np.ndarray  # ... with a click of at least `long_dwell`; NaN: unknown
    no_click: np.ndarray  # ... without a click
    first: np.ndarray  # rank of the first click, from 1; sessions without one add 0
    last: np.ndarray  # rank of the last click, likewise
    no_relevant: np.ndarray  # the share of sessions in which nothing relevant is shown
    no_results: np.ndarray  # ... in which nothing is shown


@dataclass(frozen=True)
class Metrics:
    """The online metrics, with what the field and the paper leave open as settings.

    clicks       clicks in a session
    ctr          clicks / results shown
    adt          average dwell time, s: dwell time / clicks (`dwell_per` click), or dwell time in a session (session)
    ssr          session success rate: sessions with a satisfying click (`success` satisfied), or with one of at least
                 `long_dwell` s (dwell)
    sar          session abandonment rate: sessions without a click
    zrr          by `zero_result`: sessions that show nothing of grade `relevant_from` or more (no_relevant), that show
                 nothing (no_results: what is called zero result rate elsewhere), or that have no click (no_click)
    first_click  rank of the first click, of the sessions that have one: how long users look for something to click
    last_click   rank of the last click, of the sessions that have one: how far down users go

    A rate of nothing (no result shown, no click) is undefined: NaN. A setting that is none is an InputError.

    >>> Metrics().definitions()
    'ADT per click; SSR: a satisfying click; no relevant result: none of grade 2 or more; First and Last click: ranks'
    >>> Metrics(zero_result="none")
    Traceback (most recent call last):
    alignir.errors.InputError: zero_result=none: expected one of no_relevant, no_results, no_click
    """

    relevant_from: int | None = None  # the first relevant grade; None: the baseline labels' own
    zero_result: str = "no_relevant"
    success: str = "satisfied"
    long_dwell: float = LONG_DWELL
    dwell_per: str = "click"

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("zero_result", self.zero_result, ZERO_RESULT),
            ("success", self.success, SUCCESS),
            ("dwell_per", self.dwell_per, DWELL_PER),
        ):
            if value not in choices:
                raise one_of(name, value, choices)
        if not numbers(self.long_dwell) > 0:
            raise InputError(f"long_dwell: expected a time above 0 s, found {self.long_dwell}")

    def of(self, seen: PerSession) -> dict[str, np.ndarray]:
        """Each metric by its name, an array (n,).

        >>> from alignir.users.click_models import DBN
        >>> from alignir.users.dwell import Dwell
        >>> from alignir.users.simulation import exact
        >>> grades = np.array([[3, 0]])
        >>> found = Metrics().of(exact(DBN(), grades, grades, Dwell(), Metrics()))
        >>> found["ctr"].round(4).tolist(), found["sar"].round(4).tolist()
        ([0.448], [0.1138])
        """
        all_timed = np.isclose(seen.timed, seen.clicks)
        clicked = 1 - seen.no_click
        return {
            "clicks": seen.clicks,
            "ctr": _ratio(seen.clicks, seen.results),
            "adt": _ratio(seen.seconds, seen.timed)
            if self.dwell_per == "click"
            else np.where(all_timed, seen.seconds, np.nan),
            "ssr": seen.satisfied if self.success == "satisfied" else seen.long,
            "sar": seen.no_click,
            "zrr": getattr(seen, self.zero_result),
            "first_click": _ratio(seen.first, clicked),
            "last_click": _ratio(seen.last, clicked),
        }

    def definitions(self, scale: Scale = FOUR) -> str:
        """The open settings, in a line to print under a table."""
        success = "a satisfying click" if self.success == "satisfied" else f"a click of {self.long_dwell:g} s or more"
        zero_result = {
            "no_relevant": f"no relevant result: none of grade {self.relevant_from or scale.relevant_from} or more",
            "no_results": "ZRR: no result",
            "no_click": "zrr: no click",
        }[self.zero_result]
        return f"ADT per {self.dwell_per}; SSR: {success}; {zero_result}; First and Last click: ranks"


def online_frame(systems: Sequence[str], query_ids: Sequence[str], metrics: dict[str, np.ndarray]) -> pd.DataFrame:
    """ONLINE from arrays (systems x queries,) by metric, the queries of a system together.

    >>> online_frame(["bm25"], ["q1", "q2"], {"ctr": np.array([0.1, 0.2])})
      system query_id metric  value
    0   bm25       q1    ctr    0.1
    1   bm25       q2    ctr    0.2
    """
    cells = pd.MultiIndex.from_product([systems, query_ids], names=["system", "query_id"]).to_frame(index=False)
    return pd.concat([cells.assign(metric=metric, value=values) for metric, values in metrics.items()])[
        ONLINE
    ].reset_index(drop=True)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
