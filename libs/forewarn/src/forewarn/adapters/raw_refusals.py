"""Words for messages that are no data: what is wrong, where, and what to do."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import IDENTIFIER
from forewarn.contracts.readings import RejectionReason
from forewarn.ports.lanes import Record

#: A longer message is refused unread: one gateway must not stall the others of its partition.
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024

_FIX_JSON: Final = "Send one JSON object, or a list of objects, in UTF-8 as described in schemas/events/reading.v1"
_FIX_NUMBERS: Final = "Leave a tag out when its value is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A message, or one reading of a list, that did not become data."""

    record: Record
    index: int | None
    original: bytes
    reason: RejectionReason
    explanation: str
    recommendation: str
    asset_id: str | None = None


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a reading came from: its message, its position if that held a list, and its own bytes."""

    record: Record
    index: int | None
    original: bytes


def unreadable(origin: Origin) -> Refusal:
    """A message that is not looked into."""
    return _refuse(origin, *_why_unread(origin.record))


def empty_list(origin: Origin) -> Refusal:
    """A list without readings."""
    return _refuse(origin, RejectionReason.BAD_STRUCTURE, "The list of readings is empty.", _FIX_JSON)


def _why_unread(record: Record) -> tuple[RejectionReason, str, str]:
    if not record.value:
        return RejectionReason.BAD_JSON, "The message is empty.", _FIX_JSON
    if record.key is None:
        return (
            RejectionReason.NO_KEY,
            "The message has no key, so the readings of an asset would be spread over partitions.",
            "Set the Kafka message key to the asset_id",
        )
    return (
        RejectionReason.TOO_LARGE,
        f"The message has {len(record.value)} bytes, the limit is {MAX_MESSAGE_BYTES}.",
        "Send fewer readings in one message",
    )


def _refuse(
    origin: Origin, reason: RejectionReason, explanation: str, recommendation: str, asset_id: str | None = None
) -> Refusal:
    return Refusal(
        record=origin.record,
        index=origin.index,
        original=origin.original,
        reason=reason,
        explanation=explanation,
        recommendation=recommendation,
        asset_id=asset_id,
    )


def explain(origin: Origin, problem: Exception) -> Refusal:
    """Find out slowly why msgspec refused a message."""
    try:
        text = origin.original.decode("utf-8")
    except UnicodeDecodeError as exc:
        return _refuse(origin, RejectionReason.BAD_ENCODING, f"The message is not UTF-8: {exc}.", _FIX_JSON)
    try:
        document = json.loads(text)
    except RecursionError:
        return _refuse(origin, RejectionReason.BAD_STRUCTURE, "The JSON is nested too deeply.", _FIX_JSON)
    except ValueError as exc:
        return _refuse(origin, RejectionReason.BAD_JSON, f"The message is not JSON: {exc}.", _FIX_JSON)
    asset_id = _asset_id(document)
    place = _not_finite(document)
    if place is not None:
        explanation = f"{place} is not a finite number; JSON has no NaN and no infinity."
        return _refuse(origin, RejectionReason.NOT_FINITE, explanation, _FIX_NUMBERS, asset_id)
    if not isinstance(problem, msgspec.ValidationError):  # Python's parser is more lenient than the standard
        return _refuse(origin, RejectionReason.BAD_JSON, f"The message is not JSON: {problem}.", _FIX_JSON, asset_id)
    explanation = f"The reading breaks the contract: {problem}."
    return _refuse(origin, RejectionReason.BAD_STRUCTURE, explanation, _FIX_JSON, asset_id)


def _asset_id(document: object) -> str | None:
    found = document.get("asset_id") if isinstance(document, dict) else None
    return found if isinstance(found, str) and re.fullmatch(IDENTIFIER, found) else None


def _not_finite(document: object) -> str | None:
    metrics = document.get("metrics") if isinstance(document, dict) else None
    for name, value in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(value, int | float) and not _is_finite(value):
            # Python's parser lets lone surrogates through, which no UTF-8 text can hold.
            return f"metrics.{name}".encode("utf-8", "backslashreplace").decode()
    return None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of more than 308 digits
        return False


def not_registered(origin: Origin, asset_id: str) -> Refusal:
    """Nobody knows the asset."""
    explanation = f"Nobody has registered the asset {asset_id!r}."
    cure = "Register it (POST /api/v1/assets), then replay this reading"
    return _refuse(origin, RejectionReason.UNKNOWN_ASSET, explanation, cure, asset_id)


def unknown_class(origin: Origin, asset: Asset) -> Refusal:
    """The asset's class is gone from the catalogue."""
    asset_id = asset.asset_id
    explanation = f"The asset {asset_id!r} has the class {asset.asset_class!r}, which the catalogue does not hold."
    cure = "Add the class to the catalogue, or register the asset with another class"
    return _refuse(origin, RejectionReason.UNKNOWN_ASSET, explanation, cure, asset_id)


def wrong_key(origin: Origin, asset_id: str) -> Refusal:
    """A key that is not the asset's would spread its readings over partitions."""
    key = (origin.record.key or b"").decode(errors="replace")
    return _refuse(
        origin,
        RejectionReason.KEY_MISMATCH,
        f"The message key is {key!r}, but the reading is of {asset_id!r}.",
        "Set the Kafka message key to the asset_id; a list may hold readings of one asset only",
        asset_id,
    )


def unknown_tags(origin: Origin, asset_id: str, names: Iterable[str], asset_class: AssetClass) -> Refusal:
    """No tag of the class is in it."""
    return _refuse(
        origin,
        RejectionReason.UNKNOWN_TAGS,
        f"None of the metrics ({', '.join(sorted(names)[:10])}) is a tag of {asset_class.name}.",
        f"Use the tags of the class or their aliases: {', '.join(asset_class.tag_names)}",
        asset_id,
    )
