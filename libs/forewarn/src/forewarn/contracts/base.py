"""Base classes and shared field types of every JSON contract."""

import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import SchemaValidator, core_schema

from forewarn.contracts.limits import MAX_REFERENCE_CHARACTERS


class Contract(BaseModel):
    """An event or document on a topic.

    Readers ignore unknown fields, so that a newer writer never breaks an older reader; NaN and infinity are refused on
    the way in and on the way out.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        json_schema_serialization_defaults_required=True,
    )


class StrictContract(Contract):
    """A document from a person or program: unknown fields are mistakes, so they are refused."""

    model_config = ConfigDict(extra="forbid")


#: Times of data lie in [EARLIEST, LATEST): no clock of a plant shows others; every text, database and zone holds them.
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


_read_time: Final = SchemaValidator(core_schema.datetime_schema(tz_constraint="aware")).validate_python


def _written_out(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and value[4:5] == "-":  # "1795204800" would be taken for seconds since 1970
        return _read_time(value)
    msg = "must be a date and time with a zone, such as 2026-11-20T20:00:00Z"
    raise ValueError(msg)


def _to_utc(value: datetime) -> datetime:
    try:
        utc = value.astimezone(UTC)
    except OverflowError:  # an offset that leads out of the years 1 to 9999
        utc = None
    if utc is None or not EARLIEST <= utc < LATEST:
        msg = f"must lie in the years {EARLIEST.year} to {LATEST.year - 1}"
        raise ValueError(msg)
    return utc


def format_utc(value: datetime) -> str:
    """Format as ISO 8601 in UTC with microseconds and a ``Z``: sorts as text and parses in every language."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_WrittenTime = Annotated[
    AwareDatetime,
    BeforeValidator(_written_out),
    PlainSerializer(format_utc, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
#: The one type of a time, in contracts, routes and commands alike: aware, in UTC, within ``EARLIEST`` and ``LATEST``.
UtcDatetime = Annotated[_WrittenTime, AfterValidator(_to_utc)]


def _brought_inside(value: datetime) -> datetime:
    try:
        utc = value.astimezone(UTC)
    except OverflowError:
        utc = EARLIEST if value.year < EARLIEST.year else LATEST
    return min(max(utc, EARLIEST), LATEST - timedelta(microseconds=1))


#: A time that a person's command brought into stored state, when older versions took any: outside of the bounds it
#: counts as the nearest one inside, as an alarm's state must stay readable.
StoredTime = Annotated[_WrittenTime, AfterValidator(_brought_inside)]


def _from_base64(value: object) -> object:
    return b64decode(value, validate=True) if isinstance(value, str) else value


def _to_base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


#: Bytes that travel as standard base64 in JSON.
OpaqueBytes = Annotated[
    bytes,
    BeforeValidator(_from_base64),
    PlainSerializer(_to_base64, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]

#: Letters, digits, ``_ . -``: safe in topics' keys, URLs, file names and SQL parameters. It has no anchors, as those of
#: Python and of pydantic differ.
IDENTIFIER = r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}"
Identifier = Annotated[str, StringConstraints(pattern=f"^{IDENTIFIER}$")]


#: Control characters but tab and line feed, halves of surrogate pairs, separators of lines and paragraphs, and marks
#: that turn text around.
_UNFIT: Final = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_UNFIT_IN_A_LINE: Final = re.compile(rf"[\t\n{_UNFIT}]")
_UNFIT_IN_A_TEXT: Final = re.compile(rf"[{_UNFIT}]")


def _require_none(unfit: re.Pattern[str], value: str) -> str:
    found = unfit.search(value)
    if found is not None:
        msg = f"must not contain control characters or line breaks, found {found.group()!a}"
        raise ValueError(msg)
    return value


def _one_line(value: str) -> str:
    return _require_none(_UNFIT_IN_A_LINE, value)


def _several_lines(value: str) -> str:
    return _require_none(_UNFIT_IN_A_TEXT, value.replace("\r\n", "\n"))


def _reference(value: str) -> str:
    # The length is checked here and not in the schema: published fields without one must not become stricter.
    if not 1 <= len(value) <= MAX_REFERENCE_CHARACTERS:
        msg = f"must have 1 to {MAX_REFERENCE_CHARACTERS} characters, not {len(value)}"
        raise ValueError(msg)
    return _one_line(value)


def readable(value: str) -> str:
    """Replace each control character by U+FFFD."""
    return _UNFIT_IN_A_TEXT.sub("\N{REPLACEMENT CHARACTER}", value.replace("\r\n", "\n"))


#: Text that people write and read on one line: names, sources, who did something. Blanks around it are dropped.
#: A field adds its greatest length.
Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_one_line)]

#: Name of a thing, or of a person who signs.
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_one_line)]
#: Reference to an occurrence of an alarm, a refused message or a page of a list, as handed out.
Reference = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_reference)]
#: A person's remark, which may have line breaks and tabs.
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000), AfterValidator(_several_lines)]
#: Text in an event that stands on a topic or in the database already, perhaps written by an older version: to refuse
#: it would lose the asset or the alarm it belongs to, so it is made readable instead.
StoredText = Annotated[str, AfterValidator(readable)]

#: Numbers of plants: rated values, prices, settings of what-if. Beyond these sizes products and quotients overflow.
SMALLEST: Final = 1e-30
LARGEST: Final = 1e30


def is_usable_size(value: float) -> bool:
    """Return whether products and quotients of such numbers stay within the range of floats."""
    return value == 0.0 or SMALLEST <= abs(value) <= LARGEST


def _of_usable_size(value: float) -> float:
    if not is_usable_size(value):
        msg = f"must be 0 or of a size between {SMALLEST:g} and {LARGEST:g}"
        raise ValueError(msg)
    return value


#: Goes behind a field's own bounds, which the schema would lose otherwise.
USABLE_SIZE: Final = AfterValidator(_of_usable_size)
Quantity = Annotated[float, USABLE_SIZE]

#: A column name: lower-case snake case with the unit at the end (``flow_m3_h``).
TagName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]

Score = Annotated[float, Field(ge=0, le=100, json_schema_extra={"x-unit": "%"})]
Probability = Annotated[float, Field(ge=0, le=1, json_schema_extra={"x-unit": "1"})]
Days = Annotated[float, Field(ge=0, json_schema_extra={"x-unit": "d"})]
NotNegative = Annotated[float, Field(ge=0)]
