"""Readings as gateways send them, and rejections of the invalid ones."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from forewarn.contracts.base import Contract, Identifier, OpaqueBytes, UtcDatetime


class Reading(Contract):
    """One asset's tags at one instant: the public JSON contract of ``readings.raw``.

    A Kafka message holds one reading, or a list of readings of the asset that is the message key.
    """

    asset_id: Identifier
    ts: UtcDatetime = Field(description="When the sensors were read; with a zone, any ISO 8601 form.")
    metrics: Annotated[dict[str, float], Field(min_length=1, max_length=512)] = Field(
        description="Value per tag in the tag's unit. A tag's name or any of its aliases."
    )
    quality: dict[str, Literal["good", "uncertain", "bad"]] = Field(
        default_factory=dict, description="What the gateway thinks of a tag; a tag not named is good."
    )
    seq: Annotated[int, Field(ge=0, lt=2**63)] | None = Field(
        default=None, description="The gateway's own counter, for finding gaps."
    )
    source: Annotated[str, Field(max_length=128)] | None = Field(default=None, description="Which gateway sent it.")
    historical: bool = Field(
        default=False,
        description="From a historian or an archive: may be of any age, is judged like others, but never alarms.",
    )


class RejectionReason(StrEnum):
    """Why a message or reading was refused."""

    BAD_ENCODING = "bad_encoding"
    BAD_JSON = "bad_json"
    BAD_STRUCTURE = "bad_structure"
    NOT_FINITE = "not_finite"
    TOO_LARGE = "too_large"
    NO_KEY = "no_key"
    KEY_MISMATCH = "key_mismatch"
    UNKNOWN_ASSET = "unknown_asset"
    UNKNOWN_TAGS = "unknown_tags"
    OUTSIDE_TIME_WINDOW = "outside_time_window"
    NO_VALUE = "no_value"
    PHYSICS = "physics"
    STRICT_MODE = "strict_mode"
    BAD_FRAME = "bad_frame"
    QUARANTINED = "quarantined"


class RejectedReading(Contract):
    """A refused message or reading with everything needed to understand and replay it."""

    rejected_id: str = Field(description="topic/partition/offset[/index]: the same message always gets the same id.")
    topic: str
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    index: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Position in the message when it held a list; of the first reading if of several."
    )
    readings: Annotated[int, Field(ge=1)] = Field(
        default=1, description="How many readings of the message this stands for; the original is then the whole list."
    )
    reason: RejectionReason
    rule: str | None = Field(default=None, description="Rule that refused it, where a rule did.")
    explanation: str = Field(description="What is wrong, with the values, in plain words.")
    recommendation: str = Field(description="What to do about it.")
    asset_id: str | None = Field(default=None, description="Where it could be read.")
    rejected_at: UtcDatetime
    key: OpaqueBytes | None = None
    original: OpaqueBytes = Field(description="The refused bytes, unchanged.")
