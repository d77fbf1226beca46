"""What a claim knows of those before it, and which errors of the database are about the rows."""

import psycopg
import pytest

from forewarn.adapters.timescale import migrate as steps
from forewarn.adapters.timescale.connection import connection_arguments
from forewarn.adapters.timescale.migrate import migrate
from forewarn.adapters.timescale.store import TimescaleStore
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.domain.frames.frame import Frame, Strings
from forewarn.ports.store import Doubtful, Fenced, Item, Source, StoreUnavailable, Unstorable
from forewarn.testing.frames import START_US
from support.sink_frames import random_frame

pytestmark = pytest.mark.integration


@pytest.fixture
def source(request):
    """A partition that only this test uses."""
    return Source(request.node.name, 0)


@pytest.fixture
def process(module_url, catalogue):
    """Make the store of a process that no other has the name of."""
    stores = []

    def make(name):
        stores.append(TimescaleStore(module_url, catalogue, application="test-sink", claimant=name))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def asset(source, offset, asset_id="C-1"):
    content = Asset(asset_id=asset_id, asset_class="centrifugal_pump", name="Pump")
    return Item(source=source, offset=offset, content=content)


def test_a_claim_counts_processes_that_ended_over_the_same_message(process, source):
    def claim(name):
        return process(name).claim([source])[source]

    first = process("a")
    claims = first.claim([source])
    first.write([asset(source, 0)], claims)
    assert (claims[source].stalls, claims[source].attempts) == (0, 0)
    assert claim("b").stalls == 0, "a stored something before it ended"
    assert claim("b").stalls == 0, "it lives: its database was away for a moment"
    assert claim("c").stalls == 1, "b stored nothing"
    fourth = process("d")
    held = fourth.claim([source])[source]
    assert held.stalls == 2
    fourth.attempt(held)
    fifth = process("e")
    held = fifth.claim([source])[source]
    assert (held.stalls, held.attempts) == (3, 1)
    fifth.attempt(held)
    held = fifth.claim([source])[source]
    assert held.attempts == 1, "it did not end over it"
    fifth.release([held])
    sixth = process("f")
    held = sixth.claim([source])[source]
    assert (held.stalls, held.attempts) == (3, 1), "e gave it back"
    sixth.attempt(held)
    sixth.write([asset(source, 1)], {source: held})
    assert (claim("g").stalls, claim("g").attempts) == (0, 0)
    with pytest.raises(Fenced):
        sixth.attempt(held)
    with pytest.raises(Fenced):
        sixth.identify({held: "x"})
    sixth.release([held])  # was lost meanwhile: nothing happens


def test_a_partition_belongs_to_the_topic_it_was_read_from(process, source):
    store = process("a")
    claim = store.claim([source])[source]
    assert claim.topic_id is None
    store.identify({claim: "first"})
    store.write([asset(source, 0)], {source: claim})
    claim = store.claim([source])[source]
    assert (claim.topic_id, claim.next_offset) == ("first", 1)
    store.rewind(claim, 0, "second")
    store.write([asset(source, 0)], {source: claim})
    claim = store.claim([source])[source]
    assert (claim.topic_id, claim.next_offset, claim.stalls) == ("second", 1, 0)


def test_a_database_of_an_older_version_keeps_its_place(empty_url, catalogue, source, monkeypatch):
    upgrade = steps.command.upgrade
    with monkeypatch.context() as before_claims:
        before_claims.setattr(steps.command, "upgrade", lambda config, _: upgrade(config, "0002"))
        steps._run_steps(connection_arguments(empty_url, application="test", settings={}))
    with psycopg.connect(empty_url) as connection:
        connection.execute("INSERT INTO sink_offset VALUES (%s, 0, 7, 42)", [source.topic])
    store = TimescaleStore(empty_url, catalogue, application="test-sink")
    with pytest.raises(StoreUnavailable, match=r"sink_offset.*provision"):
        store.claim([source])
    migrate(empty_url, catalogue)
    claim = store.claim([source])[source]
    assert (claim.epoch, claim.next_offset, claim.topic_id, claim.stalls) == (8, 42, None, 0)
    store.write([asset(source, 42)], {source: claim})
    store.close()


@pytest.mark.parametrize(
    ("state", "table", "outcome"),
    [
        ("22003", "asset", Unstorable),
        ("23514", "asset", Unstorable),
        ("54001", "asset", Unstorable),
        ("XX000", "asset", Doubtful),
        ("57014", "asset", Doubtful),
        ("XX000", "sink_offset", StoreUnavailable),
        ("53100", "asset", StoreUnavailable),
        ("42501", "asset", StoreUnavailable),
    ],
)
def test_what_an_error_says_about_the_rows(migrated_url, open_store, source, state, table, outcome):
    """Limits, nesting and a server in disorder were taken for an outage: the same rows were tried for ever."""
    store = open_store(migrated_url)
    claims = store.claim([source])
    with psycopg.connect(migrated_url) as connection:
        connection.execute(
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' "
            f"USING ERRCODE = '{state}'; END $$"
        )
        connection.execute(f"CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION fail()")
    with pytest.raises(outcome):
        store.write([asset(source, 0)], claims)
    with psycopg.connect(migrated_url) as connection:
        connection.execute("DROP FUNCTION fail CASCADE")
    store.write([asset(source, 0)], store.claim([source]))


def test_one_long_text_in_every_row_is_refused_instead_of_laid_out(process, source, pump, rng):
    """A frame of some kilobytes would have taken 80 MB a block here, and as much in the table."""
    rows = 5_000
    frame = random_frame(FrameKind.VALID, pump, ["C-9"] * rows, (START_US + 1_000_000 * rng.permutation(rows)), rng)
    texts = {**frame.strings, "findings": Strings.of(["x" * 16_384] * rows)}
    frame = Frame(kind=frame.kind, asset_class=pump, arrays=frame.arrays, strings=texts)
    store = process("a")
    claims = store.claim([source])
    with pytest.raises(Unstorable, match="findings"):
        store.write([Item(source=source, offset=0, content=frame)], claims)
    shorter = frame.take(range(100))
    store.write([Item(source=source, offset=0, content=shorter)], claims)


def test_other_messages_under_an_id_that_is_taken_are_kept_beside_it(process, module_url, source):
    def refusal(offset, original):
        content = RejectedReading(
            rejected_id="raw/0/0", topic="raw", partition=0, offset=0, reason=RejectionReason.BAD_JSON,
            explanation="-", recommendation="-", rejected_at="2026-11-20T00:00:00Z", original=original,
        )  # fmt: skip
        return Item(source=source, offset=offset, content=content)

    store = process("a")
    claims = store.claim([source])
    written = store.write([refusal(n, original) for n, original in enumerate([b"1", b"2", b"1", b"2", b"3"])], claims)
    assert (written.rows["rejected"], written.duplicates["rejected"]) == (3, 2)
    with psycopg.connect(module_url) as connection:
        found = connection.execute("SELECT rejected_id, original FROM rejected ORDER BY original").fetchall()
    assert [original for _, original in found] == [b"1", b"2", b"3"]
    assert found[0][0] == "raw/0/0"
    assert all(rejected_id.startswith("raw/0/0~") for rejected_id, _ in found[1:])
