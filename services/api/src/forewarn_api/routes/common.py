"""What several routes share: the problems they may answer with, sending commands."""

from collections.abc import Mapping
from typing import Any, Final

from forewarn.contracts.assets import Command, CommandBody
from forewarn.contracts.topics import TopicName
from forewarn.ports.delivery import Undelivered
from forewarn_api.backend import Backend
from forewarn_api.problems import PROBLEM_JSON, ProblemError

_MEANINGS: Final = {
    400: "The body cannot be read.",
    401: "The token is missing or wrong.",
    403: "A web page of a foreign origin.",
    404: "There is no such thing.",
    409: "The world has moved on.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    422: "The request is wrong; 'errors' says where.",
    503: "Kafka or the database is away: try again after Retry-After.",
    507: "The disk is full; nothing was sent: try again after Retry-After.",
}


def problems(*statuses: int, also: Mapping[int | str, dict[str, Any]] | None = None) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of the problems a route may answer with, and of its other answers."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    answers: dict[int | str, dict[str, Any]] = dict(also or {})
    of_bodies = {415} if 413 in statuses else set()
    for status in sorted({401, 403, 422, *of_bodies, *statuses} - answers.keys()):
        answers[status] = {"description": _MEANINGS[status], "content": {PROBLEM_JSON: schema}}
    return answers


async def send_command(backend: Backend, asset_id: str, body: CommandBody, *, by: str) -> str:
    """Publish a command for the services and return its id once the broker has it."""
    command = Command(
        command_id=backend.new_id(), asset_id=asset_id, issued_at=backend.clock.now(), issued_by=by, body=body
    )
    failed = await backend.delivery.publish(
        TopicName.COMMANDS, asset_id, command, event_id=command.command_id, at=command.issued_at
    )
    require_delivered(failed, "The command")
    return command.command_id


def require_delivered(failed: Undelivered | None, what: str) -> None:
    """Turn a failed delivery into a problem.

    Raises
    ------
    ProblemError
        503 if the delivery failed.
    """
    if failed is not None:
        detail = f"{what} could not be confirmed by the broker ({failed.reason}). It is safe to send it again."
        raise ProblemError(503, "broker-unavailable", detail, retry_after_s=5)
