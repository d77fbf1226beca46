"""Errors as RFC 9457 problem details: what a client may know, and nothing else."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from forewarn.contracts.answers.problems import MAX_ERRORS, Fault, Problem
from forewarn.ports.delivery import DeliveryOverloaded
from forewarn.ports.history import BadQuery, HistoryUnavailable
from forewarn_api.http.correlation import HEADER, correlation_id

PROBLEM_JSON: Final = "application/problem+json"
#: Titles and kinds of what the framework itself refuses; Python's own phrases change between versions.
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
#: nginx's status for it; it stands in the log and in metrics only.
_CLIENT_CLOSED_REQUEST: Final = 499
_log = structlog.get_logger(__name__)


class ProblemError(Exception):
    """Ends a request with a problem detail. ``extras`` become members of the answer."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        extras: Mapping[str, Any] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.extras = extras or {}
        self.headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}

    def __reduce__(self) -> tuple[object, ...]:
        """Copy for another process: workers raise it too."""
        return _problem, (self.status, self.kind, self.detail, self.errors, self.extras, self.headers)


def _problem(
    status: int,
    kind: str,
    detail: str,
    errors: Sequence[Fault],
    extras: Mapping[str, Any],
    headers: dict[str, str],
) -> ProblemError:
    error = ProblemError(status, kind, detail, errors=errors, extras=extras)
    error.headers = headers
    return error


def not_found(what: str) -> ProblemError:
    """What was asked for does not exist."""
    return ProblemError(404, "not-found", what)


def unprocessable(
    kind: str, detail: str, errors: Sequence[Fault], extras: Mapping[str, Any] | None = None
) -> ProblemError:
    """The request is well-formed but cannot be done as it stands."""
    return ProblemError(422, kind, detail, errors=errors, extras=extras)


def says_json(request: Request) -> bool:
    """Whether a request says that its body is JSON."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def no_json() -> ProblemError:
    """The body is of another media type, or of none."""
    return ProblemError(415, "unsupported-media-type", "Send JSON, with the header 'Content-Type: application/json'.")


def problem_response(error: ProblemError) -> JSONResponse:
    """The answer for a problem."""
    problem = Problem(
        type=f"urn:forewarn:problem:{error.kind}",
        title=_title(error.status),
        status=error.status,
        detail=error.detail,
        instance=f"urn:forewarn:request:{correlation_id()}",
        errors=list(error.errors[:MAX_ERRORS]),
        **error.extras,
    )
    content = problem.model_dump(mode="json", exclude_none=True)
    if not error.errors:
        del content["errors"]
    headers = {HEADER: correlation_id(), **error.headers}
    return JSONResponse(content, status_code=error.status, headers=headers, media_type=PROBLEM_JSON)


def faults_of(errors: Sequence[Any], *, within_body: bool = False) -> list[Fault]:
    """Translate pydantic's errors, and FastAPI's of JSON; what the client sent is not repeated to it."""
    return [_fault(("body", *error["loc"]) if within_body else tuple(error["loc"]), error) for error in errors]


def summary(faults: Sequence[Fault], others: int = 0) -> str:
    """The first fault in a sentence, and how many more there are, ``others`` of which are not listed."""
    first, more = faults[0], len(faults) - 1 + others
    and_more = f" (and {more} more)" if more else ""
    return f"{first.pointer or first.parameter}: {first.detail}{and_more}."


def pointer(*parts: str | int) -> str:
    """JSON Pointer fragment to a place in the body."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def install_handlers(app: FastAPI) -> None:
    """Answer every error of the application with a problem detail."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(BadQuery, _on_bad_query)
    app.add_exception_handler(HistoryUnavailable, _on_history_unavailable)
    app.add_exception_handler(DeliveryOverloaded, _on_overload)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_crash)


def _fault(location: tuple[int | str, ...], error: Mapping[str, Any]) -> Fault:
    where, *rest = location
    text = error["msg"].removeprefix("Value error, ")
    if where == "body" and error["type"] == "json_invalid" and rest:  # FastAPI puts the character's place there
        reason = error.get("ctx", {}).get("error", "it ends too early")
        return Fault(detail=f"Invalid JSON at character {rest[0]}: {reason}", pointer=pointer())
    if where == "body":
        return Fault(detail=text, pointer=pointer(*rest))
    return Fault(detail=text, parameter=".".join(str(part) for part in location))


async def _on_problem(_request: Request, exc: Exception) -> JSONResponse:
    if not isinstance(exc, ProblemError):
        raise exc
    return problem_response(exc)


async def _on_invalid_request(request: Request, exc: Exception) -> JSONResponse:
    if not isinstance(exc, RequestValidationError):
        raise exc
    errors = exc.errors()
    if any(error["loc"][0] == "body" for error in errors) and not says_json(request):
        return problem_response(no_json())
    faults = faults_of(errors)
    return problem_response(ProblemError(422, "invalid-request", summary(faults), errors=faults))


async def _on_bad_query(_request: Request, exc: Exception) -> JSONResponse:
    return problem_response(ProblemError(422, "invalid-request", f"The query makes no sense: {exc}"))


async def _on_history_unavailable(_request: Request, exc: Exception) -> JSONResponse:
    _log.warning("history_unavailable", reason=str(exc))
    detail = "The database is away or too slow. Live data, ingest and acknowledging go on; try this again later."
    return problem_response(ProblemError(503, "database-unavailable", detail, retry_after_s=2))


async def _on_overload(_request: Request, exc: Exception) -> JSONResponse:
    return problem_response(ProblemError(503, "overloaded", f"Nothing was sent: {exc}.", retry_after_s=1))


async def _on_disconnect(_request: Request, _exc: Exception) -> Response:
    """The client hung up within its body, or the server did: this answer goes nowhere."""
    return Response(status_code=_CLIENT_CLOSED_REQUEST)


async def _on_http_exception(request: Request, exc: Exception) -> JSONResponse:
    if not isinstance(exc, HTTPException):
        raise exc
    detail = {
        404: f"There is nothing at {request.scope['path']}.",
        405: f"{request.method} is not possible at {request.scope['path']}.",
    }.get(exc.status_code, str(exc.detail))
    kind = _title(exc.status_code).lower().replace(" ", "-")
    error = ProblemError(exc.status_code, kind, detail)
    error.headers |= exc.headers or {}
    return problem_response(error)


async def _on_crash(_request: Request, _exc: Exception) -> JSONResponse:
    # The server logs the traceback under this request's id; none of it goes to the client.
    detail = "The service made a mistake. The log says more under the request id in 'instance'."
    return problem_response(ProblemError(500, "internal-error", detail))


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase
