"""Explanations for messages that are not valid readings: what is wrong, where, and the cure."""

import json
import math
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from forewarn.adapters.rejections import RefusedInput
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import IDENTIFIER
from forewarn.contracts.limits import (
    MAX_RAW_MESSAGE_BYTES,
    MAX_READINGS_PER_MESSAGE,
    MAX_TAG_NAME_CHARACTERS,
    shortened,
)
from forewarn.contracts.readings import RejectionReason
from forewarn.ports.lanes import Record

_FIX_JSON: Final = "Send one JSON object, or a list of objects, in UTF-8 as described in schemas/events/reading.v1"
_FIX_NUMBERS: Final = "Leave a tag out when its value is not known"
_FIX_SIZE: Final = "Send fewer readings in one message"


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a reading came from: its message, its position if that held a list, and its own bytes."""

    record: Record
    index: int | None
    original: bytes


def unreadable(origin: Origin) -> RefusedInput:
    """Refuse a message unread."""
    return _refuse(origin, *_why_unread(origin.record))


def empty_list(origin: Origin) -> RefusedInput:
    """Refuse a list without readings."""
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
        f"The message has {len(record.value)} bytes, the limit is {MAX_RAW_MESSAGE_BYTES}.",
        _FIX_SIZE,
    )


def _refuse(
    origin: Origin, reason: RejectionReason, explanation: str, recommendation: str, asset_id: str | None = None
) -> RefusedInput:
    return RefusedInput(
        record=origin.record,
        index=origin.index,
        original=origin.original,
        reason=reason,
        explanation=shortened(explanation),
        recommendation=recommendation,
        asset_id=asset_id,
    )


def beyond_limit(record: Record, readings: int) -> RefusedInput:
    """Refuse the rest of a list that has more readings than are taken of one message."""
    return RefusedInput(
        record=record,
        index=MAX_READINGS_PER_MESSAGE,
        original=record.value or b"",
        reason=RejectionReason.TOO_LARGE,
        explanation=f"The list holds {MAX_READINGS_PER_MESSAGE + readings} readings, the limit is "
        f"{MAX_READINGS_PER_MESSAGE}: those from index {MAX_READINGS_PER_MESSAGE} on were not read.",
        recommendation=_FIX_SIZE,
        readings=readings,
    )


def unexplained(origin: Origin) -> RefusedInput:
    """Refuse a part of a list without explanation, once enough others of the message have been explained."""
    return _refuse(origin, RejectionReason.BAD_STRUCTURE, "It breaks the contract of a reading.", _FIX_JSON)


def unforeseen(record: Record, problem: Exception) -> RefusedInput:
    """Refuse a message whose reading failed in an unforeseen way."""
    return _refuse(
        Origin(record, None, record.value or b""),
        RejectionReason.BAD_STRUCTURE,
        f"The message cannot be read: {type(problem).__name__}: {problem}.",
        "Please report this message to the makers of Forewarn; it may be replayed after an update",
    )


def explain(origin: Origin, problem: Exception) -> RefusedInput:
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
    if not isinstance(problem, msgspec.ValidationError):  # Python's parser is laxer than the standard
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
            # Python's parser accepts lone surrogates, which UTF-8 cannot encode.
            shown = shortened(name, MAX_TAG_NAME_CHARACTERS)
            return f"metrics.{shown}".encode("utf-8", "backslashreplace").decode()
    return None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of more than 308 digits
        return False


def not_registered(origin: Origin, asset_id: str) -> RefusedInput:
    """Refuse a reading of an unregistered asset."""
    explanation = f"The asset {asset_id!r} is not registered."
    cure = "Register it (POST /api/v1/assets), then replay this reading"
    return _refuse(origin, RejectionReason.UNKNOWN_ASSET, explanation, cure, asset_id)


def unknown_class(origin: Origin, asset: Asset) -> RefusedInput:
    """Refuse a reading whose asset's class is no longer in the catalogue."""
    asset_id = asset.asset_id
    explanation = f"The asset {asset_id!r} has the class {asset.asset_class!r}, which the catalogue does not hold."
    cure = "Add the class to the catalogue, or register the asset with another class"
    return _refuse(origin, RejectionReason.UNKNOWN_ASSET, explanation, cure, asset_id)


def wrong_key(origin: Origin, asset_id: str) -> RefusedInput:
    """Refuse a message whose key is not the asset: its readings would spread over partitions."""
    key = shortened((origin.record.key or b"").decode(errors="replace"), MAX_TAG_NAME_CHARACTERS)
    return _refuse(
        origin,
        RejectionReason.KEY_MISMATCH,
        f"The message key is {key!r}, but the reading is of {asset_id!r}.",
        "Set the Kafka message key to the asset_id; a list may hold readings of one asset only",
        asset_id,
    )


def unknown_tags(origin: Origin, asset_id: str, names: Iterable[str], asset_class: AssetClass) -> RefusedInput:
    """Refuse a reading without any tag of the class."""
    shown = ", ".join(shortened(name, MAX_TAG_NAME_CHARACTERS) for name in sorted(names)[:10])
    sample = shortened(shown, 2 * MAX_TAG_NAME_CHARACTERS)
    return _refuse(
        origin,
        RejectionReason.UNKNOWN_TAGS,
        f"None of the metrics ({sample}) is a tag of {asset_class.name}.",
        f"Use the tags of the class or their aliases: {', '.join(asset_class.tag_names)}",
        asset_id,
    )
