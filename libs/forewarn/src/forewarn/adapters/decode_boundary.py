"""The boundary at which everything a parser raises becomes one exception."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from forewarn.ports.codec import Unreadable

P = ParamSpec("P")
R = TypeVar("R")


def decoder(invalid: type[Unreadable]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function that reads bytes raise ``invalid`` whatever is wrong with them.

    Parsers raise more than their authors thought of: overflows, recursion, bad text, sizes that cannot be allocated.
    All of it is the message's fault, so all of it dead-letters the message.
    """

    def decorate(read: Callable[P, R]) -> Callable[P, R]:
        @wraps(read)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return read(*args, **kwargs)
            except invalid:
                raise
            except Unreadable as exc:  # a part of the wrong type
                raise invalid(str(exc)) from exc
            except Exception as exc:
                raise invalid(f"cannot be read: {type(exc).__name__}: {exc}") from exc

        return guarded

    return decorate
