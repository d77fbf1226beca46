"""The sink's side of the database: every write is one transaction that also moves the offsets.

A claim raises the epoch of a partition's row in ``sink_offset``; a write updates that row first and only if the epoch
is still its own. So the row is fence and position in one: a sink that lost the partition changes nothing, and a claim
waits for a write in progress and then sees the offset it left. After an unknown commit outcome the sink simply claims
again.

Frames are copied straight into their tables, at half the cost of staging: the offsets already prevent a frame from
being written twice. A gateway may still send a reading twice. Late rows therefore go through a staging table and ``ON
CONFLICT DO NOTHING``, and if a straight copy meets a known (asset, instant) the transaction is repeated with everything
staged.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import psycopg
import structlog
from numpy.typing import NDArray
from psycopg import errors, sql
from psycopg.rows import tuple_row

from forewarn.adapters.timescale.connection import connection_arguments, describe, translated_errors
from forewarn.adapters.timescale.copy_binary import HEADER, TRAILER, encode_frame_rows
from forewarn.adapters.timescale.event_rows import Row, rows_of_event
from forewarn.adapters.timescale.sqlfiles import statements
from forewarn.adapters.timescale.tables import ASSET_KEY, WideTable, wide_table, wide_tables
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.health import AssetHealth
from forewarn.contracts.removal import AssetRemoval
from forewarn.domain.frames.frame import Frame
from forewarn.ports.store import (
    Doubtful,
    Fenced,
    Item,
    PartitionClaim,
    Retained,
    Source,
    StoreUnavailable,
    Tombstone,
    Written,
)

_log = structlog.get_logger(__name__)

#: A stopped or cut-off sink must not keep its successor waiting; a slow disk must not end a good write.
_SESSION: Final = {
    "lock_timeout": "5s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "10s",
    "client_min_messages": "warning",
}
#: Transactions staged after a straight copy met a known row: resent data come in runs.
_STAGED_AFTER_CONFLICT: Final = 50
_RETAIN_ROWS: Final = 20_000
#: Keys of assets in memory: more than a plant has, fewer than the names somebody may invent.
_MOST_KEYS: Final = 100_000
_PROBE_PATIENCE_MS: Final = 2_000
#: Returned by ``forewarn_purge`` while a purge is not finished.
_UNFINISHED: Final = "purge"
#: Much longer than any transaction, so that only a hanging sink is cut off.
_HUNG_AFTER: Final = timedelta(seconds=15)


class TimescaleStore:
    """Implements ``forewarn.ports.store.Store``; connects when needed, one connection, one thread.

    ``claimant`` must be unique to this process, for good; by default the application's name.
    """

    def __init__(
        self,
        database_url: str,
        catalogue: Mapping[str, AssetClass],
        *,
        application: str,
        claimant: str = "",
        hung_after: timedelta = _HUNG_AFTER,
    ) -> None:
        self._claimant = claimant or application
        self._hung_after = hung_after
        self._arguments = connection_arguments(database_url, application=application, settings=_SESSION)
        self._place = describe(database_url)
        self._catalogue = catalogue
        self._connection: psycopg.Connection | None = None
        self._asset_keys: dict[str, int] = {}
        self._staged_left = 0

    def claim(self, sources: Sequence[Source]) -> dict[Source, PartitionClaim]:
        """Take partitions over; waits, up to a limit, for the previous owner's write in progress."""
        wanted = {
            "topics": [s.topic for s in sources],
            "partitions": [s.partition for s in sources],
            "claimant": self._claimant,
        }
        with self._session() as connection:
            try:
                rows = connection.execute(_SQL["claim"], wanted).fetchall()
            except errors.LockNotAvailable:
                self._evict(connection)
                raise
        claims = (
            PartitionClaim(
                source=Source(topic, partition),
                epoch=epoch,
                next_offset=next_offset,
                topic_id=topic_id,
                stalls=stalls,
                attempts=attempts,
            )
            for topic, partition, epoch, next_offset, topic_id, stalls, attempts in rows
        )
        return {claim.source: claim for claim in claims}

    def release(self, claims: Collection[PartitionClaim]) -> None:
        """Give claims back; those lost since are not ours to give."""
        if claims:
            with self._session() as connection:
                connection.execute(_SQL["release"], _columns_of(list(claims)))

    def identify(self, topic_ids: Mapping[PartitionClaim, str]) -> None:
        """Record which topics claims belong to."""
        claims = list(topic_ids)
        parameters = {**_columns_of(claims), "topic_ids": list(topic_ids.values())}
        with self._session() as connection:
            if connection.execute(_SQL["identify"], parameters).rowcount != len(claims):
                raise Fenced("another sink has claimed some of these partitions")

    def rewind(self, claim: PartitionClaim, next_offset: int, topic_id: str | None) -> None:
        """Set a partition's offset back, to that of a recreated topic."""
        self._update_claimed("rewind", claim, next_offset=next_offset, topic_id=topic_id)

    def attempt(self, claim: PartitionClaim) -> None:
        """Count an attempt at the next message of a partition; storing anything of it resets the count."""
        self._update_claimed("attempt", claim)

    def write(self, items: Sequence[Item], claims: Mapping[Source, PartitionClaim]) -> Written:
        """Store items and move the offsets behind them."""
        for item in items:
            if isinstance(item.content, Asset | AssetRemoval):  # it may have another key from here on
                self._asset_keys.pop(item.content.asset_id, None)
            elif isinstance(item.content, Tombstone):
                self._asset_keys.pop(item.content.key, None)
        try:
            with self._session() as connection:
                self._learn_assets(connection, items)
                staged = self._staged_left > 0
                self._staged_left -= staged
                try:
                    return self._write_all(connection, items, claims, staged=staged)
                except errors.UniqueViolation:
                    self._staged_left = _STAGED_AFTER_CONFLICT
                    _log.info("staging", reason="readings that are stored already came again")
                    return self._write_all(connection, items, claims, staged=True)
        except Doubtful:
            self._require_well(claims[items[0].source])
            raise

    def retain(self, now: datetime) -> Retained:
        """Drop a portion of what has outlived its retention or exceeds its disk budget."""
        with self._session() as connection:
            parameters = {"now": now, "max_rows": _RETAIN_ROWS}
            rows = connection.execute(_SQL["retain"], parameters).fetchall()
            purged = connection.execute(_SQL["purge"], parameters).fetchall()
        dropped: Counter[str] = Counter()
        for relation, count in [*rows, *purged]:  # a table comes once for its age and once for its size
            dropped[relation] += count
        complete = all(count < _RETAIN_ROWS for _, count in [*rows, *purged]) and _UNFINISHED not in dict(purged)
        return Retained(dropped=+dropped, complete=complete)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _session(self) -> Iterator[psycopg.Connection]:
        """Yield a working connection; closed when it fails, as its state is unknown then."""
        try:
            with translated_errors():
                yield self._connected()
        except StoreUnavailable:
            self.close()
            raise

    def _update_claimed(self, statement: str, claim: PartitionClaim, **values: object) -> None:
        place = {"topic": claim.source.topic, "partition": claim.source.partition, "epoch": claim.epoch}
        with self._session() as connection:
            if connection.execute(_SQL[statement], {**place, **values}).rowcount != 1:
                raise Fenced(f"{claim.source.topic}/{claim.source.partition} was claimed by another sink")

    def _require_well(self, claim: PartitionClaim) -> None:
        """Check that a minimal write works and is fast: otherwise the batch is not to blame."""
        try:
            with self._session() as connection, connection.transaction():
                connection.execute(f"SET LOCAL statement_timeout = '{_PROBE_PATIENCE_MS}ms'")
                self._update_claimed("probe", claim)
        except Doubtful as exc:
            raise StoreUnavailable(f"the database hardly moves: {exc}") from exc

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            connection = psycopg.connect(**self._arguments, autocommit=True, row_factory=tuple_row)
            try:
                self._require_schema(connection)
                self._asset_keys = dict(connection.execute(_SQL["asset_keys"], {"limit": _MOST_KEYS}).fetchall())
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            _log.info("database_connected", database=self._place, assets=len(self._asset_keys))
        return self._connection

    def _require_schema(self, connection: psycopg.Connection) -> None:
        wanted = {t.name: set(t.column_names) for c in self._catalogue.values() for t in wide_tables(c)}
        wanted |= {"sink_offset": {"attempts"}, "purge": {"removal_id"}, "retention": {"kind"}}
        found: dict[str, list[str]] = dict(
            connection.execute(_SQL["stored_columns"], {"tables": list(wanted)}).fetchall()
        )
        missing = [name for name, columns in wanted.items() if not columns <= set(found.get(name, ()))]
        if missing:
            raise StoreUnavailable(
                f"the schema of {self._place} is older than this sink (see {', '.join(missing)}): "
                "run python -m forewarn.runtime.provision"
            )

    def _evict(self, connection: psycopg.Connection) -> None:
        """Cut off a previous owner that hangs inside its transaction, for instance frozen with its machine."""
        evicted = connection.execute(_SQL["evict"], {"hung_after": self._hung_after}).rowcount
        if evicted:
            _log.warning("evicted", sessions=evicted, reason=f"in a transaction for more than {self._hung_after}")

    def _learn_assets(self, connection: psycopg.Connection, items: Sequence[Item]) -> None:
        """Give new assets a key; the keys stay even if the write fails, which does no harm."""
        if len(self._asset_keys) > _MOST_KEYS:  # asked for again where they are needed
            self._asset_keys.clear()
        heard: dict[str, str] = {}
        for item in items:
            if isinstance(item.content, Frame):
                assets = item.content.assets
                if any(asset_id not in self._asset_keys for asset_id in assets.categories):
                    used = np.unique(assets.codes).tolist()
                    heard |= {assets.categories[code]: item.content.asset_class.name for code in used}
            elif isinstance(item.content, AssetHealth):
                heard[item.content.asset_id] = item.content.asset_class
        unknown = {asset_id: name for asset_id, name in heard.items() if asset_id not in self._asset_keys}
        if unknown:
            parameters = {"asset_ids": list(unknown), "classes": list(unknown.values())}
            self._asset_keys.update(connection.execute(_SQL["add_assets"], parameters).fetchall())

    def _write_all(
        self,
        connection: psycopg.Connection,
        items: Sequence[Item],
        claims: Mapping[Source, PartitionClaim],
        *,
        staged: bool,
    ) -> Written:
        written = Written()
        frames: dict[WideTable, list[Frame]] = defaultdict(list)
        events: list[Row] = []
        for item in items:
            if isinstance(item.content, Frame):
                frames[wide_table(item.content.kind, item.content.asset_class)].append(item.content)
            elif item.content is not None:
                events += rows_of_event(item.content, self._asset_keys)
        with connection.transaction(), connection.cursor() as cursor:
            _advance(cursor, items, claims)
            for table, batch in frames.items():
                self._write_frames(cursor, table, batch, written, staged=staged)
            _write_events(cursor, events, written)
        return written

    def _write_frames(
        self, cursor: psycopg.Cursor, table: WideTable, frames: Sequence[Frame], written: Written, *, staged: bool
    ) -> None:
        straight, resent = ([], list(frames)) if staged else _split_late(frames)
        if straight:
            self._copy(cursor, table, table.name, straight)
            written.rows[table.name] += sum(frame.rows for frame in straight)
        if resent:
            stage = f"stage_{table.name}"
            cursor.execute(_create_stage(table.name, stage))
            self._copy(cursor, table, stage, resent)
            cursor.execute(_move(table, stage))
            written.rows[table.name] += cursor.rowcount
            written.duplicates[table.name] += sum(frame.rows for frame in resent) - cursor.rowcount

    def _copy(self, cursor: psycopg.Cursor, table: WideTable, target: str, frames: Sequence[Frame]) -> None:
        with cursor.copy(_copy_statement(table, target)) as copy:
            copy.write(HEADER)
            for frame in map(_machine_by_machine, frames):
                for block in encode_frame_rows(frame, table.columns, self._keys_of(frame)):
                    copy.write(block)
            copy.write(TRAILER)

    def _keys_of(self, frame: Frame) -> NDArray[np.int32]:
        unused = 0  # a category without rows has no key
        return np.array([self._asset_keys.get(c, unused) for c in frame.assets.categories], dtype=np.int32)


def _columns_of(claims: Sequence[PartitionClaim]) -> dict[str, list[object]]:
    return {
        "topics": [claim.source.topic for claim in claims],
        "partitions": [claim.source.partition for claim in claims],
        "epochs": [claim.epoch for claim in claims],
    }


def _advance(cursor: psycopg.Cursor, items: Sequence[Item], claims: Mapping[Source, PartitionClaim]) -> None:
    """Move the offsets; fails if another sink claimed one, or if messages were stored before."""
    first: dict[Source, int] = {}
    last: dict[Source, int] = {}
    for item in items:
        first.setdefault(item.source, item.offset)
        last[item.source] = item.offset
    sources = sorted(first)
    cursor.execute(
        _SQL["advance"],
        {
            "topics": [s.topic for s in sources],
            "partitions": [s.partition for s in sources],
            "epochs": [claims[s].epoch for s in sources],
            "first_offsets": [first[s] for s in sources],
            "next_offsets": [last[s] + 1 for s in sources],
        },
    )
    if cursor.rowcount != len(sources):
        raise Fenced("another sink has claimed some of these partitions")


def _write_events(cursor: psycopg.Cursor, rows: Sequence[Row], written: Written) -> None:
    by_statement: dict[str, list[dict[str, object]]] = defaultdict(list)
    for name, parameters in rows:
        by_statement[name].append(parameters)
    for name, batch in by_statement.items():
        cursor.executemany(_SQL[name], batch)
        written.rows[name] += cursor.rowcount
        written.duplicates[name] += len(batch) - cursor.rowcount


def _machine_by_machine(frame: Frame) -> Frame:
    """Return the row order by machine, as in the index: it stores a sixth cheaper and reads together."""
    return frame.take(np.lexsort((frame.arrays["ts"], frame.assets.codes)))


def _split_late(frames: Sequence[Frame]) -> tuple[list[Frame], list[Frame]]:
    """Return rows newer than all before them, and those that may exist already."""
    straight, late = [], []
    for frame in frames:
        is_late = frame.arrays["late"]
        if not is_late.any():
            straight.append(frame)
        elif is_late.all():
            late.append(frame)
        else:
            straight.append(frame.take(~is_late))
            late.append(frame.take(is_late))
    return straight, late


def _copy_statement(table: WideTable, target: str) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(target), _columns(table))


def _create_stage(table: str, stage: str) -> sql.Composed:
    return sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {} (LIKE {}) ON COMMIT DELETE ROWS").format(
        sql.Identifier(stage), sql.Identifier(table)
    )


def _move(table: WideTable, stage: str) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}, ts) DO NOTHING").format(
        sql.Identifier(table.name), _columns(table), _columns(table), sql.Identifier(stage), sql.Identifier(ASSET_KEY)
    )


def _columns(table: WideTable) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, table.column_names))


_SQL: Final = statements("store.sql")
