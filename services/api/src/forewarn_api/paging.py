"""Cursors, opaque to clients."""

import base64
import json
from datetime import datetime
from typing import Annotated, Final, TypeVar

from fastapi import Query
from pydantic import Field, TypeAdapter

from forewarn.contracts.answers.problems import Fault
from forewarn.contracts.base import Identifier, Reference, UtcDatetime, format_utc
from forewarn.ports.history import Card, Page
from forewarn.usecases.errors import InvalidRequestError

T = TypeVar("T")

MAX_LIMIT: Final = 1_000
_PLACE: Final = TypeAdapter(tuple[UtcDatetime, Reference])
_CARD: Final = TypeAdapter(tuple[Identifier, Identifier, Annotated[int, Field(ge=1, lt=2**31)]])

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items in one answer.")]
Cursor = Annotated[str | None, Query(max_length=1_000, description="next_cursor of the previous answer.")]


def page_of(limit: int, cursor: str | None) -> Page:
    """Return the requested page; raise ``InvalidRequestError`` for an unknown cursor."""
    if cursor is None:
        return Page(limit=limit)
    before, before_id = _decoded(_PLACE, cursor)
    return Page(limit=limit, before=before, before_id=before_id)


def cursor_to(last: tuple[datetime, str] | None) -> str | None:
    """Return the cursor behind an item; None after the last one."""
    return None if last is None else _encoded(format_utc(last[0]), last[1])


def card_of(cursor: str | None) -> Card | None:
    """Return the model behind which to continue; raise like ``page_of``."""
    if cursor is None:
        return None
    asset_id, kind, version = _decoded(_CARD, cursor)
    return Card(asset_id=asset_id, kind=kind, version=version)


def cursor_to_card(last: Card | None) -> str | None:
    """Return the cursor behind a model; None after the last one."""
    return None if last is None else _encoded(last.asset_id, last.kind, last.version)


def _encoded(*place: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _decoded(form: TypeAdapter[T], cursor: str) -> T:
    try:
        return form.validate_json(base64.urlsafe_b64decode(cursor.encode()), strict=True)
    except ValueError as exc:  # of base 64, of UTF-8, of JSON or of what it holds
        fault = Fault(detail="use next_cursor of an answer unchanged", parameter="query.cursor")
        raise InvalidRequestError("invalid-request", "The cursor cannot be read.", [fault]) from exc
