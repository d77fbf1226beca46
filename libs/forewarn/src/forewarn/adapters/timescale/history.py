"""Answers the API's queries from the database; implements ``forewarn.ports.history.HistoryReader``."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self, TypeVar

import psycopg
import structlog
from psycopg import errors
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import ValidationError

from forewarn.adapters.timescale import reading_queries as readings
from forewarn.adapters.timescale.connection import AWAY, connection_arguments, describe
from forewarn.adapters.timescale.rollups import part_name
from forewarn.adapters.timescale.sqlfiles import statements
from forewarn.adapters.timescale.tables import readings_table
from forewarn.contracts.alarms import Alarm, Alert, Priority
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import Contract
from forewarn.contracts.health import AssetHealth, ModelArtefact
from forewarn.contracts.limits import KIB, MAX_ANSWER_BYTES, MAX_LIVE_EVENT_BYTES, MAX_PROBLEM_CHARACTERS
from forewarn.contracts.readings import RejectedReading, RejectionReason
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
    RollUp,
)

ContractT = TypeVar("ContractT", bound=Contract)
_log = structlog.get_logger(__name__)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_POOL_PATIENCE_S: Final = 3.0
_PREVIEW_BYTES: Final = 2 * KIB
#: Length of each text about a refused message.
_MOST_CHARACTERS: Final = 16 * KIB
#: Chunk of an original in memory; divisible by three, so that Base64 needs no padding between chunks.
_PIECE_BYTES: Final = 768 * KIB
_REASONS: Final = frozenset(RejectionReason)


class TimescaleHistory:
    """Read-only, pooled, asynchronous; open it inside the event loop that uses it.

    Parameters
    ----------
    database_url
        Where; a role with the rights of ``forewarn_api`` is enough.
    catalogue
        Classes whose readings can be queried.
    max_connections
        Concurrent queries; more wait up to 3 s.
    statement_timeout_s
        A query that takes longer is cancelled.
    """

    def __init__(
        self,
        database_url: str,
        catalogue: Mapping[str, AssetClass],
        *,
        max_connections: int = 8,
        statement_timeout_s: float = 10.0,
    ) -> None:
        settings = {
            "statement_timeout": f"{round(statement_timeout_s * 1000)}ms",
            "default_transaction_read_only": "on",
        }
        self._catalogue = catalogue
        self._place = describe(database_url)
        self._aggregated: dict[str, bool] = {}
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[DictRow]] = AsyncConnectionPool(
            kwargs={
                **connection_arguments(database_url, application="forewarn-api", settings=settings),
                "autocommit": True,
                "row_factory": dict_row,
            },
            min_size=1,
            max_size=max_connections,
            timeout=_POOL_PATIENCE_S,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )

    async def open(self) -> None:
        """Start connecting; does not wait for the database."""
        await self._pool.open()

    async def close(self) -> None:
        """Release the connections."""
        await self._pool.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ping(self) -> None:
        """Check that the database answers."""
        await self._named("ping")

    async def asset_ids(self, *, after: str | None = None, limit: int = MAX_ROWS) -> tuple[str, ...]:
        """Return the ids of registered assets, in order."""
        rows = await self._named("asset_ids", after=after, limit=limit)
        return tuple(row["asset_id"] for row in rows)

    async def latest(self, asset_ids: Sequence[str]) -> tuple[Latest, ...]:
        """Return the newest reading and judgement of assets."""
        wanted = list(asset_ids)
        found = []
        async with self._connection() as connection:
            for asset_class in self._catalogue.values():
                cursor = await connection.execute(
                    readings.latest_statement(asset_class), {"asset_class": asset_class.name, "asset_ids": wanted}
                )
                found += [readings.latest_of(asset_class, row) for row in await cursor.fetchall()]
        return tuple(sorted(found, key=lambda latest: latest.asset_id))

    async def history(self, query: HistoryQuery) -> History | None:
        """Return readings and judgements of a range, raw or rolled up."""
        keys = await self._named("asset_key", asset_id=query.asset_id)
        if not keys or keys[0]["asset_class"] not in self._catalogue:
            return None
        selection = readings.Selection.of(self._catalogue[keys[0]["asset_class"]], query.columns)
        parameters = {
            "asset_key": keys[0]["asset_key"],
            "start": query.start,
            "end": query.end,
            "limit": query.max_points + 1,
        }
        async with self._connection() as connection:
            roll_up = query.roll_up or await _choose(connection, selection, query, parameters)
            if roll_up is RollUp.RAW:
                statement = readings.raw_statement(selection)
            else:
                width = readings.width_of(roll_up)
                aggregated = await self._is_aggregated(connection, selection.asset_class)
                statement = readings.rolled_statement(selection, width, aggregated=aggregated)
                parameters |= {"start": _floor(query.start, width.bucket), "end": _ceil(query.end, width.bucket)}
            cursor = await connection.execute(statement, parameters)
            rows = await cursor.fetchall()
        return readings.history_of(query.asset_id, selection, roll_up, rows, query.max_points)

    async def removed_assets(self, *, after: str, limit: int) -> tuple[DeregisteredAsset, ...]:
        """Return removed assets, by id."""
        found: list[DeregisteredAsset] = []
        while True:  # unreadable documents must not end a page early
            rows = await self._named("removed_assets", after=after, limit=limit)
            found += _removed(rows)
            if len(rows) < limit or len(found) >= limit:
                return tuple(found[:limit])
            after = rows[-1]["asset_id"]

    async def removed_asset(self, asset_id: str) -> DeregisteredAsset | None:
        """Return a removed asset."""
        return next(iter(_removed(await self._named("removed_asset", asset_id=asset_id))), None)

    async def latest_health(self, asset_ids: Sequence[str]) -> tuple[AssetHealth, ...]:
        """Return the newest health of assets."""
        rows = await self._named("latest_health", asset_ids=list(asset_ids), max_bytes=MAX_LIVE_EVENT_BYTES)
        return tuple(_documents(AssetHealth, rows))

    async def health(self, asset_id: str, interval: Interval) -> tuple[AssetHealth, ...]:
        """Return health over time."""
        span = {"start": interval.start, "end": interval.end, "limit": interval.limit}
        rows = await self._named("health", asset_id=asset_id, max_bytes=MAX_ANSWER_BYTES, **span)
        return tuple(_documents(AssetHealth, rows))

    async def alarms(
        self,
        *,
        open_alarms: bool | None = None,
        asset_id: str | None = None,
        priorities: Collection[Priority] | None = None,
        page: Page | None = None,
    ) -> ListPart[AlarmEntry]:
        """Return occurrences of alarms, newest first."""
        chosen = None if priorities is None else [priority.value for priority in priorities]
        limits = {**_page(page), "max_bytes": MAX_ANSWER_BYTES}
        rows = await self._named("alarms", open=open_alarms, asset_id=asset_id, priorities=chosen, **limits)
        more = bool(rows) and (len(rows) < rows[0]["total"] or len(rows) == limits["limit"])
        last = (rows[-1]["at"], rows[-1]["occurrence_id"]) if more else None
        return ListPart(_entries(rows), last)

    async def alarm(self, alarm_id: str) -> AlarmEntry | None:
        """Return an alarm."""
        rows = await self._named("alarm", alarm_id=alarm_id)
        return next(iter(_entries(rows)), None)

    async def alarm_events(
        self, *, asset_id: str | None = None, alarm_id: str | None = None, page: Page | None = None
    ) -> tuple[Alert, ...]:
        """Return transitions of an alarm, newest first."""
        limits = {**_page(page), "max_bytes": MAX_ANSWER_BYTES}
        rows = await self._named("alarm_events", asset_id=asset_id, alarm_id=alarm_id, **limits)
        return tuple(_documents(Alert, rows))

    async def rejected(
        self, *, asset_id: str | None = None, reason: str | None = None, page: Page | None = None
    ) -> ListPart[RefusedMessage]:
        """Return refused messages, newest first."""
        limits = {**_page(page), "characters": MAX_PROBLEM_CHARACTERS, "preview_bytes": _PREVIEW_BYTES}
        rows = await self._named("rejected", asset_id=asset_id, reason=reason, **limits)
        last = (rows[-1]["rejected_at"], rows[-1]["rejected_id"]) if len(rows) == limits["limit"] else None
        known = [row for row in rows if row["reason"] in _REASONS]  # a newer sink may have added reasons
        return ListPart(
            tuple(RefusedMessage(**{**row, "reason": RejectionReason(row["reason"])}) for row in known), last
        )

    async def rejected_one(self, rejected_id: str) -> RejectedReading | None:
        """Return a refused message without its original bytes."""
        rows = await self._named("rejected_one", rejected_id=rejected_id, characters=_MOST_CHARACTERS)
        known = [row for row in rows if row["reason"] in _REASONS]  # a newer sink may have added reasons
        return RejectedReading(**known[0]) if known else None

    async def original(self, rejected_id: str) -> AsyncIterator[bytes]:
        """Yield the original bytes of a refused message in chunks; holds no connection between them."""
        start, piece = 1, b""
        while start == 1 or len(piece) == _PIECE_BYTES:
            async with self._connection() as connection, connection.cursor(binary=True) as cursor:
                place = {"rejected_id": rejected_id, "start": start, "size_bytes": _PIECE_BYTES}
                await cursor.execute(_SQL["rejected_piece"], place)
                row = await cursor.fetchone()
            if row is None:
                raise HistoryUnavailable(f"{rejected_id} was dropped while it was read")
            piece = row["piece"]
            start += len(piece)
            yield piece

    async def models(self, asset_id: str | None = None, *, after: Card | None = None) -> Cards:
        """Return model cards."""
        place = {
            "after_asset": after and after.asset_id,
            "after_kind": after and after.kind,
            "after_version": after and after.version,
        }
        rows = await self._named("models", asset_id=asset_id, limit=MAX_ROWS, max_bytes=MAX_ANSWER_BYTES, **place)
        last = None
        if rows and (len(rows) < rows[0]["total"] or len(rows) == MAX_ROWS):
            last = Card(**{name: rows[-1][name] for name in ("asset_id", "kind", "version")})
        return Cards(tuple(_documents(ModelArtefact, rows)), last)

    async def model(self, asset_id: str, kind: str, version: int) -> ModelArtefact | None:
        """Return one version of a model with its parameters."""
        rows = await self._named("model", asset_id=asset_id, kind=kind, version=version)
        return next(_documents(ModelArtefact, rows), None)

    async def _named(self, name: str, **parameters: object) -> list[DictRow]:
        async with self._connection() as connection:
            cursor = await connection.execute(_SQL[name], parameters)
            return await cursor.fetchall()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[DictRow]]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except errors.QueryCanceled as exc:
            raise HistoryUnavailable("the question takes too long: ask for a shorter range or coarser steps") from exc
        except AWAY as exc:
            raise HistoryUnavailable(f"the database at {self._place} does not answer: {exc}".strip()) from exc
        except (psycopg.DataError, UnicodeEncodeError) as exc:
            raise BadQuery("one of its values is nothing that the database can hold or look for") from exc
        except (errors.UndefinedTable, errors.UndefinedColumn) as exc:
            raise HistoryUnavailable(
                f"the schema of {self._place} is not there yet ({exc.diag.message_primary}): "
                "run python -m forewarn.runtime.provision"
            ) from exc

    async def _is_aggregated(self, connection: psycopg.AsyncConnection[DictRow], asset_class: AssetClass) -> bool:
        """Return whether the roll-ups of a class are continuous aggregates; looked up once."""
        table = readings_table(asset_class.name)
        if table not in self._aggregated:
            cursor = await connection.execute(_SQL["has_relation"], {"name": part_name(table, RollUp.MINUTE, 1)})
            row = await cursor.fetchone()
            self._aggregated[table] = row is not None and any(row.values())
        return self._aggregated[table]


async def _choose(
    connection: psycopg.AsyncConnection[DictRow],
    selection: readings.Selection,
    query: HistoryQuery,
    parameters: Mapping[str, Any],
) -> RollUp:
    cursor = await connection.execute(readings.count_statement(selection.asset_class), parameters)
    row = await cursor.fetchone()
    if row is not None and row["count"] <= query.max_points:
        return RollUp.RAW
    return readings.finest_width(query.start, query.end, query.max_points)


def _entries(rows: Sequence[DictRow]) -> tuple[AlarmEntry, ...]:
    read = ((row, _document(Alarm, row)) for row in rows)
    return tuple(AlarmEntry(alarm=alarm, closed_at=row["closed_at"]) for row, alarm in read if alarm is not None)


def _documents(contract: type[ContractT], rows: Sequence[DictRow]) -> Iterator[ContractT]:
    read = (_document(contract, row) for row in rows)
    return (document for document in read if document is not None)


def _document(contract: type[ContractT], row: DictRow) -> ContractT | None:
    """Parse a row's document; None for an unreadable one, which must not hide the others."""
    try:
        return contract.model_validate_json(row["document"])
    except ValidationError as exc:
        problems = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()[:3]]
        _log.warning("row_left_out", kind=contract.__name__, problem="; ".join(problems), begin=row["document"][:200])
        return None


def _removed(rows: Sequence[DictRow]) -> tuple[DeregisteredAsset, ...]:
    read = ((row, _document(Asset, row)) for row in rows)
    return tuple(
        DeregisteredAsset(asset=asset, removed_at=row["removed_at"]) for row, asset in read if asset is not None
    )


def _page(page: Page | None) -> dict[str, object]:
    page = page or Page()
    return {"limit": page.limit, "before": page.before, "before_id": page.before_id}


def _floor(time: datetime, step: timedelta) -> datetime:
    return time - (time - _EPOCH) % step


def _ceil(time: datetime, step: timedelta) -> datetime:
    return time + (_EPOCH - time) % step


_SQL: Final = statements("history.sql")
