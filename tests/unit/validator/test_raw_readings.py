"""Decoding of raw messages, checked by the hostile corpus and by property tests."""

import json
import tracemalloc
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from structlog.testing import capture_logs

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.raw_readings import RawReadingDecoder
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import EARLIEST, LATEST
from forewarn.contracts.limits import MAX_EXPLANATION_CHARACTERS, MAX_RAW_MESSAGE_BYTES, MAX_READINGS_PER_MESSAGE
from forewarn.contracts.quality import StatusCode
from forewarn.contracts.readings import Reading, RejectionReason
from forewarn.domain.frames.frame import MISSING
from forewarn.ports.lanes import Record
from forewarn.testing.hostile import HostileCase, Target, good_message, hostile_cases

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
CATALOGUE = load_catalogue()
PUMP = CATALOGUE["centrifugal_pump"]
ASSETS = {"P-101": Asset(asset_id="P-101", asset_class="centrifugal_pump", name="Feed pump")}
TARGET = Target(asset_id="P-101", metrics={"flow_m3_h": 120.3, "power_kw": 21.5}, now=NOW)
CASES = hostile_cases(TARGET)

#: Reasons that only the guard can find: such readings are well-formed.
GUARD_REASONS = {RejectionReason.OUTSIDE_TIME_WINDOW}


def record(key: bytes | None, value: bytes | None, offset: int = 0) -> Record:
    received_us = int(NOW.timestamp() * 1e6)
    return Record(topic="readings.raw", partition=3, offset=offset, received_us=received_us, key=key, value=value)


def decoder() -> RawReadingDecoder:
    return RawReadingDecoder(CATALOGUE, ASSETS.get)


def test_each_hostile_message_is_refused_for_an_honest_reason_with_its_bytes(subtests):
    for case in CASES:
        with subtests.test(case.name):
            check_refusals_of(case)


def check_refusals_of(case: HostileCase) -> None:
    batches, refusals = decoder().decode([record(case.key, case.value)])

    expected = {r.index: r.reasons for r in case.refusals if not r.reasons & GUARD_REASONS}
    assert {refusal.index for refusal in refusals} == set(expected)
    for refusal in refusals:
        assert refusal.reason in expected[refusal.index], refusal.explanation
        assert refusal.explanation.endswith(".")
        assert refusal.recommendation
        assert refusal.original in (case.value or b"")
        f"{refusal.explanation}{refusal.asset_id}".encode()  # can be written down
    passed_on = sum(len(batch.records) for batch in batches)
    assert passed_on == case.survivors + len(case.refusals) - len(expected)


def test_neighbours_of_hostile_messages_are_unharmed():
    records = []
    for offset, case in enumerate(CASES):
        records.append(record(case.key, case.value, 2 * offset))
        records.append(record(TARGET.key, good_message(TARGET), 2 * offset + 1))

    batches, _ = decoder().decode(records)

    survivors = {record.offset for batch in batches for record in batch.records}
    assert set(range(1, 2 * len(CASES), 2)) <= survivors


def test_tags_that_the_class_does_not_know_are_counted_and_told_once_each():
    value = (
        good_message(TARGET)
        .replace(b'"metrics": {', b'"metrics": {"colour": 3.0, ')
        .replace(b'"metrics":{', b'"metrics":{"colour":3.0,')
    )
    assert b"colour" in value
    reader = decoder()
    with capture_logs() as logs:
        for offset in range(3):
            batches, refusals = reader.decode([record(TARGET.key, value, offset)])
            assert (len(batches), refusals) == (1, [])
    assert reader.ignored.take() == 3
    assert reader.ignored.take() == 0
    assert [(log["event"], log["asset_id"], log["tag"]) for log in logs] == [("tag_ignored", "P-101", "colour")]


def test_a_refused_item_of_a_list_keeps_its_own_bytes_only():
    bad = b'{"asset_id": "P-101", "ts": 5}'
    value = b"[" + good_message(TARGET) + b", " + bad + b"]"

    _, refusals = decoder().decode([record(TARGET.key, value)])

    assert [(r.index, r.original) for r in refusals] == [(1, bad)]


def test_of_a_list_of_two_million_elements_five_thousand_are_read_and_the_others_counted():
    value = b'["[,", ' + b",".join([b"1"] * 1_999_998) + b', {"a": [1, 2]}]'
    assert len(value) < MAX_RAW_MESSAGE_BYTES
    tracemalloc.start()

    _, refusals = decoder().decode([record(TARGET.key, value)])

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(refusal.readings for refusal in refusals) == 2_000_000
    assert len(refusals) < 110
    assert peak < 20 * len(value)


def test_a_list_of_as_many_readings_as_may_be_is_read_whole():
    messages = [good_message(TARGET.at(-second)) for second in range(MAX_READINGS_PER_MESSAGE)]

    (batch,), refusals = decoder().decode([record(TARGET.key, b"[" + b",".join(messages) + b"]")])

    assert (len(batch.records), refusals) == (MAX_READINGS_PER_MESSAGE, [])


def test_from_an_iterator_lists_are_taken_in_portions():
    value = b"[" + b",".join([good_message(TARGET)] * MAX_READINGS_PER_MESSAGE) + b"]"
    records = iter([record(TARGET.key, value, offset) for offset in range(11)])
    reader = decoder()

    portions = [sum(len(batch.records) for batch in reader.decode(records)[0]) for _ in range(3)]

    assert portions == [40_000, 15_000, 0]


def test_a_message_that_fails_in_an_unforeseen_way_is_refused_and_its_neighbour_read():
    def find_asset(asset_id: str) -> Asset | None:
        if asset_id == "P-666":
            raise RuntimeError("out of order")
        return ASSETS.get(asset_id)

    odd = good_message(TARGET).replace(b"P-101", b"P-666")
    (batch,), (refusal,) = RawReadingDecoder(CATALOGUE, find_asset).decode(
        [record(TARGET.key, odd, 1), record(TARGET.key, good_message(TARGET), 2)]
    )

    assert [r.offset for r in batch.records] == [2]
    assert "RuntimeError: out of order" in refusal.explanation


LONG = "x" * 1_000_000


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (TARGET.key, json.dumps(TARGET.reading(metrics={LONG: 1.0})).encode()),
        (TARGET.key, json.dumps(TARGET.reading(metrics={LONG: float("nan")})).encode()),
        (LONG.encode(), good_message(TARGET)),
        (TARGET.key, json.dumps(TARGET.reading(asset_id=LONG)).encode()),
        (TARGET.key, b"{" + LONG.encode()),
    ],
)
def test_explanations_stay_short_whatever_the_message_holds(key, value):
    _, (refusal,) = decoder().decode([record(key, value)])

    assert len(refusal.explanation) <= MAX_EXPLANATION_CHARACTERS


def test_ignored_tags_take_no_memory_for_their_names_and_few_characters_in_the_log():
    reader, names = decoder(), [f"{number:05d}{LONG}" for number in range(30)]
    tracemalloc.start()
    with capture_logs() as logs:
        for offset, name in enumerate(names):
            value = json.dumps(TARGET.reading(metrics={**TARGET.metrics, name: 1.0})).encode()
            reader.decode([record(TARGET.key, value, offset)])
        kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert reader.ignored.take() == len(logs) == 30
    assert max(len(str(log)) for log in logs) < MAX_EXPLANATION_CHARACTERS
    assert kept < 3 * len(LONG)


def test_values_land_in_the_columns_of_their_tags_and_aliases():
    message = TARGET.reading(
        metrics={"q_m3_h": 99.5, "power_kw": 7, "no_such_tag": 1.0}, quality={"power_kw": "bad"}, seq=41
    )

    batches, refusals = decoder().decode([record(TARGET.key, json.dumps(message).encode())])

    assert refusals == []
    batch = batches[0].batch
    row = dict(zip(PUMP.tag_names, batch.values[0], strict=True))
    assert row["flow_m3_h"] == 99.5
    assert row["power_kw"] == 7.0
    assert np.isnan(row["vibration_mm_s"])
    quality = dict(zip(PUMP.tag_names, batch.gateway_quality[0], strict=True))
    assert quality["power_kw"] == StatusCode.BAD
    assert quality["flow_m3_h"] == StatusCode.GOOD
    assert batch.seq.tolist() == [41]
    assert batch.ts.tolist() == [int((NOW - timedelta(seconds=1)).timestamp() * 1e6)]


def test_an_absent_sequence_number_is_missing_and_not_zero():
    batches, _ = decoder().decode([record(TARGET.key, good_message(TARGET))])

    assert batches[0].batch.seq.tolist() == [MISSING]


def test_a_message_at_the_size_limit_passes_and_one_byte_more_is_refused():
    good = good_message(TARGET)
    limit = good + b" " * (MAX_RAW_MESSAGE_BYTES - len(good))

    assert decoder().decode([record(TARGET.key, limit)])[1] == []
    assert decoder().decode([record(TARGET.key, limit + b" ")])[1][0].reason is RejectionReason.TOO_LARGE


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
# Others are the guard's to refuse: they are outside of its window, also for historical readings.
sound_times = st.datetimes(EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None), timezones=st.just(UTC))
reading_like = st.fixed_dictionaries(
    {
        "asset_id": st.just("P-101") | json_values,
        "ts": sound_times.map(datetime.isoformat) | json_values,
        "metrics": st.dictionaries(st.sampled_from(PUMP.tag_names), st.floats() | json_values, max_size=4)
        | json_values,
    },
    optional={"seq": json_values, "quality": json_values, "source": json_values},
)


KNOWN_NAMES = {name for tag in PUMP.tags for name in (tag.name, *tag.aliases)}


@given(reading_like)
@example({"asset_id": "P-101", "ts": "2000-01-01T00:00:00+00:00", "metrics": {"": 0}})
def test_the_fast_decoder_refuses_and_takes_what_the_contract_does(document):
    value = json.dumps(document).encode()
    try:
        contract = Reading.model_validate_json(value, strict=None)
    except ValidationError:
        contract = None

    batches, refusals = decoder().decode([record(TARGET.key, value)])

    refused_by_structure = any(
        r.reason in {RejectionReason.BAD_STRUCTURE, RejectionReason.NOT_FINITE, RejectionReason.BAD_JSON}
        for r in refusals
    )
    if contract is not None and not refused_by_structure:
        has_known_tags = not KNOWN_NAMES.isdisjoint(contract.metrics)
        assert bool(batches) == (contract.asset_id == "P-101" and has_known_tags)
    if not refused_by_structure:
        assert contract is not None, f"taken, but the contract refuses it: {document}"


@given(st.binary(max_size=200), st.one_of(st.none(), st.binary(max_size=20)))
def test_no_bytes_whatsoever_make_the_decoder_raise(value, key):
    batches, refusals = decoder().decode([record(key, value)])

    assert sum(len(batch.records) for batch in batches) + len(refusals) >= 1
