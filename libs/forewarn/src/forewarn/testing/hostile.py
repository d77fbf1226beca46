"""One corpus of hostile messages for ``readings.raw``, used wherever raw bytes are read.

Every case states its expected outcome: which readings of the message are refused, the acceptable reasons, and how many
other readings in the same message must survive. Add a case here, and every reader's tests include it.
"""

import gzip
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Final

from forewarn.contracts.base import format_utc
from forewarn.contracts.readings import RejectionReason as Reason

#: Position of a rejection that concerns the whole message.
WHOLE_MESSAGE: Final = None

_DEEP: Final = 100_000
_OVERSIZED_BYTES: Final = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRefusal:
    """One expected entry of ``readings.rejected``; any of ``reasons`` is acceptable."""

    index: int | None = WHOLE_MESSAGE
    reasons: frozenset[Reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileCase:
    """One message, its refused readings, and the number of good ones."""

    name: str
    key: bytes | None
    value: bytes | None
    refusals: tuple[ExpectedRefusal, ...]
    survivors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The registered machine in the corpus.

    ``metrics`` are plausible values of some of its tags, ``now`` the time of receipt.
    """

    asset_id: str
    metrics: Mapping[str, float]
    now: datetime

    @property
    def key(self) -> bytes:
        """Return the right message key."""
        return self.asset_id.encode()

    def reading(self, **changes: object) -> dict[str, object]:
        """Return a good reading with some fields replaced; a field changed to ``...`` is left out."""
        fields = {
            "asset_id": self.asset_id,
            "ts": format_utc(self.now - timedelta(seconds=1)),
            "metrics": dict(self.metrics),
            **changes,
        }
        return {name: value for name, value in fields.items() if value is not ...}

    def at(self, seconds: float) -> "Target":
        """Return the same machine, this much later."""
        return replace(self, now=self.now + timedelta(seconds=seconds))

    def text_with_metric(self, literal: str) -> bytes:
        """Return a reading whose first tag has this literal, which Python's JSON might not be able to write."""
        tag = next(iter(self.metrics))
        text = json.dumps(self.reading(metrics={tag: "@"}))
        return text.replace('"@"', literal).encode()


def hostile_cases(target: Target) -> tuple[HostileCase, ...]:
    """Return the corpus for one registered machine."""
    return (
        *_not_text(target),
        *_not_json(target),
        *_not_finite(target),
        *_wrong_shape(target),
        *_wrong_types(target),
        *_too_much(target),
        *_wrong_key(target),
        *_wrong_content(target),
        *_lists(target),
        *_odd_but_good(target),
    )


def good_message(target: Target) -> bytes:
    """Return a faultless message: the neighbour that must survive all others."""
    return _json(target.reading())


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


def _refused(name: str, target: Target, value: bytes | None, *reasons: Reason) -> HostileCase:
    return HostileCase(name=name, key=target.key, value=value, refusals=(ExpectedRefusal(reasons=frozenset(reasons)),))


def _refused_all(
    target: Target, payloads: Iterable[tuple[str, bytes | None]], *reasons: Reason
) -> Iterator[HostileCase]:
    return (_refused(name, target, value, *reasons) for name, value in payloads)


def _not_text(target: Target) -> Iterator[HostileCase]:
    good = good_message(target)
    payloads = (
        ("invalid_utf8_in_a_string", good.replace(target.key, target.key + b"\xff", 1)),
        ("overlong_utf8_in_a_string", good.replace(target.key, target.key + b"\xc0\xaf", 1)),
        ("utf16_text", good.decode().encode("utf-16")),
        ("gzip_bytes", gzip.compress(good, mtime=0)),
        ("random_looking_bytes", bytes(range(256))),
    )
    # A parser may fail at the first byte before it checks the encoding: both reasons are true.
    return _refused_all(target, payloads, Reason.BAD_ENCODING, Reason.BAD_JSON)


def _not_json(target: Target) -> Iterator[HostileCase]:
    good = good_message(target)
    payloads = (
        ("tombstone", None),
        ("empty_bytes", b""),
        ("blanks_only", b" \r\n\t"),
        ("plain_text", b"hello"),
        ("truncated", good[:-7]),
        ("trailing_comma", good[:-1] + b",}"),
        ("single_quotes", good.replace(b'"', b"'")),
        ("comment", b"/* reading */" + good),
        ("two_documents", good + b"\n" + good),
        ("trailing_nul", good + b"\x00"),
        ("byte_order_mark", b"\xef\xbb\xbf" + good),
        ("lone_surrogate", good.replace(target.key, target.key + b"\\ud800", 1)),
        ("raw_control_character", good.replace(target.key, target.key + b"\n", 1)),
        ("leading_zero", target.text_with_metric("0120")),
        ("hexadecimal_number", target.text_with_metric("0x1F")),
        ("csv_line", b"P-101,2026-11-20,120.3"),
    )
    yield from _refused_all(target, payloads, Reason.BAD_JSON)
    yield _refused("unclosed_brackets", target, b"[" * _DEEP, Reason.BAD_JSON, Reason.BAD_STRUCTURE)


def _not_finite(target: Target) -> Iterator[HostileCase]:
    # NaN, Infinity are not JSON at all, but naming the value helps more than "bad JSON".
    literals = ("NaN", "-NaN", "Infinity", "-Infinity", "nan", "inf")
    payloads = ((f"literal_{literal}", target.text_with_metric(literal)) for literal in literals)
    yield from _refused_all(target, payloads, Reason.NOT_FINITE, Reason.BAD_JSON)
    yield _refused("float_overflow", target, target.text_with_metric("1e999"), Reason.NOT_FINITE)
    yield _refused("negative_float_overflow", target, target.text_with_metric("-1e999"), Reason.NOT_FINITE)
    yield _refused(
        "integer_of_400_digits", target, target.text_with_metric("1" + "0" * 400), Reason.NOT_FINITE, Reason.BAD_JSON
    )


def _wrong_shape(target: Target) -> Iterator[HostileCase]:
    scalars = ("null", "true", "17", "-1.5", '"P-101"', "{}", "[]")
    payloads = (
        *((f"document_is_{text}", text.encode()) for text in scalars),
        ("without_asset_id", _json(target.reading(asset_id=...))),
        ("without_ts", _json(target.reading(ts=...))),
        ("without_metrics", _json(target.reading(metrics=...))),
        ("metrics_empty", _json(target.reading(metrics={}))),
        ("metrics_list", _json(target.reading(metrics=[1.0, 2.0]))),
        ("metrics_null", _json(target.reading(metrics=None))),
        ("wrong_case_of_field_names", _json({k.upper(): v for k, v in target.reading().items()})),
    )
    return _refused_all(target, payloads, Reason.BAD_STRUCTURE)


def _wrong_types(target: Target) -> Iterator[HostileCase]:
    literals = {"string": '"12.5"', "null": "null", "boolean": "true", "list": "[1.5]", "object": '{"value": 1.5}'}
    tag = next(iter(target.metrics))
    payloads = (
        *((f"metric_is_a_{kind}", target.text_with_metric(text)) for kind, text in literals.items()),
        ("asset_id_number", _json(target.reading(asset_id=101))),
        ("ts_epoch_number", _json(target.reading(ts=target.now.timestamp()))),
        ("ts_without_zone", _json(target.reading(ts="2026-11-20T20:00:00"))),
        ("ts_date_only", _json(target.reading(ts="2026-11-20"))),
        ("ts_month_13", _json(target.reading(ts="2026-13-01T00:00:00Z"))),
        ("ts_second_99", _json(target.reading(ts="2026-11-20T20:00:99Z"))),
        ("ts_empty", _json(target.reading(ts=""))),
        ("ts_words", _json(target.reading(ts="yesterday"))),
        ("seq_negative", _json(target.reading(seq=-1))),
        ("seq_fraction", _json(target.reading(seq=1.5))),
        ("seq_beyond_64_bits", _json(target.reading(seq=2**64))),
        ("quality_unknown_word", _json(target.reading(quality={tag: "so-so"}))),
        ("quality_number", _json(target.reading(quality={tag: 192}))),
        ("quality_list", _json(target.reading(quality=["good"]))),
        ("source_number", _json(target.reading(source=7))),
    )
    return _refused_all(target, payloads, Reason.BAD_STRUCTURE)


def _too_much(target: Target) -> Iterator[HostileCase]:
    blanks = good_message(target) + b" " * _OVERSIZED_BYTES
    yield _refused("five_mib_of_blanks", target, blanks, Reason.TOO_LARGE)
    yield _refused("five_mib_source", target, _json(target.reading(source="x" * _OVERSIZED_BYTES)), Reason.TOO_LARGE)
    nested = b"[" * _DEEP + b"]" * _DEEP
    in_metric = target.text_with_metric(nested.decode())
    in_unknown_field = good_message(target)[:-1] + b', "extra": ' + nested + b"}"
    yield _refused("deep_nesting_in_a_metric", target, in_metric, Reason.BAD_STRUCTURE, Reason.BAD_JSON)
    yield _refused("deep_nesting_in_an_unknown_field", target, in_unknown_field, Reason.BAD_STRUCTURE, Reason.BAD_JSON)
    many = {f"tag_{n}": 1.0 for n in range(600)}
    yield _refused("six_hundred_metrics", target, _json(target.reading(metrics=many)), Reason.BAD_STRUCTURE)
    long_source = _json(target.reading(source="x" * 129))
    yield _refused("source_of_129_characters", target, long_source, Reason.BAD_STRUCTURE)


def _wrong_key(target: Target) -> Iterator[HostileCase]:
    def case(name: str, key: bytes | None, value: bytes, *reasons: Reason) -> HostileCase:
        return HostileCase(name=name, key=key, value=value, refusals=(ExpectedRefusal(reasons=frozenset(reasons)),))

    good = good_message(target)
    yield case("null_key", None, good, Reason.NO_KEY)
    yield case("empty_key", b"", good, Reason.NO_KEY, Reason.KEY_MISMATCH)
    yield case("key_of_another_asset", b"someone-else", good, Reason.KEY_MISMATCH)
    yield case("key_in_another_case", target.asset_id.swapcase().encode(), good, Reason.KEY_MISMATCH)
    yield case("key_not_utf8", b"\xff\xfe", good, Reason.KEY_MISMATCH, Reason.BAD_ENCODING)
    unknown = "never-registered"
    yield case("unknown_asset", unknown.encode(), _json(target.reading(asset_id=unknown)), Reason.UNKNOWN_ASSET)
    for name, asset_id in (("path", "../../etc/passwd"), ("empty", ""), ("markup", "<script>"), ("long", "x" * 129)):
        yield case(
            f"asset_id_{name}",
            asset_id.encode(),
            _json(target.reading(asset_id=asset_id)),
            Reason.BAD_STRUCTURE,
            Reason.UNKNOWN_ASSET,
            Reason.NO_KEY,
        )


def _wrong_content(target: Target) -> Iterator[HostileCase]:
    strangers = _json(target.reading(metrics={"no_such_tag": 1.0, "another": 2.0}))
    yield _refused("no_tag_is_known", target, strangers, Reason.UNKNOWN_TAGS)
    times = (
        ("ts_1970", "1970-01-01T00:00:00Z"),
        ("ts_before_the_first_year", "0001-01-01T00:00:00+05:00"),
        ("ts_after_the_last_year", "9999-12-31T23:59:59-05:00"),
        ("ts_9999", "9999-12-31T23:59:59Z"),
        ("ts_eight_days_ago", format_utc(target.now - timedelta(days=8))),
        ("ts_in_an_hour", format_utc(target.now + timedelta(hours=1))),
    )
    payloads = ((name, _json(target.reading(ts=ts))) for name, ts in times)
    yield from _refused_all(target, payloads, Reason.OUTSIDE_TIME_WINDOW)
    of_old = target.reading(ts="0001-01-01T00:00:00+05:00", historical=True)
    yield _refused("historical_ts_before_the_first_year", target, _json(of_old), Reason.OUTSIDE_TIME_WINDOW)


def _lists(target: Target) -> Iterator[HostileCase]:
    def case(name: str, changes: list[dict[str, object] | None], refused: Mapping[int, Reason]) -> HostileCase:
        moment = next(moments)
        items = [
            None if change is None else moment.at(second).reading(**change) for second, change in enumerate(changes)
        ]
        return HostileCase(
            name=name,
            key=target.key,
            value=_json(items),
            refusals=tuple(ExpectedRefusal(index=i, reasons=frozenset({reason})) for i, reason in refused.items()),
            survivors=len(items) - len(refused),
        )

    moments = _moments(target, start_s=-1200)
    yield HostileCase(
        name="list_in_a_list",
        key=target.key,
        value=_json([[target.reading()]]),
        refusals=(ExpectedRefusal(index=0, reasons=frozenset({Reason.BAD_STRUCTURE})),),
    )
    yield case("list_with_a_foreign_item", [{}, {"asset_id": "other"}, {}], {1: Reason.KEY_MISMATCH})
    yield case("list_with_a_broken_item", [{}, {"metrics": "none"}, {}], {1: Reason.BAD_STRUCTURE})
    yield case("list_with_nulls", [None, {}, None], dict.fromkeys((0, 2), Reason.BAD_STRUCTURE))
    yield case(
        "list_with_one_of_each",
        [{}, {"metrics": {"nonsense": 1.0}}, {"ts": "1970-01-01T00:00:00Z"}, {}],
        {1: Reason.UNKNOWN_TAGS, 2: Reason.OUTSIDE_TIME_WINDOW},
    )


def _moments(target: Target, start_s: float) -> Iterator[Target]:
    """Yield the target at times ten seconds apart, so that no good reading of the corpus repeats another's."""
    return (target.at(start_s + 10 * n) for n in itertools.count())


def _odd_but_good(target: Target) -> Iterator[HostileCase]:
    """Return messages that look wrong and are not: refusing them would lose data."""
    tag, value = next(iter(target.metrics.items()))
    next_moment = _moments(target, start_s=-600).__next__
    unknown_tag = {**target.metrics, "not_in_the_catalogue": 1.0}
    payloads = (
        # RFC 8259 leaves it to the reader; ours takes the last value, like the parsers of most languages.
        ("duplicate_field", next_moment().text_with_metric(f'{value}, "{tag}": {value}')),
        ("unknown_field", _json(next_moment().reading(firmware="7.1", nested={"a": [1, {"b": None}]}))),
        ("blanks_around", b"\n\t " + json.dumps(next_moment().reading(), indent=4).encode() + b" \r\n"),
        ("escaped_ascii", good_message(next_moment()).replace(b'"asset_id"', b'"\\u0061sset_id"')),
        ("integer_value", next_moment().text_with_metric(str(int(value)))),
        ("exponent", next_moment().text_with_metric(f"{value:e}")),
        ("ts_with_offset", _json(target.reading(ts=_in_nepal(next_moment().now)))),
        ("ts_with_nanoseconds", _json(target.reading(ts=next_moment().now.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")))),
        ("list_of_one", _json([next_moment().reading()])),
        ("optional_fields_null", _json(next_moment().reading(seq=None, source=None))),
        ("largest_seq", _json(next_moment().reading(seq=2**63 - 1))),
        ("one_unknown_tag", _json(next_moment().reading(metrics=unknown_tag))),
    )
    return (HostileCase(name=n, key=target.key, value=v, refusals=(), survivors=1) for n, v in payloads)


def _in_nepal(moment: datetime) -> str:
    """Return the same instant in a time zone that is no whole number of hours from UTC."""
    return moment.astimezone(timezone(timedelta(hours=5, minutes=45))).isoformat()
