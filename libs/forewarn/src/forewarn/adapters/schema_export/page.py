"""``schemas/README.md``: the table of topics and links to their descriptions."""

from typing import Final

from forewarn.adapters.event_codec import event_type
from forewarn.adapters.schema_export.events import NOTICE, event_path
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TOPICS, Topic

_DAY_MS: Final = 86_400_000

_HEAD: Final = f"""<!-- {NOTICE} -->
# Contracts

Everything that crosses a service boundary, generated from `forewarn.contracts`.

| what | where |
|---|---|
| JSON Schema 2020-12 of every event | `events/` |
| columns of every frame (Apache Arrow IPC streams), per stage and asset class | `frames/` |
| all topics, who sends and receives | `asyncapi.json` (AsyncAPI 3.0) |
| a file of the catalogue of asset classes | `asset_class.schema.json` |
| a plant file of the simulator | `plant.schema.json` |
| HTTP API | `openapi.json` |
| rules of the guard, class by class | `guard-rules.md` |
| examples; frames too | `examples/` |
| what is released, and so must only grow | `released/` |

`make schemas` writes the generated files, `make schemas-check` fails when they differ from the code.

## Rules

- Contracts only grow: no field disappears, becomes required or takes fewer values. A test compares with
  `released/`. A breaking change is a new version (`…v2`) beside the old one.
- Readers ignore fields they do not know and expect new members in enumerations.
- NaN and infinity are never written as JSON and never accepted; unknown is `null` or absent.
- Times are UTC, written as `2026-11-20T20:00:00.123456Z`, of the years 1970 to 2199; a number is no time. Text has no
  control characters; in what older versions wrote they are read as U+FFFD. Units stand in names
  (`flow_m3_h`) or beside the value.
- A frame of a later stage carries the tags and derived quantities again and adds its own columns; status codes and
  findings stand in `valid` only. A reader needs the columns it knows and ignores others. A missing number is NaN, a
  missing text or counter is null.
"""

_TOPICS_HEAD: Final = """
## Topics

An installation may put a prefix before every name (`KAFKA_TOPIC_PREFIX`). A reading and everything derived from it
stay in the partition number of its asset (`murmur2_random` of the key).

| topic | content | key | producers → consumers | partitions | kept | CloudEvents type |
|---|---|---|---|---|---|---|
"""


def contracts_page() -> str:
    """Return the page as Markdown."""
    rows = "\n".join(_row(topic) for topic in TOPICS.values())
    meanings = "\n".join(f"- `{topic.name.value}`: {topic.description}" for topic in TOPICS.values())
    return f"{_HEAD}{_TOPICS_HEAD}{rows}\n\n{meanings}\n"


def _row(topic: Topic) -> str:
    cells = (
        f"`{topic.name.value}`",
        _content(topic),
        topic.key,
        f"{', '.join(topic.producers)} → {', '.join(topic.consumers)}",
        str(topic.partitions),
        _kept(topic),
        f"`{event_type(topic.content)}`" if topic.cloud_events and isinstance(topic.content, type) else "",
    )
    return f"| {' | '.join(cells)} |"


def _content(topic: Topic) -> str:
    if isinstance(topic.content, FrameKind):
        return f"frame `{topic.content.value}`"
    if topic.content is None:
        return "private bytes"
    return f"[{topic.content.__name__}]({event_path(topic.content)})"


def _kept(topic: Topic) -> str:
    return "newest per key" if topic.retention_ms is None else f"{topic.retention_ms // _DAY_MS} d"
