"""History as CSV: the API's file, under the dashboard's address."""

from typing import Annotated, Final

from fastapi import FastAPI, Path, Query
from fastapi.responses import JSONResponse, Response

from forewarn.contracts.base import IDENTIFIER
from forewarn.ports.clock import Clock
from forewarn_dashboard.client import ApiError, ApiNotFoundError, ApiUnavailableError, HistoryRequest, PlantApi
from forewarn_dashboard.pages.asset.timerange import DEFAULT_FROM, DEFAULT_TO, TimeRangeError, resolve

MAX_ROWS: Final = 10_000

AssetId = Annotated[str, Path(pattern=f"^{IDENTIFIER}$")]


def add_download(server: FastAPI, api: PlantApi, clock: Clock) -> None:
    """Add ``/download/<asset>.csv?from=…&to=…``: all columns, at most 10,000 rows."""

    @server.get("/download/{asset_id}.csv", include_in_schema=False)
    async def download(
        asset_id: AssetId,
        start: Annotated[str, Query(alias="from", max_length=40)] = DEFAULT_FROM,
        end: Annotated[str, Query(alias="to", max_length=40)] = DEFAULT_TO,
    ) -> Response:
        try:
            window = resolve(start, end, clock.now())
            query = HistoryRequest(start=window.start, end=window.end, columns=(), max_points=MAX_ROWS)
            content = await api.history_csv(asset_id, query)
        except TimeRangeError as exc:
            return _problem(422, exc)
        except ApiNotFoundError as exc:
            return _problem(404, exc)
        except ApiUnavailableError as exc:
            return _problem(503, exc)
        except ApiError as exc:
            return _problem(502, exc)
        headers = {"Content-Disposition": f'attachment; filename="{asset_id}.csv"', "Cache-Control": "no-store"}
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _problem(status: int, error: Exception) -> JSONResponse:
    return JSONResponse({"title": str(error), "status": status}, status, media_type="application/problem+json")
