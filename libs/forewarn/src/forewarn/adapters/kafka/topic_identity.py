"""Tells a topic from one of the same name that was created after it had been deleted."""

from typing import TYPE_CHECKING, Any, Final

import structlog
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from forewarn.adapters.kafka.errors import error_of, is_passing

if TYPE_CHECKING:
    from concurrent.futures import Future

_UNKNOWN: Final = "AAAAAAAAAAAAAAAAAAAAAA"  # sixteen zero bytes: the broker is too old to have ids
_TIMEOUT_S: Final = 10.0
_ATTEMPTS: Final = 3
_log = structlog.get_logger(__name__)


class TopicIdentity:
    """Asks the broker for the id of a topic, which no other topic ever gets."""

    def __init__(self, bootstrap_servers: str, topic: str, *, client_id: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers, "client.id": client_id})
        self._topic = topic
        self._asked: Future[Any] | None = self._ask()  # the connection is made while the group is joined

    def current(self) -> str:
        """Id of the topic; empty if the broker does not say, so that nobody takes it for another one."""
        for _ in range(_ATTEMPTS):
            asked, self._asked = self._asked or self._ask(), None
            try:
                return _id_of(asked.result(_TIMEOUT_S))
            except TimeoutError:
                continue
            except KafkaException as exc:
                if not is_passing(error_of(exc)):
                    _log.warning("topic_id_unknown", topic=self._topic, reason=str(exc))
                    break
        return ""

    def newest(self) -> str:
        """Answer to the question that the last call asked, and ask again; empty while there is none. Never waits."""
        found = ""
        if self._asked is not None and self._asked.done() and self._asked.exception() is None:
            found = _id_of(self._asked.result())
        if self._asked is None or self._asked.done():
            self._asked = self._ask()
        return found

    def _ask(self) -> "Future[Any]":
        answers = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_TIMEOUT_S)
        return answers[self._topic]


def _id_of(description: Any) -> str:  # noqa: ANN401  # the library does not export its type
    found = str(description.topic_id)
    return "" if found == _UNKNOWN else found
