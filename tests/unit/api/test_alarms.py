"""Alarms, acknowledgement, rejected messages, models."""

from datetime import timedelta

import pytest

from forewarn.contracts.alarms import Alert, Transition
from forewarn.contracts.assets import AcknowledgeAlarm, Command
from forewarn.contracts.readings import RejectionReason
from forewarn.ports.history import AlarmEntry
from forewarn.testing.api_examples import NOW, alarm, model_card, rejected
from forewarn.testing.fakes import FakePlatform

ACKNOWLEDGE = "/api/v1/alarms/P-101/vibration_high/acknowledge"


def ids(answer):
    return [item["alarm"]["alarm_id"] for item in answer.json()["items"]]


def test_open_alarms_come_from_the_live_feed_newest_first(client, platform):
    platform.history.away = True
    platform.live.take_alarm("P-101/a", alarm(rule="a", raised_at=NOW - timedelta(minutes=2)))
    platform.live.take_alarm("P-101/b", alarm(rule="b", raised_at=NOW - timedelta(minutes=1), acknowledged=True))
    platform.live.take_alarm("P-102/a", alarm("P-102", "a", priority="critical", active=False))
    assert ids(client.get("/api/v1/alarms")) == ["P-102/a", "P-101/b", "P-101/a"]
    assert ids(client.get("/api/v1/alarms", params={"asset": "P-101"})) == ["P-101/b", "P-101/a"]
    assert ids(client.get("/api/v1/alarms", params={"state": "acknowledged"})) == ["P-101/b"]
    assert ids(client.get("/api/v1/alarms", params={"state": "returned_unacknowledged"})) == ["P-102/a"]
    assert ids(client.get("/api/v1/alarms", params={"priority": ["critical", "high"]})) == ["P-102/a"]


@pytest.mark.parametrize("state", ["open", "all"])
def test_pages_of_alarms_hold_each_alarm_once(client, platform, state):
    alarms = [alarm(rule=f"r{n}", occurrence_id=f"o-{n}", raised_at=NOW + timedelta(seconds=n // 2)) for n in range(7)]
    for item in alarms:
        platform.live.take_alarm(item.alarm_id, item)
    platform.history.alarm_entries = tuple(AlarmEntry(alarm=item, closed_at=None) for item in alarms)
    seen, cursor = [], None
    while True:
        params = {"limit": 3, "state": state} | ({"cursor": cursor} if cursor else {})
        answer = client.get("/api/v1/alarms", params=params)
        seen += ids(answer)
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(item.alarm_id for item in alarms)


@pytest.mark.parametrize("state", ["open", "closed", "all"])
def test_pages_chosen_by_priority_are_full_until_the_last(client, platform, state):
    closed_at = None if state == "open" else NOW + timedelta(hours=1)
    alarms = [
        alarm(rule=f"r{n}", occurrence_id=f"o-{n}", priority="high" if n % 3 else "low", raised_at=NOW)
        for n in range(6)
    ]
    platform.history.alarm_entries = tuple(AlarmEntry(alarm=item, closed_at=closed_at) for item in alarms)
    for item in alarms:
        platform.live.take_alarm(item.alarm_id, item)
    params = {"limit": 2, "state": state, "priority": "low"}
    assert ids(client.get("/api/v1/alarms", params=params)) == ["P-101/r3", "P-101/r0"]


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24=", "WzEsMl0=", "é", "W10=", "WyIyMDI2LTExLTIwIiwieCJd"])
def test_a_cursor_that_is_none_of_ours_is_refused(client, cursor):
    assert client.get("/api/v1/alarms", params={"cursor": cursor}).status_code == 422


def test_an_alarm_comes_with_its_transitions(client, platform):
    raised = Alert(alert_id="a-1", transition=Transition.RAISED, at=NOW, alarm=alarm())
    platform.history.transitions = (raised,)
    platform.live.take_alarm("P-101/vibration_high", alarm(acknowledged=True))
    answer = client.get("/api/v1/alarms/P-101/vibration_high").json()
    assert answer["alarm"]["state"] == "acknowledged"
    assert [item["transition"] for item in answer["transitions"]] == ["raised"]


def test_a_closed_alarm_comes_from_the_database(client, platform):
    platform.history.alarm_entries = (AlarmEntry(alarm=alarm(), closed_at=NOW),)
    answer = client.get("/api/v1/alarms/P-101/vibration_high").json()
    assert answer["closed_at"] == "2026-11-20T20:00:00.000000Z"
    assert client.get("/api/v1/alarms/P-101/never").status_code == 404


def test_acknowledging_publishes_a_command(client, platform):
    platform.live.take_alarm("P-101/vibration_high", alarm())
    answer = client.post(ACKNOWLEDGE, json={"occurrence_id": "o-1", "comment": "seen", "by": "ada"})
    assert answer.status_code == 202
    assert answer.json()["seen"] is False
    [(topic, key, command)] = platform.delivery.events
    assert (topic, key) == ("commands", "P-101")
    assert isinstance(command, Command)
    assert command.issued_by == "ada"
    assert command.body == AcknowledgeAlarm(alarm_id="P-101/vibration_high", occurrence_id="o-1", comment="seen")


class AnsweringPlatform(FakePlatform):
    """Alerting answers a command as soon as it is published."""

    reply = alarm(acknowledged=True, acknowledged_by="ada")

    def __post_init__(self):
        super().__post_init__()
        publish = self.delivery.publish

        async def publish_and_reply(*args, **kwargs):
            failed = await publish(*args, **kwargs)
            self.live.take_alarm("P-101/vibration_high", self.reply)
            self.live.announce()
            return failed

        self.delivery.publish = publish_and_reply


class ClosingPlatform(AnsweringPlatform):
    reply = None


@pytest.mark.parametrize("kind", [AnsweringPlatform, ClosingPlatform])
class TestWaiting:
    @pytest.fixture
    def platform(self, kind):
        return kind()

    def test_waiting_returns_the_alarm_as_it_became(self, client, platform):
        platform.live.take_alarm("P-101/vibration_high", alarm())
        answer = client.post(ACKNOWLEDGE, params={"wait_s": 5}, json={"occurrence_id": "o-1", "by": "ada"})
        assert answer.status_code == 200
        assert answer.json()["seen"] is True
        shown = answer.json()["alarm"]
        assert shown is None if platform.reply is None else shown["acknowledged_by"] == "ada"


class OutrunPlatform(AnsweringPlatform):
    """Another API's command reaches alerting first."""

    reply = alarm(acknowledged=True, acknowledged_by="eve", acknowledged_at=NOW, acknowledged_command="another")


class TestOutrun:
    @pytest.fixture
    def platform(self):
        return OutrunPlatform()

    def test_whose_command_came_second_learns_who_was_first(self, client, platform):
        platform.live.take_alarm("P-101/vibration_high", alarm())
        answer = client.post(ACKNOWLEDGE, params={"wait_s": 5}, json={"occurrence_id": "o-1", "by": "ada"})
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:forewarn:problem:already-acknowledged")
        assert answer.json()["detail"].startswith("eve ")


def test_who_comes_second_learns_who_was_first(client, platform):
    platform.live.take_alarm("P-101/vibration_high", alarm())
    assert client.post(ACKNOWLEDGE, json={"occurrence_id": "o-1", "by": "ada"}).status_code == 202
    late = client.post(ACKNOWLEDGE, json={"occurrence_id": "o-1", "by": "bob"})
    assert (late.status_code, late.json()["type"]) == (409, "urn:forewarn:problem:already-acknowledged")
    assert late.json()["detail"].startswith("ada ")
    assert len(platform.delivery.events) == 1
    platform.clock.at += timedelta(seconds=60)  # the alerting service is away: the command may be given again
    assert client.post(ACKNOWLEDGE, json={"occurrence_id": "o-1", "by": "bob"}).status_code == 202


def test_a_person_who_repeats_an_acknowledgement_gets_the_same_answer(client, platform):
    platform.live.take_alarm("P-101/vibration_high", alarm())
    body = {"occurrence_id": "o-1", "by": "ada"}
    first, again = (client.post(ACKNOWLEDGE, json=body) for _ in range(2))
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert {event.command_id for _, _, event in platform.delivery.events} == {first.json()["command_id"]}

    settled = {"acknowledged": True, "acknowledged_by": "ada", "acknowledged_at": NOW, "acknowledged_command": "c-7"}
    platform.live.take_alarm("P-101/vibration_high", alarm(**settled))
    late = client.post(ACKNOWLEDGE, json=body)
    assert (late.status_code, late.json()["seen"], late.json()["command_id"]) == (200, True, "c-7")
    assert client.post(ACKNOWLEDGE, json={**body, "by": "bob"}).status_code == 409
    assert len(platform.delivery.events) == 2


def test_a_repeated_acknowledgement_that_fails_leaves_the_first_one_alone(client, platform):
    platform.live.take_alarm("P-101/vibration_high", alarm())
    body = {"occurrence_id": "o-1", "by": "ada"}
    assert client.post(ACKNOWLEDGE, json=body).status_code == 202
    platform.delivery.away = True
    assert client.post(ACKNOWLEDGE, json=body).status_code == 503
    platform.delivery.away = False
    assert client.post(ACKNOWLEDGE, json={**body, "by": "bob"}).status_code == 409


def test_an_acknowledgement_that_could_not_be_sent_stands_in_nobodys_way(client, platform):
    platform.live.take_alarm("P-101/vibration_high", alarm())
    platform.delivery.away = True
    assert client.post(ACKNOWLEDGE, json={"occurrence_id": "o-1", "by": "ada"}).status_code == 503
    platform.delivery.away = False
    assert client.post(ACKNOWLEDGE, json={"occurrence_id": "o-1", "by": "bob"}).status_code == 202


def test_waiting_in_vain_ends_with_202(client, platform):
    platform.live.take_alarm("P-101/vibration_high", alarm())
    answer = client.post(ACKNOWLEDGE, params={"wait_s": 0.05}, json={"occurrence_id": "o-1"})
    assert (answer.status_code, answer.json()["seen"]) == (202, False)


def test_an_occurrence_that_never_was_is_not_found(client, platform):
    platform.live.take_alarm("P-101/vibration_high", alarm(occurrence_id="o-2"))
    answer = client.post(ACKNOWLEDGE, json={"occurrence_id": "o-9"})
    assert answer.status_code == 404
    assert "has no occurrence 'o-9'" in answer.json()["detail"]
    assert answer.json()["alarm"]["occurrence_id"] == "o-2"
    assert platform.delivery.events == []


@pytest.mark.parametrize("database_away", [False, True])
def test_a_newer_occurrence_is_not_acknowledged(client, platform, database_away):
    raised = Alert(alert_id="a-1", transition=Transition.RAISED, at=NOW, alarm=alarm(occurrence_id="o-1"))
    platform.history.transitions = (raised,)
    platform.history.away = database_away
    platform.live.take_alarm("P-101/vibration_high", alarm(occurrence_id="o-2"))
    answer = client.post(ACKNOWLEDGE, json={"occurrence_id": "o-1"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:forewarn:problem:newer-occurrence"
    assert answer.json()["alarm"]["occurrence_id"] == "o-2"
    assert platform.delivery.events == []


def test_an_alarm_is_acknowledged_once(client, platform):
    platform.live.take_alarm(
        "P-101/vibration_high", alarm(acknowledged=True, acknowledged_by="bob", acknowledged_at=NOW)
    )
    answer = client.post(ACKNOWLEDGE, json={"occurrence_id": "o-1"})
    assert answer.status_code == 409
    assert "bob" in answer.json()["detail"]


def test_what_is_not_open_cannot_be_acknowledged(client):
    assert client.post(ACKNOWLEDGE, json={"occurrence_id": "o-1"}).status_code == 404


def test_alarms_are_not_guessed_while_the_live_state_is_still_read(client, platform):
    platform.live_problem = "still reading"
    assert client.get("/api/v1/alarms").status_code == 503
    assert client.post(ACKNOWLEDGE, json={"occurrence_id": "o-1"}).status_code == 503


def test_rejected_messages_are_listed_with_a_preview(client, platform):
    platform.history.refused = (rejected(original=b"\xff" * 5000), rejected("readings.raw/3/18", reason="bad_json"))
    _, first = client.get("/api/v1/rejected").json()["items"]
    assert first["size_bytes"] == 5000
    assert first["preview"] == "\ufffd" * 2048
    only = client.get("/api/v1/rejected", params={"reason": "bad_json"}).json()["items"]
    assert [item["rejected_id"] for item in only] == ["readings.raw/3/18"]


def test_a_rejected_message_is_replayed_with_its_original_bytes_under_its_asset(client, platform):
    original = b'{"asset_id": "P-101", "oddly":   "spaced"}'
    platform.history.refused = (rejected(original=original, key=b"wrong", reason=RejectionReason.KEY_MISMATCH),)
    answer = client.post("/api/v1/rejected/readings.raw/3/17/replay")
    assert answer.status_code == 202
    [message] = platform.delivery.sent
    assert (message.topic, message.key, message.value) == ("readings.raw", b"P-101", original)


def test_a_replay_that_is_repeated_at_once_is_sent_once(client, platform):
    platform.history.refused = (rejected(),)
    first, again = (client.post("/api/v1/rejected/readings.raw/3/17/replay") for _ in range(2))
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (202, first.json())
    assert len(platform.delivery.sent) == 1
    platform.clock.at += timedelta(seconds=11)
    assert client.post("/api/v1/rejected/readings.raw/3/17/replay").status_code == 202
    assert len(platform.delivery.sent) == 2


def test_a_quarantined_message_is_replayed_to_the_partition_it_came_from(client, platform):
    changes = {"topic": "plant.readings.valid", "key": None, "asset_id": None, "reason": RejectionReason.QUARANTINED}
    platform.history.refused = (rejected(original=b"frame", **changes),)
    assert client.post("/api/v1/rejected/readings.raw/3/17/replay").status_code == 202
    [message] = platform.delivery.sent
    assert (message.topic, message.partition, message.value) == ("readings.valid", 3, b"frame")


@pytest.mark.parametrize(
    "changes",
    [
        {"topic": "readings.valid"},
        {"asset_id": None, "key": None},
        {"topic": "alerts.active", "reason": RejectionReason.QUARANTINED},
    ],
)
def test_what_would_be_refused_again_is_not_replayed(client, platform, changes):
    platform.history.refused = (rejected(**changes),)
    answer = client.post("/api/v1/rejected/readings.raw/3/17/replay")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:forewarn:problem:not-replayable")
    assert platform.delivery.sent == []


def test_a_rejected_message_can_be_read_whole(client, platform):
    platform.history.refused = (rejected(original=b"\x00\xff"),)
    answer = client.get("/api/v1/rejected/readings.raw/3/17").json()
    assert answer["rejected"]["original"] == "AP8="
    assert client.get("/api/v1/rejected/readings.raw/3/99").status_code == 404


def test_models_are_the_newest_unless_all_are_asked_for(client, platform):
    platform.live.take_model("P-101/twin", model_card(version=2))
    platform.history.model_cards = (model_card(version=2), model_card(version=1))
    assert [m["version"] for m in client.get("/api/v1/models").json()["items"]] == [2]
    every = client.get("/api/v1/models", params={"all_versions": True}).json()["items"]
    assert [m["version"] for m in every] == [2, 1]
