"""Strings: every text of a page once, however often it is said."""


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
