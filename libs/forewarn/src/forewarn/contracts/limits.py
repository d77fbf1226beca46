"""Upper limits of messages, turns, answers and processes, which no sender can exceed.

Counts alone bound nothing when one element may be of any size, so each boundary has a limit in bytes as well. The
numbers fit together: a service's share of a turn stays far below its memory ceiling, and every message of a service
fits its topic.
"""

from types import MappingProxyType
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GB: Final = 1_000_000_000  # disks are sold by it

#: A longer message on ``readings.raw`` is refused unread: one gateway must not stall the others of its partition.
MAX_RAW_MESSAGE_BYTES: Final = 4 * MIB
#: Readings in one message or request; those of a list beyond it are refused as one.
MAX_READINGS_PER_MESSAGE: Final = 5_000
MAX_METRICS_PER_READING: Final = 512
#: Longer than any tag's name; an unknown tag is shortened to this in messages.
MAX_TAG_NAME_CHARACTERS: Final = 128
#: Those of ``contracts.base.IDENTIFIER``.
MAX_ASSET_ID_CHARACTERS: Final = 128
#: Text about one refused message or in one line of a log, whatever the message holds.
MAX_EXPLANATION_CHARACTERS: Final = 500

#: Explanation of what is wrong with a message; it may quote names as long as the message itself.
MAX_PROBLEM_CHARACTERS: Final = 1_000
#: Longest id that the platform hands out: topic, partition, offset and place of a refused message.
MAX_REFERENCE_CHARACTERS: Final = 400

#: Assets whose newest state the API keeps in memory; no installation may register more.
MAX_LIVE_ASSETS: Final = 50_000
#: Entries of one bulk registration.
MAX_ASSETS_PER_REQUEST: Final = 5_000

#: Bytes of messages that a processor, the sink or the live view takes in one turn; a larger message gets its own turn.
MAX_TURN_BYTES: Final = 16 * MIB
#: Bytes of one snapshot message; a larger state is split.
MAX_SNAPSHOT_CHUNK_BYTES: Final = MIB
#: Bytes of a model file, packed and unpacked: a small foreign file may claim to hold many gigabytes.
MAX_MODEL_FILE_BYTES: Final = 64 * MIB
MAX_UNPACKED_MODEL_BYTES: Final = 256 * MIB
#: Bytes of the header of anything that is packed.
MAX_PACKED_HEADER_BYTES: Final = 16 * MIB
#: Bytes of the lists in one answer of the API; a page ends early and links to the next.
MAX_ANSWER_BYTES: Final = 8 * MIB

#: Open alarms that the API keeps of one asset; no machine has more.
MAX_ALARMS_PER_ASSET: Final = 500
#: Bytes of an event that the API keeps in memory: an alarm, health or model of an asset.
MAX_LIVE_EVENT_BYTES: Final = 512 * KIB

#: Largest resident memory [MiB] of a service under any load; docker compose enforces the same numbers.
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
    """Return ``text``, or its beginning and its length, in ``most`` characters."""
    if len(text) <= most:
        return text
    end = f"… ({len(text)} characters)"
    return text[: most - len(end)] + end
