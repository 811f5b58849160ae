"""Dense retrieval: texts as vectors by a sentence-transformers model, searched exactly, by cosine."""

import contextlib
import hashlib
import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data.collections import Dataset
from alignir.data.ranked import ranked
from alignir.errors import InputError
from alignir.files import Weights, cache_folder, written_whole
from alignir.progress import bar
from alignir.retrieval.fusion import top

log = logging.getLogger(__name__)

CHUNK = 256  # texts that are encoded between two steps of the bar
PRODUCTS = 50_000_000  # inner products that are held at once: 200 MB


@dataclass(frozen=True)
class Encoder:
    """A sentence-transformers model by its name on the model hub, by a folder, or by `weights`, that gives a folder."""

    name: str
    revision: str | None = None  # weights change under a name; a revision does not
    weights: Weights | None = None
    query: str | None = None  # put before every query ("query: "); None: what the model's own settings say
    passage: str | None = None  # put before every passage
    batch: int = 32  # texts that are encoded at once
    device: str | None = None  # None: the GPU, where there is one
    system: str = ""  # its name among the systems; by default the last part of the model's

    @property
    def title(self) -> str:
        return self.system or Path(self.name).name

    @cached_property
    def identity(self) -> str:
        """What decides its vectors: the content of its folder, or its name and revision."""
        if self.weights is not None:
            return self.weights.sha256
        if not Path(self.name).is_dir():
            return f"{self.name}@{self.revision}"
        digest = hashlib.sha256()
        for file in sorted(path for path in Path(self.name).rglob("*") if path.is_file()):
            digest.update(f"{file.relative_to(self.name)}\0{file.stat().st_size}\0".encode())
            with open(file, "rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
        return digest.hexdigest()


def retrieve(dataset: Dataset, encoder: Encoder, k: int) -> pd.DataFrame:
    """RUNS of one dense system: each query's `k` passages of the highest cosine, among all passages."""
    with _loading(encoder) as model:
        passages = embed(dataset.collection, encoder, "passage", model)
        queries = embed(dataset.queries, encoder, "query", model)
    rows, columns, products = nearest(queries, passages, k)
    found = {
        "system": encoder.title,
        "query_id": dataset.queries.index.to_numpy()[rows],
        "doc_id": dataset.collection.index.to_numpy()[columns],
        "score": products.astype(float),
    }
    return top(ranked(pd.DataFrame(found)), k).reset_index(drop=True)


def nearest(queries: np.ndarray, passages: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(query's row, passage's row, inner product) of each query's `k` best passages; more where the last of them tie.

    `queries` is (n, dimensions) and `passages` (m, dimensions); every pair is computed, nothing is approximated.
    """
    k = min(k, len(passages))
    step = max(1, PRODUCTS // len(passages))
    found = []
    for start in range(0, len(queries), step):
        products = queries[start : start + step] @ passages.T
        least = np.partition(products, -k, axis=1)[:, [-k]]
        rows, columns = np.nonzero(products >= least)
        found.append((rows + start, columns, products[rows, columns]))
    rows, columns, products = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return rows, columns, products


def embed(texts: pd.Series, encoder: Encoder, kind: str, model: Callable) -> np.ndarray:
    """The texts' vectors of length 1, (texts, dimensions) as float32; `kind` is query or passage.

    They are kept in the user's cache, so that `model()`, which loads the encoder, is called for new texts only. A model
    on the hub without a revision is taken not to change.
    """
    numbers, unique = pd.factorize(texts)  # passages of the same text must tie, whatever batch they are in
    file = cache_folder() / "embeddings" / f"{_key(list(unique), encoder, kind)}.npy"
    vectors = _kept(file)
    if vectors is None:
        with bar(f"{encoder.title}, {kind} vectors", len(unique), "texts", after=2) as advance:
            vectors = _encode(list(unique), encoder, kind, model(), advance)
        if not np.isfinite(vectors).all():
            raise InputError(f"the model {encoder.name} gives vectors that are no numbers")
        _keep(vectors, file)
    return vectors[numbers]


def _key(texts: list[str], encoder: Encoder, kind: str) -> str:
    digest = hashlib.sha256(json.dumps([encoder.identity, kind, getattr(encoder, kind)]).encode())
    for text in texts:
        digest.update(b"\0" + text.encode())
    return digest.hexdigest()[:32]


def _kept(file: Path) -> np.ndarray | None:
    """The vectors of a file; None where it is not there, or is no array."""
    try:
        return np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None


def _keep(vectors: np.ndarray, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as temporary, open(temporary, "wb") as opened:
        np.save(opened, vectors, allow_pickle=False)


@contextlib.contextmanager
def _loading(encoder: Encoder) -> Iterator[Callable]:
    """A function that loads the encoder once; afterwards its memory is free for the model that labels."""
    model = cache(lambda: _load(encoder))
    try:
        yield model
    finally:
        model.cache_clear()
        if "torch" in sys.modules:
            sys.modules["torch"].cuda.empty_cache()


def _load(encoder: Encoder):
    if importlib.util.find_spec("sentence_transformers") is None:
        raise InputError(
            f"the dense model {encoder.name} needs sentence-transformers, which is not installed: "
            "pip install 'alignir[dense]'"
        )
    folder = encoder.weights() if encoder.weights else None
    log.info("loading the dense model %s", encoder.name)
    from huggingface_hub.utils import logging as hub
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers

    transformers.disable_progress_bar()
    hub.set_verbosity_error()  # without a network it tells of each of fifteen attempts, twice
    try:
        return SentenceTransformer(
            str(folder or encoder.name),
            revision=encoder.revision,
            device=encoder.device,
            trust_remote_code=False,  # alignir runs no code that comes with a model's weights
        )
    except Exception as error:  # each part of the download and of the formats raises its own
        reason = str(error).partition("\n")[0]
        raise InputError(f"the dense model {encoder.name} cannot be loaded: {reason}") from error


def _encode(texts: list[str], encoder: Encoder, kind: str, model, advance: Callable[[int], object]) -> np.ndarray:
    """The texts' vectors (texts, dimensions); `advance` is told how many more are done, whenever some are."""
    encode = model.encode_query if kind == "query" else model.encode_document
    longest_first = np.argsort([-len(text) for text in texts], kind="stable")  # little padding, no surprise at the end
    vectors = np.empty((len(texts), 0), dtype=np.float32)
    for first in range(0, len(texts), CHUNK):
        places = longest_first[first : first + CHUNK]
        found = encode(
            [texts[place] for place in places],
            prompt=getattr(encoder, kind),
            batch_size=encoder.batch,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        if not first:
            vectors = np.empty((len(texts), found.shape[1]), dtype=np.float32)
        vectors[places] = found
        advance(len(places))
    return vectors
