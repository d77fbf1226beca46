"""Answers the API's questions from the database; implements ``forewarn.ports.history.HistoryReader``."""

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
from forewarn.contracts.readings import RejectedReading
from forewarn.ports.history import (
    MAX_ROWS,
    AlarmEntry,
    BadQuery,
    History,
    HistoryQuery,
    HistoryUnavailable,
    Interval,
    Latest,
    Page,
    RemovedAsset,
    RollUp,
)

ContractT = TypeVar("ContractT", bound=Contract)
_log = structlog.get_logger(__name__)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_POOL_PATIENCE_S: Final = 3.0


class TimescaleHistory:
    """Read-only, pooled, asynchronous; open it inside the event loop that uses it.

    Parameters
    ----------
    database_url
        Where; a role with the rights of ``forewarn_api`` is enough.
    catalogue
        Classes whose readings can be asked for.
    max_connections
        Questions answered at the same time; more wait up to 3 s.
    statement_timeout_s
        A question that takes longer is given up.
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
        """Ask for a sign of life."""
        await self._named("ping")

    async def latest(self, asset_ids: Sequence[str] | None = None) -> tuple[Latest, ...]:
        """Newest reading beside newest judgement."""
        wanted = None if asset_ids is None else list(asset_ids)
        found = []
        async with self._connection() as connection:
            for asset_class in self._catalogue.values():
                cursor = await connection.execute(
                    readings.latest_statement(asset_class), {"asset_class": asset_class.name, "asset_ids": wanted}
                )
                found += [readings.latest_of(asset_class, row) for row in await cursor.fetchall()]
        return tuple(sorted(found, key=lambda latest: latest.asset_id))

    async def history(self, query: HistoryQuery) -> History | None:
        """A stretch of readings and judgements, raw or rolled up."""
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

    async def removed_assets(self, *, after: str, limit: int) -> tuple[RemovedAsset, ...]:
        """Removed assets, by id."""
        return _removed(await self._named("removed_assets", after=after, limit=limit))

    async def removed_asset(self, asset_id: str) -> RemovedAsset | None:
        """A removed asset."""
        return next(iter(_removed(await self._named("removed_asset", asset_id=asset_id))), None)

    async def latest_health(self, asset_ids: Sequence[str] | None = None) -> tuple[AssetHealth, ...]:
        """Newest health."""
        wanted = None if asset_ids is None else list(asset_ids)
        rows = await self._named("latest_health", asset_ids=wanted)
        return tuple(_documents(AssetHealth, rows))

    async def health(self, asset_id: str, interval: Interval) -> tuple[AssetHealth, ...]:
        """Health over time."""
        rows = await self._named(
            "health", asset_id=asset_id, start=interval.start, end=interval.end, limit=interval.limit
        )
        return tuple(_documents(AssetHealth, rows))

    async def alarms(
        self,
        *,
        open_alarms: bool | None = None,
        asset_id: str | None = None,
        priorities: Collection[Priority] | None = None,
        page: Page | None = None,
    ) -> tuple[AlarmEntry, ...]:
        """Occurrences of alarms, newest first."""
        chosen = None if priorities is None else [priority.value for priority in priorities]
        rows = await self._named("alarms", open=open_alarms, asset_id=asset_id, priorities=chosen, **_page(page))
        return _entries(rows)

    async def alarm(self, alarm_id: str) -> AlarmEntry | None:
        """One alarm."""
        rows = await self._named("alarm", alarm_id=alarm_id)
        return next(iter(_entries(rows)), None)

    async def alarm_events(
        self, *, asset_id: str | None = None, alarm_id: str | None = None, page: Page | None = None
    ) -> tuple[Alert, ...]:
        """Transitions, newest first."""
        rows = await self._named("alarm_events", asset_id=asset_id, alarm_id=alarm_id, **_page(page))
        return tuple(_documents(Alert, rows))

    async def rejected(
        self, *, asset_id: str | None = None, reason: str | None = None, page: Page | None = None
    ) -> tuple[RejectedReading, ...]:
        """Refused messages, newest first."""
        rows = await self._named("rejected", asset_id=asset_id, reason=reason, rejected_id=None, **_page(page))
        return tuple(RejectedReading(**row) for row in rows)

    async def rejected_one(self, rejected_id: str) -> RejectedReading | None:
        """One refused message."""
        rows = await self._named("rejected", asset_id=None, reason=None, rejected_id=rejected_id, **_page(None))
        return RejectedReading(**rows[0]) if rows else None

    async def models(self, asset_id: str | None = None) -> tuple[ModelArtefact, ...]:
        """Model cards."""
        rows = await self._named("models", asset_id=asset_id, limit=MAX_ROWS)
        return tuple(_documents(ModelArtefact, rows))

    async def model(self, asset_id: str, kind: str, version: int) -> ModelArtefact | None:
        """One version of a model with its parameters."""
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
        """Whether the roll-ups of a class are continuous aggregates; asked once."""
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
    """What a row holds; None for one that cannot be read: it must not hide the others."""
    try:
        return contract.model_validate_json(row["document"])
    except ValidationError as exc:
        problems = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()[:3]]
        _log.warning("row_left_out", kind=contract.__name__, problem="; ".join(problems), begin=row["document"][:200])
        return None


def _removed(rows: Sequence[DictRow]) -> tuple[RemovedAsset, ...]:
    read = ((row, _document(Asset, row)) for row in rows)
    return tuple(RemovedAsset(asset=asset, removed_at=row["removed_at"]) for row, asset in read if asset is not None)


def _page(page: Page | None) -> dict[str, object]:
    page = page or Page()
    return {"limit": page.limit, "before": page.before, "before_id": page.before_id}


def _floor(time: datetime, step: timedelta) -> datetime:
    return time - (time - _EPOCH) % step


def _ceil(time: datetime, step: timedelta) -> datetime:
    return time + (_EPOCH - time) % step


_SQL: Final = statements("history.sql")
