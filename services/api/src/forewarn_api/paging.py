"""Cursors: opaque to clients, so that lists can be paged differently one day."""

import base64
import json
from datetime import datetime
from typing import Annotated, Final

from fastapi import Query
from pydantic import Field, TypeAdapter

from forewarn.contracts.answers.problems import Fault
from forewarn.contracts.base import Identifier, Reference, UtcDatetime, format_utc
from forewarn.ports.history import Card, Page
from forewarn.usecases.errors import InvalidRequestError

MAX_LIMIT: Final = 1_000
_PLACE: Final = TypeAdapter(tuple[UtcDatetime, Reference])
_CARD: Final = TypeAdapter(tuple[Identifier, Identifier, Annotated[int, Field(ge=1, lt=2**31)]])

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items in one answer.")]
Cursor = Annotated[str | None, Query(max_length=1_000, description="next_cursor of the previous answer.")]


def page_of(limit: int, cursor: str | None) -> Page:
    """Return the page that a client asks for; raises ``InvalidRequestError`` for an unknown cursor."""
    if cursor is None:
        return Page(limit=limit)
    try:
        before, before_id = _PLACE.validate_json(base64.urlsafe_b64decode(cursor.encode()), strict=True)
        return Page(limit=limit, before=before, before_id=before_id)
    except ValueError as exc:  # of base 64, of UTF-8, of JSON or of what it holds
        raise _unreadable() from exc


def cursor_to(last: tuple[datetime, str] | None) -> str | None:
    """Cursor to what comes after an item; None where that is nothing."""
    if last is None:
        return None
    at, identity = last
    return base64.urlsafe_b64encode(json.dumps([format_utc(at), identity]).encode()).decode()


def card_of(cursor: str | None) -> Card | None:
    """Return the model after which a client wants to go on; raises like ``page_of``."""
    if cursor is None:
        return None
    try:
        asset_id, kind, version = _CARD.validate_json(base64.urlsafe_b64decode(cursor.encode()), strict=True)
        return Card(asset_id=asset_id, kind=kind, version=version)
    except ValueError as exc:
        raise _unreadable() from exc


def cursor_to_card(last: Card | None) -> str | None:
    """Cursor to what comes after a model; None where that is nothing."""
    if last is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([last.asset_id, last.kind, last.version]).encode()).decode()


def _unreadable() -> InvalidRequestError:
    fault = Fault(detail="use next_cursor of an answer as it is", parameter="query.cursor")
    return InvalidRequestError("invalid-request", "The cursor cannot be read.", [fault])
