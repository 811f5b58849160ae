"""Rankings: in trec_eval's order, many systems in one frame, known by their content."""

import numpy as np
import pandas as pd
import pytest

from alignir.data.collections import demo
from alignir.data.digests import digest
from alignir.data.ranked import IDS, ranked, together
from alignir.frames import RUNS


def results(rng: np.random.Generator, system: str, n: int = 60) -> pd.DataFrame:
    """Of three queries, with scores that mostly tie, in no order."""
    queries = rng.permutation(np.repeat(["q1", "q10", "q2"], n))
    doc_ids = [f"{letter}{number}" for letter in "dé" for number in range(3 * n)]
    return pd.DataFrame(
        {
            "system": system,
            "query_id": queries,
            "doc_id": rng.permutation(doc_ids)[: 3 * n],
            "score": rng.choice([0.5, 1, 1 + 1e-12, 2.5], 3 * n),
        }
    )


@pytest.mark.parametrize("categories", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_ties_are_in_trec_evals_order_wherever_they_stand(seed, categories):
    rng = np.random.default_rng(seed)
    found = pd.concat([results(rng, system) for system in ("b", "a")], ignore_index=True)
    order = sorted(found.itertuples(index=False), key=lambda r: r.doc_id, reverse=True)
    order = sorted(order, key=lambda r: (r.system, r.query_id, -np.float32(r.score)))
    frame = ranked(found.astype(dict.fromkeys(IDS, "category")) if categories else found)
    assert frame[[*IDS]].astype(str).values.tolist() == [[r.system, r.query_id, r.doc_id] for r in order]
    assert frame["rank"].tolist() == list(range(1, 61)) * 6


def test_systems_together_are_the_systems_apart_with_one_list_of_names():
    rng = np.random.default_rng(0)
    parts = [ranked(results(rng, system).astype(dict.fromkeys(IDS, "category"))) for system in ("x", "y", "z")]
    apart = pd.concat([part.astype(dict.fromkeys(IDS, str)) for part in parts], ignore_index=True)
    whole = together(iter(parts))
    assert all(isinstance(whole[name].dtype, pd.CategoricalDtype) for name in IDS)
    assert whole["doc_id"].cat.categories.is_unique
    pd.testing.assert_frame_equal(whole.astype(dict.fromkeys(IDS, str)), apart)
    assert digest(whole) == digest(apart)
    assert together([]).empty
    assert list(together([])) == RUNS


def test_a_digest_tells_columns_and_rows_apart_however_many_are_looked_at_together(monkeypatch):
    frame = pd.DataFrame({"a": ["x", "y", "y"], "b": pd.Categorical(["y", "x", "x"]), "n": [1.0, 2.0, 3.0]})
    changed = [frame[["b", "a", "n"]], frame.assign(a=frame["b"]), frame.assign(n=[1.0, 3.0, 2.0]), frame.head(2)]
    whole = digest(frame)
    assert whole not in map(digest, changed)
    assert whole == digest(frame.set_index(pd.Index([7, 8, 9])))
    monkeypatch.setattr("alignir.data.digests.ROWS", 2)
    assert whole == digest(frame)


def test_a_missing_value_is_no_category():
    gaps = pd.DataFrame({"a": pd.Categorical(["x", None], categories=["x", "y"])})
    assert digest(gaps) != digest(gaps.fillna("y"))
    assert digest(gaps) == digest(gaps.astype(object))
    none = gaps.iloc[1:].assign(a=lambda frame: frame["a"].cat.remove_unused_categories())
    assert digest(none) == digest(gaps.iloc[1:].astype(object))


def test_pairs_have_the_texts_of_the_dataset_and_not_copies():
    dataset = demo("demo")
    for (_, query_id, doc_id, query, passage), _ in zip(dataset.pairs().itertuples(), range(20), strict=False):
        assert query is dataset.queries[query_id]
        assert passage is dataset.passages[doc_id]
