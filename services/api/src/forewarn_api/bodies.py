"""Parses readings in request bodies, with strict types."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import msgspec
from fastapi import Request
from pydantic import Field, TypeAdapter, ValidationError

from forewarn.contracts.answers.problems import MAX_ERRORS, Fault
from forewarn.contracts.limits import KIB, MAX_READINGS_PER_MESSAGE, MIB
from forewarn.contracts.readings import Reading
from forewarn.usecases.errors import InvalidRequestError
from forewarn.usecases.faults import faults_in_body, pointer, summary
from forewarn_api.problems import no_json, says_json

MAX_READINGS: Final = MAX_READINGS_PER_MESSAGE
#: Largest body of routes for lists of readings or assets, and of all others.
MAX_LIST_BYTES: Final = 8 * MIB
MAX_BODY_BYTES: Final = MIB

#: More than a reading with the most metrics, and their quality, needs.
LONGEST_READING_BYTES: Final = 256 * KIB


class _Object(msgspec.Struct):
    """Any JSON object."""


_ONE: Final = TypeAdapter(Reading)
_MANY: Final = TypeAdapter(Annotated[list[Reading], Field(min_length=1, max_length=MAX_READINGS)])
_RAW: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECTS: Final = msgspec.json.Decoder(list[_Object])
_PLACE: Final = re.compile(r"\$\[(\d+)\]")
#: A reading has at most four objects, and hardly any braces in its texts.
_MOST_BRACES: Final = 8 * MAX_READINGS
_TOO_MANY: Final = f"a list has 1 to {MAX_READINGS} readings"
#: Decoding a piece takes a few milliseconds.
_PIECE_BYTES: Final = 64 * KIB
_READING: Final = {"$ref": "#/components/schemas/Reading"}

#: The OpenAPI description of such a body.
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
    """Readings of a request, encoded for ``readings.raw``, with their assets and whether they came as a list."""

    asset_ids: list[str]
    values: list[bytes]
    is_list: bool

    def pointer(self, index: int, field: str) -> str:
        """Return the JSON Pointer to a field of a reading."""
        return pointer(index, field) if self.is_list else pointer(field)


async def readings_in(request: Request, turn: asyncio.Lock) -> ReadingsBody:
    """Return the readings of a request's body, one or many, ready to be sent.

    Numbers must be numbers, not ``true`` or ``"12.5"``. A list is parsed in pieces, each under the lock ``turn``;
    other requests are served between them.

    Raises ``ProblemError`` for another media type. Raises ``InvalidRequestError`` with a JSON Pointer to each fault.
    """
    if not says_json(request):
        raise no_json()
    body = await request.body()
    is_list = body.lstrip()[:1] == b"["
    if not is_list and len(body) > LONGEST_READING_BYTES:
        raise _not_readable(f"a reading may have {LONGEST_READING_BYTES} bytes, not {len(body)}")
    found = _Found()
    for start, piece in _pieces(body) if is_list else [(0, body)]:
        async with turn:
            found.read(piece, start, is_list=is_list)
            await asyncio.sleep(0)
    if found.faults:
        more = found.faulty - len(found.faults)
        raise InvalidRequestError("invalid-reading", f"{summary(found.faults, more)} Nothing was sent.", found.faults)
    return ReadingsBody(asset_ids=found.asset_ids, values=found.values, is_list=is_list)


@dataclass(slots=True)
class _Found:
    """Readings of a body, its first faults, and the number of all faults."""

    asset_ids: list[str] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    faulty: int = 0

    def read(self, piece: bytes, start: int, *, is_list: bool) -> None:
        """Add a piece of the body whose first reading has the index ``start``."""
        try:
            readings = _MANY.validate_json(piece, strict=True) if is_list else [_ONE.validate_json(piece, strict=True)]
        except ValidationError as exc:
            self.faulty += exc.error_count()
            errors = exc.errors(include_url=False, include_context=False, include_input=False)
            for error in errors[: MAX_ERRORS - len(self.faults)]:
                if start:
                    first, *rest = error["loc"]
                    error["loc"] = (int(first) + start, *rest)
                self.faults += faults_in_body([error])
            return
        if not self.faults:
            self.asset_ids += [reading.asset_id for reading in readings]
            self.values += [wire_form(reading) for reading in readings]


def readings_of(body: ReadingsBody) -> list[Reading]:
    """Decode the readings again."""
    return _MANY.validate_json(b"[" + b",".join(body.values) + b"]", strict=True)


def wire_form(reading: Reading) -> bytes:
    """Return a reading as encoded for ``readings.raw``."""
    return reading.model_dump_json(exclude_defaults=True).encode()


def _pieces(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield parts of a list as lists, each with the index of its first reading."""
    readings = _taken_apart(body)
    start, size = 0, 0
    for end, reading in enumerate(readings, start=1):
        length = len(memoryview(reading))
        if length > LONGEST_READING_BYTES:
            raise _not_readable(f"a reading may have {LONGEST_READING_BYTES} bytes, not {length}", end - 1)
        size += length
        if size >= _PIECE_BYTES or end == len(readings):
            yield start, b"[" + b",".join(readings[start:end]) + b"]"
            start, size = end, 0


def _taken_apart(body: bytes) -> list[msgspec.Raw]:
    """Return the readings of a list, undecoded.

    Anything but objects is refused at once: millions of numbers would fill memory before they were counted.
    """
    if body.count(b"{") > _MOST_BRACES:
        raise _not_readable(_TOO_MANY)
    try:
        _OBJECTS.decode(body)
        readings = _RAW.decode(body)
    except msgspec.ValidationError as exc:
        place = _PLACE.search(str(exc))
        raise _not_readable("Input should be an object", None if place is None else int(place[1])) from exc
    except msgspec.DecodeError as exc:
        raise _not_readable(f"Invalid JSON: {exc}") from exc
    except RecursionError as exc:
        raise _not_readable("Invalid JSON: it is nested too deeply") from exc
    if not 0 < len(readings) <= MAX_READINGS:
        raise _not_readable(_TOO_MANY)
    return readings


def _not_readable(detail: str, index: int | None = None) -> InvalidRequestError:
    fault = Fault(detail=detail, pointer=pointer() if index is None else pointer(index))
    return InvalidRequestError("invalid-reading", f"{summary([fault])} Nothing was sent.", [fault])
