"""Reads lists of readings from request bodies: one pass over the bytes, strict types."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Request
from pydantic import Field, TypeAdapter, ValidationError

from forewarn.contracts.readings import Reading
from forewarn_api.problems import faults_of, no_json, pointer, says_json, summary, unprocessable

MAX_READINGS: Final = 5_000
#: Bodies of the routes that take lists of readings or assets; of all others.
MAX_LIST_BYTES: Final = 8 * 1024 * 1024
MAX_BODY_BYTES: Final = 1024 * 1024

_ONE: Final = TypeAdapter(Reading)
_MANY: Final = TypeAdapter(Annotated[list[Reading], Field(min_length=1, max_length=MAX_READINGS)])
_READING: Final = {"$ref": "#/components/schemas/Reading"}

#: What OpenAPI says of such a body.
READINGS_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [_READING, {"type": "array", "items": _READING, "minItems": 1, "maxItems": MAX_READINGS}]
                },
                "examples": {
                    "one": {
                        "summary": "One reading of a pump",
                        "value": {
                            "asset_id": "P-101",
                            "ts": "2026-11-20T20:00:00.123Z",
                            "metrics": {"flow_m3_h": 120.3, "discharge_pressure_bar": 6.1, "speed_rpm": 1480},
                            "seq": 17,
                            "source": "gw-1",
                        },
                    },
                    "many": {
                        "summary": "Readings of several assets",
                        "value": [
                            {"asset_id": "P-101", "ts": "2026-11-20T20:00:00Z", "metrics": {"flow_m3_h": 120.3}},
                            {
                                "asset_id": "P-102",
                                "ts": "2026-11-20T20:00:00Z",
                                "metrics": {"flow_m3_h": 98.7},
                                "quality": {"flow_m3_h": "uncertain"},
                            },
                        ],
                    },
                },
            }
        },
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsBody:
    """Readings of a request, and whether they came as a list."""

    readings: list[Reading]
    is_list: bool

    def pointer(self, index: int, field: str) -> str:
        """JSON Pointer to a field of a reading."""
        return pointer(index, field) if self.is_list else pointer(field)


def wire_form(reading: Reading) -> bytes:
    """A reading as it stands on ``readings.raw``."""
    return reading.model_dump_json(exclude_defaults=True).encode()


async def readings_in(request: Request) -> ReadingsBody:
    """Readings of the body, one or many.

    Numbers must be numbers: ``true`` and ``"12.5"`` are no measurements.

    Raises
    ------
    ProblemError
        415 for another media type, 422 with a JSON Pointer to each fault.
    """
    if not says_json(request):
        raise no_json()
    body = await request.body()
    try:
        if body.lstrip()[:1] == b"[":
            return ReadingsBody(readings=_MANY.validate_json(body, strict=True), is_list=True)
        return ReadingsBody(readings=[_ONE.validate_json(body, strict=True)], is_list=False)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False, include_input=False)
        faults = faults_of(errors, within_body=True)
        raise unprocessable("invalid-reading", f"{summary(faults)} Nothing was sent.", faults) from exc
