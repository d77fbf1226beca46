"""Why a use case cannot be carried out. HTTP routes and command handlers translate these errors."""

from collections.abc import Mapping, Sequence
from typing import Any

from forewarn.contracts.answers.problems import Fault


class UseCaseError(Exception):
    """Ends a use case.

    Attributes
    ----------
    kind
        Names the problem for programs.
    detail
        Explains it to people.
    faults
        What is wrong with the request, and where.
    extras
        What a program needs to react, by name.
    retry_after_s
        When another try is worth while; None if it is not.
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
    """Something that the request names does not exist."""


class ConflictError(UseCaseError):
    """The present state of the platform does not permit it."""


class InvalidRequestError(UseCaseError):
    """The request cannot be carried out as it stands."""


class UnavailableError(UseCaseError):
    """Something is away that will probably come back."""


class DiskFullError(UnavailableError):
    """Broker and database could not store what follows from the request."""


def not_found(detail: str) -> NotFoundError:
    """Something that the request names does not exist."""
    return NotFoundError("not-found", detail)
