"""Sensitivity: which conclusions of Table 2 hold whatever one assumes about users?

Rows are a judge's tau_b with a metric of a user model: columns judge, user_model, metric, tau_b, p_value.
"""

from collections.abc import Container
from itertools import count, product
from string import ascii_lowercase

import pandas as pd

from alignir.alignment.significance import ALPHA
from alignir.alignment.tau import tau_b
from alignir.errors import InputError, one_of
from alignir.frames import BASELINE

FAR = 0.1  # of tau: what an assumption that moves more is named for


def moved(rows: pd.DataFrame, base: str) -> pd.DataFrame:
    """The rows of all other user models with `base_tau` and `base_p`, the same under user model `base`.

    A metric of a user model under which no judge's tau differs is left out: that assumption has nothing to do with it,
    and a conclusion cannot be said to have survived it.
    """
    if base not in set(rows["user_model"]):
        raise one_of("base", base, sorted(rows["user_model"].unique()))
    here = rows[rows["user_model"] == base].rename(columns={"tau_b": "base_tau", "p_value": "base_p"})
    others = rows[rows["user_model"] != base]
    if others.empty:
        raise InputError(f"only {base} is recorded here; run alignir experiment=sensitivity first")
    both = others.merge(here.drop(columns="user_model"), on=["judge", "metric"])
    same = (both["tau_b"] == both["base_tau"]) | (both["tau_b"].isna() & both["base_tau"].isna())
    return both[~same.groupby([both["user_model"], both["metric"]]).transform("all")].reset_index(drop=True)


def survival(rows: pd.DataFrame, base: str) -> pd.DataFrame:
    """One row a judge and metric: base_tau, base_p, low, high (tau's range), others, sign, significance.

    `sign` and `significance` count the other user models that keep them: tau on the same side of 0, and p on the same
    side of ALPHA. Where tau is undefined nothing is kept: that conclusion can no longer be drawn.
    """
    found = []
    for (judge, metric), group in moved(rows, base).groupby(["judge", "metric"], sort=False):
        tau, p = group[["base_tau", "base_p"]].iloc[0]
        sign = int((group["tau_b"] * tau > 0).sum())
        alike = group["tau_b"].notna() & ((group["p_value"] <= ALPHA) == (p <= ALPHA)) & (tau == tau)
        low, high = group[["tau_b", "base_tau"]].min().min(), group[["tau_b", "base_tau"]].max().max()
        found.append((judge, metric, tau, p, low, high, len(group), sign, int(alike.sum())))
    columns = ["judge", "metric", "base_tau", "base_p", "low", "high", "others", "sign", "significance"]
    return pd.DataFrame(found, columns=columns)


def outlying(rows: pd.DataFrame, base: str) -> pd.DataFrame:
    """The rows of `moved` whose tau is further than FAR from that under `base`, or undefined where that is not.

    With `assumption`: what their user model assumes beside what the base does.
    """
    found = moved(rows, base)
    lost = found["tau_b"].isna() & found["base_tau"].notna()
    found = found[((found["tau_b"] - found["base_tau"]).abs() > FAR) | lost]
    return found.assign(assumption=[user_model.removeprefix(f"{base}, ") for user_model in found["user_model"]])


def marks(outlying: pd.DataFrame) -> dict[str, str]:
    """{user model: a letter} of those that have outlying rows: a, b, ..., z, aa, ab, ...

    >>> marks(pd.DataFrame({"user_model": ["dbn, depth_5", "dbn, gamma_05", "dbn, depth_5"]}))
    {'dbn, depth_5': 'a', 'dbn, gamma_05': 'b'}
    """
    letters = ("".join(each) for n in count(1) for each in product(ascii_lowercase, repeat=n))
    return dict(zip(outlying["user_model"].unique(), letters, strict=False))


def order(rows: pd.DataFrame, base: str, lower_is_better: Container[str] = (), people: str = BASELINE) -> pd.DataFrame:
    """One row a user model and metric: order, best.

    `order` is tau_b between the judges' order by alignment under `base` and under the user model, `best` whether the
    best judge is the same (of several, one); NaN and False where either has no order. For the metrics that are
    better when they are lower, the most negative tau is the best. The baseline labels, called `people`, are no judge.
    """
    found = []
    judges = moved(rows, base)
    judges = judges[judges["judge"] != people]
    for (user_model, metric), group in judges.groupby(["user_model", "metric"], sort=False):
        values = group.set_index("judge")[["base_tau", "tau_b"]] * (-1 if metric in lower_is_better else 1)
        values = values.dropna()
        tau, _ = tau_b(values["base_tau"], values["tau_b"])
        best = [set(values.index[values[side] == values[side].max()]) for side in values]
        found.append((user_model, metric, tau, bool(best[0] & best[1])))
    return pd.DataFrame(found, columns=["user_model", "metric", "order", "best"])
