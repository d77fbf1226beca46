"""The API's questions get the stored values, and roll-ups equal a recomputation from the readings."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import psycopg
import pytest
from psycopg.rows import dict_row

from forewarn.adapters.timescale.history import TimescaleHistory
from forewarn.contracts.alarms import Alarm, Alert, Priority, Transition
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import format_utc
from forewarn.contracts.frames import JUDGEMENT, FrameKind, JudgementSummary
from forewarn.contracts.health import AssetHealth, ModelArtefact
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.domain.time import US_PER_S
from forewarn.ports.history import (
    BadQuery,
    Card,
    Cards,
    HistoryQuery,
    HistoryUnavailable,
    Interval,
    Page,
    Part,
    RollUp,
)
from forewarn.ports.store import Item, Source
from forewarn.testing.examples import content
from forewarn.testing.frames import START_US
from support.sink_frames import random_frame

pytestmark = pytest.mark.integration

ROWS = 5_000
STEP_S = 7
START = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START_US)
END = START + timedelta(seconds=STEP_S * ROWS)
WIDTHS = {RollUp.MINUTE: 60, RollUp.HOUR: 3600, RollUp.DAY: 86400}


@pytest.fixture(scope="module")
def frames(pump):
    """Readings of some ten hours and their judgements, of which the last 100 are not there yet."""
    rng = np.random.default_rng(7)
    times = (START_US + STEP_S * US_PER_S * np.arange(ROWS)).tolist()
    readings = random_frame(FrameKind.VALID, pump, ["Q-1"] * ROWS, times, rng, nulls=0.1)
    judged = ROWS - 100
    results = random_frame(FrameKind.ANOMALY, pump, ["Q-1"] * judged, times[:judged], rng, nulls=0.1)
    return readings, results


@pytest.fixture(scope="module")
def stored_url(module_url, catalogue, pump, frames):
    from forewarn.adapters.timescale.store import TimescaleStore

    store = TimescaleStore(module_url, catalogue, application="test-history")
    source = Source("history", 0)
    others = random_frame(
        FrameKind.VALID, pump, ["Q-2"] * 3, [START_US, START_US + 1, START_US + 2], np.random.default_rng(1)
    )
    contents = [*frames, others, *events()]
    store.write([Item(source=source, offset=n, content=c) for n, c in enumerate(contents)], store.claim([source]))
    store.close()
    return module_url


@pytest.fixture
async def reader(stored_url, catalogue):
    async with TimescaleHistory(stored_url, catalogue) as history:
        yield history


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


def agree(got, expected, rel):
    """The same values within a relative tolerance, unknown at the same places."""
    assert [value is None for value in got] == [value is None for value in expected]
    assert [v for v in got if v is not None] == pytest.approx([v for v in expected if v is not None], rel=rel)


def means(values, bucket, count):
    """Mean, minimum and maximum by bucket, ignoring NaN; None where there is nothing."""
    out = []
    for number in range(count):
        own = values[bucket == number]
        own = own[np.isfinite(own)]
        out.append((own.mean(), own.min(), own.max()) if own.size else (None, None, None))
    return tuple(zip(*out, strict=True))


@pytest.mark.parametrize("roll_up", list(WIDTHS))
@pytest.mark.parametrize("name", ["flow_m3_h", "head_m", "power_kw"])
async def test_roll_ups_equal_a_recomputation(reader, frames, roll_up, name):
    readings, results = frames
    history = await reader.history(
        HistoryQuery(asset_id="Q-1", start=START, end=END, columns=(name,), roll_up=roll_up, max_points=10_000)
    )
    times_s = readings.arrays["ts"] // US_PER_S
    bucket = times_s // WIDTHS[roll_up]
    first = bucket[0]
    buckets = int(bucket[-1] - first) + 1
    bucket = bucket - first
    assert [t.timestamp() for t in history.ts] == [float((first + n) * WIDTHS[roll_up]) for n in range(buckets)]
    assert history.count == tuple(np.bincount(bucket, minlength=buckets).tolist())
    (series,) = history.series
    for got, expected in zip(
        (series.values, series.minimum, series.maximum), means(readings.arrays[name], bucket, buckets), strict=True
    ):
        agree(got, expected, rel=1e-12)
    judged = bucket[: results.rows]
    _, _, score = means(results.arrays["score"].astype(float), judged, buckets)
    agree(history.score, score, rel=1e-6)
    flagged = np.bincount(judged, weights=results.arrays["flag"], minlength=buckets) > 0
    has_results = np.bincount(judged, minlength=buckets) > 0
    assert history.flag == tuple(bool(f) if h else None for f, h in zip(flagged, has_results, strict=True))
    if name == "power_kw":
        expected, _, _ = means(results.arrays["expected_power_kw"].astype(float), judged, buckets)
        agree(series.expected, expected, rel=1e-6)
    if name != "head_m":
        good = (readings.arrays[f"quality_{name}"] == 0) & np.isfinite(readings.arrays[name])
        share = 100 * np.bincount(bucket, weights=good) / np.bincount(bucket)
        assert series.pct_good == pytest.approx(tuple(share))


@pytest.mark.parametrize("roll_up", list(WIDTHS))
async def test_the_views_show_what_the_reader_computes(stored_url, reader, roll_up):
    history = await reader.history(
        HistoryQuery(asset_id="Q-1", start=START, end=END, roll_up=roll_up, max_points=10_000)
    )
    with psycopg.connect(stored_url, row_factory=dict_row) as connection:
        rows = connection.execute(
            f"SELECT * FROM readings_centrifugal_pump_{roll_up.value} WHERE asset_id = 'Q-1' ORDER BY bucket"
        ).fetchall()
        judged = connection.execute(
            f"SELECT * FROM results_centrifugal_pump_{roll_up.value} WHERE asset_id = 'Q-1' ORDER BY bucket"
        ).fetchall()
    assert tuple(row["bucket"] for row in rows) == history.ts
    assert tuple(row["count"] for row in rows) == history.count
    for series in history.series:
        assert [row[f"avg_{series.column}"] for row in rows] == pytest.approx(list(series.values))
        if series.pct_good:
            assert [row[f"pct_good_{series.column}"] for row in rows] == pytest.approx(list(series.pct_good))
    assert [row["max_score"] for row in judged] == list(history.score[: len(judged)])


async def test_raw_history_is_exact_and_paged(reader, frames):
    readings, results = frames
    start, values, scores, judges = START, [], [], []
    while start is not None:
        page = await reader.history(
            HistoryQuery(
                asset_id="Q-1", start=start, end=END, columns=("power_kw",), roll_up=RollUp.RAW, max_points=999
            )
        )
        assert len(page.ts) <= 999
        values += page.series[0].values
        scores += page.score
        judges += zip(page.model_version, page.regime, strict=True)
        start = page.next_start
    own = readings.arrays["power_kw"]
    assert values == [None if np.isnan(v) else v for v in own.tolist()]
    judged = results.arrays["score"]
    assert scores == [float(str(v)) if np.isfinite(v) else None for v in judged] + [None] * 100
    told = zip(results.arrays["model_version"].tolist(), results.arrays["regime"].tolist(), strict=True)
    assert judges == [*told, *[(None, None)] * 100]
    first = await reader.history(HistoryQuery(asset_id="Q-1", start=START, end=START + timedelta(minutes=1)))
    assert first.roll_up is RollUp.RAW
    codes = next(s for s in first.series if s.column == "power_kw").quality
    assert codes == tuple(readings.arrays["quality_power_kw"][: len(codes)].tolist())


async def test_the_finest_roll_up_that_fits_is_chosen(reader):
    async def chosen(max_points):
        query = HistoryQuery(asset_id="Q-1", start=START, end=END, max_points=max_points)
        history = await reader.history(query)
        assert len(history.ts) <= max_points
        return history.roll_up

    assert await chosen(ROWS) is RollUp.RAW
    assert await chosen(ROWS - 1) is RollUp.MINUTE
    assert await chosen(100) is RollUp.HOUR
    assert await chosen(3) is RollUp.DAY


async def test_unknown_assets_columns_and_ranges_are_told_apart(reader):
    assert await reader.history(HistoryQuery(asset_id="nobody", start=START, end=END)) is None
    with pytest.raises(BadQuery, match="no column rpm; there are flow_m3_h"):
        await reader.history(HistoryQuery(asset_id="Q-1", start=START, end=END, columns=("rpm",)))
    with pytest.raises(BadQuery, match="before it starts"):
        HistoryQuery(asset_id="Q-1", start=END, end=START)
    empty = await reader.history(HistoryQuery(asset_id="Q-2", start=END, end=END + timedelta(hours=1)))
    assert empty.ts == ()


async def test_the_newest_reading_comes_with_the_newest_judgement(reader, frames):
    readings, results = frames
    assert await reader.asset_ids() == ("Q-1", "Q-2")
    assert await reader.asset_ids(after="Q-1", limit=5) == ("Q-2",)
    first, second = await reader.latest(["Q-2", "Q-1"])
    assert (first.asset_id, second.asset_id) == ("Q-1", "Q-2")
    assert first.ts == START + timedelta(seconds=STEP_S * (ROWS - 1))
    assert first.judged_at == START + timedelta(seconds=STEP_S * (results.rows - 1))
    assert first.quality["flow_m3_h"] == readings.arrays["quality_flow_m3_h"][-1]
    assert first.values.keys() == {*readings.asset_class.column_names}
    assert first.expected.keys() == {*readings.asset_class.twin.responses}
    newest = {name: values[-1] for name, values in content(results).items()}
    judged = JudgementSummary(**{column.name: newest[column.name] for column in JUDGEMENT})
    for name, value in judged:
        said = getattr(first.judgement, name)
        assert said == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else value), name
    assert second.judged_at is None
    assert second.judgement is None
    assert await reader.latest(["Q-2"]) == (second,)
    assert await reader.latest([]) == ()


async def test_health_comes_newest_or_evenly_thinned(reader):
    assert await reader.latest_health(["Q-1", "Q-2"]) == (health(49, 41.0),)
    assert await reader.latest_health(["Q-2"]) == ()
    everything = await reader.health("Q-1", Interval(start=START, end=END))
    assert everything == tuple(health(minute, 90.0 - minute) for minute in range(50))
    thinned = await reader.health("Q-1", Interval(start=START, end=END, limit=10))
    assert thinned == everything[4::5], "the newest stays, the others are evenly spaced"


async def test_alarms_can_be_filtered_and_paged(reader):
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


async def test_transitions_are_in_the_order_of_their_arrival(reader):
    """The one who acknowledged had a slower clock than the gateway."""
    transitions = await reader.alarm_events(alarm_id="Q-1/d")
    assert [t.transition for t in transitions] == [Transition.CLOSED, Transition.ACKNOWLEDGED, Transition.RAISED]
    last = transitions[0]
    rest = await reader.alarm_events(alarm_id="Q-1/d", page=Page(before=last.at, before_id=last.alert_id))
    assert rest == transitions[1:]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
async def test_what_the_database_cannot_hold_is_a_question_that_makes_no_sense(reader, text):
    with pytest.raises(BadQuery):
        await reader.rejected_one(text)
    with pytest.raises(BadQuery):
        await reader.alarms(asset_id=text)
    with pytest.raises(BadQuery, match="1970 to 2199"):
        Page(before=END.replace(year=9999))
    await reader.ping()


async def test_a_row_that_cannot_be_read_does_not_hide_the_others(reader, module_url):
    spoil = "UPDATE asset_health SET document = document || %s::jsonb WHERE ts = %s"
    with psycopg.connect(module_url, autocommit=True) as connection:
        connection.execute(spoil, ['{"ts": "0001-01-01T00:00:00Z"}', START])
        try:
            rest = await reader.health("Q-1", Interval(start=START, end=END))
        finally:
            connection.execute(spoil, [f'{{"ts": "{format_utc(START)}"}}', START])
    assert rest == tuple(health(minute, 90.0 - minute) for minute in range(1, 50))


async def test_refused_messages_can_be_browsed(reader):
    seen, part = [], await reader.rejected(page=Page(limit=3))
    while part.items:
        seen += part.items
        part = (
            await reader.rejected(page=Page(limit=3, before=part.last[0], before_id=part.last[1]))
            if part.last
            else Part()
        )
    assert [refusal.rejected_id for refusal in seen] == [f"raw/0/{number}" for number in reversed(range(10))]
    assert {(refusal.size_bytes, refusal.beginning) for refusal in seen} == {(1, b"{")}
    assert len((await reader.rejected(asset_id="Q-1")).items) == 5
    assert await reader.rejected(reason="physics") == Part()
    assert await reader.rejected_one("raw/0/3") == rejected(3).model_copy(update={"original": b""})
    assert [piece async for piece in reader.original("raw/0/3")] == [b"{"]
    assert await reader.rejected_one("raw/0/99") is None


async def test_all_model_versions_are_there_and_lists_leave_the_models_themselves_out(reader):
    bare = tuple(model(version).model_copy(update={"parameters": None}) for version in (2, 1))
    assert await reader.models("Q-1") == Cards(bare)
    after = Card(asset_id="Q-1", kind="twin", version=2)
    assert await reader.models("Q-1", after=after) == Cards(bare[1:])
    assert await reader.models("Q-2") == Cards()
    assert await reader.model("Q-1", "twin", 1) == model(1)
    assert await reader.model("Q-1", "twin", 3) is None


async def test_an_answer_ends_before_it_is_too_large_and_says_where_to_go_on(reader, monkeypatch):
    """A limit in rows bounds nothing where a row may be of any size."""
    module = "forewarn.adapters.timescale.history"
    size = len(health(0, 90.0).model_dump_json())
    monkeypatch.setattr(f"{module}.MAX_ANSWER_BYTES", 10 * size + 500)
    everything = tuple(health(minute, 90.0 - minute) for minute in range(50))
    thinned = await reader.health("Q-1", Interval(start=START, end=END))
    assert 5 <= len(thinned) <= 11
    assert thinned[-1] == everything[-1], "the newest stays"
    steps = {second.ts - first.ts for first, second in pairwise(thinned)}
    assert len(steps) == 1, "evenly thinned"

    monkeypatch.setattr(f"{module}.MAX_ANSWER_BYTES", 1)
    seen, page = [], Page(limit=9)
    while True:
        part = await reader.alarms(page=page)
        assert len(part.items) == 1, "one that is larger than all is an answer of its own"
        seen += [entry.alarm.occurrence_id for entry in part.items]
        if part.last is None:
            break
        page = Page(limit=9, before=part.last[0], before_id=part.last[1])
    assert seen == ["Q-1/a#1", "Q-1/c#3", "Q-1/c#2", "Q-1/c#1", "Q-1/b#1", "Q-1/d#1"]
    first = await reader.models("Q-1")
    second = await reader.models("Q-1", after=first.last)
    assert [card.version for card in (*first.items, *second.items)] == [2, 1]
    assert second.last is None
    assert len(await reader.alarm_events(alarm_id="Q-1/a")) == 1


async def test_a_reader_cannot_write(reader):
    from psycopg import errors

    async with reader._pool.connection() as connection:
        with pytest.raises(errors.ReadOnlySqlTransaction):
            await connection.execute("DELETE FROM alarm")


async def test_a_database_that_is_away_is_unavailable(catalogue):
    async with TimescaleHistory("postgresql://a:secret@127.0.0.1:1/x", catalogue) as away:
        with pytest.raises(HistoryUnavailable, match=r"127\.0\.0\.1:1/x") as caught:
            await away.ping()
    assert "secret" not in str(caught.value)


async def test_a_database_without_schema_is_unavailable(empty_url, catalogue):
    async with TimescaleHistory(empty_url, catalogue) as history:
        with pytest.raises(HistoryUnavailable, match="provision"):
            await history.latest_health(["Q-1"])


async def test_a_question_that_takes_too_long_is_given_up(stored_url, catalogue):
    async with TimescaleHistory(stored_url, catalogue, statement_timeout_s=0.05) as history:
        with pytest.raises(HistoryUnavailable, match="shorter range"):
            async with history._connection() as connection:
                await connection.execute("SELECT pg_sleep(5)")
