"""An in-memory history that answers like the database, and can be away."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from forewarn.contracts.alarms import Alert, Priority, Transition
from forewarn.contracts.health import AssetHealth, ModelArtefact
from forewarn.contracts.readings import RejectedReading
from forewarn.ports.history import (
    MAX_ROWS,
    AlarmEntry,
    BadQuery,
    Card,
    Cards,
    DeregisteredAsset,
    History,
    HistoryQuery,
    HistoryUnavailable,
    Interval,
    Latest,
    ListPart,
    Page,
    RefusedMessage,
)
from forewarn.testing.api_examples import PUMP_CLASS, in_short

_T = TypeVar("_T")


@dataclass
class FakeHistory:
    """An in-memory ``HistoryReader``; raises ``HistoryUnavailable`` while ``away``. Passes ``HistoryChecks``.

    ``health_events`` and ``transitions`` are in the order of their arrival.
    """

    away: bool = False
    crash: bool = False
    newest: tuple[Latest, ...] = ()
    health_events: tuple[AssetHealth, ...] = ()
    alarm_entries: tuple[AlarmEntry, ...] = ()
    transitions: tuple[Alert, ...] = ()
    refused: tuple[RejectedReading, ...] = ()
    removed: tuple[DeregisteredAsset, ...] = ()
    model_cards: tuple[ModelArtefact, ...] = ()
    stretches: dict[str, History] = field(default_factory=dict)
    queries: list[HistoryQuery] = field(default_factory=list)

    def store(self, *contents: object) -> None:
        """Store events as the sink does; other kinds are ignored."""
        self.health_events += tuple(item for item in contents if isinstance(item, AssetHealth))
        self.refused += tuple(item for item in contents if isinstance(item, RejectedReading))
        self.model_cards += tuple(item for item in contents if isinstance(item, ModelArtefact))
        self.transitions += tuple(item for item in contents if isinstance(item, Alert))
        occurrences = {entry.alarm.occurrence_id: entry for entry in self.alarm_entries}
        for alert in contents:
            if isinstance(alert, Alert):
                closed_at = alert.at if alert.transition is Transition.CLOSED else None
                occurrences[alert.alarm.occurrence_id] = AlarmEntry(alarm=alert.alarm, closed_at=closed_at)
        self.alarm_entries = tuple(occurrences.values())

    def _answer(self, *texts: str | None) -> None:
        if self.crash:
            raise RuntimeError("postgresql://forewarn:hunter2@db/forewarn exploded")
        if self.away:
            raise HistoryUnavailable("connection to db:5432 refused")
        if any(text is not None and ("\0" in text or not _is_unicode(text)) for text in texts):
            raise BadQuery("one of its values is nothing that the database can hold or look for")

    async def ping(self) -> None:
        self._answer()

    async def asset_ids(self, *, after: str | None = None, limit: int = MAX_ROWS) -> tuple[str, ...]:
        self._answer(after)
        known = {item.asset_id for item in self.newest} | {item.asset_id for item in self.health_events}
        return tuple(sorted(name for name in known if after is None or name > after))[:limit]

    async def latest(self, asset_ids: Sequence[str]) -> tuple[Latest, ...]:
        self._answer(*asset_ids)
        return tuple(sorted((i for i in self.newest if i.asset_id in asset_ids), key=lambda item: item.asset_id))

    async def history(self, query: HistoryQuery) -> History | None:
        self._answer(query.asset_id)
        self.queries.append(query)
        unknown = set(query.columns) - set(PUMP_CLASS.column_names)
        if unknown:
            raise BadQuery(f"centrifugal_pump has no column {', '.join(sorted(unknown))}")
        return self.stretches.get(query.asset_id)

    async def removed_assets(self, *, after: str, limit: int) -> tuple[DeregisteredAsset, ...]:
        self._answer(after)
        found = sorted(self.removed, key=lambda item: item.asset.asset_id)
        return tuple(item for item in found if item.asset.asset_id > after)[:limit]

    async def removed_asset(self, asset_id: str) -> DeregisteredAsset | None:
        self._answer(asset_id)
        return next((item for item in self.removed if item.asset.asset_id == asset_id), None)

    async def latest_health(self, asset_ids: Sequence[str]) -> tuple[AssetHealth, ...]:
        self._answer(*asset_ids)
        newest = {item.asset_id: item for item in sorted(self.health_events, key=lambda item: item.ts)}
        return tuple(newest[asset_id] for asset_id in sorted(newest) if asset_id in asset_ids)

    async def health(self, asset_id: str, interval: Interval) -> tuple[AssetHealth, ...]:
        self._answer(asset_id)
        own = [item for item in self.health_events if item.asset_id == asset_id]
        found = sorted((i for i in own if interval.start <= i.ts < interval.end), key=lambda item: item.ts)
        every = max(-(-len(found) // interval.limit), 1)
        return tuple(found[::-1][::every][::-1])

    async def alarms(
        self,
        *,
        open_alarms: bool | None = None,
        asset_id: str | None = None,
        priorities: Collection[Priority] | None = None,
        page: Page | None = None,
    ) -> ListPart[AlarmEntry]:
        self._answer(asset_id)
        chosen = [
            (entry.changed_at, entry.alarm.occurrence_id, entry)
            for entry in self.alarm_entries
            if (open_alarms is None or (entry.closed_at is None) == open_alarms)
            and asset_id in (None, entry.alarm.asset_id)
            and (priorities is None or entry.alarm.priority in priorities)
        ]
        return _newest_first(chosen, page)

    async def alarm(self, alarm_id: str) -> AlarmEntry | None:
        self._answer(alarm_id)
        return next((entry for entry in reversed(self.alarm_entries) if entry.alarm.alarm_id == alarm_id), None)

    async def alarm_events(
        self, *, asset_id: str | None = None, alarm_id: str | None = None, page: Page | None = None
    ) -> tuple[Alert, ...]:
        page = page or Page()
        self._answer(asset_id, alarm_id, page.before_id)
        ids = [alert.alert_id for alert in self.transitions]
        end = len(ids) if page.before is None else ids.index(page.before_id) if page.before_id in ids else 0
        chosen = (
            alert
            for alert in reversed(self.transitions[:end])
            if alarm_id in (None, alert.alarm.alarm_id) and asset_id in (None, alert.alarm.asset_id)
        )
        return tuple(chosen)[: page.limit]

    async def rejected(
        self, *, asset_id: str | None = None, reason: str | None = None, page: Page | None = None
    ) -> ListPart[RefusedMessage]:
        self._answer(asset_id, reason)
        chosen = [
            (item.rejected_at, item.rejected_id, in_short(item))
            for item in self.refused
            if reason in (None, item.reason) and asset_id in (None, item.asset_id)
        ]
        return _newest_first(chosen, page)

    async def rejected_one(self, rejected_id: str) -> RejectedReading | None:
        self._answer(rejected_id)
        found = self._refused_one(rejected_id)
        return None if found is None else found.model_copy(update={"original": b""})

    async def original(self, rejected_id: str) -> AsyncIterator[bytes]:
        self._answer(rejected_id)
        found = self._refused_one(rejected_id)
        if found is None:
            raise HistoryUnavailable(f"{rejected_id} was dropped while it was read")
        for start in range(0, len(found.original), 3):
            yield found.original[start : start + 3]

    def _refused_one(self, rejected_id: str) -> RejectedReading | None:
        return next((item for item in self.refused if item.rejected_id == rejected_id), None)

    async def models(self, asset_id: str | None = None, *, after: Card | None = None) -> Cards:
        self._answer(asset_id)
        places = {(card.asset_id, card.kind, -card.version): card for card in self.model_cards}
        start = None if after is None else (after.asset_id, after.kind, -after.version)
        return Cards(
            tuple(
                places[place].model_copy(update={"parameters": None})
                for place in sorted(places)
                if asset_id in (None, place[0]) and (start is None or place > start)
            )
        )

    async def model(self, asset_id: str, kind: str, version: int) -> ModelArtefact | None:
        self._answer(asset_id, kind)
        wanted = (asset_id, kind, version)
        return next((c for c in self.model_cards if (c.asset_id, c.kind, c.version) == wanted), None)


def _newest_first(rows: list[tuple[datetime, str, _T]], page: Page | None) -> ListPart[_T]:
    """Return a page of rows by time and id."""
    page = page or Page()
    left = [row for row in rows if page.before is None or row[:2] < (page.before, page.before_id)]
    kept = sorted(left, key=lambda row: row[:2], reverse=True)[: page.limit]
    return ListPart(tuple(row[2] for row in kept), kept[-1][:2] if len(kept) == page.limit else None)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
