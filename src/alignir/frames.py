"""The frames that pass between stages: their columns, types and units, once.

QRELS      query_id, doc_id, relevance:int            baseline labels
LABELS     query_id, doc_id, relevance:Int64|<NA>, status, response, finish_reason, prompt_tokens, output_tokens, cut,
           p0, p1, ..., expected
           <NA> means "no label", never 0; `cut` says that the passage was shortened to fit the model's context; pG
           (decoding=logits) is the probability of the grade G at the answer's position, their sum the mass that is
           on labels at all; `expected` is the expected grade within that mass; NaN where the engine does not give them
RUNS       system, query_id, doc_id, score, rank      rank from 1, as trec_eval ranks: score descending (as float32),
                                                      then doc_id descending
SCORES     system, query_id, measure, value           every system has every query; NaN: the query has no label at all
ONLINE     system, query_id, metric, value            NaN: undefined there (dwell time where nothing can be clicked)
OUTCOMES   system_a, system_b, metric, difference, ci_low, ci_high
           of a pair that users compared: how much better a is than b (whatever the metric's direction), with the 95%
           interval, NaN where that is unknown
LOG        session_id, system, query_id, rank:Int64, doc_id, clicked:bool, dwell_s:float
           one row a shown result. A session is one result page for one query, which is what click models describe: a
           user's next query, or next page, is another session_id. rank from 1, with gaps where a place showed nothing;
           a page that showed nothing at all is one row without rank and doc_id (missing), not clicked. dwell_s in s,
           NaN: unknown, or not clicked
NOISE      metric, tau_b, ci_low, ci_high, draws      between independent draws of sampled users
ALIGNMENT  offline, reference, tau_b, p_value, ci_low, ci_high, n_systems, n_queries
           of labels that are drawn at random also draws: tau_b is their mean, ci holds their middle 95%
BUDGET     strategy, labels, n_queries, pairs:float, tau_b, ci_low, ci_high, draws
           pairs: the mean number of judged pairs of n_queries selected queries; ci: NaN where one draw is all there is
CALIBRATION  low, high, pairs:int, expected, baseline  means of the pairs whose expected grade is from low to high
HUMAN      way, labels, n_queries, pairs:float, bias, error, width, coverage, tau_b, ci_low, ci_high, draws
           of estimates of the systems' means from at most `labels` human labels (on average), those of n_queries
           queries, `pairs` in the mean: the mean error, its root mean square, the mean width of the 95% intervals and
           the share of them that hold the mean of all human labels, and tau_b with the order by all human labels

LABELS can stand wherever QRELS can. Ids are strings everywhere.
"""

from collections.abc import Iterable

GROUPS = ("dataset", "model", "prompt", "systems", "queries", "user_model", "assumption")  # that a cell is chosen from

PAIR = ["query_id", "doc_id"]
QRELS = [*PAIR, "relevance"]
ANSWER = ["response", "finish_reason", "prompt_tokens", "output_tokens", "cut"]
RUNS = ["system", *PAIR, "score", "rank"]
SCORES = ["system", "query_id", "measure", "value"]
ONLINE = ["system", "query_id", "metric", "value"]
OUTCOMES = ["system_a", "system_b", "metric", "difference", "ci_low", "ci_high"]
NOISE = ["metric", "tau_b", "ci_low", "ci_high", "draws"]
ALL = "all"  # the query_id of ONLINE where a system has one value for all queries together
PAGE = ["session_id", "system", "query_id"]
LOG = [*PAGE, "rank", "doc_id", "clicked", "dwell_s"]
ALIGNMENT = ["offline", "reference", "tau_b", "p_value", "ci_low", "ci_high", "n_systems", "n_queries"]
BUDGET = ["strategy", "labels", "n_queries", "pairs", "tau_b", "ci_low", "ci_high", "draws"]
CALIBRATION = ["low", "high", "pairs", "expected", "baseline"]
HUMAN = [
    "way",
    "labels",
    "n_queries",
    "pairs",
    "bias",
    "error",
    "width",
    "coverage",
    "tau_b",
    "ci_low",
    "ci_high",
    "draws",
]

# Whose labels a row of a table rests on where no judge gave them: those taken as truth, the same of other queries, the
# ceiling, the floors.
BASELINE = "baseline"
RESAMPLED = "baseline: resampled"
SECOND = "second"
LEXICAL = "floor: lexical"
SHUFFLED = "floor: shuffled"
ONE_GRADE = "floor: one grade"
CEILING_AND_FLOORS = (SECOND, LEXICAL, SHUFFLED, ONE_GRADE)

# What became of a pair's answer. Only `ok` has a label.
STATUSES = ("ok", "unparsed", "truncated", "empty", "out_of_scale", "refused", "error", "absent", "disagreed")


def probabilities(grades: Iterable[int]) -> list[str]:
    """The columns of LABELS with the probability of each grade.

    >>> probabilities((0, 1))
    ['p0', 'p1']
    """
    return [f"p{grade}" for grade in grades]


def labels_of(grades: Iterable[int]) -> list[str]:
    """The columns of LABELS on a scale of these grades."""
    return [*QRELS, "status", *ANSWER, *probabilities(grades), "expected"]
