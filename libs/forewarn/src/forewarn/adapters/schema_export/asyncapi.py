"""AsyncAPI 3.0 document of all topics, for other tools."""

from collections.abc import Iterator
from typing import Any, Final

from forewarn.adapters.catalogue import Catalogue
from forewarn.adapters.event_codec import event_type
from forewarn.adapters.schema_export.events import NOTICE, event_name, event_path
from forewarn.adapters.schema_export.frames import frame_path
from forewarn.contracts.base import Contract
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import Reading
from forewarn.contracts.topics import TOPICS, Topic

_BINDING_VERSION: Final = "0.5.0"
_JSON_SCHEMA: Final = "application/schema+json;version=draft-2020-12"
_JSON: Final = "application/json"
_ARROW: Final = "application/vnd.apache.arrow.stream"
_BYTES: Final = "application/octet-stream"


def asyncapi_document(catalogue: Catalogue, version: str) -> dict[str, Any]:
    """Return the whole document; ``version`` is that of the contracts."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Forewarn",
            "version": version,
            "description": "Topics of the platform. An installation may put a prefix before every address.",
            "x-generated": NOTICE,
        },
        "defaultContentType": _JSON,
        "channels": {topic.name.value: _channel(topic) for topic in TOPICS.values()},
        "operations": dict(operation for topic in TOPICS.values() for operation in _operations(topic)),
        "components": {
            "messages": {_message_name(topic): _message(topic, catalogue) for topic in TOPICS.values()},
            "messageTraits": {"cloudEvent": {"headers": _cloud_event_headers()}},
        },
    }


def _message_name(topic: Topic) -> str:
    if isinstance(topic.content, FrameKind):
        return f"frame.{topic.content.value}"
    return topic.name.value if topic.content is None else event_name(topic.content)


def _channel(topic: Topic) -> dict[str, Any]:
    configuration: dict[str, Any] = {
        "cleanup.policy": [topic.cleanup],
        "max.message.bytes": topic.max_message_bytes,
    }
    if topic.retention_ms is not None:
        configuration["retention.ms"] = topic.retention_ms
    return {
        "address": topic.name.value,
        "description": topic.description,
        "messages": {"message": {"$ref": f"#/components/messages/{_message_name(topic)}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name.value,
                "partitions": topic.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }


def _operations(topic: Topic) -> Iterator[tuple[str, dict[str, Any]]]:
    channel = f"#/channels/{topic.name.value}"
    for action, services in (("send", topic.producers), ("receive", topic.consumers)):
        for service in services:
            yield (
                f"{service}.{action}.{topic.name.value}",
                {
                    "action": action,
                    "channel": {"$ref": channel},
                    "messages": [{"$ref": f"{channel}/messages/message"}],
                    "tags": [{"name": service}],
                },
            )


def _message(topic: Topic, catalogue: Catalogue) -> dict[str, Any]:
    key = {"type": "string", "description": topic.key}
    message: dict[str, Any] = {"bindings": {"kafka": {"key": key, "bindingVersion": _BINDING_VERSION}}}
    if isinstance(topic.content, FrameKind):
        frames = [frame_path(topic.content, asset_class) for asset_class in catalogue.values()]
        return message | {
            "contentType": _ARROW,
            "summary": f"A batch of readings of one asset class, stage {topic.content.value}.",
            "x-frames": sorted(frames),
        }
    if topic.content is None:
        return message | {"contentType": _BYTES, "summary": topic.description}
    message |= {
        "contentType": _JSON,
        "summary": (topic.content.__doc__ or "").partition("\n")[0],
        "payload": {"schemaFormat": _JSON_SCHEMA, "schema": _payload(topic.content)},
    }
    if topic.cloud_events:
        message["traits"] = [{"$ref": "#/components/messageTraits/cloudEvent"}]
        message["x-cloudevents-type"] = event_type(topic.content)
    return message


def _payload(contract: type[Contract]) -> dict[str, Any]:
    one = {"$ref": f"./{event_path(contract)}"}
    return {"oneOf": [one, {"type": "array", "minItems": 1, "items": one}]} if contract is Reading else one


def _cloud_event_headers() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "CloudEvents 1.0, Kafka binary mode. (ce_source, ce_id) is the deduplication key.",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_partitionkey", "content-type"],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {"type": "string", "minLength": 1},
            "ce_source": {"type": "string", "format": "uri-reference", "minLength": 1},
            "ce_type": {"type": "string", "description": "x-cloudevents-type of the message."},
            "ce_time": {"type": "string", "format": "date-time"},
            "ce_partitionkey": {"type": "string", "description": "The message key."},
            "content-type": {"const": _JSON},
        },
    }
