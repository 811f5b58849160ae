"""Ties: means that differ by nothing but the rounding of their sums are equal."""

import numpy as np

DIGITS = 12  # that are kept, of some 16; sums of thousands of terms have lost three


def settled(means: np.ndarray) -> np.ndarray:
    """Means of any shape without the digits that hang on the order of their terms, in which no system may be better.

    Two systems of the same scores for other queries have the same mean, but 1/3 + 2/3 + 1/3 is not added up to the last
    bit as 2/3 + 1/3 + 1/3 is, and would break the tie. NaN stays.

    >>> found = settled(np.array([0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 0.7]))
    >>> bool(found[0] == found[1]), bool(found[0] < found[2])
    (True, True)
    """
    largest = np.max(np.abs(means), where=~np.isnan(means), initial=0)
    return np.round(means, DIGITS - 1 - int(np.floor(np.log10(largest)))) if 0 < largest < np.inf else means
