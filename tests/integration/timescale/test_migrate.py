"""Migrations only add, can be repeated, and can be run by several processes at once."""

from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

import psycopg
import pytest

from forewarn.adapters.timescale.migrate import MigrationError, migrate
from forewarn.adapters.timescale.server import Edition
from forewarn.adapters.timescale.tables import wide_tables
from forewarn.contracts.asset_class import Tag
from forewarn.contracts.frames import FrameKind
from forewarn.ports.store import Item, Source, StoreUnavailable
from forewarn.testing.frames import START_US
from support.sink_frames import random_frame

pytestmark = pytest.mark.integration


def columns_of(url, relation):
    with psycopg.connect(url, client_encoding="UTF8") as connection:
        return [
            name
            for (name,) in connection.execute(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
                [relation],
            )
        ]


def with_new_tag(asset_class, *, response=False):
    tag = Tag(name="seal_temp_c", title="Seal temperature", unit="Cel", engineering_range=(-10, 120))
    twin = asset_class.twin
    if response:
        twin = twin.model_copy(update={"responses": (*twin.responses, tag.name)})
    return asset_class.model_copy(update={"tags": (*asset_class.tags, tag), "twin": twin, "version": 99})


def test_an_empty_database_gets_every_table_and_a_second_run_changes_nothing(empty_url, catalogue):
    first = migrate(empty_url, catalogue)
    assert first.revision == "0005"
    for asset_class in catalogue.values():
        for table in wide_tables(asset_class):
            assert set(columns_of(empty_url, table.name)) == set(table.column_names)
            for suffix in ("_1m", "_1h", "_1d", "_v"):
                assert columns_of(empty_url, f"{table.name}{suffix}")[:1] == ["asset_id"]
    second = migrate(empty_url, catalogue)
    assert second.changes == ()
    assert second.server == first.server
    assert second.notices == first.notices == ()


def test_the_server_s_capability_is_detected(empty_url, catalogue):
    report = migrate(empty_url, catalogue)
    with psycopg.connect(empty_url, client_encoding="UTF8") as connection:
        extension = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    assert (report.server.edition is Edition.PLAIN) == (extension is None)
    if extension is None:
        return
    with psycopg.connect(empty_url, client_encoding="UTF8") as connection:
        hypertables = {
            name for (name,) in connection.execute("SELECT hypertable_name FROM timescaledb_information.hypertables")
        }
        policies = connection.execute(
            "SELECT count(*) FROM timescaledb_information.jobs WHERE job_id >= 1000"
        ).fetchone()
    assert {"readings_centrifugal_pump", "results_centrifugal_pump", "asset_health"} <= hypertables
    assert (policies[0] > 0) == (report.server.edition is Edition.COMMUNITY)


@pytest.mark.parametrize("response", [False, True])
def test_a_new_tag_becomes_columns_and_keeps_the_rows(migrated_url, catalogue, pump, open_store, rng, response):
    store = open_store(migrated_url)
    source = Source("t", 0)
    old = random_frame(FrameKind.VALID, pump, ["P-1"] * 50, range(START_US, START_US + 50_000_000, 1_000_000), rng)
    store.write([Item(source=source, offset=0, content=old)], store.claim([source]))

    wider = with_new_tag(pump, response=response)
    report = migrate(migrated_url, MappingProxyType({**catalogue, pump.name: wider}))
    added = {change for change in report.changes if change.startswith("column ")}
    assert "column readings_centrifugal_pump.seal_temp_c" in added
    assert "column readings_centrifugal_pump.quality_seal_temp_c" in added
    assert ("column results_centrifugal_pump.expected_seal_temp_c" in added) == response
    assert {"avg_seal_temp_c", "pct_good_seal_temp_c"} <= set(columns_of(migrated_url, "readings_centrifugal_pump_1h"))
    with psycopg.connect(migrated_url) as connection:
        before = connection.execute(
            "SELECT count(*), count(seal_temp_c), count(quality_seal_temp_c) FROM readings_centrifugal_pump"
        ).fetchone()
        share = connection.execute("SELECT DISTINCT pct_good_seal_temp_c FROM readings_centrifugal_pump_1d").fetchall()
    assert before == (50, 0, 0)
    assert share == [(0.0,)], "readings without the tag are no good readings of it"
    assert migrate(migrated_url, MappingProxyType({**catalogue, pump.name: wider})).changes == ()
    # a service that still has the older catalogue neither fails nor takes anything away
    assert migrate(migrated_url, catalogue).changes == ()
    store.write([Item(source=source, offset=1, content=_later(old))], store.claim([source]))


def _later(frame):
    arrays = {**frame.arrays, "ts": frame.arrays["ts"] + 3_600_000_000}
    return type(frame)(kind=frame.kind, asset_class=frame.asset_class, arrays=arrays, strings=frame.strings)


def test_a_new_class_becomes_tables(migrated_url, catalogue, pump):
    kiln = pump.model_copy(update={"name": "kiln"})
    report = migrate(migrated_url, MappingProxyType({**catalogue, "kiln": kiln}))
    assert "table readings_kiln" in report.changes
    assert "table results_kiln" in report.changes
    assert not [change for change in report.changes if "kiln" not in change]


def test_several_processes_may_migrate_at_once(empty_url, catalogue):
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: migrate(empty_url, catalogue), range(4)))
    assert sum(bool(report.changes) for report in reports) == 1


def test_a_database_that_is_away_is_named(catalogue):
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/x"):
        migrate("postgresql://a:secret@127.0.0.1:1/x", catalogue)


def test_a_role_without_rights_is_told_what_to_do(empty_url, catalogue, login):
    with pytest.raises(MigrationError, match="owns the database"):
        migrate(login, catalogue)


def test_a_sink_waits_for_a_schema_that_is_too_old(migrated_url, catalogue, pump):
    from forewarn.adapters.timescale.store import TimescaleStore

    newer = TimescaleStore(migrated_url, {**catalogue, pump.name: with_new_tag(pump)}, application="newer")
    with pytest.raises(StoreUnavailable, match=r"readings_centrifugal_pump.*forewarn\.runtime\.provision"):
        newer.claim([Source("t", 0)])
    newer.close()
