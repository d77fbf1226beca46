"""Sends history to ``readings.raw`` and watches the platform's backlog."""

from collections.abc import Callable, Sequence
from typing import Final

from forewarn.adapters.disk import DiskSpace, DiskState
from forewarn.adapters.kafka.cluster import look_at_cluster
from forewarn.adapters.kafka.config import group_id
from forewarn.adapters.kafka.errors import BrokerUnavailable, refusals
from forewarn.adapters.kafka.offsets import OffsetLookup
from forewarn.adapters.kafka.producing import QueuedProducer
from forewarn.adapters.kafka.publisher import DeliveryError
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.clock import Clock
from forewarn.ports.store import Source

#: Messages the validator may be behind before sending pauses: live readings of the partition wait behind them.
_BACKLOG_MESSAGES: Final = 250
_FLUSH_S: Final = 60.0
_ANSWER_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.2


class HistorySender:
    """Sends messages in order; keeps the platform's backlog short."""

    def __init__(
        self,
        bootstrap_servers: str,
        prefix: str,
        clock: Clock,
        pause: Callable[[float], None],
        *,
        disk: DiskSpace | None = None,
    ) -> None:
        self._disk = disk
        self._topic = qualified(TopicName.READINGS_RAW, prefix)
        self._producer = QueuedProducer(
            bootstrap_servers,
            self._topic,
            client_id="forewarn.import",
            on_stored=self._note_stored,
            on_refused=self._note_refused,
        )
        self._offsets = OffsetLookup(bootstrap_servers, "forewarn.import", timeout_s=_ANSWER_S, is_quiet=True)
        self._group = group_id("validator", prefix)
        self._bootstrap_servers = bootstrap_servers
        self._clock = clock
        self._pause = pause
        self._ends: dict[Source, int] = {}
        self._failure: str | None = None

    def cluster_id(self) -> str:
        """Return the id of the cluster, which changes when its data are removed.

        Raises
        ------
        BrokerUnavailable
            If no broker answers, or the platform's topics are not there.
        """
        found = look_at_cluster(self._bootstrap_servers, _ANSWER_S, is_quiet=True)
        if self._topic not in found.partitions:
            raise BrokerUnavailable(
                f"Kafka at {self._bootstrap_servers} has no topic {self._topic}: does the platform run?"
            )
        return found.cluster_id

    def send(self, asset_id: str, message: bytes) -> None:
        """Queue a message; blocks while the queue is full."""
        with refusals():
            self._producer.send(asset_id.encode(), message)
            self._producer.poll()

    def flush(self) -> None:
        """Wait until the broker has everything.

        Raises
        ------
        DeliveryError
            If it refused a message.
        BrokerUnavailable
            If it does not answer.
        """
        waiting = self._producer.flush(_FLUSH_S)
        if self._failure is not None:
            raise DeliveryError(self._failure)
        if waiting:
            raise BrokerUnavailable(f"{waiting} messages not confirmed within {_FLUSH_S:g} s: is the broker up?")

    def backlog(self) -> int:
        """Return how many of our messages the validator has not read yet.

        Raises
        ------
        BrokerUnavailable
            If Kafka does not say.
        """
        if not self._ends:
            return 0
        with refusals():
            taken = self._offsets.committed(self._group, list(self._ends))
        return sum(max(0, end - taken.get(source, 0)) for source, end in self._ends.items())

    def wait_for_backlog(self, limit: int, patience_s: float, on_wait: Callable[[int], None]) -> None:
        """Wait until the validator is at most ``limit`` messages behind.

        Raises
        ------
        BrokerUnavailable
            If it takes nothing for ``patience_s``, Kafka does not say how far it is, or its disk is full.
        """
        if self._disk is not None and self._disk.state() is DiskState.FULL:
            raise BrokerUnavailable(
                f"the disk of broker and database has less than {self._disk.reserve_gb:g} GB free (DISK_RESERVE_GB): "
                "free some and run the same command again, it goes on where it stopped"
            )
        least, since_s = self.backlog(), self._clock.monotonic_s()
        while (left := self.backlog()) > limit:
            on_wait(left)
            now_s = self._clock.monotonic_s()
            if left < least:
                least, since_s = left, now_s
            elif now_s - since_s > patience_s:
                raise BrokerUnavailable(
                    f"the validator has taken nothing for {patience_s:g} s ({left} messages wait): does it run?"
                )
            self._pause(_LOOK_EVERY_S)
        on_wait(self.backlog())

    @property
    def room(self) -> int:
        """Backlog up to which sending goes on."""
        return _BACKLOG_MESSAGES

    def _note_stored(self, partition: int, offset: int) -> None:
        source = Source(self._topic, partition)
        self._ends[source] = max(offset + 1, self._ends.get(source, 0))

    def _note_refused(self, key: bytes | str | None, reason: str) -> None:
        self._failure = self._failure or f"{self._topic} [{key!r}]: {reason}"


def assets_at(names: Sequence[str]) -> str:
    """Return names for a message, shortened."""
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"  # the five shown
