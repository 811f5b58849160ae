"""The one exception that people see as a message: something in their input is wrong."""

from collections.abc import Iterable


class InputError(ValueError):
    """A user's mistake: says what was expected, what was found and where. Shown without a stack trace."""


def one_of(name: str, value: object, choices: Iterable[object]) -> InputError:
    """The error for a setting whose value is not among the choices.

    >>> one_of("missing", "guess", ("drop", "zero", "fallback"))
    InputError('missing=guess: expected one of drop, zero, fallback')
    """
    return InputError(f"{name}={value}: expected one of {', '.join(map(str, choices))}")
