"""Messages for ``readings.rejected`` from services that read records themselves."""

from dataclasses import dataclass
from typing import Final

import structlog

from forewarn.adapters.event_codec import encode_event
from forewarn.contracts.limits import KIB, MIB, shortened
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName
from forewarn.domain.time import to_datetime
from forewarn.ports.lanes import Output, Record

#: A larger one, in base 64, would not fit into a message. Only frame topics can hold such records.
_MAX_ORIGINAL_BYTES: Final = 11 * MIB
#: A longer message key is no asset's; it stays in the event, but chooses no partition.
_MAX_KEY_BYTES: Final = KIB

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedInput:
    """A message, or one or several readings of a list, that did not become data."""

    record: Record
    index: int | None = None
    original: bytes
    reason: RejectionReason
    explanation: str
    recommendation: str
    asset_id: str | None = None
    rule: str | None = None
    readings: int = 1


def rejected_reading(refusal: RefusedInput) -> RejectedReading:
    """Return the event for a refusal; the same record always gives the same event."""
    record, index = refusal.record, refusal.index
    place = f"{record.topic}/{record.partition}/{record.offset}"
    kept, explanation = refusal.original, refusal.explanation
    most = max(0, _MAX_ORIGINAL_BYTES - len(record.key or b""))
    if len(kept) > most:
        explanation = f"{shortened(explanation, 400)} Only the first {most} of {len(kept)} bytes are kept."
        kept = kept[:most]
    return RejectedReading(
        rejected_id=place if index is None else f"{place}/{index}",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        index=index,
        readings=refusal.readings,
        reason=refusal.reason,
        rule=refusal.rule,
        explanation=shortened(explanation),
        recommendation=refusal.recommendation,
        asset_id=refusal.asset_id,
        rejected_at=to_datetime(record.received_us),  # not a clock's: reprocessing the record gives the same event
        key=None if record.key is None else record.key[:_MAX_ORIGINAL_BYTES],
        original=kept,
    )


def rejection(refusal: RefusedInput) -> Output:
    """Return the message for a refusal, in the partition of its asset."""
    key = refusal.asset_id.encode() if refusal.asset_id else refusal.record.key
    if key is not None and len(key) > _MAX_KEY_BYTES:
        key = None
    return Output(topic=TopicName.READINGS_REJECTED, key=key, value=encode_event(rejected_reading(refusal)))


def quarantined(record: Record) -> Output:
    """Log a record that kept ending or failing its reader, and return its event."""
    _log.error("record_quarantined", topic=record.topic, partition=record.partition, offset=record.offset)
    return rejection(
        RefusedInput(
            record=record,
            original=record.value or b"",
            reason=RejectionReason.QUARANTINED,
            explanation=f"Processing {record.topic}, partition {record.partition}, offset {record.offset} ended or "
            "failed the service again and again, so it was put aside and the others went on.",
            recommendation="Please report the message to the makers of Forewarn; replay it after an update",
        )
    )
