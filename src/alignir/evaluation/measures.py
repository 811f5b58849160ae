"""Measures: which offline measures there are, and those that trec_eval does not have."""

import re
from collections.abc import Sequence

import numpy as np

from alignir.errors import InputError
from alignir.frames import GRADES

NDCG = "ndcg_cut_10"
NAMES = {NDCG: "nDCG@10"}  # for people, who know the other measures by trec_eval's names
RELEVANT_FROM = 2  # for binary measures, as TREC DL counts officially: grade 1 is "related, but does not answer"
# trec_eval's measures that are one number a query, 0 where nothing was returned. They are spelled out because
# pytrec_eval takes `map_10` for map, and `P_0` or `ndcg_5` end the whole process.
TREC_EVAL = (
    r"(ndcg_cut|map_cut|P|recall|success|relative_P)_[1-9]\d{0,4}|iprec_at_recall_(0\.\d\d|1\.00)|"
    r"ndcg|ndcg_rel|Rndcg|G|binG|map|11pt_avg|infAP|Rprec|recip_rank|bpref|set_P|set_recall|set_F|set_map"
)
EXPONENTIAL = r"ndcg_exp(_cut_[1-9]\d{0,4})?"
# These two are written out here: ir_measures has ERR only by a Perl script, which rounds to 5 digits and wants numbers
# as query_ids, and RBP only by one more package, cwl-eval. Both agree with it (tests/test_scores.py).
RBP = r"rbp_(0\.\d+)"
ERR = r"err_([1-9]\d{0,4})"
CUT = r"(?:ndcg_cut|ndcg_exp_cut|map_cut|P|recall|success|relative_P|err)_(\d+)"


def check_measures(measures: Sequence[str], relevant_from: int = RELEVANT_FROM) -> None:
    """Raise InputError where a name is no measure, or where no grade above 0 is the first relevant one."""
    if isinstance(measures, str) or not (isinstance(measures, Sequence) and measures):
        raise InputError(f"measures={measures}: expected a list of names, such as measures='[{NDCG},map]'")
    for measure in measures:
        if not re.fullmatch("|".join((TREC_EVAL, EXPONENTIAL, RBP, ERR)), str(measure)):
            raise InputError(
                f"measures: there is no measure {measure!r}; expected trec_eval's names, such as {NDCG}, map, "
                "recip_rank, P_10, recall_100, bpref, or ndcg_exp_cut_10 (exponential gain), rbp_0.8, err_10"
            )
    if type(relevant_from) is not int or relevant_from not in GRADES[1:]:
        raise InputError(f"relevance_level: expected a grade from {GRADES[1]} to {GRADES[-1]}, found {relevant_from}")


def rank_biased_precision(relevant: np.ndarray, persistence: float) -> np.ndarray:
    """(1 - p) sum over ranks r of p^(r-1) [r is relevant], 0 to 1 (Moffat and Zobel, TOIS 2008).

    `relevant` is of shape (rankings, ranks), the result of shape (rankings,). Nothing is assumed past the last rank.
    """
    return relevant @ ((1 - persistence) * persistence ** np.arange(relevant.shape[1]))


def expected_reciprocal_rank(grades: np.ndarray, highest: int = GRADES[-1]) -> np.ndarray:
    """Sum over ranks r of 1/r P(a user stops at r), 0 to 1 (Chapelle et al., CIKM 2009).

    A result of grade g satisfies with R = (2^g - 1) / 2^highest, and who is not satisfied goes on. `grades` are of
    shape (rankings, ranks), the result of shape (rankings,). TREC's gdeval takes `highest` for 4.
    """
    satisfies = (2.0**grades - 1) / 2**highest
    reaches = np.cumprod(np.insert(1 - satisfies[:, :-1], 0, 1.0, axis=1), axis=1)
    return (reaches * satisfies / np.arange(1, grades.shape[1] + 1)).sum(axis=1)
