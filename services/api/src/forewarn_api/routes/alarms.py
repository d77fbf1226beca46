"""Alarms and their acknowledgement."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from forewarn.contracts.alarms import Alarm, AlarmState, Priority
from forewarn.contracts.answers.alarms import Acknowledged, AcknowledgeRequest, AlarmDetail, AlarmItem, AlarmList
from forewarn.contracts.assets import AcknowledgeAlarm
from forewarn.contracts.base import IDENTIFIER, Identifier, format_utc
from forewarn.ports.history import AlarmEntry, HistoryUnavailable, ListPart, Page
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import ConflictError, NotFoundError, not_found
from forewarn_api.dependencies import BackendDep, PendingAcknowledgement, StateDep
from forewarn_api.paging import Cursor, Limit, cursor_to, page_of
from forewarn_api.routes.assets import AssetId
from forewarn_api.routes.common import problems
from forewarn_api.strict_json import FromJson

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])

LONGEST_WAIT_S: Final = 5.0
_TRANSITIONS: Final = 200

Rule = Annotated[str, Path(pattern=f"^{IDENTIFIER}$", examples=["vibration_high"])]


class Which(StrEnum):
    """Which alarms: open ones, closed ones, all, or open ones in one state."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"


@router.get("", responses=problems(503))
async def list_alarms(
    backend: BackendDep,
    state: Which = Which.OPEN,
    asset: Annotated[Identifier | None, Query(description="Only alarms of this asset.")] = None,
    priority: Annotated[list[Priority] | None, Query(description="Only these priorities.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AlarmList:
    """List alarms.

    Open ones come from the live state, newest raised first; closed ones from the database, an item for each time that
    an alarm closed, newest closed first.
    """
    page = page_of(limit, cursor)
    if state in (Which.CLOSED, Which.ALL):
        only_open = False if state is Which.CLOSED else None
        part = await backend.history.alarms(
            open_alarms=only_open, asset_id=asset, priorities=priority or None, page=page
        )
    else:
        part = _open_alarms(backend, state, asset, priority, page)
    return AlarmList(
        items=[AlarmItem(alarm=entry.alarm, closed_at=entry.closed_at) for entry in part.items],
        next_cursor=cursor_to(part.last),
    )


@router.get("/{asset_id}/{rule}", responses=problems(404, 503))
async def get_alarm(asset_id: AssetId, rule: Rule, backend: BackendDep) -> AlarmDetail:
    """Return an alarm in its current state, with its transitions."""
    alarm_id = f"{asset_id}/{rule}"
    alarm = backend.complete_live().alarm(alarm_id)
    transitions = list(await backend.history.alarm_events(alarm_id=alarm_id, page=Page(limit=_TRANSITIONS)))
    if alarm is not None:
        return AlarmDetail(alarm=alarm, transitions=transitions)
    entry = await backend.history.alarm(alarm_id)
    if entry is None:
        raise not_found(f"The alarm {alarm_id!r} has never been raised.")
    return AlarmDetail(alarm=entry.alarm, closed_at=entry.closed_at, transitions=transitions)


@router.post(
    "/{asset_id}/{rule}/acknowledge",
    status_code=202,
    responses=problems(
        404, 409, 413, 503, also={200: {"model": Acknowledged, "description": "The alarm has changed."}}
    ),
)
async def acknowledge(
    asset_id: AssetId,
    rule: Rule,
    body: FromJson[AcknowledgeRequest],
    response: Response,
    backend: BackendDep,
    state: StateDep,
    wait_s: Annotated[
        float,
        Query(
            ge=0,
            le=LONGEST_WAIT_S,
            description="How long to wait for the alarm to change [s]; if it does, the answer is 200.",
        ),
    ] = 0.0,
) -> Acknowledged:
    """Acknowledge an occurrence of an alarm; the same person may safely repeat it.

    409 if there is a newer occurrence, to be looked at first, or if somebody else was faster: 'detail' says who.
    """
    live, alarm_id, by = backend.complete_live(), f"{asset_id}/{rule}", body.by
    alarm = await _open_occurrence(backend, alarm_id, body.occurrence_id)
    if alarm.acknowledged:
        response.status_code = 200
        return Acknowledged(command_id=_command_that_counted(alarm, by), seen=True, alarm=alarm)
    occurrence = (alarm_id, body.occurrence_id)
    earlier = state.claims.get(occurrence)
    if earlier is not None and earlier.by != by:
        raise _acknowledged(f"{earlier.by} is acknowledging the alarm right now.", alarm)
    claim = earlier or PendingAcknowledgement(by, backend.new_id())
    if earlier is None:
        state.claims.put(occurrence, claim)
    command = AcknowledgeAlarm(alarm_id=alarm_id, occurrence_id=body.occurrence_id, comment=body.comment)
    try:
        await backend.send_command(asset_id, command, by=by, command_id=claim.command_id)
    except Exception:
        if earlier is None:
            state.claims.forget(occurrence)
        raise

    def changed() -> bool | None:
        now = live.alarm(alarm_id)
        return now is None or now.acknowledged or now.occurrence_id != body.occurrence_id or None

    seen = wait_s > 0 and await state.changes.wait_for(changed, wait_s) is True
    now, command_id = live.alarm(alarm_id), claim.command_id
    if seen and now is not None and now.occurrence_id == body.occurrence_id:
        command_id = _command_that_counted(now, by, command_id)
    response.status_code = 200 if seen else 202
    return Acknowledged(command_id=command_id, seen=seen, alarm=now)


def _place(entry: AlarmEntry) -> tuple[datetime, str]:
    """Return the sort key of an entry."""
    return entry.changed_at, entry.alarm.occurrence_id


def _open_alarms(
    backend: Backend, state: Which, asset: str | None, priorities: Collection[Priority] | None, page: Page
) -> ListPart[AlarmEntry]:
    wanted = None if state is Which.OPEN else AlarmState(state.value)
    before = None if page.before is None else (page.before, page.before_id)
    chosen = [
        AlarmEntry(alarm=alarm, closed_at=None)
        for alarm in backend.complete_live().alarms()
        if (asset is None or alarm.asset_id == asset)
        and (wanted is None or alarm.state is wanted)
        and (not priorities or alarm.priority in priorities)
    ]
    chosen.sort(key=_place, reverse=True)
    entries = [entry for entry in chosen if before is None or _place(entry) < before][: page.limit]
    return ListPart(tuple(entries), _place(entries[-1]) if len(entries) == page.limit else None)


async def _open_occurrence(backend: Backend, alarm_id: str, occurrence_id: str) -> Alarm:
    """Return the alarm if this occurrence of it is open.

    Raises ``NotFoundError`` if the alarm is not open, or no such occurrence is known. Raises ``ConflictError`` if it
    has occurred again since.
    """
    alarm = backend.complete_live().alarm(alarm_id)
    if alarm is None:
        raise not_found(f"The alarm {alarm_id!r} is not open.")
    if alarm.occurrence_id == occurrence_id:
        return alarm
    extras = {"alarm": alarm.model_dump(mode="json")}
    try:
        past = await backend.history.alarm_events(alarm_id=alarm_id, page=Page(limit=_TRANSITIONS))
    except HistoryUnavailable:
        past = None  # whether it ever existed is unknown, but it is not the open one
    if past is None or any(event.alarm.occurrence_id == occurrence_id for event in past):
        detail = "The alarm has occurred again since. The current occurrence is in 'alarm'."
        raise ConflictError("newer-occurrence", detail, extras=extras)
    detail = f"The alarm {alarm_id!r} has no occurrence {occurrence_id!r}. The current one is in 'alarm'."
    raise NotFoundError("not-found", detail, extras=extras)


def _command_that_counted(alarm: Alarm, by: str, command_id: str | None = None) -> str:
    """Return the id of the command that acknowledged the alarm; older versions of alerting did not report it.

    Raises ``ConflictError`` if somebody else's did.
    """
    counted = alarm.acknowledged_command or command_id
    if alarm.acknowledged_by != by or counted is None:
        raise _acknowledged(_who_and_when(alarm), alarm)
    return counted


def _who_and_when(alarm: Alarm) -> str:
    at = "an unknown time" if alarm.acknowledged_at is None else format_utc(alarm.acknowledged_at)
    return f"{alarm.acknowledged_by or 'Somebody'} acknowledged the alarm at {at}."


def _acknowledged(detail: str, alarm: Alarm) -> ConflictError:
    return ConflictError("already-acknowledged", detail, extras={"alarm": alarm.model_dump(mode="json")})
