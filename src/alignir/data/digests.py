"""Digests: what was read, by its content."""

import hashlib

import pandas as pd

ROWS = 10_000_000  # that are looked at together


def digest(frame: pd.DataFrame) -> str:
    """sha256 of the rows in their order, whether strings are categories or not; the index does not count.

    >>> frame = pd.DataFrame({"doc_id": ["d1", "d2"]})
    >>> digest(frame) == digest(frame.astype("category")), digest(frame) == digest(frame[::-1])
    (True, False)
    """
    whole = hashlib.sha256()
    for start in range(0, len(frame), ROWS):
        whole.update(pd.util.hash_pandas_object(frame.iloc[start : start + ROWS], index=False).to_numpy())
    return whole.hexdigest()
