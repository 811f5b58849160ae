"""Choices: which tables there are and what of them people choose, by name. Loads nothing, for a command's help."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alignir.tables.missing import Grid

KINDS = {
    "baseline": "Table 1: tau_b of every judge with the baseline labels",
    "online": "Table 2: tau_b with the online metrics",
    "judges": "which judge to trust: tau, the top, who beats whom, bias, cost; best first, over all datasets",
    "top": "tau_b among the best systems, beside what the baseline labels themselves reach there",
    "pairs": "would a judge have launched what users preferred? With user_model=pairs",
    "labels": "how each judge's labels are distributed, and kappa",
    "systems": "each system's score and rank by whose labels, whom it beats, and what the queries show",
    "compare": "each judge beside the best, or every two: who is better, or cannot these queries tell?",
    "agreement": "how far labels agree, and where they do not",
    "correlations": "other correlations, the same best system, significant differences kept",
    "families": "which kinds of systems does each judge favour, its own?",
    "judged": "which share of each system's top 10 has a label",
    "alignment": "every tau_b in full, for programs",
    "quality": "which metrics, measures and judges follow quality, with systems=degraded",
    "measures": "other offline measures beside the headline: which agrees with users?",
    "questions": "the study's questions, answered: users, size, prompt, and a tau that is negative",
}
DIGITS, ALONE = 2, 4  # of tau_b beside intervals, and elsewhere
SORTS = ("tau", "name")  # how judges stand in Tables 1 and 2
BY = ("system", "pair", "query")  # of what the tables of systems have a row
FIRST = ("baseline", "online", "labels")  # what is shown where nobody chose


@dataclass(frozen=True)
class Choices:
    """What of the tables a person chose."""

    expected: "Grid | None" = None  # the cells there should be; None: every combination of what was recorded
    with_intervals: bool = False  # in Table 2 too
    top: tuple[int, ...] | None = None  # among how many of the best systems; None: as the runs have it
    by: str = BY[0]  # of what the tables of systems have a row
    digits: int | None = None  # of tau_b; None: DIGITS beside intervals, ALONE elsewhere
    sort: str = SORTS[0]
    references: tuple[str, ...] = ()  # what judges are compared by, of baseline and the online metrics; all, if none
    matrix: bool = False  # whether every two judges are compared, and not each with the best only

    @property
    def beside(self) -> int:
        """Decimals of tau_b beside an interval."""
        return DIGITS if self.digits is None else self.digits

    @property
    def online(self) -> int:
        """Decimals of tau_b in Table 2."""
        return self.beside if self.with_intervals or self.digits is not None else ALONE


AS_RECORDED = Choices()
