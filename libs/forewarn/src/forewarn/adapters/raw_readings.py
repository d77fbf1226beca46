"""Raw JSON of gateways becomes batches of readings, or rejections that say what is wrong.

The fast path decodes well-formed messages with msgspec at about a microsecond each; only what that
refuses is looked at again, slowly, to find words for it. The rules are those of
``forewarn.contracts.readings.Reading``; a contract test holds the two together.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np

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


@dataclass(slots=True)
class _Rows:
    """Collects the readings of one class."""

    readings: list[_RawReading]
    origins: list[Origin]


_decode_one = msgspec.json.Decoder(_RawReading).decode
_decode_strangers = msgspec.json.Decoder(_StrangersReading).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode

_FIX_JSON: Final = "Send one JSON object, or a list of objects, in UTF-8 as described in schemas/events/reading.v1"
_FIX_NUMBERS: Final = "Leave a tag out when its value is not known"


class RawReadingDecoder:
    """Decodes records of ``readings.raw``."""

    def __init__(self, catalogue: Mapping[str, AssetClass], find_asset: Callable[[str], Asset | None]) -> None:
        self._catalogue = catalogue
        self._find_asset = find_asset
        self._matrices = {name: _MatrixBuilder(asset_class) for name, asset_class in catalogue.items()}

    def decode(self, records: Iterable[Record]) -> tuple[list[DecodedBatch], list[Refusal]]:
        """Sort records into one batch a class, in record order, and refusals."""
        rows: dict[str, _Rows] = defaultdict(lambda: _Rows([], []))
        refusals: list[Refusal] = []
        for record in records:
            for origin in _split(record, refusals):
                self._take(origin, rows, refusals)
        batches = [self._matrices[name].build(collected, refusals) for name, collected in rows.items()]
        return [batch for batch in batches if batch.origins], refusals

    def _take(self, origin: Origin, rows: dict[str, _Rows], refusals: list[Refusal]) -> None:
        try:
            reading = _decode_one(origin.original)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as exc:
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
        else:
            collected = rows[asset.asset_class]
            collected.readings.append(reading)
            collected.origins.append(origin)


class _MatrixBuilder:
    """Puts the metrics of readings of one class into a matrix, by tag name or alias."""

    def __init__(self, asset_class: AssetClass) -> None:
        self._class = asset_class
        names = asset_class.tag_names
        self._width = len(names)
        self._position = {name: i for i, name in enumerate(names)}
        for i, tag in enumerate(asset_class.tags):
            self._position |= dict.fromkeys(tag.aliases, i)
        # One C call for the usual reading that carries exactly the class's tags under their own names.
        getter = itemgetter(*names)
        self._all_tags: Callable[[dict[str, float]], tuple[float, ...]] = (
            getter if self._width > 1 else lambda metrics: (getter(metrics),)
        )

    def build(self, collected: _Rows, refusals: list[Refusal]) -> DecodedBatch:
        values, readings, origins = [], [], []
        for reading, origin in zip(collected.readings, collected.origins, strict=True):
            row = self._row(reading.metrics)
            if row is None:
                refusals.append(_unknown_tags(origin, reading, self._class))
                continue
            values.append(row)
            readings.append(reading)
            origins.append(origin)
        return DecodedBatch(batch=self._batch(values, readings, origins), origins=origins)

    def _row(self, metrics: dict[str, float]) -> Sequence[float] | None:
        """Values in tag order, or None if not a single name is known."""
        if len(metrics) == self._width:
            try:
                return self._all_tags(metrics)
            except KeyError:
                pass
        row = [math.nan] * self._width
        known = False
        for name, value in metrics.items():
            position = self._position.get(name)
            if position is not None:
                known = True
                row[position] = value
        return row if known else None

    def _batch(self, values: list[Sequence[float]], readings: list[_RawReading], origins: list[Origin]) -> RawBatch:
        seconds = np.array([r.ts.timestamp() for r in readings], dtype=np.float64)
        flat = np.fromiter(chain.from_iterable(values), dtype=np.float64, count=len(readings) * self._width)
        return RawBatch(
            asset_class=self._class,
            assets=Strings.of([r.asset_id for r in readings]),
            ts=np.rint(seconds * _US_PER_S).astype(np.int64),
            received_at=np.array([o.record.received_us for o in origins], dtype=np.int64),
            seq=np.array([MISSING if r.seq is None else r.seq for r in readings], dtype=np.int64),
            values=flat.reshape(len(readings), self._width),
            gateway_quality=self._quality(readings),
        )

    def _quality(self, readings: list[_RawReading]) -> np.ndarray[Any, np.dtype[np.uint32]]:
        codes = np.zeros((len(readings), self._width), dtype=np.uint32)
        if not any(reading.quality for reading in readings):
            return codes
        for row, reading in enumerate(readings):
            for name, word in reading.quality.items():
                position = self._position.get(name)
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
