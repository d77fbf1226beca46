"""Raw JSON of gateways becomes batches of readings, or rejections that say what is wrong.

Three paths, each for what the one before refuses: readings that carry nothing but tags of their class
are decoded by a msgspec decoder made for the class, at half a microsecond each; other well-formed ones
by one that takes any names; the rest is looked at again, slowly, to find words for it. The rules are those of
``forewarn.contracts.readings.Reading``; a contract test holds the two together.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
from msgspec.structs import astuple

from forewarn.adapters.ignored_tags import IgnoredTags
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.quality import GATEWAY_QUALITY
from forewarn.contracts.readings import RejectionReason
from forewarn.domain.frame import MISSING, Strings
from forewarn.domain.guard.batch import RawBatch
from forewarn.ports.lanes import Record

#: A longer message is refused unread: one gateway must not stall the others of its partition.
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024

_IDENTIFIER: Final = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}\Z"
_Identifier = Annotated[str, msgspec.Meta(pattern=_IDENTIFIER)]
_AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
_US_PER_S: Final = 1e6


class _RawReading(msgspec.Struct, frozen=True, gc=False):
    asset_id: str  # that of a registered asset is an identifier: the pattern would cost a third of decoding
    ts: _AwareTime
    metrics: Annotated[dict[str, float], msgspec.Meta(min_length=1, max_length=512)]
    quality: dict[str, Literal["good", "uncertain", "bad"]] = {}
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    source: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    historical: bool = False


class _StrangersReading(_RawReading, frozen=True, gc=False):
    asset_id: _Identifier


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
    """Where a row of a batch came from: its message, and its position if that held a list."""

    record: Record
    index: int | None
    original: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedBatch:
    """Readings of one class with the origin of each row."""

    batch: RawBatch
    origins: Sequence[Origin]


_decode_one = msgspec.json.Decoder(_RawReading).decode
_decode_strangers = msgspec.json.Decoder(_StrangersReading).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode

_DECODING_ERRORS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)

_FIX_JSON: Final = "Send one JSON object, or a list of objects, in UTF-8 as described in schemas/events/reading.v1"
_FIX_NUMBERS: Final = "Leave a tag out when its value is not known"


class RawReadingDecoder:
    """Decodes records of ``readings.raw``."""

    def __init__(self, catalogue: Mapping[str, AssetClass], find_asset: Callable[[str], Asset | None]) -> None:
        self._catalogue = catalogue
        self._find_asset = find_asset
        self._tags = {name: _Tags(asset_class) for name, asset_class in catalogue.items()}
        self.ignored = IgnoredTags()

    def decode(self, records: Iterable[Record]) -> tuple[list[DecodedBatch], list[Refusal]]:
        """Sort records into one batch a class, in record order, and refusals."""
        rows = {name: _Rows(tags) for name, tags in self._tags.items()}
        senders: dict[bytes | None, tuple[str, _Rows] | None] = {}
        refusals: list[Refusal] = []
        for record in records:
            key = record.key
            if key not in senders:
                senders[key] = self._sender(key, rows)
            sender = senders[key]
            for origin in _split(record, refusals):
                if sender is None or not sender[1].take_usual(origin, sender[0]):
                    self._take(origin, rows, refusals)
        return [collected.batch() for collected in rows.values() if collected.readings], refusals

    def _sender(self, key: bytes | None, rows: Mapping[str, "_Rows"]) -> tuple[str, "_Rows"] | None:
        """The asset that a key stands for, and where its readings go."""
        asset = None if key is None else self._find_asset(key.decode(errors="replace"))
        if asset is None or asset.asset_class not in rows:
            return None
        return asset.asset_id, rows[asset.asset_class]

    def _take(self, origin: Origin, rows: Mapping[str, "_Rows"], refusals: list[Refusal]) -> None:
        try:
            reading = _decode_one(origin.original)
        except _DECODING_ERRORS as exc:
            refusals.append(_explain(origin, exc))
            return
        asset_id = reading.asset_id
        asset = self._find_asset(asset_id)
        if asset is None:
            refusals.append(_stranger(origin, asset_id))
        elif origin.record.key != asset_id.encode():
            refusals.append(_wrong_key(origin, asset_id))
        elif asset.asset_class not in self._catalogue:
            refusals.append(_unknown_class(origin, asset))
        elif not rows[asset.asset_class].take_any(origin, reading):
            refusals.append(_unknown_tags(origin, reading, self._catalogue[asset.asset_class]))
        elif unknown := reading.metrics.keys() - self._tags[asset.asset_class].position.keys():
            self.ignored.note(asset_id, asset.asset_class, unknown)


class _Tags:
    """What decoding needs to know of the tags of a class."""

    def __init__(self, asset_class: AssetClass) -> None:
        self.asset_class = asset_class
        names = asset_class.tag_names
        fields = {f"tag_{number}": name for number, name in enumerate(names)}  # a name could be a keyword
        metrics = msgspec.defstruct(
            "_Metrics",
            [(field, float, math.nan) for field in fields],
            rename=fields,
            forbid_unknown_fields=True,
            frozen=True,
            gc=False,
        )
        usual = msgspec.defstruct("_UsualReading", [("metrics", metrics)], bases=(_RawReading,), frozen=True, gc=False)
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(usual).decode
        self.pack = struct.Struct(f"{len(names)}d").pack  # three times as fast as numpy.fromiter
        self.nothing = self.pack(*[math.nan] * len(names))
        self.position = {name: number for number, name in enumerate(names)}
        for number, tag in enumerate(asset_class.tags):
            self.position |= dict.fromkeys(tag.aliases, number)


class _Rows:
    """Collects the readings of one class."""

    def __init__(self, tags: _Tags) -> None:
        self._tags = tags
        self.readings: list[_RawReading] = []
        self._origins: list[Origin] = []
        self._values: list[bytes] = []

    def take_usual(self, origin: Origin, asset_id: str) -> bool:
        """Take a reading of this asset that carries tags of the class under their own names and nothing else."""
        try:
            reading = self._tags.decode(origin.original)
        except _DECODING_ERRORS:
            return False
        values = self._tags.pack(*astuple(reading.metrics))
        if reading.asset_id != asset_id or values == self._tags.nothing:
            return False
        self.readings.append(reading)
        self._origins.append(origin)
        self._values.append(values)
        return True

    def take_any(self, origin: Origin, reading: _RawReading) -> bool:
        """Take a reading of an asset of the class, by names and aliases; not if it has no tag of the class."""
        values = [math.nan] * len(self._tags.asset_class.tags)
        known = False
        for name, value in reading.metrics.items():
            position = self._tags.position.get(name)
            if position is not None:
                known = True
                values[position] = value
        if known:
            self.readings.append(reading)
            self._origins.append(origin)
            self._values.append(self._tags.pack(*values))
        return known

    def batch(self) -> DecodedBatch:
        """Everything taken so far."""
        readings, origins = self.readings, self._origins
        seconds = np.array([r.ts.timestamp() for r in readings], dtype=np.float64)
        values = np.frombuffer(b"".join(self._values), dtype=np.float64)
        batch = RawBatch(
            asset_class=self._tags.asset_class,
            assets=Strings.of([r.asset_id for r in readings]),
            ts=np.rint(seconds * _US_PER_S).astype(np.int64),
            received_at=np.array([o.record.received_us for o in origins], dtype=np.int64),
            seq=np.array([MISSING if r.seq is None else r.seq for r in readings], dtype=np.int64),
            values=values.reshape(len(readings), -1),
            gateway_quality=self._quality(),
            historical=np.array([r.historical for r in readings], dtype=np.bool_),
        )
        return DecodedBatch(batch=batch, origins=origins)

    def _quality(self) -> np.ndarray[Any, np.dtype[np.uint32]]:
        codes = np.zeros((len(self.readings), len(self._tags.asset_class.tags)), dtype=np.uint32)
        for row, reading in enumerate(self.readings):
            for name, word in reading.quality.items() if reading.quality else ():
                position = self._tags.position.get(name)
                if position is not None:
                    codes[row, position] = GATEWAY_QUALITY[word]
        return codes


def _split(record: Record, refusals: list[Refusal]) -> list[Origin]:
    """The readings of a message as they stand in it, or nothing and a refusal."""
    value = record.value or b""
    origin = Origin(record, None, value)
    if not value or record.key is None or len(value) > MAX_MESSAGE_BYTES:
        refusals.append(_refuse(origin, *_unreadable(record)))
        return []
    if value.startswith(b"{") or value.lstrip()[:1] != b"[":
        return [origin]
    try:
        parts = _decode_list(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        refusals.append(_explain(origin, exc))
        return []
    if not parts:
        refusals.append(_refuse(origin, RejectionReason.BAD_STRUCTURE, "The list of readings is empty.", _FIX_JSON))
    return [Origin(record, i, bytes(part)) for i, part in enumerate(parts)]


def _unreadable(record: Record) -> tuple[RejectionReason, str, str]:
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


def _explain(origin: Origin, problem: Exception) -> Refusal:
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
    return found if isinstance(found, str) and re.fullmatch(_IDENTIFIER, found) else None


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


def _stranger(origin: Origin, asset_id: str) -> Refusal:
    """Nobody has registered the asset, and its name or key may be wrong besides."""
    try:
        _decode_strangers(origin.original)
    except msgspec.ValidationError as exc:
        return _explain(origin, exc)
    if origin.record.key != asset_id.encode():
        return _wrong_key(origin, asset_id)
    explanation = f"Nobody has registered the asset {asset_id!r}."
    cure = "Register it (POST /api/v1/assets), then replay this reading"
    return _refuse(origin, RejectionReason.UNKNOWN_ASSET, explanation, cure, asset_id)


def _unknown_class(origin: Origin, asset: Asset) -> Refusal:
    asset_id = asset.asset_id
    explanation = f"The asset {asset_id!r} has the class {asset.asset_class!r}, which the catalogue does not hold."
    cure = "Add the class to the catalogue, or register the asset with another class"
    return _refuse(origin, RejectionReason.UNKNOWN_ASSET, explanation, cure, asset_id)


def _wrong_key(origin: Origin, asset_id: str) -> Refusal:
    key = (origin.record.key or b"").decode(errors="replace")
    return _refuse(
        origin,
        RejectionReason.KEY_MISMATCH,
        f"The message key is {key!r}, but the reading is of {asset_id!r}.",
        "Set the Kafka message key to the asset_id; a list may hold readings of one asset only",
        asset_id,
    )


def _unknown_tags(origin: Origin, reading: _RawReading, asset_class: AssetClass) -> Refusal:
    return _refuse(
        origin,
        RejectionReason.UNKNOWN_TAGS,
        f"None of the metrics ({', '.join(sorted(reading.metrics)[:10])}) is a tag of {asset_class.name}.",
        f"Use the tags of the class or their aliases: {', '.join(asset_class.tag_names)}",
        reading.asset_id,
    )
