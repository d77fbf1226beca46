"""Errors as RFC 9457 problem details, without internals."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.websockets import WebSocket

from forewarn.contracts.answers.problems import MAX_ERRORS, Fault, Problem
from forewarn.ports.delivery import DeliveryOverloaded
from forewarn.ports.history import BadQuery, HistoryUnavailable
from forewarn.usecases.errors import (
    ConflictError,
    DiskFullError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
    UseCaseError,
)
from forewarn.usecases.faults import invalid_request, message_of, pointer
from forewarn_api.http.correlation import HEADER, correlation_id

PROBLEM_JSON: Final = "application/problem+json"
#: Python's own phrases change between versions.
_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}
#: Subclasses before their bases.
_STATUSES: Final[Mapping[type[UseCaseError], int]] = {
    NotFoundError: 404,
    ConflictError: 409,
    InvalidRequestError: 422,
    DiskFullError: 507,
    UnavailableError: 503,
}
#: nginx's status for a client that left, in log and metrics only.
_CLIENT_CLOSED_REQUEST: Final = 499
_log = structlog.get_logger(__name__)


class ProblemError(UseCaseError):
    """An error of HTTP itself, with its status."""

    def __init__(self, status: int, kind: str, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(kind, detail, retry_after_s=retry_after_s)
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        # ``args`` has no status; a process beside the event loop may raise this.
        return (type(self), (self.status, self.kind, self.detail), self.__dict__)


def says_json(request: Request) -> bool:
    """Return whether a request declares its body as JSON."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def no_json() -> ProblemError:
    """Return the problem of a body that is not declared as JSON."""
    return ProblemError(415, "unsupported-media-type", "Send JSON, with the header 'Content-Type: application/json'.")


def problem_response(error: UseCaseError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer for a problem."""
    status = error.status if isinstance(error, ProblemError) else _status_of(error)
    problem = Problem(
        type=f"urn:forewarn:problem:{error.kind}",
        title=_title(status),
        status=status,
        detail=error.detail,
        instance=f"urn:forewarn:request:{correlation_id()}",
        errors=list(error.faults[:MAX_ERRORS]),
        **error.extras,
    )
    content = problem.model_dump(mode="json", exclude_none=True)
    if not error.faults:
        del content["errors"]
    retry = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    own = {HEADER: correlation_id(), **retry, **(headers or {})}
    return JSONResponse(content, status_code=status, headers=own, media_type=PROBLEM_JSON)


def _status_of(error: UseCaseError) -> int:
    return next(status for kind, status in _STATUSES.items() if isinstance(error, kind))


def install_handlers(app: FastAPI) -> None:
    """Answer every error of the application with a problem detail."""
    app.add_exception_handler(UseCaseError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(WebSocketRequestValidationError, _on_invalid_socket)
    for kind in (BadQuery, HistoryUnavailable, DeliveryOverloaded):
        app.add_exception_handler(kind, _on_port_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_crash)


def _fault(error: Mapping[str, Any]) -> Fault:
    where, *rest = error["loc"]
    if where == "body" and error["type"] == "json_invalid" and rest:  # where FastAPI puts the character's position
        reason = error.get("ctx", {}).get("error", "it ends too early")
        return Fault(detail=f"Invalid JSON at character {rest[0]}: {reason}", pointer=pointer())
    if where == "body":
        return Fault(detail=message_of(error), pointer=pointer(*rest))
    return Fault(detail=message_of(error), parameter=".".join(str(part) for part in error["loc"]))


async def _on_problem(connection: HTTPConnection, exc: Exception) -> Response:
    if not isinstance(exc, UseCaseError):
        raise exc
    response = problem_response(exc)
    if isinstance(connection, WebSocket):
        await connection.send_denial_response(response)
    return response


async def _on_invalid_request(request: Request, exc: Exception) -> JSONResponse:
    if not isinstance(exc, RequestValidationError):
        raise exc
    errors = exc.errors()
    if any(error["loc"][0] == "body" for error in errors) and not says_json(request):
        return problem_response(no_json())
    return problem_response(invalid_request([_fault(error) for error in errors]))


async def _on_invalid_socket(socket: HTTPConnection, exc: Exception) -> Response:
    if not isinstance(exc, WebSocketRequestValidationError):
        raise exc
    return await _on_problem(socket, invalid_request([_fault(error) for error in exc.errors()]))


async def _on_port_error(_request: Request, exc: Exception) -> JSONResponse:
    if isinstance(exc, BadQuery):
        error: UseCaseError = InvalidRequestError("invalid-request", f"The query makes no sense: {exc}")
    elif isinstance(exc, HistoryUnavailable):
        _log.warning("history_unavailable", reason=str(exc))
        detail = "The database is down or too slow. Live data, ingest and acknowledging still work; try again later."
        error = UnavailableError("database-unavailable", detail, retry_after_s=2)
    else:
        error = UnavailableError("overloaded", f"Nothing was sent: {exc}.", retry_after_s=1)
    return problem_response(error)


async def _on_disconnect(_request: Request, _exc: Exception) -> Response:
    """Answer a request whose connection broke off within its body; nobody receives it."""
    return Response(status_code=_CLIENT_CLOSED_REQUEST)


async def _on_http_exception(request: Request, exc: Exception) -> JSONResponse:
    if not isinstance(exc, HTTPException):
        raise exc
    detail = {
        404: f"There is nothing at {request.scope['path']}.",
        405: f"{request.method} is not allowed at {request.scope['path']}.",
    }.get(exc.status_code, str(exc.detail))
    kind = _title(exc.status_code).lower().replace(" ", "-")
    return problem_response(ProblemError(exc.status_code, kind, detail), exc.headers)


async def _on_crash(_request: Request, _exc: Exception) -> JSONResponse:
    # The server logs the traceback under this request's id; the client gets none of it.
    detail = "The service failed. See its log for the request id in 'instance'."
    return problem_response(ProblemError(500, "internal-error", detail))


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase
