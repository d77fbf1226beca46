"""FastAPI's OpenAPI document, completed."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from forewarn.contracts.answers.problems import Problem
from forewarn.contracts.readings import Reading

TITLE: Final = "Forewarn API"
VERSION: Final = "1.0.0"
DESCRIPTION: Final = """Ingest, query and command Forewarn: streaming digital twins and predictive maintenance for plants.

Times are ISO 8601 with a zone; answers use UTC. Values are in the unit of their column. null means unknown, never zero.

Errors are problem details (RFC 9457, application/problem+json): 'type' names the problem, 'errors' points to each fault, 'instance' holds the request id, which the service's log lines show too. Every answer has it in the header X-Correlation-ID; a client may send its own.

When API_TOKEN is set, every request needs the header `Authorization: Bearer TOKEN`. Web pages may use the API only from origins named in API_ALLOWED_ORIGINS.

WebSocket /api/v1/live?asset=P-101&asset=P-102 (no asset: all) pushes JSON messages: first one of type 'snapshot' and, for large plants, 'update' messages with the rest, then 'update' messages with whatever changed, at most two a second, and one without content every 15 s. Each has 'at', 'readings' (LiveReading), 'health' (AssetHealth), 'alarms' (Alarm, as it stands) and 'closed_alarms' (alarm ids). A slow client is sent the newest state, not everything it missed. Browsers, which cannot set headers, offer the subprotocols `["token", TOKEN]`."""  # noqa: E501  # a line break would break the paragraph in Swagger UI


def document_of(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the application."""
    document = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes)
    reference = "#/components/schemas/{model}"
    _, extra = models_json_schema([(Reading, "validation"), (Problem, "serialization")], ref_template=reference)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(extra["$defs"])
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": "API_TOKEN"}}
    document["security"] = [{"token": []}, {}]
    return document
