"""Summaries of all assets, kept in step with registry and live view, so that an overview costs only its page.

A summary is updated when its asset has changed. That takes some 50 µs, so it is done in slices that leave the event
loop most of its time; the rows of a requested page are always fresh.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forewarn.contracts.alarms import Alarm, Priority
from forewarn.contracts.answers.overview import AssetRow, Counts, Overview, Sort, WorstAlarm
from forewarn.contracts.assets import Asset
from forewarn.contracts.health import Condition
from forewarn.domain.health.condition import CONDITIONS, condition_of, stale_after_s
from forewarn.domain.time import US_PER_S, to_datetime
from forewarn.ports.live import HealthInShort, JudgementInShort, LiveInShort
from forewarn.usecases.backend import Backend

_SLICE_S: Final = 0.02
_PAUSE_S: Final = 0.06
_EVERY_S: Final = 1.0
#: After so long without a request, rows are no longer updated.
_IDLE_S: Final = 60.0
#: How long the results of a query are reused, and how many are kept.
_KEEP_S: Final = 1.0
_KEEP: Final = 32
_RANK: Final = {Priority.CRITICAL: 0, Priority.HIGH: 1, Priority.MEDIUM: 2, Priority.LOW: 3}
_URGENCY: Final[dict[Condition, int]] = {
    "attention": 0,
    "stale": 1,
    "silent": 2,
    "unjudged": 3,
    "learning": 4,
    "normal": 5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which assets, in which order; an empty field does not filter."""

    text: str = ""
    asset_class: str = ""
    path: tuple[str, ...] = ()
    conditions: frozenset[Condition] = frozenset()
    assets: frozenset[str] = frozenset()
    sort: Sort = Sort.AREA


@dataclass(slots=True)
class _Entry:
    """An asset, with what is computed once a change."""

    asset: Asset
    text: str
    place: tuple[bool, tuple[str, ...], str, str]
    name: str
    ts_s: float | None = None
    interval_s: float | None = None
    judgement: JudgementInShort | None = None
    health: HealthInShort | None = None
    alarms: int = 0
    alarm: Alarm | None = None
    live: Condition = "silent"  # unless its data go stale


class PlantIndex:
    """Rows of all assets, in pages; for one event loop."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._entries: dict[str, _Entry] = {}
        self._registered: Mapping[str, Asset] = {}
        self._version = 0
        self._behind: dict[str, None] = {}
        self._asked_s = float("-inf")
        self._answers: OrderedDict[Question, tuple[float, list[_Entry]]] = OrderedDict()
        self._counts: tuple[float, Counts] | None = None

    async def run(self) -> None:
        """Update rows in slices until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            if self._now_s() - self._asked_s < _IDLE_S:
                self._note_changes()
                while self._behind:
                    self._work_off(_SLICE_S)
                    await asyncio.sleep(_PAUSE_S)

    def answer(self, question: Question, offset: int, limit: int) -> Overview:
        """Return a page of assets with up-to-date rows."""
        self._asked_s = self._now_s()
        self._note_changes()
        self._work_off(_SLICE_S)
        found = self._found(question)
        page = found[offset : offset + limit]
        for entry in page:
            if entry.asset.asset_id in self._behind:
                del self._behind[entry.asset.asset_id]
                self._update(entry)
        now_s = self._backend.clock.now().timestamp()
        items = [_row(entry, _condition(entry, now_s)) for entry in page]
        return Overview(counts=self._count(), found=len(found), items=items)

    def _note_changes(self) -> None:
        registered = self._backend.registry.all()
        if registered is not self._registered:
            for gone in self._entries.keys() - registered.keys():
                del self._entries[gone]
                self._behind.pop(gone, None)
            for asset_id, asset in registered.items():
                known = self._entries.get(asset_id)
                if known is None or known.asset is not asset:
                    self._entries[asset_id] = _entry(asset)
                    self._behind[asset_id] = None
            self._registered = registered
            self._answers.clear()
            self._counts = None
        version = self._backend.live.version
        if version != self._version:
            changed = self._backend.live.changed_since(self._version)
            self._version = version
            self._behind.update((asset_id, None) for asset_id in changed if asset_id in self._entries)

    def _work_off(self, budget_s: float) -> None:
        until_s = asyncio.get_running_loop().time() + budget_s
        while self._behind:
            asset_id = next(iter(self._behind))
            del self._behind[asset_id]
            self._update(self._entries[asset_id])
            if asyncio.get_running_loop().time() > until_s:
                return

    def _update(self, entry: _Entry) -> None:
        _take(entry, self._backend.live.in_short(entry.asset.asset_id) or _NOTHING)

    def _found(self, question: Question) -> list[_Entry]:
        now_s = self._now_s()
        kept = self._answers.get(question)
        if kept is not None and now_s - kept[0] < _KEEP_S:
            return kept[1]
        found = _arranged(_chosen(self._entries.values(), question, self._backend.clock.now().timestamp()), question)
        self._answers[question] = (now_s, found)
        self._answers.move_to_end(question)
        if len(self._answers) > _KEEP:
            self._answers.popitem(last=False)
        return found

    def _count(self) -> Counts:
        now_s = self._now_s()
        if self._counts is None or now_s - self._counts[0] >= _KEEP_S:
            self._counts = (now_s, self._counted())
        return self._counts[1]

    def _counted(self) -> Counts:
        at_s = self._backend.clock.now().timestamp()
        conditions = Counter(_condition(entry, at_s) for entry in self._entries.values())
        alarms = [alarm for alarm in self._backend.live.alarms() if alarm.asset_id in self._entries]
        priorities = Counter(alarm.priority for alarm in alarms)
        return Counts(
            assets=len(self._entries),
            conditions={name: conditions[name] for name in CONDITIONS},
            priorities={priority: priorities[priority] for priority in Priority},
            unacknowledged=sum(not alarm.acknowledged for alarm in alarms),
        )

    def _now_s(self) -> float:
        return self._backend.clock.monotonic_s()


def _entry(asset: Asset) -> _Entry:
    name = asset.name.casefold()
    return _Entry(
        asset=asset,
        text=" ".join((asset.asset_id, asset.name, asset.asset_class, *asset.path)).casefold(),
        place=(not asset.path, asset.path[1:3] if len(asset.path) > 1 else asset.path, name, asset.asset_id),
        name=name,
    )


#: For assets that the live view does not hold.
_NOTHING: Final = LiveInShort()


def _take(entry: _Entry, live: LiveInShort) -> None:
    """Update an entry."""
    ts_s = None if live.ts_us is None else live.ts_us / US_PER_S
    if ts_s is not None and entry.ts_s is not None and ts_s > entry.ts_s:
        entry.interval_s = ts_s - entry.ts_s
    entry.ts_s = ts_s
    entry.judgement = judged = live.judgement
    entry.health = live.health
    entry.alarms = len(live.alarms)
    entry.alarm = min(live.alarms, key=_alarm_rank, default=None)
    entry.live = "silent"
    if ts_s is not None:
        entry.live = condition_of(
            stale=False,
            alarms=bool(live.alarms),
            flag=judged is not None and judged.flag,
            category=None if live.health is None else live.health.category,
            score=None if judged is None else judged.score,
            phase=None if judged is None else judged.phase,
        )


def _row(entry: _Entry, condition: Condition) -> AssetRow:
    asset, judged, health, worst = entry.asset, entry.judgement, entry.health, entry.alarm
    return AssetRow(
        asset_id=asset.asset_id,
        name=asset.name,
        asset_class=asset.asset_class,
        path=asset.path,
        criticality=asset.criticality,
        condition=condition,
        ts=None if entry.ts_s is None else to_datetime(round(entry.ts_s * US_PER_S)),
        health=None if health is None else health.health,
        category=None if health is None else health.category,
        trend="unknown" if health is None else health.trend,
        score=None if judged is None else judged.score,
        flag=judged is not None and judged.flag,
        alarm=None if worst is None else WorstAlarm(priority=worst.priority, message=worst.message),
        alarms=entry.alarms,
    )


def _alarm_rank(alarm: Alarm) -> tuple[int, bool, datetime]:
    return _RANK[alarm.priority], alarm.acknowledged, alarm.raised_at


def _condition(entry: _Entry, now_s: float) -> Condition:
    if entry.ts_s is not None and now_s - entry.ts_s > stale_after_s(entry.interval_s):
        return "stale"
    return entry.live


def _chosen(entries: Iterable[_Entry], question: Question, now_s: float) -> Sequence[_Entry]:
    text, path, depth = question.text.casefold(), question.path, len(question.path)
    return [
        entry
        for entry in entries
        if (not text or text in entry.text)
        and (not question.asset_class or entry.asset.asset_class == question.asset_class)
        and (not depth or entry.asset.path[:depth] == path)
        and (not question.assets or entry.asset.asset_id in question.assets)
        and (not question.conditions or _condition(entry, now_s) in question.conditions)
    ]


def _arranged(entries: Sequence[_Entry], question: Question) -> list[_Entry]:
    if question.sort is Sort.AREA:
        return sorted(entries, key=lambda entry: entry.place)
    if question.sort is Sort.ATTENTION:
        return sorted(
            entries, key=lambda entry: (_URGENCY[entry.live], _priority(entry), entry.name, entry.asset.asset_id)
        )
    if question.sort is Sort.HEALTH:
        return sorted(entries, key=_by_health)
    return sorted(entries, key=lambda entry: (entry.name, entry.asset.asset_id))


def _by_health(entry: _Entry) -> tuple[bool, float, str, str]:
    health = None if entry.health is None else entry.health.health
    return health is None, 0.0 if health is None else health, entry.name, entry.asset.asset_id


def _priority(entry: _Entry) -> int:
    return len(_RANK) if entry.alarm is None else _RANK[entry.alarm.priority]
