"""Pairs: agreement with users' decisions, against scipy and by brute force."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, ttest_rel

from alignir.alignment.pairs import Share, agreement, judged
from alignir.frames import OUTCOMES


@pytest.fixture
def compared():
    """Five systems on 20 queries, two of them without a value, and 10 outcomes with and without intervals."""
    rng = np.random.default_rng(1)
    systems = list("abcde")
    scores = pd.DataFrame(rng.normal(np.arange(5)[:, None] * 0.4, 1, (5, 20)), index=systems)
    scores.iloc[0, 3] = scores.iloc[1, 5] = np.nan
    rows = []
    for place, (a, b) in enumerate((a, b) for a in systems for b in systems if a < b):
        difference = rng.normal(-0.5, 1)
        reach = np.nan if place % 4 == 3 else 0.8
        rows.append((a, b, "ctr", difference, difference - reach, difference + reach))
    return pd.DataFrame(rows, columns=OUTCOMES), scores


def test_a_judge_decides_by_the_paired_t_test_on_the_queries_that_both_systems_have(compared):
    outcomes, scores = compared
    for row in judged(outcomes, scores).itertuples():
        both = scores.loc[[row.system_a, row.system_b]].dropna(axis=1)
        assert row.judged == pytest.approx(both.loc[row.system_a].mean() - both.loc[row.system_b].mean())
        assert row.p_value == pytest.approx(ttest_rel(*both.to_numpy()).pvalue)


def test_every_share_is_as_counted_pair_by_pair(compared):
    counted = dict.fromkeys(("signs", "decided", "missed", "wrong", "unproven"), (0, 0))

    def count(name: str, yes: bool) -> None:
        k, n = counted[name]
        counted[name] = k + bool(yes), n + 1

    outcomes, scores = compared
    for _, _, _, difference, low, high, by_judge, p in judged(outcomes, scores).itertuples(index=False):
        count("signs", difference * by_judge > 0)
        if low > 0 or high < 0:
            count("decided", difference * by_judge > 0)
            count("missed", p > 0.05)
            count("wrong", p <= 0.05 and difference * by_judge < 0)
        elif low <= 0 <= high:
            count("unproven", p <= 0.05)
    found = agreement(judged(outcomes, scores))
    assert found._asdict() == counted
    assert all(n > 1 for _, n in counted.values())


def test_nobody_knows_which_system_is_a(compared):
    outcomes, scores = compared
    turned = outcomes.assign(
        system_a=outcomes["system_b"], system_b=outcomes["system_a"], difference=-outcomes["difference"],
        ci_low=-outcomes["ci_high"], ci_high=-outcomes["ci_low"],
    )  # fmt: skip
    assert agreement(judged(turned, scores)) == agreement(judged(outcomes, scores))


def test_pairs_of_systems_without_scores_are_left_out_and_a_tie_of_the_judge_does_not_agree(compared):
    outcomes, scores = compared
    assert len(judged(outcomes, scores.drop(index="e"))) == 6
    tied = scores.copy()
    tied[:] = 0.5
    found = agreement(judged(outcomes, tied))
    assert found.signs == (0, 10)
    assert found.missed.k == found.missed.n


def test_the_interval_of_a_share_is_wilsons():
    k, n, z = 7, 9, norm.ppf(0.975)
    centre = (k / n + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(k / n * (1 - k / n) / n + z**2 / (4 * n**2))
    assert Share(k, n).interval == pytest.approx((centre - reach, centre + reach))
    assert np.isnan(Share(0, 0).interval).all()
    assert np.isnan(Share(0, 0).value)
