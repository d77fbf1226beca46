"""JSON events on the wire, with CloudEvents 1.0 binary-mode headers on public low-rate topics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from pydantic import ValidationError

from forewarn.adapters.decode_boundary import decoder
from forewarn.contracts.base import Contract, format_utc
from forewarn.contracts.topics import TOPICS, TopicName
from forewarn.ports.codec import InvalidEvent

ContractT = TypeVar("ContractT", bound=Contract)
Headers = list[tuple[str, str | bytes | None]]

_TYPE_PREFIX: Final = "org.forewarn"
_MAX_PROBLEMS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """CloudEvents context of one event; (source, id) is its deduplication key."""

    id: str
    source: str
    time: datetime
    partition_key: str


def encode_event(event: Contract) -> bytes:
    """Serialise as UTF-8 JSON; NaN and infinity cannot occur, the contracts refuse them."""
    return event.model_dump_json().encode()


def cloud_event_headers(event: Contract, envelope: Envelope) -> Headers:
    """Return the headers of a CloudEvent in Kafka binary mode."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": envelope.id,
        "ce_source": envelope.source,
        "ce_type": event_type(type(event)),
        "ce_time": format_utc(envelope.time),
        "ce_partitionkey": envelope.partition_key,
        "content-type": "application/json",
    }
    return [(name, value.encode()) for name, value in attributes.items()]


def topic_headers(topic: TopicName, event: Contract, envelope: Envelope) -> Headers:
    """Return the headers of an event on a topic, none if the topic carries plain JSON.

    Raises
    ------
    TypeError
        If the topic does not carry such events.
    """
    contract = TOPICS[topic]
    if type(event) is not contract.content:
        raise TypeError(f"{topic.value} carries {contract.content}, not {type(event).__name__}")
    return cloud_event_headers(event, envelope) if contract.cloud_events else []


def event_type(contract: type[Contract]) -> str:
    """Return the reverse-DNS type of a contract; a breaking change gets a new version."""
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in contract.__name__).lstrip("_")
    return f"{_TYPE_PREFIX}.{name}.v1"


@decoder(InvalidEvent)
def decode_event(contract: type[ContractT], data: bytes) -> ContractT:
    """Read and check an event strictly: a number in quotes is not a number.

    Raises
    ------
    InvalidEvent
        With field and problem, for the first few problems; nothing else is raised, whatever the bytes are.
    """
    try:
        return contract.model_validate_json(data, strict=True)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False)
        problems = [f"{_place(error['loc'])}: {error['msg']}" for error in errors[:_MAX_PROBLEMS]]
        raise InvalidEvent("; ".join(problems)) from exc


def header(headers: Headers | Mapping[str, str | bytes | None] | None, name: str) -> str | None:
    """Return the text of a header, or None."""
    value = dict(headers or ()).get(name)
    return value.decode(errors="replace") if isinstance(value, bytes) else None


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "document"
