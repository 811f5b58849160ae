"""Budgets: every strategy's draws can be told from those of the others, in grey too."""

import numpy as np
import pandas as pd

from alignir.figures.budget import budget_figure
from alignir.frames import BUDGET


def test_draws_are_whiskers_with_marks_of_their_own_and_over_queries_none_covers_another():
    rows = [
        (strategy, "model", n, 10.0 * n, 0.1 * n, 0.1 * n - 0.2, 0.1 * n + 0.1, draws)
        for strategy, draws in (("random", 100), ("stratified", 100), ("greedy", 1))
        for n in (2, 5)
    ]
    figure = budget_figure(pd.DataFrame(rows, columns=BUDGET), {"model": "a judge"}, 0.9, "")
    queries, pairs = figure.axes
    bars = {bar.get_label(): bar for bar in queries.containers}
    assert list(bars) == ["random", "stratified"]
    marks, places = set(), []
    for bar in bars.values():
        mark, _, (whiskers,) = bar.lines
        marks.add(mark.get_marker())
        places.append(np.array(mark.get_xdata(), float))
        ends = np.array([segment[:, 1] for segment in whiskers.get_segments()])
        assert np.allclose(ends, [[0, 0.3], [0.3, 0.6]])
    assert len(marks) == 2
    assert (places[1] / places[0] > 1.05).all()
    assert np.allclose(np.sqrt(places[0] * places[1]), [2, 5])  # beside the truth, at either side
    assert all((bar.lines[0].get_xdata() == [20, 50]).all() for bar in pairs.containers)
    assert not queries.collections[2:]  # no shade: only the whiskers of two strategies
    assert "moved apart" in figure.legends[0].get_title().get_text()
