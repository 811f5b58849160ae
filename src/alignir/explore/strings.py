"""Strings: every text of a page once, however often it is said, and shortened where all together are too long."""

LETTERS = (5000, 2000, 1000, 500, 200, 100)


class Strings:
    """Texts by their number.

    >>> strings = Strings()
    >>> strings.number("a"), strings.number("b"), strings.number("a"), strings.texts
    (0, 1, 0, ['a', 'b'])
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        return list(self._numbers)

    def number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))


def within(texts: list[str], most: int) -> tuple[list[str], int | None]:
    """(the texts, shortened to as many LETTERS as keep them all within `most` letters together; how many, or None).

    >>> within(["a" * 1000, "b"], 600)[1], within(["a", "b"], 600)
    (500, (['a', 'b'], None))
    """
    if sum(map(len, texts)) <= most:
        return texts, None
    fits = (letters for letters in LETTERS if sum(min(len(text), letters) for text in texts) <= most)
    letters = next(fits, LETTERS[-1])
    return [shortened(text, letters) for text in texts], letters


def shortened(text: str, letters: int) -> str:
    """Its beginning and its end, where answers have their verdict.

    >>> shortened("abcdefghij", 6), shortened("abc", 6)
    ('abc […] hij', 'abc')
    """
    half = letters // 2
    return text if len(text) <= letters else f"{text[:half]} […] {text[-half:]}"
