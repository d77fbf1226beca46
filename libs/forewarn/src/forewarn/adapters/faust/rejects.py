"""Dead letters of the event plane: a message that cannot be read is kept with the reason."""

from typing import Final

from forewarn.adapters.faust.publisher import Outgoing
from forewarn.adapters.faust.quarantine import Incoming
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName
from forewarn.ports.codec import one_line

#: More would not fit into a message in base 64.
_MAX_ORIGINAL_BYTES: Final = 10 * 1024 * 1024

_FOREIGN: Final = "Find out what wrote this message: only Forewarn's own services write to this topic"
_RECOMMENDATIONS: Final = {
    RejectionReason.QUARANTINED: "Report it with the log of the service: a message must not stop one. The original is "
    "kept and can be sent again after an update",
}


def dead_letter(incoming: Incoming, reason: RejectionReason, explanation: str) -> Outgoing:
    """Make the event for ``readings.rejected``; the same message always gives the same event."""
    rejected_id = f"{incoming.topic}/{incoming.partition}/{incoming.offset}"
    original = incoming.value or b""
    explanation = one_line(explanation)
    if len(original) > _MAX_ORIGINAL_BYTES:
        explanation = f"{explanation} (only the first {_MAX_ORIGINAL_BYTES} of {len(original)} bytes are kept)"
        original = original[:_MAX_ORIGINAL_BYTES]
    event = RejectedReading(
        rejected_id=rejected_id,
        topic=incoming.topic,
        partition=incoming.partition,
        offset=incoming.offset,
        reason=reason,
        explanation=explanation,
        recommendation=_RECOMMENDATIONS.get(reason, _FOREIGN),
        rejected_at=incoming.at,
        key=incoming.key,
        original=original,
    )
    return Outgoing(
        topic=TopicName.READINGS_REJECTED, key=rejected_id, event=event, event_id=rejected_id, at=incoming.at
    )
