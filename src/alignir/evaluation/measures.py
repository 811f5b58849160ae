"""Measures: which offline measures there are, and those that are computed here."""

import re
from collections.abc import Sequence

import numpy as np

from alignir.data.scales import FOUR
from alignir.errors import InputError
from alignir.evaluation.names import ERR, EXPONENTIAL, GDEVAL_ERR, NDCG, RBP, TREC_EVAL, recorded_name

GDEVAL_HIGHEST = 4  # what TREC's gdeval takes the highest grade for


def check_measures(measures: Sequence[str]) -> None:
    """Raise InputError where a name is no measure, or where there is no list of them."""
    if isinstance(measures, str) or not (isinstance(measures, Sequence) and measures):
        raise InputError(f"measures={measures}: expected a list of names, such as measures='[{NDCG},map]'")
    for measure in measures:
        try:
            recorded_name(measure)
        except InputError as error:
            raise InputError(f"measures: {error}") from error


def definition(measure: str, relevant_from: int) -> str:
    """What a measure of this recorded name is, for the notes under a table; `relevant_from` as it was recorded.

    >>> definition("ndcg_cut_20", 2), definition("map", 2)
    ("trec_eval's ndcg_cut_20, gain = grade", "trec_eval's, relevant from grade 2")
    """
    ways = {
        r"ndcg(_cut_\d+)?": f"trec_eval's {measure}, gain = grade",
        r"ndcg_rel|Rndcg|G": "trec_eval's",
        TREC_EVAL: f"trec_eval's, relevant from grade {relevant_from}",
        EXPONENTIAL: "trec_eval's nDCG, gain = 2^grade - 1",
        RBP: f"rank-biased precision, relevant from grade {relevant_from}",
        ERR: "expected reciprocal rank, satisfied with (2^grade - 1) / 2^highest",
        GDEVAL_ERR: f"gdeval's, satisfied with (2^grade - 1) / 2^{GDEVAL_HIGHEST}",
    }
    return next((text for names, text in ways.items() if re.fullmatch(names, measure)), "as ir_measures has it")


def rank_biased_precision(relevant: np.ndarray, persistence: float) -> np.ndarray:
    """(1 - p) sum over ranks r of p^(r-1) [r is relevant], 0 to 1 (Moffat and Zobel, TOIS 2008).

    `relevant` is of shape (rankings, ranks), the result of shape (rankings,). Nothing is assumed past the last rank.
    """
    return relevant @ ((1 - persistence) * persistence ** np.arange(relevant.shape[1]))


def expected_reciprocal_rank(grades: np.ndarray, highest: int = FOUR.highest) -> np.ndarray:
    """Sum over ranks r of 1/r P(a user stops at r), 0 to 1 (Chapelle et al., CIKM 2009).

    A result of grade g satisfies with R = (2^g - 1) / 2^highest, and who is not satisfied goes on. `grades` are of
    shape (rankings, ranks), the result of shape (rankings,). TREC's gdeval takes `highest` for 4.
    """
    satisfies = (2.0**grades - 1) / 2**highest
    reaches = np.cumprod(np.insert(1 - satisfies[:, :-1], 0, 1.0, axis=1), axis=1)
    return (reaches * satisfies / np.arange(1, grades.shape[1] + 1)).sum(axis=1)
