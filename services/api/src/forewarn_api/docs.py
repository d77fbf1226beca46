"""Swagger UI, served from this package: plants are offline, and FastAPI's page loads it from the internet."""

import gzip
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

router = APIRouter(include_in_schema=False)

_FOLDER: Final = files("forewarn_api") / "swagger_ui"
_COMPRESSED: Final = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}
#: Wider than that of all other answers, which load nothing.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CACHED: Final = {"Cache-Control": "public, max-age=3600"}
#: Paths of the page and its files, which reveal nothing about the plant.
PATHS: Final = frozenset({"/docs", "/docs/start.js", *(f"/docs/{name}" for name in _COMPRESSED)})


@router.get("/docs")
async def page() -> HTMLResponse:
    """Serve the page."""
    return HTMLResponse((_FOLDER / "index.html").read_bytes(), headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/start.js")
async def start() -> Response:
    """Serve the page's own script."""
    return Response((_FOLDER / "start.js").read_bytes(), media_type="text/javascript; charset=utf-8", headers=_CACHED)


@router.get("/docs/swagger-ui-bundle.js")
@router.get("/docs/swagger-ui.css")
async def compressed(request: Request) -> Response:
    """Serve a file of Swagger UI as stored, or decompressed for a client without gzip."""
    name = request.url.path.removeprefix("/docs/")
    content, headers = (_FOLDER / f"{name}.gz").read_bytes(), {"Vary": "Accept-Encoding", **_CACHED}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return Response(content, media_type=_COMPRESSED[name], headers=headers)
