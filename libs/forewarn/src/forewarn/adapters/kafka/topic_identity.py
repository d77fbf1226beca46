"""Distinguishes a topic from one of the same name that was created after it had been deleted."""

from typing import TYPE_CHECKING, Any, Final

import structlog
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from forewarn.adapters.kafka.errors import passes
from forewarn.adapters.kafka.offsets import topic_id_of
from forewarn.adapters.retrying import retry

if TYPE_CHECKING:
    from concurrent.futures import Future

_TIMEOUT_S: Final = 10.0
_log = structlog.get_logger(__name__)


class TopicIdentity:
    """Asks the broker for the id of a topic, which no other topic ever gets."""

    def __init__(self, bootstrap_servers: str, topic: str, *, client_id: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers, "client.id": client_id})
        self._topic = topic
        self._asked: Future[Any] | None = self._ask()  # the connection is made while the group is joined

    def current(self) -> str:
        """Return the topic's id; empty if the broker does not say, so that nobody takes it for another one.

        Blocks up to 30 s while the broker is away.
        """
        try:
            return topic_id_of(retry(self._answer, passes, patience_s=2 * _TIMEOUT_S))
        except (TimeoutError, KafkaException) as exc:
            _log.warning("topic_id_unknown", topic=self._topic, reason=str(exc))
            return ""

    def newest(self) -> str:
        """Return the answer to the question that the last call asked, and ask again; empty without one. Never waits."""
        found = ""
        if self._asked is not None and self._asked.done() and self._asked.exception() is None:
            found = topic_id_of(self._asked.result())
        if self._asked is None or self._asked.done():
            self._asked = self._ask()
        return found

    def _answer(self) -> Any:  # noqa: ANN401  # the library does not export its type
        asked, self._asked = self._asked or self._ask(), None
        return asked.result(_TIMEOUT_S)

    def _ask(self) -> "Future[Any]":
        answers = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_TIMEOUT_S)
        return answers[self._topic]
