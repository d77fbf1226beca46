"""Starts frame processors against the real broker and waits for them."""

from collections.abc import Callable

from forewarn.adapters.kafka.config import group_id
from forewarn.contracts.topics import qualified
from integration.frames.processors import BASELINE, Processor
from support.stack import ServiceProcess, wait_until
from support.wire import consumed


def start_service(
    spawn: Callable[..., ServiceProcess], processor: Processor, bootstrap: str, prefix: str, instance: str
) -> ServiceProcess:
    """Start one replica."""
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_TOPIC_PREFIX": prefix,
        **({"SERVICE_INSTANCE": instance} if instance else {}),
        "SNAPSHOT_INTERVAL_S": "1",
        "BASELINE_READINGS": str(BASELINE),
        "LOG_FORMAT": "console",
    }
    return spawn(processor.module, environment)


def wait_until_drained(processor: Processor, bootstrap: str, prefix: str, timeout_s: float = 90) -> None:
    """Wait until the group has committed everything that is on the source topic."""
    group, topic = group_id(processor.service, prefix), qualified(processor.source, prefix)

    def behind() -> int:
        done, total = consumed(bootstrap, group, topic)
        return total - done

    wait_until(lambda: behind() == 0, timeout_s, lambda: f"{processor.service} is {behind()} records behind", 0.3)
