"""Cursors: opaque to clients, so that lists can be paged differently one day."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Final, TypeVar

from fastapi import Query
from pydantic import TypeAdapter

from forewarn.contracts.base import Reference, UtcDatetime, format_utc
from forewarn.ports.history import Page
from forewarn_api.problems import Fault, unprocessable

MAX_LIMIT: Final = 1_000
T = TypeVar("T")
_PLACE: Final = TypeAdapter(tuple[UtcDatetime, Reference])

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items in one answer.")]
Cursor = Annotated[str | None, Query(max_length=1_000, description="next_cursor of the previous answer.")]


def page_of(limit: int, cursor: str | None) -> Page:
    """The page a client asks for.

    Raises
    ------
    ProblemError
        422 if the cursor is none of ours.
    """
    if cursor is None:
        return Page(limit=limit)
    try:
        before, before_id = _PLACE.validate_json(base64.urlsafe_b64decode(cursor.encode()), strict=True)
        return Page(limit=limit, before=before, before_id=before_id)
    except ValueError as exc:  # of base 64, of UTF-8, of JSON or of what it holds
        fault = Fault(detail="use next_cursor of an answer as it is", parameter="query.cursor")
        raise unprocessable("invalid-request", "The cursor cannot be read.", [fault]) from exc


def cursor_after(items: Sequence[T], limit: int, place: Callable[[T], tuple[datetime, str]]) -> str | None:
    """Cursor to the next page; None after the last one."""
    if len(items) < limit:
        return None
    at, identity = place(items[-1])
    return base64.urlsafe_b64encode(json.dumps([format_utc(at), identity]).encode()).decode()
