"""How a frame processor works."""

from dataclasses import dataclass, field

from forewarn.contracts.topics import TopicName, qualified
from forewarn.runtime.pace import PaceConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLoopConfig:
    """How a frame processor reads, batches and snapshots.

    ``fetch_min_bytes`` is what the broker gathers before it answers, for at most 20 ms: records that come
    one by one would else be fetched nearly one by one.

    ``instance`` names this replica across restarts: under the same name it gets its partitions back at
    once and fences its own predecessor; without a name the group notices a crash only after the session
    timeout.
    """

    service: str
    bootstrap_servers: str
    prefix: str
    instance: str
    source: TopicName
    checkpoint: TopicName
    batch_records: int = 30_000
    pace: PaceConfig = field(default_factory=PaceConfig)
    fetch_min_bytes: int = 1
    snapshot_every_s: float = 5.0

    @property
    def source_topic(self) -> str:
        """Name of the source topic on the broker."""
        return qualified(self.source, self.prefix)

    @property
    def checkpoint_topic(self) -> str:
        """Name of the checkpoint topic on the broker."""
        return qualified(self.checkpoint, self.prefix)
