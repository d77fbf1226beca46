"""Base classes and shared field types of every JSON contract."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Annotated, Final
from unicodedata import category

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


class Contract(BaseModel):
    """An event or document on a topic.

    Readers ignore fields they do not know, so that a newer writer never breaks an older reader;
    NaN and infinity are refused on the way in and on the way out.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        json_schema_serialization_defaults_required=True,
    )


class StrictContract(Contract):
    """A document a person or program hands to us: unknown fields are mistakes, so they are refused."""

    model_config = ConfigDict(extra="forbid")


#: Times of data lie in [EARLIEST, LATEST): no clock of a plant shows others; every text, database and zone holds them.
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


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
    """ISO 8601 in UTC with microseconds and a ``Z``: sorts as text and reads in every language."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


#: The one type of a time, in contracts, routes and commands alike: aware, in UTC, within ``EARLIEST`` and ``LATEST``.
UtcDatetime = Annotated[
    AwareDatetime,
    AfterValidator(_to_utc),
    PlainSerializer(format_utc, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


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


#: Control characters, halves of surrogate pairs, separators of lines and paragraphs; marks that turn text around.
_UNFIT_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _without_controls(value: str) -> str:
    unfit = next((c for c in value if category(c) in _UNFIT_CATEGORIES or c in _TURNING), None)
    if unfit is not None:
        msg = f"must not contain control characters or line breaks, found {unfit!a}"
        raise ValueError(msg)
    return value


def _lines_without_controls(value: str) -> str:
    text = value.replace("\r\n", "\n")
    _without_controls(text.translate({ord("\n"): " ", ord("\t"): " "}))
    return text


#: Text that people write and read on one line: names, sources, who did something. Blanks around it are dropped.
#: A field adds its greatest length.
Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_without_controls)]
#: The same with line breaks and tabs: comments, notes.
Paragraphs = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_lines_without_controls)]

#: A column name: lower-case snake case with the unit at the end (``flow_m3_h``).
TagName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]

Score = Annotated[float, Field(ge=0, le=100, json_schema_extra={"x-unit": "%"})]
Probability = Annotated[float, Field(ge=0, le=1, json_schema_extra={"x-unit": "1"})]
Days = Annotated[float, Field(ge=0, json_schema_extra={"x-unit": "d"})]
NotNegative = Annotated[float, Field(ge=0)]

_RESERVED_PREFIXES = ("quality_", "expected_", "residual_", "contribution_")
_RESERVED_NAMES = frozenset(
    [
        "asset_id",
        "ts",
        "received_at",
        "seq",
        "late",
        "historical",
        "verdict",
        "findings",
        "deviation",
        "phase",
        "regime",
        "model_version",
        "score",
        "p_value",
        "flag",
        "culprit",
        "hint",
        "source",
        "key",
    ]
)


def is_reserved(name: str) -> bool:
    """Whether a column name is one of the platform's own."""
    return name in _RESERVED_NAMES or name.startswith(_RESERVED_PREFIXES)
