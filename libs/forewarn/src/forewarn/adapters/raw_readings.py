"""Decodes gateways' raw JSON into batches of readings, or rejections with the reason.

Three paths, each for what the one before refuses: readings that carry only tags of their class are decoded by a
msgspec decoder made for the class, in half a microsecond each; other well-formed ones by a decoder that takes any
names; the rest is examined slowly, to explain what is wrong. The rules are those of
``forewarn.contracts.readings.Reading``; a contract test holds the two together.
"""

import math
import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
from msgspec.structs import astuple

from forewarn.adapters.folded_refusals import explained_one_by_one
from forewarn.adapters.ignored_tags import IgnoredTags
from forewarn.adapters.raw_refusals import (
    Origin,
    beyond_limit,
    empty_list,
    explain,
    not_registered,
    unexplained,
    unforeseen,
    unknown_class,
    unknown_tags,
    unreadable,
    wrong_key,
)
from forewarn.adapters.rejections import RefusedInput
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import IDENTIFIER
from forewarn.contracts.limits import MAX_METRICS_PER_READING, MAX_RAW_MESSAGE_BYTES, MAX_READINGS_PER_MESSAGE
from forewarn.contracts.quality import GATEWAY_QUALITY
from forewarn.domain.frames.frame import MISSING, Strings
from forewarn.domain.guard.batch import RawBatch
from forewarn.domain.progress import ProgressCallback, no_progress
from forewarn.ports.lanes import Record

_Identifier = Annotated[str, msgspec.Meta(pattern=rf"^{IDENTIFIER}\Z")]
_AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
_US_PER_S: Final = 1e6
_NO_READING_IS_SHORTER: Final = len(b'{"asset_id":"","ts":"","metrics":{"":0}}')
_PORTION: Final = 40_000  # readings; more than the messages of a turn, so that only lists can make it a second portion


class _RawReading(msgspec.Struct, frozen=True, gc=False):
    asset_id: str  # a registered asset's id is an identifier: the pattern would cost a third of decoding
    ts: _AwareTime
    metrics: Annotated[dict[str, float], msgspec.Meta(min_length=1, max_length=MAX_METRICS_PER_READING)]
    quality: dict[str, Literal["good", "uncertain", "bad"]] = {}
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    source: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    historical: bool = False


class _StrangersReading(_RawReading, frozen=True, gc=False):
    asset_id: _Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedBatch:
    """Readings of one class with the message of each row; ``parts`` are the rows that were one of a list."""

    batch: RawBatch
    records: Sequence[Record]
    parts: Mapping[int, Origin]

    def origin(self, row: int) -> Origin:
        """Return the origin of a row."""
        record = self.records[row]
        return self.parts.get(row) or Origin(record, None, record.value or b"")


_decode_one = msgspec.json.Decoder(_RawReading).decode
_decode_strangers = msgspec.json.Decoder(_StrangersReading).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
# Decoding an array into a struct skips what comes after the last field without creating objects: a list of two
# million elements takes 15 ms and no memory, where a list of msgspec.Raw takes 130 MB.
_LongList = msgspec.defstruct(
    "_LongList",
    [(f"part_{index}", msgspec.Raw, msgspec.Raw(b"")) for index in range(MAX_READINGS_PER_MESSAGE + 1)],
    array_like=True,
    frozen=True,
    gc=False,
)
_decode_long_list = msgspec.json.Decoder(_LongList).decode

_DECODING_ERRORS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)


class RawReadingDecoder:
    """Decodes records of ``readings.raw``."""

    def __init__(self, catalogue: Mapping[str, AssetClass], find_asset: Callable[[str], Asset | None]) -> None:
        self._catalogue = catalogue
        self._find_asset = find_asset
        self._tags = {name: _Tags(asset_class) for name, asset_class in catalogue.items()}
        self.ignored = IgnoredTags()

    def decode(
        self, records: Iterable[Record], on_progress: ProgressCallback = no_progress
    ) -> tuple[list[DecodedBatch], list[RefusedInput]]:
        """Sort records into one batch a class, in record order, and refusals.

        Given an iterator, it stops when lists have brought more readings than a portion may have; the iterator then
        stands at the first message still to be decoded. An empty result means that the input is used up.
        """
        rows = {name: _Rows(tags) for name, tags in self._tags.items()}
        senders: dict[bytes | None, tuple[str, _Rows] | None] = {}
        refusals: list[RefusedInput] = []
        for record in records:
            key, value = record.key, record.value
            if key not in senders:
                senders[key] = self._sender(key, rows)
            sender = senders[key]
            if sender is None or value is None or not sender[1].take_usual(record, value, sender[0]):
                self._take_unusual(record, sender, rows, refusals)
                on_progress()
                if len(refusals) + sum(map(len, rows.values())) >= _PORTION:
                    break
        return [collected.batch() for collected in rows.values() if collected], refusals

    def _sender(self, key: bytes | None, rows: Mapping[str, "_Rows"]) -> tuple[str, "_Rows"] | None:
        """Return the asset of a key, and the rows of its class."""
        asset = None if key is None else self._find_asset(key.decode(errors="replace"))
        if asset is None or asset.asset_class not in rows:
            return None
        return asset.asset_id, rows[asset.asset_class]

    def _take_unusual(
        self,
        record: Record,
        sender: tuple[str, "_Rows"] | None,
        rows: Mapping[str, "_Rows"],
        refusals: list[RefusedInput],
    ) -> None:
        """Take a message that is not a usual reading: a list, one with other names, junk."""
        try:
            parts = _split(record, refusals)
            if parts is not None:
                self._take_parts(record, parts, sender, rows, refusals)
            elif refusal := self._take(Origin(record, None, record.value or b""), rows, explain):
                refusals.append(refusal)
        except Exception as exc:  # noqa: BLE001  # whatever a message holds, the others must be read
            refusals.append(unforeseen(record, exc))

    def _take_parts(
        self,
        record: Record,
        parts: Sequence[msgspec.Raw],
        sender: tuple[str, "_Rows"] | None,
        rows: Mapping[str, "_Rows"],
        refusals: list[RefusedInput],
    ) -> None:
        """Take the readings of a list; once enough are explained, parts too short to be readings are only counted."""
        enough = len(refusals) + explained_one_by_one(len(record.value or b""))
        obvious: list[int] = []
        for index, part in enumerate(parts):
            if len(part) < _NO_READING_IS_SHORTER and len(refusals) >= enough:
                obvious.append(index)
                continue
            origin = Origin(record, index, bytes(part))
            if sender is not None and sender[1].take_part(origin, sender[0]):
                continue
            if refusal := self._take(origin, rows, explain if len(refusals) < enough else _not_explained):
                refusals.append(refusal)
        if obvious:
            refusals.append(replace(unexplained(Origin(record, obvious[0], b"")), readings=len(obvious)))

    def _take(
        self, origin: Origin, rows: Mapping[str, "_Rows"], explained: Callable[[Origin, Exception], RefusedInput]
    ) -> RefusedInput | None:
        try:
            reading = _decode_one(origin.original)
        except _DECODING_ERRORS as exc:
            return explained(origin, exc)
        asset_id = reading.asset_id
        asset = self._find_asset(asset_id)
        if asset is None:
            return _stranger(origin, asset_id)
        if origin.record.key != asset_id.encode():
            return wrong_key(origin, asset_id)
        if asset.asset_class not in self._catalogue:
            return unknown_class(origin, asset)
        if not rows[asset.asset_class].take_any(origin, reading):
            return unknown_tags(origin, asset_id, reading.metrics, self._catalogue[asset.asset_class])
        if unknown := reading.metrics.keys() - self._tags[asset.asset_class].position.keys():
            self.ignored.note(asset_id, asset.asset_class, unknown)
        return None


class _Tags:
    """Decoder of the tags of a class."""

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
        self._pack = struct.Struct(f"={len(names)}ddq?").pack
        self.row = np.dtype([("values", np.float64, len(names)), ("ts_s", np.float64), ("seq", np.int64), ("old", "?")])
        self.nothing = struct.pack(f"={len(names)}d", *[math.nan] * len(names))
        self.position = {name: number for number, name in enumerate(names)}
        for number, tag in enumerate(asset_class.tags):
            self.position |= dict.fromkeys(tag.aliases, number)

    def pack(self, values: Iterable[float], reading: _RawReading) -> bytes:
        """Return a row's values in the layout of ``row``: compact, where objects would fill the caches."""
        seq = MISSING if reading.seq is None else reading.seq
        return self._pack(*values, reading.ts.timestamp(), seq, reading.historical)


class _Rows:
    """Collects the readings of one class."""

    def __init__(self, tags: _Tags) -> None:
        self._tags = tags
        self._rows: list[bytes] = []
        self._assets: list[str] = []
        self._records: list[Record] = []
        self._parts: dict[int, Origin] = {}
        self._quality: dict[int, Mapping[str, str]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def take_usual(self, record: Record, original: bytes, asset_id: str) -> bool:
        """Take a reading of this asset that carries nothing but tags of the class under their own names."""
        if len(original) > MAX_RAW_MESSAGE_BYTES:
            return False
        try:
            reading = self._tags.decode(original)
        except _DECODING_ERRORS:
            return False
        row = self._tags.pack(astuple(reading.metrics), reading)
        if reading.asset_id != asset_id or row.startswith(self._tags.nothing):
            return False
        self._add(row, record, asset_id, reading.quality)
        return True

    def take_part(self, origin: Origin, asset_id: str) -> bool:
        """Take one reading of a list like ``take_usual``."""
        taken = self.take_usual(origin.record, origin.original, asset_id)
        if taken:
            self._parts[len(self) - 1] = origin
        return taken

    def take_any(self, origin: Origin, reading: _RawReading) -> bool:
        """Take a reading of an asset of the class, by names and aliases; refuse it without any tag of the class."""
        values = [math.nan] * len(self._tags.asset_class.tags)
        known = False
        for name, value in reading.metrics.items():
            position = self._tags.position.get(name)
            if position is not None:
                known = True
                values[position] = value
        if known:
            self._parts[len(self)] = origin
            self._add(self._tags.pack(values, reading), origin.record, reading.asset_id, reading.quality)
        return known

    def _add(self, row: bytes, record: Record, asset_id: str, quality: Mapping[str, str]) -> None:
        if quality:
            self._quality[len(self._rows)] = quality
        self._rows.append(row)
        self._assets.append(asset_id)
        self._records.append(record)

    def batch(self) -> DecodedBatch:
        """Return everything taken so far."""
        rows = np.frombuffer(b"".join(self._rows), dtype=self._tags.row)
        batch = RawBatch(
            asset_class=self._tags.asset_class,
            assets=Strings.of(self._assets),
            ts=np.rint(rows["ts_s"] * _US_PER_S).astype(np.int64),
            received_at=np.array([record.received_us for record in self._records], dtype=np.int64),
            seq=rows["seq"].copy(),
            values=rows["values"].copy(),
            gateway_quality=self._codes(),
            historical=rows["old"].copy(),
        )
        return DecodedBatch(batch=batch, records=self._records, parts=self._parts)

    def _codes(self) -> np.ndarray[Any, np.dtype[np.uint32]]:
        codes = np.zeros((len(self), len(self._tags.asset_class.tags)), dtype=np.uint32)
        for row, words in self._quality.items():
            for name, word in words.items():
                position = self._tags.position.get(name)
                if position is not None:
                    codes[row, position] = GATEWAY_QUALITY[word]
        return codes


def _split(record: Record, refusals: list[RefusedInput]) -> Sequence[msgspec.Raw] | None:
    """Return the parts of a list to read; None for any other message, and empty for a list refused here."""
    value = record.value or b""
    origin = Origin(record, None, value)
    if not value or record.key is None or len(value) > MAX_RAW_MESSAGE_BYTES:
        refusals.append(unreadable(origin))
        return ()
    if value.startswith(b"{") or value.lstrip()[:1] != b"[":
        return None
    try:
        parts = _parts(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        refusals.append(explain(origin, exc))
        return ()
    if not parts:
        refusals.append(empty_list(origin))
    if len(parts) > MAX_READINGS_PER_MESSAGE:
        refusals.append(beyond_limit(record, _elements(value) - MAX_READINGS_PER_MESSAGE))
    return parts[:MAX_READINGS_PER_MESSAGE]


def _parts(value: bytes) -> Sequence[msgspec.Raw]:
    """Return the elements of a list, at most one more than are read of a message."""
    if value.count(b",") < MAX_READINGS_PER_MESSAGE:
        return _decode_list(value)
    return [part for part in astuple(_decode_long_list(value)) if len(part)]


def _elements(value: bytes) -> int:
    """Return the number of elements of a JSON list that is known to be valid and not empty."""
    bare = re.sub(rb'"[^"]*"', b"0", re.sub(rb"\\.", b"", value))  # brackets and commas inside texts do not count
    characters = np.frombuffer(bare, dtype=np.uint8)
    step = np.isin(characters, (0x5B, 0x7B)).astype(np.int8) - np.isin(characters, (0x5D, 0x7D))  # [ { and ] }
    return 1 + int(np.count_nonzero((characters == ord(",")) & (np.cumsum(step, dtype=np.int32) == 1)))


def _not_explained(origin: Origin, _problem: Exception) -> RefusedInput:
    return unexplained(origin)


def _stranger(origin: Origin, asset_id: str) -> RefusedInput:
    """Refuse a reading of an unregistered asset; its name or key may be wrong as well."""
    try:
        _decode_strangers(origin.original)
    except msgspec.ValidationError as exc:
        return explain(origin, exc)
    if origin.record.key != asset_id.encode():
        return wrong_key(origin, asset_id)
    return not_registered(origin, asset_id)
