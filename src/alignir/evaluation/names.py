"""Names of measures: as people write them, as they are recorded, and as tables show them.

People write trec_eval's names (`map`, `P_10`) or ir_measures' (`nDCG@20`, `AP(rel=2)`). MLflow takes neither @ nor
parentheses in a metric's name, so what trec_eval has no name for is recorded as `AP-rel.2` or `P-rel.1-cutoff.10`: a
dash before each setting, a dot before its value.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from alignir.data.scales import FOUR
from alignir.errors import InputError

NDCG = "ndcg_cut_10"
# trec_eval's measures that are one number a query, 0 where nothing was returned. They are spelled out because
# pytrec_eval takes `map_10` for map, and `P_0` or `ndcg_5` end the whole process.
TREC_EVAL = (
    r"(ndcg_cut|map_cut|P|recall|success|relative_P)_[1-9]\d{0,4}|iprec_at_recall_(0\.\d\d|1\.00)|"
    r"ndcg|ndcg_rel|Rndcg|G|binG|map|11pt_avg|infAP|Rprec|recip_rank|bpref|set_P|set_recall|set_F|set_map"
)
EXPONENTIAL = r"ndcg_exp(_cut_[1-9]\d{0,4})?"
NDCG_CUT = r"ndcg_(?P<exp>exp_)?cut_(?P<k>\d+)"
RBP = r"rbp_(0\.\d+)"
ERR = r"err_([1-9]\d{0,4})"
OURS = "|".join((TREC_EVAL, EXPONENTIAL, RBP, ERR))
# ir_measures has ERR only by gdeval, a Perl script that rounds to 5 digits and wants numbers as query_ids, so it is
# computed here. gdeval agrees, and so does cwl-eval with RBP (tests/evaluation/test_scores.py).
GDEVAL_ERR = r"ERR-cutoff\.([1-9]\d{0,4})"
# What changes nothing below its cutoff; where only judged results count, what is below may come up.
CUT = (
    r"(?:ndcg_cut|ndcg_exp_cut|map_cut|P|recall|success|relative_P|err)_(?P<k>\d+)|"
    r"(?!.*judged_only)[\w.-]+-cutoff\.(?P<at>\d+)"
)
PROVIDERS = ("pytrec_eval", "cwl_eval", "compat", "judged", "msmarco")  # of ir_measures': those in Python
COUNTS = ("NumQ", "NumRel", "NumRet")  # of ir_measures': more of them is not better
AT = ("cutoff", "recall")  # settings that ir_measures writes behind @
SETTINGS = {  # what their values may be; some others would end the whole process
    "cutoff": r"[1-9]\d{0,4}",
    "rel": r"[1-9]\d*",
    "recall": r"0\.\d\d?|1\.0",
    "p": r"0\.\d+",
    "T": r"\d+\.\d+",
    "beta": r"\d+\.\d+",
    "gains": r"\d+(\.\d+)*",
    "dcg": r"exp-log2",
}


def recorded_name(written: str) -> str:
    """The name that a measure is recorded by; an InputError where there is no such measure.

    ir_measures counts from grade 1 where no `rel` is given: what is recorded says so.

    >>> [recorded_name(name) for name in ("map", "nDCG@20", "AP(rel=2)", "MRR@10")]
    ['map', 'ndcg_cut_20', 'AP-rel.2', 'RR-rel.1-cutoff.10']
    """
    found = _recorded(written) if isinstance(written, str) else ""
    if not found:
        raise InputError(
            f"there is no measure {written!r}; expected trec_eval's names, such as {NDCG}, map, recip_rank, P_10, "
            "recall_100, bpref, or ndcg_exp_cut_10 (exponential gain), rbp_0.8, err_10; or ir_measures', such as "
            "nDCG@10, AP(rel=2), ERR@10"
        )
    return found


def recorded_names(written: Iterable[str]) -> list[str]:
    """`recorded_name` of each, those that are the same once."""
    return list(dict.fromkeys(map(recorded_name, written)))


def title(recorded: str) -> str:
    """What tables call a measure: nDCG and what has no name of trec_eval's as ir_measures does, others as recorded.

    >>> [title(name) for name in ("ndcg_cut_10", "map", "AP-rel.2", "RR-rel.1-cutoff.10")]
    ['nDCG@10', 'map', 'AP(rel=2)', 'RR(rel=1)@10']
    """
    if found := re.fullmatch(r"ndcg(?:_cut_(\d+))?", recorded):
        return f"nDCG@{found[1]}" if found[1] else "nDCG"
    if not re.fullmatch(r"\w+(-\w+\.[\w.]+)+", recorded):
        return recorded
    name, *settings = recorded.split("-")
    values = {key: value for key, _, value in (setting.partition(".") for setting in settings)}
    at = "".join(f"@{values.pop(key)}" for key in AT if key in values)
    if gains := values.get("gains"):
        numbers = gains.split(".")
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        values["gains"] = "{" + ",".join(f"{grade}:{gain}" for grade, gain in pairs) + "}"
    inner = ",".join(f"{key}={value}" for key, value in values.items())
    return name + (f"({inner})" if inner else "") + at


def measure_of(name: str, highest: int = FOUR.highest) -> Any:
    """ir_measures' measure of a name as it writes it; `max_rel`, where it is asked for and not given, is `highest`."""
    import ir_measures

    measure = ir_measures.parse_measure(name)
    known, given = measure.SUPPORTED_PARAMS, dict(measure.params)
    for key, value in given.items():
        if key in known and known[key].dtype is float and type(value) is int:
            given[key] = float(value)
    if "max_rel" in known:
        given.setdefault("max_rel", highest)
    return type(measure)(**given)


@lru_cache(maxsize=1024)
def _recorded(written: str) -> str:
    """Empty where neither trec_eval nor ir_measures knows such a measure."""
    if re.fullmatch(OURS, written):
        return written
    if found := re.fullmatch(r"nDCG@([1-9]\d{0,4})", written):  # the usual one, which must not wait for an import
        return f"ndcg_cut_{found[1]}"
    import ir_measures

    try:
        given = ir_measures.parse_measure(title(written)).params
        measure = measure_of(title(written))
        for key, info in measure.SUPPORTED_PARAMS.items():
            if key not in measure.params and (info.required or (measure.NAME, key) == ("ERR", "cutoff")):
                raise InputError(f"{written}: the measure needs a {key}, such as {measure.NAME}({key}=10)")
        measure.validate_params()
    except InputError:
        raise
    except AssertionError as error:
        raise InputError(f"{written}: ir_measures says {error}") from error
    except (ValueError, NameError, TypeError):
        return ""
    settings = {}
    for key, info in measure.SUPPORTED_PARAMS.items():
        of_rel = key == "rel" and isinstance(info.default, int)
        if of_rel or (key in given and measure[key] != info.default):
            settings[key] = _text(measure[key])
            if not re.fullmatch(SETTINGS.get(key, r"\w+"), settings[key]):
                raise InputError(f"{written}: {key}={measure[key]} is out of its range")
    if ours := _ours(measure.NAME, settings):
        return ours
    if measure.NAME in COUNTS or not _computed(measure):
        raise InputError(f"{written}: ir_measures knows this measure, but nothing that is installed computes it")
    in_order = sorted(settings, key=lambda key: (key in AT, key))
    return "-".join([measure.NAME, *(f"{key}.{settings[key]}" for key in in_order)])


def _ours(name: str, settings: dict[str, str]) -> str:
    """The name of trec_eval's, or ours, for what it comes to; empty where there is none."""
    cut = f"_cut_{settings['cutoff']}" if "cutoff" in settings else ""
    others = {key: value for key, value in settings.items() if key != "cutoff"}
    found = ""
    if name == "nDCG" and not others:
        found = f"ndcg{cut}"
    elif name == "nDCG" and others == {"dcg": "exp-log2"}:
        found = f"ndcg_exp{cut}"
    elif name == "RBP" and not cut and "rel" not in others:
        found = f"rbp_{others.get('p', 0.8)}"
    return found if re.fullmatch(OURS, found) else ""


def _computed(measure) -> bool:
    from ir_measures import providers

    return measure.NAME == "ERR" or any(providers.registry[name].supports(measure) for name in PROVIDERS)


def _text(value) -> str:
    if isinstance(value, dict):
        return ".".join(f"{grade}.{gain}" for grade, gain in sorted(value.items()))
    return str(value)
