"""Digests: what was read, by its content."""

import hashlib

import numpy as np
import pandas as pd

ROWS = 100_000  # that are looked at together


def digest(frame: pd.DataFrame) -> str:
    """sha256 of the rows in their order, whether strings are categories or not; the index does not count.

    >>> frame = pd.DataFrame({"doc_id": ["d1", "d2"]})
    >>> digest(frame) == digest(frame.astype("category")), digest(frame) == digest(frame[::-1])
    (True, False)
    """
    missing = _hashes(pd.Series([np.nan], dtype=object))
    whole = hashlib.sha256(f"{list(frame)} {len(frame)}".encode())
    for _, column in frame.items():
        categories = None
        if column.dtype == "category":
            categories = np.append(_hashes(column.cat.categories.to_series()), missing)  # where the code -1 finds it
        for start in range(0, len(frame), ROWS):
            values = column.iloc[start : start + ROWS]
            hashes = _hashes(values) if categories is None else categories[values.cat.codes.to_numpy()]
            whole.update(hashes.tobytes())
    return whole.hexdigest()


def _hashes(values: pd.Series) -> np.ndarray:
    """A number for each value, of 64 bits."""
    return pd.util.hash_pandas_object(values, index=False, categorize=False).to_numpy()
