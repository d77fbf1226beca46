"""The API's questions get the stored values, and roll-ups equal a recomputation from the readings."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import psycopg
import pytest
from psycopg.rows import dict_row

from forewarn.adapters.timescale.history import TimescaleHistory
from forewarn.contracts.base import format_utc
from forewarn.contracts.frames import JUDGEMENT, FrameKind, JudgementSummary
from forewarn.domain.time import US_PER_S
from forewarn.ports.history import (
    BadQuery,
    HistoryQuery,
    HistoryUnavailable,
    Interval,
    Page,
    RollUp,
)
from forewarn.ports.store import Item, Source
from forewarn.testing.examples import content
from forewarn.testing.frames import START_US
from support.history_checks import START, HistoryChecks, events, health
from support.sink_frames import random_frame

pytestmark = pytest.mark.integration

ROWS = 5_000
STEP_S = 7
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
    reported = zip(results.arrays["model_version"].tolist(), results.arrays["regime"].tolist(), strict=True)
    assert judges == [*reported, *[(None, None)] * 100]
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


class TestStoredEvents(HistoryChecks):
    """The database passes the suite of every history reader."""


async def test_a_row_that_cannot_be_read_does_not_hide_the_others(reader, module_url):
    spoil = "UPDATE asset_health SET document = document || %s::jsonb WHERE ts = %s"
    with psycopg.connect(module_url, autocommit=True) as connection:
        connection.execute(spoil, ['{"ts": "0001-01-01T00:00:00Z"}', START])
        try:
            rest = await reader.health("Q-1", Interval(start=START, end=END))
        finally:
            connection.execute(spoil, [f'{{"ts": "{format_utc(START)}"}}', START])
    assert rest == tuple(health(minute, 90.0 - minute) for minute in range(1, 50))


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


async def test_unreadable_documents_do_not_end_a_page_of_removed_assets(module_url, catalogue):
    with psycopg.connect(module_url, autocommit=True) as connection:
        connection.execute(
            """
            INSERT INTO asset (asset_id, asset_class, name, path, criticality, document, removed_at)
            SELECT name, 'centrifugal_pump', name, '{}', 3,
                   CASE WHEN name IN ('R-2', 'R-3') THEN '{}'
                   ELSE jsonb_build_object('asset_id', name, 'asset_class', 'centrifugal_pump', 'name', name) END, now()
            FROM unnest(ARRAY['R-1', 'R-2', 'R-3', 'R-4', 'R-5']) AS name
            """
        )
    async with TimescaleHistory(module_url, catalogue) as reader:
        pages = [await reader.removed_assets(after=after, limit=2) for after in ("", "R-4", "R-5")]
    with psycopg.connect(module_url, autocommit=True) as connection:
        connection.execute("DELETE FROM asset WHERE asset_id LIKE 'R-_'")
    assert [[item.asset.asset_id for item in page] for page in pages] == [["R-1", "R-4"], ["R-5"], []]
