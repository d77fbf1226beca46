"""What every history reader answers about stored events: one suite for the fake and for the database.

A test class inherits ``HistoryChecks`` and gives it a fixture ``reader`` that holds ``events()``.
"""

from datetime import UTC, datetime, timedelta

import pytest

from forewarn.contracts.alarms import Alarm, Alert, Priority, Transition
from forewarn.contracts.assets import Asset
from forewarn.contracts.health import AssetHealth, ModelArtefact
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.ports.history import BadQuery, Card, Cards, HistoryQuery, Interval, ListPart, Page
from forewarn.testing.frames import START_US

START = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START_US)
END = START + timedelta(hours=10)


def health(minute, value):
    return AssetHealth(
        asset_id="Q-1", asset_class="centrifugal_pump", ts=START + timedelta(minutes=minute), health=value,
        category="good", trend="stable", trend_per_day=None, metrics=(), anomaly_score=1.5, anomaly_flag=False,
        deviation=2.0,
    )  # fmt: skip


def rejected(number):
    return RejectedReading(
        rejected_id=f"raw/0/{number}", topic="raw", partition=0, offset=number, reason=RejectionReason.BAD_JSON,
        explanation="no JSON", recommendation="send JSON", asset_id="Q-1" if number % 2 else None,
        rejected_at=START + timedelta(seconds=number // 2), original=b"{",
    )  # fmt: skip


def model(version):
    return ModelArtefact(
        asset_id="Q-1", kind="twin", version=version, method="ridge", trained_from=START, trained_to=END,
        rows=300, r2={"power_kw": 0.99}, requested_by="anna", reason="new impeller", parameters=bytes(range(256)),
    )  # fmt: skip


def alert(alarm_id, transition, at, *, active=True, acknowledged=False, occurrence=1):
    alarm = Alarm(
        alarm_id=alarm_id, occurrence_id=f"{alarm_id}#{occurrence}", asset_id="Q-1", rule="hot", source="threshold",
        priority="high", active=active, acknowledged=acknowledged,
        raised_at=START if transition is Transition.CLOSED else at, last_active_at=at, value=91.5, limit=90.0,
        unit="Cel", message="Hot", action="Stop",
    )  # fmt: skip
    return Alert(alert_id=f"{alarm_id}/{transition.value}#{occurrence}", transition=transition, at=at, alarm=alarm)


def events():
    return [
        Asset(asset_id="Q-1", asset_class="centrifugal_pump", name="Feed pump", path=("plant", "hall")),
        *(health(minute, 90.0 - minute) for minute in range(50)),
        *(rejected(number) for number in range(10)),
        model(1),
        model(2),
        alert("Q-1/a", Transition.RAISED, START),
        alert("Q-1/b", Transition.RAISED, START),
        alert("Q-1/c", Transition.RAISED, START + timedelta(seconds=1)),
        alert("Q-1/a", Transition.CLOSED, START + timedelta(seconds=9), active=False, acknowledged=True),
        alert("Q-1/c", Transition.CLOSED, START + timedelta(seconds=3), active=False, acknowledged=True),
        alert("Q-1/c", Transition.RAISED, START + timedelta(seconds=4), occurrence=2),
        alert("Q-1/c", Transition.CLOSED, START + timedelta(seconds=5), active=False, acknowledged=True, occurrence=2),
        alert("Q-1/c", Transition.RAISED, START + timedelta(seconds=7), occurrence=3),
        alert("Q-1/d", Transition.RAISED, START + timedelta(seconds=2)),
        alert("Q-1/d", Transition.ACKNOWLEDGED, START - timedelta(seconds=9), acknowledged=True),
        alert("Q-1/d", Transition.CLOSED, START - timedelta(seconds=9), active=False, acknowledged=True),
    ]


class HistoryChecks:
    """Behaviour of a ``HistoryReader``."""

    async def test_health_comes_newest_or_evenly_thinned(self, reader):
        assert await reader.latest_health(["Q-1", "Q-2"]) == (health(49, 41.0),)
        assert await reader.latest_health(["Q-2"]) == ()
        everything = await reader.health("Q-1", Interval(start=START, end=END))
        assert everything == tuple(health(minute, 90.0 - minute) for minute in range(50))
        thinned = await reader.health("Q-1", Interval(start=START, end=END, limit=10))
        assert thinned == everything[4::5], "the newest stays, the others are evenly spaced"

    async def test_alarms_can_be_filtered_and_paged(self, reader):
        def ids(entries):
            return [entry.alarm.occurrence_id for entry in entries.items]

        everything = ["Q-1/a#1", "Q-1/c#3", "Q-1/c#2", "Q-1/c#1", "Q-1/b#1", "Q-1/d#1"]
        assert ids(await reader.alarms()) == everything
        assert ids(await reader.alarms(open_alarms=True)) == ["Q-1/c#3", "Q-1/b#1"]
        closed = await reader.alarms(open_alarms=False)
        assert ids(closed) == ["Q-1/a#1", "Q-1/c#2", "Q-1/c#1", "Q-1/d#1"], "every time that one was closed"
        assert [entry.closed_at for entry in closed.items] == [START + timedelta(seconds=s) for s in (9, 5, 3, -9)]
        assert ids(await reader.alarms(asset_id="Q-2")) == []
        assert ids(await reader.alarms(priorities=[Priority.HIGH])) == everything
        assert ids(await reader.alarms(priorities=[Priority.LOW])) == []
        page = await reader.alarms(page=Page(limit=2))
        before, before_id = page.last
        rest = await reader.alarms(page=Page(limit=9, before=before, before_id=before_id))
        assert rest.last is None
        assert ids(page) + ids(rest) == everything
        assert (await reader.alarm("Q-1/a")) == closed.items[0]
        assert await reader.alarm("nothing") is None
        transitions = await reader.alarm_events(alarm_id="Q-1/a")
        assert [t.transition for t in transitions] == [Transition.CLOSED, Transition.RAISED]
        assert len(await reader.alarm_events(asset_id="Q-1")) == 11

    async def test_transitions_are_in_the_order_of_their_arrival(self, reader):
        """The one who acknowledged had a slower clock than the gateway."""
        transitions = await reader.alarm_events(alarm_id="Q-1/d")
        assert [t.transition for t in transitions] == [Transition.CLOSED, Transition.ACKNOWLEDGED, Transition.RAISED]
        last = transitions[0]
        rest = await reader.alarm_events(alarm_id="Q-1/d", page=Page(before=last.at, before_id=last.alert_id))
        assert rest == transitions[1:]

    @pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
    async def test_what_the_database_cannot_hold_is_a_question_that_makes_no_sense(self, reader, text):
        with pytest.raises(BadQuery):
            await reader.rejected_one(text)
        with pytest.raises(BadQuery):
            await reader.alarms(asset_id=text)
        with pytest.raises(BadQuery, match="1970 to 2199"):
            Page(before=END.replace(year=9999))
        await reader.ping()

    async def test_refused_messages_can_be_browsed(self, reader):
        seen, part = [], await reader.rejected(page=Page(limit=3))
        while part.items:
            seen += part.items
            part = (
                await reader.rejected(page=Page(limit=3, before=part.last[0], before_id=part.last[1]))
                if part.last
                else ListPart()
            )
        assert [refusal.rejected_id for refusal in seen] == [f"raw/0/{number}" for number in reversed(range(10))]
        assert {(refusal.size_bytes, refusal.beginning) for refusal in seen} == {(1, b"{")}
        assert len((await reader.rejected(asset_id="Q-1")).items) == 5
        assert await reader.rejected(reason="physics") == ListPart()
        assert await reader.rejected_one("raw/0/3") == rejected(3).model_copy(update={"original": b""})
        assert [piece async for piece in reader.original("raw/0/3")] == [b"{"]
        assert await reader.rejected_one("raw/0/99") is None

    async def test_all_model_versions_are_there_and_lists_leave_the_models_themselves_out(self, reader):
        bare = tuple(model(version).model_copy(update={"parameters": None}) for version in (2, 1))
        assert await reader.models("Q-1") == Cards(bare)
        after = Card(asset_id="Q-1", kind="twin", version=2)
        assert await reader.models("Q-1", after=after) == Cards(bare[1:])
        assert await reader.models("Q-2") == Cards()
        assert await reader.model("Q-1", "twin", 1) == model(1)
        assert await reader.model("Q-1", "twin", 3) is None

    async def test_an_alarm_is_its_last_occurrence(self, reader):
        entry = await reader.alarm("Q-1/c")
        assert (entry.alarm.occurrence_id, entry.closed_at) == ("Q-1/c#3", None)

    async def test_of_an_unknown_asset_there_is_nothing(self, reader):
        assert await reader.history(HistoryQuery(asset_id="nobody", start=START, end=END)) is None
        assert (
            await reader.latest(["nobody"]) == await reader.latest_health(["nobody"]) == await reader.latest([]) == ()
        )
        assert await reader.health("nobody", Interval(start=START, end=END)) == ()
        assert await reader.alarm_events(asset_id="nobody") == ()
        assert await reader.removed_asset("Q-1") is None, "it is registered"
        assert await reader.removed_assets(after="", limit=10) == ()
        assert "Q-1" in await reader.asset_ids()
        assert "Q-1" not in await reader.asset_ids(after="Q-1")

    async def test_a_page_after_an_unknown_transition_is_empty(self, reader):
        assert await reader.alarm_events(page=Page(before=END, before_id="no such transition")) == ()
