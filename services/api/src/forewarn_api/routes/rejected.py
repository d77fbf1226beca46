"""Readings the platform refused: look at them, and send them again once the cause is cured."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query

from forewarn.contracts.base import Identifier, Reference
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName
from forewarn.ports.delivery import Message
from forewarn_api.backend import Backend, Uses
from forewarn_api.models.alarms import RejectedDetail, RejectedItem, RejectedList, Replayed
from forewarn_api.paging import Cursor, cursor_after, page_of
from forewarn_api.problems import ProblemError, not_found
from forewarn_api.routes.common import problems, require_delivered

router = APIRouter(prefix="/api/v1/rejected", tags=["rejected"])

_PREVIEW_BYTES: Final = 2_048
_MAX_LIMIT: Final = 100  # the database hands out whole messages, and they can be large

RejectedId = Annotated[Reference, Path(examples=["readings.raw/3/1742/0"])]


@router.get("", responses=problems(503))
async def list_rejected(
    backend: Uses,
    asset: Annotated[Identifier | None, Query(description="Only messages that name this asset.")] = None,
    reason: RejectionReason | None = None,
    limit: Annotated[int, Query(ge=1, le=_MAX_LIMIT)] = 50,
    cursor: Cursor = None,
) -> RejectedList:
    """List refused messages, newest first."""
    found = await backend.history.rejected(
        asset_id=asset, reason=None if reason is None else reason.value, page=page_of(limit, cursor)
    )
    following = cursor_after(found, limit, lambda item: (item.rejected_at, item.rejected_id))
    return RejectedList(items=[_item(rejected) for rejected in found], next_cursor=following)


@router.post("/{rejected_id:path}/replay", status_code=202, responses=problems(404, 409, 503))
async def replay(rejected_id: RejectedId, backend: Uses) -> Replayed:
    """Send the original bytes to ``readings.raw`` again; the validator judges them anew."""
    rejected = await _one(rejected_id, backend)
    key = _key_for(rejected)
    failed = await backend.delivery.send([Message(topic=TopicName.READINGS_RAW, key=key, value=rejected.original)])
    require_delivered(failed[0] if failed else None, "The message")
    return Replayed(rejected_id=rejected_id, key=key.decode(errors="replace"))


@router.get("/{rejected_id:path}", responses=problems(404, 503))
async def get_rejected(rejected_id: RejectedId, backend: Uses) -> RejectedDetail:
    """A refused message with its original bytes."""
    return RejectedDetail(rejected=await _one(rejected_id, backend))


async def _one(rejected_id: str, backend: Backend) -> RejectedReading:
    rejected = await backend.history.rejected_one(rejected_id)
    if rejected is None:
        raise not_found(f"There is no refused message {rejected_id!r}; it may be older than what is kept.")
    return rejected


def _key_for(rejected: RejectedReading) -> bytes:
    """Key to send it under: the asset it speaks of, which cures a missing or wrong key as well."""
    if not rejected.topic.endswith(TopicName.READINGS_RAW.value):
        detail = f"The message comes from {rejected.topic}: only what came from readings.raw can be sent again."
        raise ProblemError(409, "not-replayable", detail)
    if rejected.asset_id is not None:
        return rejected.asset_id.encode()
    if rejected.key is None:
        detail = "The message names no asset and had no key: it would be refused again. Correct it and send it anew."
        raise ProblemError(409, "not-replayable", detail)
    return rejected.key


def _item(rejected: RejectedReading) -> RejectedItem:
    return RejectedItem(
        **rejected.model_dump(
            include={
                "rejected_id",
                "topic",
                "reason",
                "rule",
                "explanation",
                "recommendation",
                "asset_id",
                "rejected_at",
            }
        ),
        size_bytes=len(rejected.original),
        preview=rejected.original[:_PREVIEW_BYTES].decode(errors="replace"),
    )
