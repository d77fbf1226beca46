"""Follows the compacted topic ``assets`` and knows every registered asset."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from forewarn.adapters.event_codec import decode_event, header
from forewarn.adapters.kafka.acquaintance import get_acquainted
from forewarn.adapters.kafka.config import consumer_config
from forewarn.adapters.kafka.errors import BrokerUnavailable, is_fatal
from forewarn.contracts.assets import Asset
from forewarn.contracts.removal import REMOVAL_HEADER
from forewarn.contracts.topics import TOPICS, TopicName, qualified
from forewarn.ports.codec import InvalidEvent, one_line

_log = structlog.get_logger(__name__)

#: Group under which validators tell how far they have read: they refuse readings of assets that they do not know.
REGISTRY_READER: Final = "validator.assets"

_BROKER_TIMEOUT_S: Final = 5.0
_RETRY_S: Final = 0.5
_POLL_S: Final = 0.25
_BATCH: Final = 500
#: Removals that are remembered: of an asset, and assets. The stream meets a removal soon after its tombstone.
_MOST_MARKS: Final = 4
_MOST_REMOVED: Final = 100_000


class AssetRegistry:
    """Present state of the asset registry, kept up to date by a thread of its own.

    Reads are lock-free. A change costs the same however many assets there are: the thread changes one dictionary in
    place, and only who asks for ``all`` pays for a copy.

    Partitions are assigned by hand. ``told_to`` is a consumer group whose committed offsets tell others how far this
    registry has read; None: nobody needs to know.
    """

    def __init__(self, bootstrap_servers: str, prefix: str, *, client_id: str, told_to: str | None = None) -> None:
        self._topic = qualified(TopicName.ASSETS, prefix)
        group = told_to or client_id
        self._consumer = Consumer(
            consumer_config(bootstrap_servers, group_id=group, client_id=client_id, on_commit=self._on_commit)
        )
        self._tells = told_to is not None
        self._untold = False
        self._assets: dict[str, Asset] = {}
        self._removals: OrderedDict[str, tuple[str, ...]] = OrderedDict()  # marks of tombstones, the newest last
        self._version = 0  # of _assets; grows after each change
        self._copy: tuple[int, Mapping[str, Asset]] = (0, MappingProxyType({}))
        self._listeners: tuple[Callable[[], None], ...] = ()
        self._listening = threading.Lock()
        self._loaded = threading.Event()
        self._stop = threading.Event()
        self._failure: KafkaException | None = None
        self._thread = threading.Thread(target=self._follow, name="asset-registry", daemon=True)
        self._thread.start()

    def get(self, asset_id: str) -> Asset | None:
        """The asset, or None if nobody registered it."""
        return self._assets.get(asset_id)

    def all(self) -> Mapping[str, Asset]:
        """Every asset by id; an unchanging snapshot, copied once per change at most."""
        version, copy = self._copy
        if version != self._version:
            version = self._version  # read first: a change during the copy makes the next reader copy again
            copy = MappingProxyType(self._assets.copy())
            self._copy = (version, copy)
        return copy

    def count(self) -> int:
        """How many assets are registered."""
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
        """Whether a tombstone of the asset bears the mark of a removal; waits for the news."""
        news = threading.Event()
        until_s = time.monotonic() + patience_s  # news of other assets must not make it longer
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
        """
        if not self._loaded.wait(timeout_s):
            raise BrokerUnavailable(f"{self._topic} could not be read within {timeout_s} s: is the broker up?")
        self.check()

    def check(self) -> None:
        """Raise what ended the thread, if something did.

        Raises
        ------
        KafkaException
            The very one: only a restart cures it.
        """
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _follow(self) -> None:
        try:
            remaining = self._assign()
            while not self._stop.is_set():
                if not remaining:
                    self._loaded.set()
                # Asked for many at once it would sit out its time limit, and every start of a validator with it.
                messages = self._consumer.consume(1, timeout=_POLL_S)
                messages += self._consumer.consume(_BATCH, timeout=0)
                changes: dict[str, tuple[Asset | None, str | None]] = {}
                for message in messages:
                    error = message.error()
                    if error is None:
                        self._read(message, changes)
                    elif is_fatal(error):
                        raise KafkaException(error)  # noqa: TRY301  # the handler below is for the broker's calls too
                self._install(changes)
                self._tell(anything_new=bool(messages))
                remaining = remaining and self._behind(remaining)
        except KafkaException as exc:
            _log.exception("asset_registry_failed")
            self._failure = exc
            self._loaded.set()

    def _assign(self) -> dict[int, int]:
        """Take all partitions from the start; returns the end offset of each that holds something."""
        count = TOPICS[TopicName.ASSETS].partitions
        partitions = [TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in range(count)]
        ends: dict[int, int] = {}
        while not self._stop.is_set():
            try:
                get_acquainted(self._consumer, _BROKER_TIMEOUT_S)
                ends = self._ends(partitions)
                break
            except KafkaException as exc:
                _log.warning("asset_registry_waiting", topic=self._topic, reason=str(exc))
                self._stop.wait(_RETRY_S)
        self._consumer.assign(partitions)
        return ends

    def _ends(self, partitions: list[TopicPartition]) -> dict[int, int]:
        bounds = {p.partition: self._consumer.get_watermark_offsets(p, timeout=_BROKER_TIMEOUT_S) for p in partitions}
        return {number: high for number, (low, high) in bounds.items() if high > low}

    def _behind(self, ends: dict[int, int]) -> dict[int, int]:
        positions = self._consumer.position([TopicPartition(self._topic, p) for p in ends])
        return {p.partition: ends[p.partition] for p in positions if p.offset < ends[p.partition]}

    def _tell(self, *, anything_new: bool) -> None:
        """Commit how far the topic is read and known; what was not taken is told again."""
        self._untold = self._tells and (self._untold or anything_new)
        if self._untold:
            read = [place for place in self._consumer.position(self._consumer.assignment()) if place.offset >= 0]
            self._untold = not read
            if read:
                self._consumer.commit(offsets=read, asynchronous=True)

    def _on_commit(self, error: KafkaError | None, _places: list[TopicPartition]) -> None:
        self._untold = self._untold or error is not None

    @staticmethod
    def _read(message: Message, changes: dict[str, tuple[Asset | None, str | None]]) -> None:
        key, value = message.key(), message.value()
        try:
            asset_id, asset = _entry(key, value)
        except InvalidEvent as exc:
            _log.warning("asset_ignored", key=one_line(repr(key)), problem=str(exc))
        else:
            mark = header(message.headers(), REMOVAL_HEADER) if asset is None else None
            changes[asset_id] = (asset, mark)

    def _install(self, changes: Mapping[str, tuple[Asset | None, str | None]]) -> None:
        if not changes:
            return
        for asset_id, (asset, mark) in changes.items():
            if asset is None:
                self._assets.pop(asset_id, None)
            else:
                self._assets[asset_id] = asset
            if mark is not None:
                self._note_removal(asset_id, mark)
        self._version += 1
        for listener in self._listeners:
            listener()

    def _note_removal(self, asset_id: str, mark: str) -> None:
        self._removals[asset_id] = (*self._removals.get(asset_id, ()), mark)[-_MOST_MARKS:]
        self._removals.move_to_end(asset_id)
        if len(self._removals) > _MOST_REMOVED:
            self._removals.popitem(last=False)


def _entry(key: object, value: bytes | None) -> tuple[str, Asset | None]:
    """An entry of the topic: an asset under its own name, or None where it was removed."""
    if not isinstance(key, bytes) or not key:
        raise InvalidEvent("the message has no key")
    asset_id = key.decode(errors="replace")
    asset = None if value is None else decode_event(Asset, value)
    if asset is not None and asset.asset_id != asset_id:
        raise InvalidEvent(f"the entry of {asset_id} is about {asset.asset_id}")
    return asset_id, asset
