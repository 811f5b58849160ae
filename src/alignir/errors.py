"""The one exception that people see as a message: something in their input is wrong."""


class InputError(Exception):
    """A user's mistake: says what was expected, what was found and where. Shown without a stack trace."""


def one_of(kind: str, name: str, choices) -> InputError:
    """The error for a name that is not among the choices."""
    return InputError(f"no {kind} {name!r}; there are: {', '.join(map(str, choices))}")
