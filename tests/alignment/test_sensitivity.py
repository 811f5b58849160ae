"""Sensitivity by hand: what moves, what survives, and who stays the best judge."""

import math

import pandas as pd
import pytest

from alignir.alignment import sensitivity
from alignir.errors import InputError

NAN = math.nan
ROWS = pd.DataFrame(
    [
        ("good", "dbn", "clicks", 0.6, 0.01),
        ("bad", "dbn", "clicks", 0.2, 0.2),
        ("baseline", "dbn", "clicks", 0.9, 0.001),
        ("good", "dbn, other", "clicks", -0.1, 0.6),
        ("bad", "dbn, other", "clicks", 0.3, 0.04),
        ("baseline", "dbn, other", "clicks", 0.8, 0.001),
        ("good", "dbn, same", "clicks", 0.6, 0.01),
        ("bad", "dbn, same", "clicks", 0.2, 0.2),
        ("baseline", "dbn, same", "clicks", 0.9, 0.001),
        ("good", "dbn", "sar", -0.5, 0.01),
        ("bad", "dbn", "sar", 0.1, 0.6),
        ("good", "dbn, other", "sar", -0.4, 0.01),
        ("bad", "dbn, other", "sar", NAN, NAN),
    ],
    columns=["judge", "user_model", "metric", "tau_b", "p_value"],
)


def test_an_assumption_that_moves_nothing_is_no_test_of_a_conclusion():
    found = sensitivity.moved(ROWS, "dbn")
    assert set(found["user_model"]) == {"dbn, other"}
    assert dict(zip(found["judge"], found["base_tau"], strict=False)) == {"good": -0.5, "bad": 0.1, "baseline": 0.9}


def test_what_survives_is_counted_by_sign_and_significance():
    found = sensitivity.survival(ROWS, "dbn").set_index(["judge", "metric"])
    assert found.loc[("good", "clicks"), ["low", "high", "others", "sign", "significance"]].tolist() == [
        -0.1,
        0.6,
        1,
        0,
        0,
    ]
    assert found.loc[("bad", "clicks"), ["sign", "significance"]].tolist() == [1, 0]
    assert found.loc[("baseline", "clicks"), ["sign", "significance"]].tolist() == [1, 1]
    assert found.loc[("good", "sar"), ["sign", "significance"]].tolist() == [1, 1]


def test_an_undefined_tau_keeps_nothing():
    found = sensitivity.survival(ROWS, "dbn").set_index(["judge", "metric"])
    assert found.loc[("bad", "sar"), ["others", "sign", "significance"]].tolist() == [1, 0, 0]


def test_the_order_of_judges_leaves_the_baseline_out_and_turns_what_is_better_when_lower():
    found = sensitivity.order(ROWS, "dbn", ("sar",)).set_index(["user_model", "metric"])
    assert found.loc[("dbn, other", "clicks")].tolist() == [-1.0, False]
    one_left = found.loc[("dbn, other", "sar")]
    assert math.isnan(one_left["order"])
    three = ROWS[ROWS["metric"] == "sar"].fillna({"tau_b": -0.2})
    assert sensitivity.order(three, "dbn", ("sar",))[["order", "best"]].to_numpy().tolist() == [[1.0, True]]
    rows = [(judge, users, "sar", tau, 0.01) for users, taus in (("dbn", (-5, 1, 3)), ("other", (-5, 3, 1)))
            for judge, tau in zip("abc", taus, strict=True)]  # fmt: skip
    swapped = pd.DataFrame(rows, columns=ROWS.columns)
    assert sensitivity.order(swapped, "dbn", ("sar",))["best"].tolist() == [True]  # a is the most negative in both
    assert sensitivity.order(swapped, "dbn")["best"].tolist() == [False]  # c, then b


def test_a_base_that_is_not_recorded_is_named():
    with pytest.raises(InputError, match=r"base=pbm: expected one of dbn, dbn, other"):
        sensitivity.moved(ROWS, "pbm")
    with pytest.raises(InputError, match="only dbn is recorded here"):
        sensitivity.moved(ROWS[ROWS["user_model"] == "dbn"], "dbn")
