"""Rows and offsets become visible together; what a frame holds comes back exactly."""

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest
from psycopg.rows import dict_row

from forewarn.adapters.timescale.lifecycle import LifeCycle
from forewarn.adapters.timescale.migrate import migrate
from forewarn.adapters.timescale.store import TimescaleStore
from forewarn.contracts.alarms import Alarm, Alert, Transition
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.health import AssetHealth, HealthCategory, RulEstimate
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.domain.frames.frame import MISSING, Frame, Strings
from forewarn.domain.time import US_PER_S
from forewarn.ports.store import Fenced, Item, Source, StoreUnavailable, Tombstone, Unstorable
from forewarn.testing.frames import START_US
from support.sink_frames import random_frame
from support.stack import wait_until

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def store(module_url, open_store):
    return open_store(module_url)


@pytest.fixture
def source(request):
    """A partition that only this test uses."""
    return Source(request.node.name, 0)


def frame_of(pump, rng, asset_id, *, rows=100, kind=FrameKind.VALID, start=0, **options):
    times = (START_US + US_PER_S * (start + np.arange(rows))).tolist()
    return random_frame(kind, pump, [asset_id] * rows, times, rng, **options)


def item(source, offset, content):
    return Item(source=source, offset=offset, content=content)


def rows_of(url, view, asset_id):
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(f"SELECT * FROM {view} WHERE asset_id = %s ORDER BY ts", [asset_id]).fetchall()


def expected_values(frame, name):
    """Values of a frame's column as a database shows them."""
    if name in frame.strings:
        return frame.strings[name].to_list()
    values = frame.arrays[name]
    if name in ("ts", "received_at"):
        return [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us) for us in values.tolist()]
    if name == "seq":
        return [None if v == MISSING else v for v in values.tolist()]
    if values.dtype == np.float32:  # both sides show the shortest digits that give the same 32 bits
        return [float(str(v)) if np.isfinite(v) else None for v in values]
    return [None if isinstance(v, float) and not np.isfinite(v) else v for v in values.tolist()]


@pytest.mark.parametrize("nulls", [0.0, 0.3, 1.0])
def test_every_value_quality_and_unknown_comes_back_exactly(module_url, store, source, pump, rng, nulls):
    for offset, (kind, view) in enumerate(
        [(FrameKind.VALID, "readings_centrifugal_pump_v"), (FrameKind.ANOMALY, "results_centrifugal_pump_v")]
    ):
        asset_id = f"exact-{nulls}-{kind}"
        frame = frame_of(pump, rng, asset_id, kind=kind, rows=5000, nulls=nulls)
        store.write([item(source, offset, frame)], store.claim([source]))
        rows = rows_of(module_url, view, asset_id)
        assert len(rows) == 5000
        stored = [name for name in rows[0] if name not in ("asset_id", "asset_key")]
        assert {"ts", "score"} <= set(stored) or {"ts", "quality_flow_m3_h", "findings"} <= set(stored)
        for name in stored:
            assert [row[name] for row in rows] == expected_values(frame, name), name


def test_infinity_is_stored_as_unknown(module_url, store, source, pump, rng):
    frame = frame_of(pump, rng, "infinite", rows=2, nulls=0.0)
    values = np.array([np.inf, -np.inf])
    arrays = {**frame.arrays, "flow_m3_h": values}
    frame = Frame(kind=frame.kind, asset_class=pump, arrays=arrays, strings=frame.strings)
    store.write([item(source, 0, frame)], store.claim([source]))
    assert [r["flow_m3_h"] for r in rows_of(module_url, "readings_centrifugal_pump_v", "infinite")] == [None, None]


def test_a_straight_copy_that_meets_known_rows_is_repeated_staged(module_url, store, source, pump, rng):
    claims = store.claim([source])
    first = frame_of(pump, rng, "resent", rows=100)
    store.write([item(source, 0, first)], claims)
    overlapping = frame_of(pump, rng, "resent", rows=100, start=50)
    written = store.write([item(source, 1, overlapping)], claims)
    assert written.rows["readings_centrifugal_pump"] == 50
    assert written.duplicates["readings_centrifugal_pump"] == 50
    rows = rows_of(module_url, "readings_centrifugal_pump_v", "resent")
    assert len(rows) == 150
    kept = [row["flow_m3_h"] for row in rows[:100]]
    assert kept == expected_values(first, "flow_m3_h"), "what was stored first stays"


def test_the_same_instant_twice_in_one_batch_is_stored_once(module_url, store, source, pump, rng):
    frame = random_frame(FrameKind.VALID, pump, ["twice"] * 3, [START_US, START_US, START_US + 1], rng)
    written = store.write([item(source, 0, frame)], store.claim([source]))
    assert written.rows["readings_centrifugal_pump"] == 2
    assert len(rows_of(module_url, "readings_centrifugal_pump_v", "twice")) == 2


def test_late_rows_go_through_staging_beside_a_straight_copy(module_url, store, source, pump, rng):
    claims = store.claim([source])
    store.write([item(source, 0, frame_of(pump, rng, "late", rows=10, start=5))], claims)
    mixed = frame_of(pump, rng, "late", rows=20, late=False)
    is_late = np.arange(20) < 15
    mixed = Frame(kind=mixed.kind, asset_class=pump, arrays={**mixed.arrays, "late": is_late}, strings=mixed.strings)
    written = store.write([item(source, 1, mixed)], claims)
    assert written.rows["readings_centrifugal_pump"] == 10
    assert written.duplicates["readings_centrifugal_pump"] == 10


def test_another_sink_s_claim_fences_the_first_one(module_url, open_store, source, pump, rng):
    first, second = open_store(module_url), open_store(module_url)
    mine = first.claim([source])
    first.write([item(source, 0, frame_of(pump, rng, "fenced", rows=5))], mine)
    theirs = second.claim([source])
    assert theirs[source].next_offset == 1
    with pytest.raises(Fenced):
        first.write([item(source, 1, frame_of(pump, rng, "fenced", rows=5, start=10))], mine)
    assert len(rows_of(module_url, "readings_centrifugal_pump_v", "fenced")) == 5
    second.write([item(source, 1, frame_of(pump, rng, "fenced", rows=5, start=10))], theirs)
    assert len(rows_of(module_url, "readings_centrifugal_pump_v", "fenced")) == 10


def test_messages_that_are_stored_already_are_refused(module_url, store, source, pump, rng):
    claims = store.claim([source])
    store.write([item(source, 7, frame_of(pump, rng, "again", rows=5))], claims)
    with pytest.raises(Fenced):
        store.write([item(source, 7, frame_of(pump, rng, "again", rows=5))], claims)


def test_a_claim_waits_for_the_write_of_the_previous_owner(module_url, open_store, source):
    first, second = open_store(module_url), open_store(module_url)
    claims = first.claim([source])
    with psycopg.connect(module_url) as writer:  # the previous owner, stopped inside its transaction
        writer.execute(
            "UPDATE sink_offset SET next_offset = 42 WHERE topic = %s AND epoch = %s",
            [source.topic, claims[source].epoch],
        )
        result = []
        claiming = threading.Thread(target=lambda: result.append(second.claim([source])))
        claiming.start()
        with psycopg.connect(module_url, autocommit=True) as observer:
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%sink_o%'"
            wait_until(lambda: observer.execute(blocked).fetchone() != (0,))
        assert not result
        writer.commit()
    claiming.join(10)
    assert result[0][source].next_offset == 42


def test_a_previous_owner_that_hangs_in_its_transaction_is_cut_off(module_url, catalogue, open_store, source):
    claims = open_store(module_url).claim([source])
    heir = TimescaleStore(module_url, catalogue, application="heir", hung_after=timedelta(seconds=1))
    with psycopg.connect(module_url) as hung:
        hung.execute("UPDATE sink_offset SET next_offset = 42 WHERE topic = %s", [source.topic])
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            heir.claim([source])
        assert heir.claim([source])[source].epoch == claims[source].epoch + 1
        with pytest.raises(psycopg.OperationalError):
            hung.execute("SELECT 1")
    heir.close()


def test_a_value_the_database_refuses_leaves_nothing_behind(module_url, store, source, pump, rng):
    claims = store.claim([source])
    good = frame_of(pump, rng, "neighbour", rows=5)
    bad = frame_of(pump, rng, "with-nul", rows=5, nulls=0.0)
    texts = Strings.of(["a\0b"] * 5)
    bad = Frame(kind=bad.kind, asset_class=pump, arrays=bad.arrays, strings={**bad.strings, "findings": texts})
    with pytest.raises(Unstorable):
        store.write([item(source, 0, good), item(source, 1, bad)], claims)
    assert rows_of(module_url, "readings_centrifugal_pump_v", "neighbour") == []
    store.write([item(source, 0, good)], claims)


def test_after_a_lost_connection_the_store_goes_on_with_a_new_one(module_url, store, source, pump, rng):
    claims = store.claim([source])
    with psycopg.connect(module_url, autocommit=True) as killer:
        killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'test-sink' AND datname = current_database()"
        )
    with pytest.raises(StoreUnavailable):
        store.write([item(source, 0, frame_of(pump, rng, "reconnect", rows=5))], claims)
    claims = store.claim([source])
    assert claims[source].next_offset is None
    store.write([item(source, 0, frame_of(pump, rng, "reconnect", rows=5))], claims)
    assert len(rows_of(module_url, "readings_centrifugal_pump_v", "reconnect")) == 5


def test_a_rewound_partition_may_be_read_again(store, source):
    claims = store.claim([source])
    store.write([item(source, 99, None)], claims)
    claims = store.claim([source])
    assert claims[source].next_offset == 100
    store.rewind(claims[source], 3, None)
    assert store.claim([source])[source].next_offset == 3
    with pytest.raises(Fenced):
        store.rewind(claims[source], 4, None)


def alert(transition, at, *, active=True, acknowledged=False, alarm_id="A-1/hot"):
    alarm = Alarm(
        alarm_id=alarm_id,
        occurrence_id=f"{alarm_id}#1",
        asset_id="A-1",
        rule="hot",
        source="threshold",
        priority="high",
        active=active,
        acknowledged=acknowledged,
        raised_at=NOON,
        last_active_at=at,
        value=91.5,
        limit=90.0,
        unit="Cel",
        message="Bearing temperature high",
        action="Stop the pump",
    )
    return Alert(alert_id=f"{alarm_id}/{transition.value}", transition=transition, at=at, alarm=alarm)


def test_an_alarm_s_state_follows_its_transitions_and_redelivery_changes_nothing(module_url, store, source):
    raised = alert(Transition.RAISED, NOON)
    closed = alert(Transition.CLOSED, NOON + timedelta(minutes=5), active=False, acknowledged=True)
    claims = store.claim([source])
    store.write([item(source, 0, raised)], claims)
    with psycopg.connect(module_url) as connection:
        assert connection.execute("SELECT state, closed_at FROM alarm WHERE alarm_id = 'A-1/hot'").fetchone() == (
            "unacknowledged",
            None,
        )
    written = store.write([item(source, 1, closed), item(source, 2, raised)], claims)
    assert written.duplicates["alarm_event"] == 1
    with psycopg.connect(module_url) as connection:
        assert connection.execute("SELECT state, closed_at FROM alarm WHERE alarm_id = 'A-1/hot'").fetchone() == (
            "normal",
            NOON + timedelta(minutes=5),
        ), "an older transition that comes again does not open it"
        assert connection.execute("SELECT count(*) FROM alarm_event WHERE alarm_id = 'A-1/hot'").fetchone() == (2,)


def test_an_alarm_follows_the_order_of_arrival_and_not_the_clocks_of_senders(module_url, store, source):
    """A gateway's clock is ahead when it raises, somebody's is far ahead when he acknowledges."""
    ahead, far_ahead = NOON + timedelta(minutes=4), NOON.replace(year=2199)
    raised = alert(Transition.RAISED, ahead, alarm_id="A-1/m3")
    seen = alert(Transition.ACKNOWLEDGED, NOON, acknowledged=True, alarm_id="A-1/m3")
    closed = alert(Transition.CLOSED, far_ahead, active=False, acknowledged=True, alarm_id="A-1/m3")
    again = raised.model_copy(update={"alert_id": "A-1/m3/again"})
    claims = store.claim([source])
    with psycopg.connect(module_url, autocommit=True) as connection:
        states = []
        for offset, event in enumerate((raised, seen, closed, again, seen)):
            store.write([item(source, offset, event)], claims)
            states += connection.execute("SELECT state FROM alarm WHERE alarm_id = 'A-1/m3'").fetchall()
    assert [state for (state,) in states] == [
        "unacknowledged",
        "acknowledged",
        "normal",
        "unacknowledged",
        "unacknowledged",
    ]


def test_a_removed_asset_keeps_its_row_and_may_be_registered_again(module_url, store, source):
    asset = Asset(asset_id="gone-1", asset_class="centrifugal_pump", name="Pump", path=("plant", "area"))
    claims = store.claim([source])
    query = "SELECT name, removed_at IS NULL FROM asset WHERE asset_id = 'gone-1'"
    store.write([item(source, 0, asset), item(source, 1, Tombstone("gone-1", NOON))], claims)
    with psycopg.connect(module_url) as connection:
        assert connection.execute(query).fetchone() == ("Pump", False)
    store.write([item(source, 2, Tombstone("gone-1", NOON)), item(source, 3, asset)], claims)
    with psycopg.connect(module_url) as connection:
        assert connection.execute(query).fetchone() == ("Pump", True)


def test_the_newest_of_two_health_events_of_one_instant_stays(module_url, store, source):
    def health(value):
        return AssetHealth(
            asset_id="H-1",
            asset_class="centrifugal_pump",
            ts=NOON,
            health=value,
            category=HealthCategory.GOOD,
            trend="stable",
            trend_per_day=-0.1,
            metrics=(),
            anomaly_score=None,
            anomaly_flag=False,
            deviation=3.0,
            rul=tuple(
                RulEstimate(
                    failure_mode=mode, p10_days=days, p50_days=days + 1, p90_days=days + 2,
                    indicator="vibration_mm_s", threshold=7.1, model="test",
                )
                for mode, days in (("slow", 90.0), ("fast", 5.0))
            ),
        )  # fmt: skip

    store.write([item(source, 0, health(80.0)), item(source, 1, health(70.0))], store.claim([source]))
    with psycopg.connect(module_url) as connection:
        rows = connection.execute(
            "SELECT health, rul_p50_days, rul_failure_mode FROM asset_health JOIN asset USING (asset_key) "
            "WHERE asset_id = 'H-1'"
        ).fetchall()
    assert rows == [(70.0, 6.0, "fast")]


def test_refused_bytes_are_kept_unchanged_even_with_nul_in_the_texts(module_url, store, source):
    rejected = RejectedReading(
        rejected_id="t/0/0", topic="t", partition=0, offset=0, reason=RejectionReason.BAD_JSON,
        explanation="holds \0", recommendation="-", asset_id="a\0", rejected_at=NOON, key=b"\xff\0",
        original=bytes(range(256)),
    )  # fmt: skip
    store.write([item(source, 0, rejected)], store.claim([source]))
    with psycopg.connect(module_url) as connection:
        row = connection.execute("SELECT original, key, asset_id FROM rejected WHERE rejected_id = 't/0/0'").fetchone()
    assert row == (bytes(range(256)), b"\xff\0", "a␀")


def test_what_has_outlived_its_retention_is_dropped(migrated_url, open_store, source, pump, rng):
    store = open_store(migrated_url)
    claims = store.claim([source])
    days = 86_400
    old = frame_of(pump, rng, "R-1", rows=50, start=-100 * days)
    young = frame_of(pump, rng, "R-1", rows=50, start=-days)
    store.write([item(source, 0, old), item(source, 1, young)], claims)
    retained = store.retain(datetime(2026, 11, 21, tzinfo=UTC))
    assert retained.complete
    with psycopg.connect(migrated_url) as connection:
        means = connection.execute(
            "SELECT means FROM retention WHERE table_name = 'readings_centrifugal_pump'"
        ).fetchone()
        (left,) = connection.execute("SELECT count(*) FROM readings_centrifugal_pump").fetchone()
    if means == ("policy",):
        return  # TimescaleDB's own job drops them, in its own time
    assert left == 50
    assert retained.dropped["readings_centrifugal_pump"] == (50 if means == ("asset_rows",) else 1)


def test_the_oldest_rows_go_when_a_disk_budget_is_exceeded_and_junk_drives_out_no_readings(
    empty_url, catalogue, open_store, source, pump, rng
):
    migrate(empty_url, catalogue, lifecycle=LifeCycle(max_bytes=2_000_000))
    store = open_store(empty_url)
    claims = store.claim([source])
    day_s, last = 86_400, datetime.fromtimestamp(START_US / 1e6, tz=UTC)
    days = [frame_of(pump, rng, "R-1", rows=1000, start=-day * day_s) for day in range(20, 0, -1)]
    junk = [
        RejectedReading(
            rejected_id=f"t/0/{n}", topic="t", partition=0, offset=n, reason=RejectionReason.BAD_JSON, explanation="-",
            recommendation="-", rejected_at=last - timedelta(hours=n), original=rng.bytes(5_000),
        )
        for n in range(200)
    ]  # fmt: skip
    store.write([item(source, n, content) for n, content in enumerate([*days, *junk])], claims)
    with psycopg.connect(empty_url, autocommit=True) as connection:
        _let_statistics_catch_up(store, connection)
        before = _held(connection)
        rounds = 0
        while not (retained := store.retain(last)).complete or retained.dropped:
            rounds += 1
            assert rounds < 20, retained
            _let_statistics_catch_up(store, connection)
        after = _held(connection)
    assert before == (20_000, 200)
    readings, refused = after
    assert 0.05 * 20_000 < readings < 0.8 * 20_000
    assert 0.1 * 200 < refused < 0.4 * 200
    newest = rows_of(empty_url, "readings_centrifugal_pump_v", "R-1")
    assert newest[-1]["ts"] == last - timedelta(seconds=day_s - 999)
    assert newest[0]["ts"] > last - timedelta(days=18)


def _held(connection):
    """Readings and refused messages that are stored."""
    return tuple(
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("readings_centrifugal_pump", "rejected")
    )


def _let_statistics_catch_up(store, connection):
    """A session reports what it has changed when it ends, or within 10 s."""
    store.close()
    statement = "SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'rejected'"
    wait_until(lambda: connection.execute(statement).fetchone()[0] == _held(connection)[1], 10)
