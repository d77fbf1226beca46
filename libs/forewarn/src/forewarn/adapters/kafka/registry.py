"""Follows the compacted topic ``assets`` and keeps every registered asset."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import structlog
from confluent_kafka import Message

from forewarn.adapters.clock import SystemClock
from forewarn.adapters.event_codec import decode_event, header
from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.kafka.follower import FollowerConfig, TopicFollower
from forewarn.contracts.assets import Asset
from forewarn.contracts.removal import REMOVAL_HEADER
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.codec import InvalidEvent, one_line

_log = structlog.get_logger(__name__)

#: Validators commit their position in ``assets`` for this group: they refuse readings of unknown assets.
REGISTRY_READER: Final = "validator.assets"

_POLL_S: Final = 0.25
#: Removals remembered per asset, and assets. The stream meets a removal soon after its tombstone.
_MOST_MARKS: Final = 4
_MOST_REMOVED: Final = 100_000


class RegistryChange(NamedTuple):
    """A change of the registry; without an asset the entry was removed, by the removal with this mark."""

    asset_id: str
    asset: Asset | None
    mark: str | None = None


class AssetRegistry:
    """The asset registry, kept up to date by its own thread.

    Reads are lock-free. A change costs the same however many assets there are: the thread changes one dictionary in
    place, and only ``all`` pays for a copy. ``commits_as`` is a consumer group whose committed offsets show others this
    registry's progress.
    """

    def __init__(self, bootstrap_servers: str, prefix: str, *, client_id: str, commits_as: str | None = None) -> None:
        self._topic = qualified(TopicName.ASSETS, prefix)
        self._assets: dict[str, Asset] = {}
        self._removals: OrderedDict[str, tuple[str, ...]] = OrderedDict()  # marks of tombstones, the newest last
        self._version = 0  # version of _assets; grows after each change
        self._copy: tuple[int, Mapping[str, Asset]] = (0, MappingProxyType({}))
        self._listeners: tuple[Callable[[], None], ...] = ()
        self._listening = threading.Lock()
        following = FollowerConfig(
            bootstrap_servers=bootstrap_servers, client_id=client_id, batch_wait_s=_POLL_S, commits_as=commits_as
        )
        self._follower = TopicFollower(following, {self._topic: None}, change_of, self._install, SystemClock())
        self._follower.start()

    def get(self, asset_id: str) -> Asset | None:
        """Return the asset; None if it is not registered."""
        return self._assets.get(asset_id)

    def all(self) -> Mapping[str, Asset]:
        """Return every asset by id; an unchanging snapshot, copied once per change at most."""
        version, copy = self._copy
        if version != self._version:
            version = self._version  # read first: a change during the copy makes the next reader copy again
            copy = MappingProxyType(self._assets.copy())
            self._copy = (version, copy)
        return copy

    def count(self) -> int:
        """Return how many assets are registered."""
        return len(self._assets)

    def listen(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call ``on_change`` after changes, from the registry's thread; returns the function that ends it."""
        with self._listening:
            self._listeners = (*self._listeners, on_change)

        def stop() -> None:
            with self._listening:
                left = list(self._listeners)
                left.remove(on_change)
                self._listeners = tuple(left)

        return stop

    def knows_removal(self, asset_id: str, mark: str, patience_s: float) -> bool:
        """Return whether a tombstone of the asset bears the mark of a removal; waits up to ``patience_s`` for it."""
        news = threading.Event()
        until_s = time.monotonic() + patience_s  # a fixed deadline: changes of other assets must not extend it
        stop = self.listen(news.set)
        try:
            while mark not in self._removals.get(asset_id, ()):
                if not news.wait(max(until_s - time.monotonic(), 0.0)):
                    return False
                news.clear()
        finally:
            stop()
        return True

    def wait_until_loaded(self, timeout_s: float) -> None:
        """Wait until everything registered so far is known.

        Raises
        ------
        BrokerUnavailable
            If that takes longer than ``timeout_s``.
        KafkaException
            If it can never be read.
        """
        if not self._follower.caught_up.wait(timeout_s):
            raise BrokerUnavailable(f"{self._topic} could not be read within {timeout_s} s: is the broker up?")
        if self._follower.failure is not None:
            raise self._follower.failure

    def problem(self) -> str | None:
        """Return why the registry is not complete; None when it is."""
        if self._follower.caught_up.is_set():
            return self.failure()
        return "the asset registry is still being read: is the broker up and are the topics made?"

    def failure(self) -> str | None:
        """Return why only a restart makes the registry complete; None if it may become so."""
        failure = self._follower.failure
        return None if failure is None else f"the asset registry cannot be read: {failure}"

    def close(self) -> None:
        """Stop following."""
        self._follower.close()

    def _install(self, changes: Sequence[RegistryChange | None]) -> None:
        for change in changes:
            if change is None:
                continue
            if change.asset is None:
                self._assets.pop(change.asset_id, None)
            else:
                self._assets[change.asset_id] = change.asset
            if change.mark is not None:
                self._note_removal(change.asset_id, change.mark)
        if not any(changes):
            return
        self._version += 1
        for listener in self._listeners:
            listener()

    def _note_removal(self, asset_id: str, mark: str) -> None:
        self._removals[asset_id] = (*self._removals.get(asset_id, ()), mark)[-_MOST_MARKS:]
        self._removals.move_to_end(asset_id)
        if len(self._removals) > _MOST_REMOVED:
            self._removals.popitem(last=False)


def change_of(message: Message) -> RegistryChange | None:
    """Return what a message of the topic changes; None and a warning in the log if it cannot be read."""
    key, value = message.key(), message.value()
    try:
        if not isinstance(key, bytes) or not key:
            raise InvalidEvent("the message has no key")  # noqa: TRY301  # as what decode_event raises
        asset_id = key.decode(errors="replace")
        if value is None:
            return RegistryChange(asset_id, None, header(message.headers(), REMOVAL_HEADER))
        asset = decode_event(Asset, value)
        if asset.asset_id != asset_id:
            raise InvalidEvent(f"the entry of {asset_id} is about {asset.asset_id}")  # noqa: TRY301  # as above
    except InvalidEvent as exc:
        _log.warning("asset_ignored", key=one_line(repr(key)), problem=str(exc))
        return None
    return RegistryChange(asset_id, asset)
