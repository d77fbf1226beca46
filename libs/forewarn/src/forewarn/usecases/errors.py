"""Errors of use cases; HTTP routes and command handlers translate them."""

from collections.abc import Mapping, Sequence
from typing import Any

from forewarn.contracts.answers.problems import Fault


class UseCaseError(Exception):
    """A use case cannot be carried out.

    ``kind`` names the problem for programs, ``detail`` explains it to people, ``faults`` point into the request, and
    ``extras`` are further members of the answer. ``retry_after_s`` is None if trying again does not help.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        faults: Sequence[Fault] = (),
        *,
        extras: Mapping[str, Any] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail
        self.faults = faults
        self.extras = extras or {}
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return self.detail


class NotFoundError(UseCaseError):
    """Something named in the request does not exist."""


class ConflictError(UseCaseError):
    """The current state of the platform does not allow it."""


class InvalidRequestError(UseCaseError):
    """The request is wrong."""


class UnavailableError(UseCaseError):
    """A dependency is away for now."""


class DiskFullError(UnavailableError):
    """Broker and database have no space for the results."""


def not_found(detail: str) -> NotFoundError:
    """Return the usual error for something that does not exist."""
    return NotFoundError("not-found", detail)
