"""Damaged valid messages: bytes flipped, cut and spliced, documents and frames with anything in any place.

The same seed gives the same messages, so a failure names its message by its number.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa

T = TypeVar("T")

_DEEP: Final = 20_000


@dataclass(frozen=True, slots=True)
class Message:
    """Key and value of a message."""

    key: bytes | None
    value: bytes | None


#: Values no contract allows: extreme numbers and times, all sorts of texts, wrong types, deep and long containers.
HOSTILE_VALUES: Final[tuple[object, ...]] = (
    None, True, False, 0, -1, 1, 1.5, -0.0, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**30,
    5e-324, -5e-324, 1e-30, 1e30, 1e308, -1e308, 1.7976931348623157e308,
    "", " ", "0", "12.5", "true", "null", "NaN", "x" * 129, "x" * 20_000, "\x00", "a\x00b", "a\nb", "\u202e", "\u2028",
    "\ud800", "\U0001f4a5", "../../etc/passwd", "P-101/", "%00", "' OR 1=1 --", "<script>", "never_heard_of",
    "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-23:59", "9999-12-31T23:59:59Z",
    "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z", "2200-01-01T00:00:00Z",
    "2026-11-20T20:00:00", "2026-11-20", "2026-11-20T20:00:00+99:99", "-2026-11-20T20:00:00Z", "12026-11-20T20:00:00Z",
    [], {}, [None], [[]], {"": None}, {"a": {"a": {"a": []}}}, [0] * 1000, {str(n): n for n in range(1000)},
)  # fmt: skip

#: JSON that Python's own writer cannot write.
_LITERALS: Final = (
    b"NaN", b"-Infinity", b"1e999", b"-1e999", b"1e-999", b"0x1F", b"01", b"1" * 400, b"0." + b"1" * 400,
    b'"\\ud800"', b'"\\u0000"', b'"\xff"', b"'a'", b"[" * _DEEP, b"[" * _DEEP + b"]" * _DEEP,
    b'{"a":' * 1000 + b"1" + b"}" * 1000, b"", b"undefined", b"/**/1",
)  # fmt: skip
_MARK: Final = "@@hostile@@"

#: Extreme values of columns, by kind of type.
_FLOATS: Final = (np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1e-30, 1e30, 3.4e38, 1e308, -1e308)
_TIMES: Final = (
    0, -1, 1, -(2**63), 2**63 - 1, -62_135_596_800_000_000, 253_402_300_800_000_000,
    7_258_118_399_999_999, 7_258_118_400_000_000, 1_795_204_800_000_000, 1_795_204_801_000_000,
)  # fmt: skip
_NAMES: Final = ("", " ", "P-101/x", "a\x00b", "a\nb", "x" * 129, "x" * 20_000, "never_heard_of", "0/P-101", "ß", "P-9")


def damaged_documents(seeds: Sequence[Message], rng: np.random.Generator) -> Iterator[Message]:
    """Yield JSON messages endlessly, each with one to three damages."""
    documents = [(seed.key, json.loads(seed.value or b"null")) for seed in seeds]
    values = [seed.value or b"" for seed in seeds]
    while True:
        key, document = _one_of(documents, rng)
        if rng.random() < 0.7:  # most keep the form of JSON: they get further
            value = _with_literal(_changed(document, rng, int(rng.integers(1, 4))), rng)
        else:
            value = _damaged_bytes(_one_of(values, rng), values, rng)
        yield Message(_key(key, rng), None if rng.random() < 0.005 else value)  # some tombstones


def damaged_frames(seeds: Sequence[Message], rng: np.random.Generator) -> Iterator[Message]:
    """Yield Arrow messages endlessly: damaged bytes, or sound frames with anything in some columns."""
    batches = [(seed.key, _batch(seed.value or b"")) for seed in seeds]
    values = [seed.value or b"" for seed in seeds]
    while True:
        key, (batch, extra) = _one_of(batches, rng)
        if rng.random() < 0.6:  # most are sound Arrow: they get further
            value = _stream(_changed_batch(batch, rng), extra)
        else:
            value = _damaged_bytes(_one_of(values, rng), values, rng)
        yield Message(_key(key, rng), None if rng.random() < 0.005 else value)  # some tombstones


def damaged_bytes(seeds: Sequence[Message], rng: np.random.Generator) -> Iterator[Message]:
    """Yield messages of any form endlessly, with damaged bytes."""
    values = [seed.value or b"" for seed in seeds]
    while True:
        seed = _one_of(seeds, rng)
        yield Message(_key(seed.key, rng), _damaged_bytes(seed.value or b"", values, rng))


def _one_of(choices: Sequence[T], rng: np.random.Generator) -> T:
    return choices[int(rng.integers(len(choices)))]


def _key(key: bytes | None, rng: np.random.Generator) -> bytes | None:
    chance = rng.random()
    if chance < 0.9:  # a wrong key would hide faults of the value
        return key
    others = (None, b"", b"\xff\xfe", b"a\x00b", b"x" * 20_000, b"never-registered", b"P-101/", b"forewarn.baseline")
    return _one_of(others, rng)


def _damaged_bytes(value: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    return _one_of(_DAMAGES, rng)(bytearray(value), others, rng)


def _flip(value: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    for place in rng.integers(len(value), size=int(rng.integers(1, 9))).tolist() if value else ():
        value[place] ^= 1 << int(rng.integers(8))
    return bytes(value)


def _replace(value: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Overwrite a word of four bytes, where binary formats keep lengths and offsets."""
    if len(value) >= 4:  # a word
        place = int(rng.integers(len(value) - 3))
        words = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, int(rng.integers(2**32)))
        value[place : place + 4] = int(_one_of(words, rng)).to_bytes(4, "little")
    return bytes(value)


def _cut(value: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    return bytes(value[: int(rng.integers(len(value) + 1))])


def _splice(value: bytearray, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    other = _one_of(others, rng)
    return bytes(value[: int(rng.integers(len(value) + 1))]) + other[int(rng.integers(len(other) + 1)) :]


def _repeat(value: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    first, last = sorted(rng.integers(len(value) + 1, size=2).tolist())
    return bytes(value[:last] + value[first:last] * int(rng.integers(1, 4)) + value[last:])


def _junk(_value: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    return rng.bytes(int(rng.integers(0, 300)))


_Damage = Callable[[bytearray, Sequence[bytes], np.random.Generator], bytes]
_DAMAGES: Final[tuple[_Damage, ...]] = (_flip, _replace, _cut, _splice, _repeat, _junk)


def _changed(document: Any, rng: np.random.Generator, times: int) -> Any:  # noqa: ANN401  # any JSON
    """Copy the document with a few values, names or whole parts replaced."""
    document = json.loads(json.dumps(document))
    for _ in range(times):
        places = list(_places(document))
        if not places:
            return deepcopy(_one_of(HOSTILE_VALUES, rng))
        parent, name = _one_of(places, rng)
        _one_of(_CHANGES, rng)(parent, name, rng)
    return document


def _places(document: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401  # any JSON
    if isinstance(document, dict | list):
        for name, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield document, name
            yield from _places(value)


def _set_hostile(parent: Any, name: Any, rng: np.random.Generator) -> None:  # noqa: ANN401  # any JSON
    parent[name] = deepcopy(_one_of(HOSTILE_VALUES, rng))


def _set_literal(parent: Any, name: Any, _rng: np.random.Generator) -> None:  # noqa: ANN401  # any JSON
    parent[name] = _MARK


def _remove(parent: Any, name: Any, _rng: np.random.Generator) -> None:  # noqa: ANN401  # any JSON
    del parent[name]


def _rename(parent: Any, name: Any, rng: np.random.Generator) -> None:  # noqa: ANN401  # any JSON
    if isinstance(parent, dict):
        names = ("", "x" * 5000, str(name).upper(), "a\x00b", "\ud800", "never_heard_of")
        parent[_one_of(names, rng)] = parent.pop(name)


def _scale(parent: Any, name: Any, rng: np.random.Generator) -> None:  # noqa: ANN401  # any JSON
    if isinstance(parent[name], float):
        factors = (-1.0, 0.0, 1e-300, 1e10, 1e300)
        parent[name] = parent[name] * _one_of(factors, rng)


def _wrap(parent: Any, name: Any, rng: np.random.Generator) -> None:  # noqa: ANN401  # any JSON
    value = parent[name]
    parent[name] = _one_of(([value], [value] * 50, {"value": value}, json.dumps(value)), rng)


_CHANGES: Final = (_set_hostile, _set_hostile, _set_hostile, _set_literal, _remove, _rename, _scale, _wrap)


def _with_literal(document: Any, rng: np.random.Generator) -> bytes:  # noqa: ANN401  # any JSON
    text = json.dumps(document).encode()
    if _MARK.encode() in text:
        text = text.replace(f'"{_MARK}"'.encode(), _one_of(_LITERALS, rng))
    elif text.startswith(b"{") and rng.random() < 0.05:  # now and then
        text = text[:-1] + b"," + text[1:]  # every field twice
    return text


def _batch(data: bytes) -> tuple[pa.RecordBatch, Mapping[bytes, bytes] | None]:
    with pa.ipc.open_stream(data) as reader:
        batch, extra = reader.read_next_batch_with_custom_metadata()
    return batch, None if extra is None else dict(extra)


def _stream(batch: pa.RecordBatch, extra: Mapping[bytes, bytes] | None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch, custom_metadata=extra)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]  # pyarrow ships no types


def _changed_batch(batch: pa.RecordBatch, rng: np.random.Generator) -> pa.RecordBatch:
    columns = list(batch.columns)
    fields = list(batch.schema)
    metadata = dict(batch.schema.metadata or {})
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(len(columns)))
        chance = rng.random()
        if chance < 0.03:  # seldom: no such frame gets further
            del columns[place], fields[place]
        elif chance < 0.06:
            columns[place] = pa.array([None] * batch.num_rows, type=pa.string())
            fields[place] = pa.field(fields[place].name, pa.string())
        elif chance < 0.1:
            names = [*metadata, b"more"]
            metadata[_one_of(names, rng)] = rng.bytes(int(rng.integers(0, 9)))
        else:
            columns[place] = _hostile_column(fields[place].type, columns[place], rng)
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields, metadata=metadata))


def _hostile_column(kind: pa.DataType, column: pa.Array, rng: np.random.Generator) -> pa.Array:
    """Return extreme values in all rows or some, or nulls."""
    rows = len(column)
    values = column.to_pylist() if not pa.types.is_timestamp(kind) else [item.value for item in column]
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        choices: Sequence[object] = _NAMES
    elif pa.types.is_floating(kind):
        choices = _FLOATS
    elif pa.types.is_timestamp(kind):
        choices = _TIMES
    elif pa.types.is_boolean(kind):
        choices = (True, False)
    else:
        bits = kind.bit_width
        choices = (0, 1, 2**bits - 1, 7) if str(kind).startswith("u") else (0, -1, 2 ** (bits - 1) - 1)
    hit = rng.random(rows) < rng.choice([0.3, 1.0])
    picked = rng.integers(len(choices), size=rows)
    hostile = [choices[place] for place in picked.tolist()]
    if rng.random() < 0.05:  # seldom: few columns may be null
        hostile = [None] * rows
    mixed = [bad if is_hit else good for bad, good, is_hit in zip(hostile, values, hit.tolist(), strict=True)]
    if pa.types.is_dictionary(kind):
        return pa.array(mixed, type=pa.string()).dictionary_encode()
    return pa.array(mixed, type=kind)
