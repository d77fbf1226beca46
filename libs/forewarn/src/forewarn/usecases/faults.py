"""Descriptions of what is wrong with a request."""

from collections.abc import Mapping, Sequence
from typing import Any

from forewarn.contracts.answers.problems import Fault
from forewarn.usecases.errors import InvalidRequestError


def pointer(*parts: str | int) -> str:
    """Return the JSON Pointer, as a URI fragment, to a place in the body."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def summary(faults: Sequence[Fault], others: int = 0) -> str:
    """Return the first fault as a sentence, with the number of the others; ``others`` of them are not listed."""
    first, more = faults[0], len(faults) - 1 + others
    and_more = f" (and {more} more)" if more else ""
    return f"{first.pointer or first.parameter}: {first.detail}{and_more}."


def faults_in_body(errors: Sequence[Any]) -> list[Fault]:
    """Translate pydantic's errors about a body, without repeating the client's values."""
    return [Fault(detail=message_of(error), pointer=pointer(*error["loc"])) for error in errors]


def message_of(error: Mapping[str, Any]) -> str:
    """Return the text of one of pydantic's errors."""
    text: str = error["msg"].removeprefix("Value error, ")
    if error["type"] in ("too_long", "too_short") and isinstance(error.get("input"), str):
        # Pydantic says "items" for texts whose length is checked after another validator.
        text = text.replace(" items after validation", " characters").replace(" item after validation", " character")
    return text


def invalid_request(faults: Sequence[Fault]) -> InvalidRequestError:
    """Return the error of a request that breaks its contract."""
    return InvalidRequestError("invalid-request", summary(faults), faults)
