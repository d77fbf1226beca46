"""How much of anything one message, turn, answer or process may hold: what nobody can send more of.

Counts alone bound nothing when one element may be of any size, so each boundary has a limit in bytes as well. The
numbers fit together: a service's share of a turn stays far below its memory ceiling, and every message that a service
writes fits the topic that it writes to.
"""

from types import MappingProxyType
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

#: A longer message on ``readings.raw`` is refused unread: one gateway must not stall the others of its partition.
MAX_RAW_MESSAGE_BYTES: Final = 4 * MIB
#: Readings in one message or request; what a list holds beyond it is refused in one piece.
MAX_READINGS_PER_MESSAGE: Final = 5_000
MAX_METRICS_PER_READING: Final = 512
#: Longer than any name of a tag; a tag that no class knows is shortened to this wherever it is mentioned.
MAX_TAG_NAME_CHARACTERS: Final = 128
#: Those of ``contracts.base.IDENTIFIER``.
MAX_ASSET_ID_CHARACTERS: Final = 128
#: Words about one refused message or in one line of a log, whatever the message holds.
MAX_EXPLANATION_CHARACTERS: Final = 500

#: Bytes of messages that a processor, the sink or the live view takes in one turn; a larger message makes its own turn.
MAX_TURN_BYTES: Final = 16 * MIB
#: Bytes of one snapshot message; a larger state is stored in several.
MAX_SNAPSHOT_CHUNK_BYTES: Final = MIB
#: Bytes of one answer of the API, as far as lists make it up; a page ends early and says where to go on.
MAX_ANSWER_BYTES: Final = 8 * MIB

#: Most resident memory [MiB] of a service whatever it is sent; docker compose enforces the same numbers.
MEMORY_CEILING_MIB: Final = MappingProxyType(
    {
        "simulator": 512,
        "validator": 512,
        "twin": 512,
        "anomaly": 1024,
        "health": 512,
        "alerting": 512,
        "sink": 512,
        "api": 512,
        "dashboard": 512,
    }
)


def shortened(text: str, most: int = MAX_EXPLANATION_CHARACTERS) -> str:
    """``text``, or its beginning and how long it is, in ``most`` characters."""
    if len(text) <= most:
        return text
    end = f"… ({len(text)} characters)"
    return text[: most - len(end)] + end
