"""What several routes share."""

from collections.abc import Mapping
from typing import Any, Final

from forewarn_api.problems import PROBLEM_JSON

_MEANINGS: Final = {
    400: "The body cannot be read.",
    401: "The token is missing or wrong.",
    403: "The request comes from a web page of a foreign origin.",
    404: "It does not exist.",
    409: "The current state of the platform does not allow it; 'detail' says why.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The request is wrong; 'errors' says where.",
    503: "Kafka or the database is down: try again after Retry-After.",
    507: "The disk is full; nothing was sent: try again after Retry-After.",
}


def problems(*statuses: int, also: Mapping[int | str, dict[str, Any]] | None = None) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of a route's problems and further answers."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    answers: dict[int | str, dict[str, Any]] = dict(also or {})
    of_bodies = {415} if 413 in statuses else set()
    for status in sorted({401, 403, 422, *of_bodies, *statuses} - answers.keys()):
        answers[status] = {"description": _MEANINGS[status], "content": {PROBLEM_JSON: schema}}
    return answers
