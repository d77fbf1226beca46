"""A real single-node Apache Kafka (KRaft) as a child process."""

import base64
import signal
import subprocess
import uuid
from pathlib import Path

from forewarn.adapters.kafka.cluster import look_at_cluster
from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn_local.artefacts import Progress, cache_dir, ensure_kafka
from forewarn_local.errors import StartFailedError
from forewarn_local.java import find_java
from forewarn_local.ports import HOST, accepts, any_free
from forewarn_local.server import LocalServer
from forewarn_local.spawn import start

_FORMAT_TIMEOUT_S = 120.0

# One node: every internal topic has one replica. Sizes and counts suit a laptop: fewer internal partitions start
# faster, and the cleaner's default buffer of 128 MiB would take a third of the heap. A crashed broker is back only
# after the session timeout; with 3 s, the broker of a busy machine fenced itself nine times in 4 min.
_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
auto.create.topics.enable=false
num.partitions=12
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=12
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=12
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
message.max.bytes=16777216
replica.fetch.max.bytes=16777216
transaction.max.timeout.ms=900000
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
offsets.topic.segment.bytes=16777216
transaction.state.log.segment.bytes=16777216
log.retention.hours=48
log.retention.check.interval.ms=60000
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.io.buffer.size=524288
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
background.threads=2
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=6000
metadata.max.idle.interval.ms=5000
"""

_LOGGING = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601}{UTC}Z %p %m (%c)%n
rootLogger.level=info
rootLogger.appenderRef.console.ref=console
logger.log.name=org.apache.kafka.storage.internals.log
logger.log.level=warn
logger.partition.name=kafka.cluster.Partition
logger.partition.level=warn
logger.state.name=state.change.logger
logger.state.level=warn
logger.config.name=org.apache.kafka.common.config.AbstractConfig
logger.config.level=warn
"""


class KafkaBroker(LocalServer):
    """One Kafka node, broker and controller in one process, on 127.0.0.1.

    ``data_dir`` holds configuration, data and, by default, the log. ``progress`` is called while jars are downloaded.
    """

    title = "Kafka"
    orderly_stop = signal.SIGTERM

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        heap_mb: int = 384,
        log: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        super().__init__(port=port, log=log or self.data_dir / "kafka.log")
        self._controller_port = any_free()
        self._heap_mb = heap_mb
        self._progress = progress

    @property
    def bootstrap_servers(self) -> str:
        """Return the address for clients."""
        return f"{HOST}:{self._port}"

    def prepare(self) -> list[str]:
        """Fetch the jars, write the configuration, format new storage; return the command that runs the broker."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        storage = self.data_dir / "storage"
        properties = self.data_dir / "server.properties"
        controller = f"{HOST}:{self._controller_port}"
        properties.write_text(
            f"{_SETTINGS}"
            f"listeners=PLAINTEXT://{HOST}:{self._port},CONTROLLER://{controller}\n"
            f"advertised.listeners=PLAINTEXT://{HOST}:{self._port}\n"
            f"controller.quorum.voters=1@{controller}\n"
            f"log.dirs={storage}\n"
        )
        (self.data_dir / "log4j2.properties").write_text(_LOGGING)
        java = self._java()
        if not (storage / "meta.properties").exists():
            self._format([*java, "kafka.tools.StorageTool", "format"], properties)
        return [*java, "kafka.Kafka", str(properties)]

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start the broker's process."""
        return start(self.prepare(), log=self.log)

    def why_not_ready(self) -> str | None:
        """Return why the broker does not answer a metadata request; None if it does.

        Another broker may have taken the port; the cluster id shows it.
        """
        cluster_id = cluster_at(self.bootstrap_servers) if accepts(self._port) else None
        if cluster_id is None:
            return f"no broker answers at {self.bootstrap_servers}"
        if cluster_id != self._own_cluster_id():
            return f"another broker answers at {self.bootstrap_servers}"
        return None

    def _own_cluster_id(self) -> str:
        """Return the id with which the storage was formatted."""
        lines = (self.data_dir / "storage" / "meta.properties").read_text().splitlines()
        return next(line.removeprefix("cluster.id=") for line in lines if line.startswith("cluster.id="))

    def _choose_ports(self) -> None:
        super()._choose_ports()
        self._controller_port = any_free()

    def _java(self) -> list[str]:
        jars = ensure_kafka(cache_dir(), progress=self._progress)
        return [
            str(find_java().executable),
            f"-Xmx{self._heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self.data_dir / 'log4j2.properties'}",
            "-cp",
            f"{jars}/*",
        ]

    def _format(self, command: list[str], properties: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        cluster_id = cluster_id.replace("-", "0")  # a leading dash would look like an option
        run = subprocess.run(
            [*command, "--ignore-formatted", "--cluster-id", cluster_id, "--config", str(properties)],
            capture_output=True,
            text=True,
            timeout=_FORMAT_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if run.returncode != 0:
            raise StartFailedError(f"Kafka's storage could not be formatted.\n{run.stdout}{run.stderr}")


def answers(bootstrap_servers: str, timeout_s: float = 2.0) -> bool:
    """Return whether a Kafka cluster answers a metadata request."""
    return cluster_at(bootstrap_servers, timeout_s) is not None


def cluster_at(bootstrap_servers: str, timeout_s: float = 2.0) -> str | None:
    """Return the id of the Kafka cluster that answers a metadata request; None without an answer."""
    try:
        return look_at_cluster(bootstrap_servers, timeout_s, is_quiet=True).cluster_id
    except BrokerUnavailable:
        return None
