"""``PlantApi`` over HTTP and WebSocket."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Annotated, Final, Self, TypeVar
from urllib.parse import quote, urlencode

import httpx
import pydantic
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from forewarn.contracts.answers.alarms import AlarmList
from forewarn.contracts.answers.assets import AssetDetail, AssetList, HistoryAnswer
from forewarn.contracts.answers.live import LiveMessage
from forewarn.contracts.answers.overview import Overview
from forewarn.contracts.answers.twin import TwinAnswer
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import format_utc
from forewarn.contracts.economics import EconomicReport
from forewarn.contracts.questions import WhatIfAnswer
from forewarn.runtime.http.clients import CLIENT_HEADER, DASHBOARD
from forewarn_dashboard.client import (
    NO_HISTORY,
    Acknowledgement,
    ApiConflictError,
    ApiError,
    ApiNotFoundError,
    ApiUnavailableError,
    ClosedQuery,
    FleetQuery,
    HistoryColumns,
    HistoryRequest,
    LiveUpdate,
)

TIMEOUT_S: Final = 10.0
LIVE_OPEN_TIMEOUT_S: Final = 5.0
LIVE_PING_S: Final = 10.0
MAX_LIVE_MESSAGE_BYTES: Final = 16 * 1024 * 1024
#: The alerting service decides who was first, usually within a fraction of a second.
ACKNOWLEDGED_WITHIN_S: Final = 3
PAGE_SIZE: Final = 1000
CLOSED_PAGE_SIZE: Final = 100
MAX_PAGES: Final = 50


class _Problem(pydantic.BaseModel):
    """The members of a problem detail (RFC 9457) to show; each may be missing."""

    title: str = ""
    detail: str = ""
    instance: Annotated[str, pydantic.Field(max_length=300)] = ""


_Parameters = Mapping[str, str | int | list[str]]

BodyT = TypeVar("BodyT", bound=pydantic.BaseModel)


class HttpPlantApi:
    """Implements ``PlantApi``; use it as an async context manager.

    ``baseline_readings`` is the twin's setting of that name; None leaves the number to the asset class.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        baseline_readings: int | None = None,
    ) -> None:
        self._baseline = {} if baseline_readings is None else {"baseline_readings": baseline_readings}
        self._root = base_url.rstrip("/") + "/api/v1"
        self._headers = {CLIENT_HEADER: DASHBOARD} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._http = httpx.AsyncClient(headers=self._headers, timeout=TIMEOUT_S, transport=transport)

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection pool."""
        await self._http.aclose()

    async def assets(self) -> tuple[Asset, ...]:
        """Return all registered assets, page by page."""
        found: list[Asset] = []
        parameters: dict[str, str | int | list[str]] = {"limit": PAGE_SIZE}
        for _ in range(MAX_PAGES):
            page = await self._get("/assets", AssetList, parameters)
            found += page.items
            if page.next_cursor is None:
                break
            parameters["cursor"] = page.next_cursor
        return tuple(found)

    async def overview(self, query: FleetQuery) -> Overview:
        """Return a page of summaries of assets, and counts over all."""
        parameters: dict[str, str | int | list[str]] = {
            "q": query.text,
            "condition": list(query.conditions),
            "asset": list(query.assets),
            "sort": query.sort,
            "offset": query.offset,
            "limit": query.limit,
        }
        return await self._get("/overview", Overview, parameters)

    async def detail(self, asset_id: str) -> AssetDetail:
        """Return an asset with its class and the cards of its models."""
        detail = await self._get(f"/assets/{quote(asset_id, safe='')}", AssetDetail)
        twin = detail.asset_class.twin.model_copy(update=self._baseline)
        return detail.model_copy(update={"asset_class": detail.asset_class.model_copy(update={"twin": twin})})

    async def history(self, asset_id: str, query: HistoryRequest) -> HistoryColumns:
        """Return an asset's history; empty if nothing is stored."""
        try:
            answer = await self._get(_history_path(asset_id), HistoryAnswer, _history_parameters(query))
        except ApiNotFoundError:
            return NO_HISTORY
        return HistoryColumns.of(answer)

    async def history_csv(self, asset_id: str, query: HistoryRequest) -> bytes:
        """Return an asset's history as the API's CSV file."""
        parameters = _history_parameters(query) | {"format": "csv"}
        return (await self._send("GET", _history_path(asset_id), parameters)).content

    async def economics(self, asset_id: str) -> EconomicReport:
        """Return costs of an asset's condition, and savings."""
        return await self._get(f"/assets/{quote(asset_id, safe='')}/economics", EconomicReport)

    async def closed_alarms(self, query: ClosedQuery) -> AlarmList:
        """Return closed alarms, from the database."""
        wanted = {"asset": query.asset_id, "priority": query.priority, "cursor": query.older_than}
        parameters: dict[str, str | int | list[str]] = {"state": "closed", "limit": CLOSED_PAGE_SIZE}
        parameters |= {name: value for name, value in wanted.items() if value}
        return await self._get("/alarms", AlarmList, parameters)

    async def acknowledge(self, request: Acknowledgement) -> None:
        """Acknowledge an occurrence of an alarm."""
        path = f"/alarms/{quote(request.asset_id, safe='')}/{quote(request.rule, safe='')}/acknowledge"
        content = {"occurrence_id": request.occurrence_id, "comment": request.comment, "by": request.by}
        await self._send("POST", path, {"wait_s": ACKNOWLEDGED_WITHIN_S}, content)

    async def twin(self, asset_id: str) -> TwinAnswer:
        """Return what the twin knows of an asset."""
        return await self._get(f"/assets/{quote(asset_id, safe='')}/twin", TwinAnswer)

    async def remove(self, asset_id: str, *, by: str, purge: bool) -> None:
        """Remove an asset, with ``purge`` also its stored data."""
        parameters = {"history": "purge" if purge else "keep", "by": by}
        await self._send("DELETE", f"/assets/{quote(asset_id, safe='')}", parameters)

    async def what_if(self, asset_id: str, changes: Mapping[str, float]) -> WhatIfAnswer:
        """Return what the twin expects if drivers had these values."""
        path = f"/assets/{quote(asset_id, safe='')}/what-if"
        body = {"changes": [{"column": column, "value": value} for column, value in changes.items()]}
        return _read(path, WhatIfAnswer, await self._send("POST", path, body=body))

    async def retrain(self, asset_id: str, *, by: str, reason: str) -> None:
        """Retrain the twin on the next readings."""
        await self._send("POST", f"/assets/{quote(asset_id, safe='')}/baseline", body={"by": by, "reason": reason})

    async def live(self, *, assets: Sequence[str] = (), only_alarms: bool = False) -> AsyncGenerator[LiveUpdate, None]:
        """Iterate over the live feed of some or all assets; it always ends with an error.

        Raises ``ApiUnavailableError`` when the feed ends or cannot be reached, ``ApiError`` if the API refuses or sends
        an unexpected message.
        """
        chosen = [("asset", asset_id) for asset_id in assets] + ([("only", "alarms")] if only_alarms else [])
        url = self._root.replace("http", "ws", 1) + "/live" + (f"?{urlencode(chosen)}" if chosen else "")
        try:
            async with connect(
                url,
                additional_headers=self._headers,
                open_timeout=LIVE_OPEN_TIMEOUT_S,
                ping_interval=LIVE_PING_S,
                ping_timeout=LIVE_PING_S,
                max_size=MAX_LIVE_MESSAGE_BYTES,
                compression=None,
                proxy=None,
            ) as socket:
                async for message in socket:
                    yield LiveUpdate.of(LiveMessage.model_validate_json(message, extra="ignore"))
        except InvalidStatus as exc:
            raise _refused(exc.response.status_code) from exc
        except (OSError, WebSocketException, TimeoutError) as exc:
            raise ApiUnavailableError(f"The live feed at {url} cannot be reached.") from exc
        except pydantic.ValidationError as exc:
            raise ApiError(f"The live feed sent something unexpected: {_first(exc)}") from exc
        raise ApiUnavailableError("The API closed the live feed.")

    async def _get(self, path: str, kind: type[BodyT], parameters: _Parameters | None = None) -> BodyT:
        return _read(path, kind, await self._send("GET", path, parameters))

    async def _send(
        self,
        method: str,
        path: str,
        parameters: _Parameters | None = None,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        try:
            response = await self._http.request(method, self._root + path, params=parameters, json=body)
        except httpx.HTTPError as exc:
            raise ApiUnavailableError(f"The API at {self._root} does not answer.") from exc
        if response.is_success:
            return response
        raise _error(response)


def _read(path: str, kind: type[BodyT], response: httpx.Response) -> BodyT:
    try:
        return kind.model_validate_json(response.content, extra="ignore")
    except pydantic.ValidationError as exc:
        raise ApiError(f"The API answered {path} with something unexpected: {_first(exc)}") from exc


def _history_path(asset_id: str) -> str:
    return f"/assets/{quote(asset_id, safe='')}/history"


def _history_parameters(query: HistoryRequest) -> dict[str, str | int | list[str]]:
    return {
        "from": format_utc(query.start),
        "to": format_utc(query.end),
        "columns": ",".join(query.columns),
        "resolution": query.resolution,
        "max_points": query.max_points,
    }


def _error(response: httpx.Response) -> ApiError:
    try:
        problem = _Problem.model_validate_json(response.content)
    except pydantic.ValidationError:  # perhaps a proxy's answer
        problem = _Problem()
    text = problem.detail or problem.title or f"The API answered with status {response.status_code}."
    if response.status_code >= 500 and problem.instance:
        text = f"{text} ({problem.instance})"
    if response.status_code == httpx.codes.NOT_FOUND:
        return ApiNotFoundError(text)
    if response.status_code == httpx.codes.CONFLICT:
        return ApiConflictError(text)
    if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return _refused(response.status_code)
    if response.status_code in {httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT}:
        return ApiUnavailableError(text)
    return ApiError(text)


def _refused(status: int) -> ApiError:
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return ApiError("The API refuses the dashboard: set API_TOKEN to the token that the API was started with.")
    return ApiUnavailableError(f"The live feed was refused with status {status}.")


def _first(error: pydantic.ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
