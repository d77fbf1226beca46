"""Rejected messages: list them, and send them again once the cause is fixed."""

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse

from forewarn.adapters.removals import REMOVAL_KEY
from forewarn.contracts.answers.alarms import RejectedDetail, RejectedItem, RejectedList, Replayed
from forewarn.contracts.base import Identifier, Reference
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TOPICS, TopicName
from forewarn.ports.delivery import OutgoingMessage
from forewarn.ports.history import RefusedMessage
from forewarn.usecases.backend import Backend, require_delivered
from forewarn.usecases.errors import ConflictError, not_found
from forewarn_api.dependencies import BackendDep, StateDep
from forewarn_api.paging import Cursor, cursor_to, page_of
from forewarn_api.routes.common import problems

router = APIRouter(prefix="/api/v1/rejected", tags=["rejected"])

_MAX_LIMIT: Final = 100
_JSON: Final = "application/json"
#: An answer without original bytes, its last field.
_NO_BYTES: Final = '"original":""'

RejectedId = Annotated[Reference, Path(examples=["readings.raw/3/1742/0"])]


@router.get("", responses=problems(503))
async def list_rejected(
    backend: BackendDep,
    asset: Annotated[Identifier | None, Query(description="Only messages that name this asset.")] = None,
    reason: RejectionReason | None = None,
    limit: Annotated[int, Query(ge=1, le=_MAX_LIMIT)] = 50,
    cursor: Cursor = None,
) -> RejectedList:
    """List rejected messages, newest first."""
    part = await backend.history.rejected(
        asset_id=asset, reason=None if reason is None else reason.value, page=page_of(limit, cursor)
    )
    return RejectedList(items=[_item(refusal) for refusal in part.items], next_cursor=cursor_to(part.last))


@router.post("/{rejected_id:path}/replay", status_code=202, responses=problems(404, 409, 503))
async def replay(rejected_id: RejectedId, backend: BackendDep, state: StateDep) -> Replayed:
    """Send the original bytes again, to ``readings.raw`` or to the topic of a quarantined message.

    Repeated within 10 s, they are sent once.
    """
    message = _again(await _one(rejected_id, backend))
    async with state.replaying:
        done = state.replays.get(rejected_id)
        if done is None:
            original = b"".join([piece async for piece in backend.history.original(rejected_id)])
            failed = await backend.delivery.send([replace(message, value=original)])
            require_delivered(failed[0] if failed else None, "The message")
            done = Replayed(rejected_id=rejected_id, key=(message.key or b"").decode(errors="replace"))
            state.replays.put(rejected_id, done)
        return done


@router.get("/{rejected_id:path}", response_model=RejectedDetail, responses=problems(404, 503))
async def get_rejected(rejected_id: RejectedId, backend: BackendDep) -> Response:
    """Return a rejected message with its original bytes."""
    rejected = await _one(rejected_id, backend)
    pieces = backend.history.original(rejected_id)
    first = await anext(pieces, b"")  # before the answer begins, so that a failure can still be a 503
    return StreamingResponse(_document(RejectedDetail(rejected=rejected), first, pieces), media_type=_JSON)


async def _document(detail: RejectedDetail, first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the answer's JSON with the original bytes, up to 16 MiB, piece by piece."""
    head, _, tail = detail.model_dump_json().rpartition(_NO_BYTES)
    yield f'{head}"original":"'.encode()
    yield b64encode(first)
    async for piece in pieces:
        yield b64encode(piece)
    yield f'"{tail}'.encode()


async def _one(rejected_id: str, backend: Backend) -> RejectedReading:
    """Return a rejected message without its original bytes."""
    rejected = await backend.history.rejected_one(rejected_id)
    if rejected is None:
        raise not_found(f"There is no rejected message {rejected_id!r}; it may be past its retention.")
    return rejected


def _again(rejected: RejectedReading) -> OutgoingMessage:
    """Return the message that a replay sends, without its bytes yet."""
    if rejected.key == REMOVAL_KEY:
        detail = "The message is a removal of an asset: repeat DELETE /api/v1/assets/{asset_id} instead."
        raise ConflictError("not-replayable", detail)
    if rejected.topic.endswith(TopicName.READINGS_RAW.value):
        return OutgoingMessage(topic=TopicName.READINGS_RAW, key=_key_for(rejected), value=None)
    if rejected.reason is RejectionReason.QUARANTINED:
        for name, topic in TOPICS.items():
            # On a compacted topic the entry would replace a newer one.
            if rejected.topic.endswith(name.value) and topic.cleanup == "delete":
                return OutgoingMessage(topic=name, key=rejected.key, value=None, partition=rejected.partition)
    detail = (
        f"The message comes from {rejected.topic}: only readings, and quarantined messages of topics that are not "
        "compacted, can be sent again."
    )
    raise ConflictError("not-replayable", detail)


def _key_for(rejected: RejectedReading) -> bytes:
    """Return the key of a replayed reading: its asset, which also fixes a missing or wrong key."""
    if rejected.asset_id is not None:
        return rejected.asset_id.encode()
    if rejected.key is None:
        detail = "The message names no asset and has no key: it would be rejected again. Send a corrected one instead."
        raise ConflictError("not-replayable", detail)
    return rejected.key


def _item(refusal: RefusedMessage) -> RejectedItem:
    fields = asdict(refusal)
    preview: bytes = fields.pop("beginning")
    return RejectedItem(**fields, preview=preview.decode(errors="replace"))
