"""The platform under attack, and harmless machines in every partition that show when neighbours pass."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psycopg

from bench.abuse.watch import resident_mib
from bench.installation import BenchError, Installation
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import format_utc
from forewarn.contracts.topics import TopicName
from support.plant import REPOSITORY, pump_metrics, register
from support.platform import Platform
from support.wire import Message, produce

#: So many names that murmur2 puts at least one into each of the twelve partitions.
NEIGHBOURS = tuple(f"NEIGHBOUR-{number:02d}" for number in range(48))
_PATIENCE_S = 120.0
_SEND_AGAIN = timedelta(seconds=5)  # a validator that has not read the registry yet refuses the first ones
_ANSWER_S = 60.0
_FRAMES = {
    TopicName.READINGS_VALID: "valid",
    TopicName.TWIN_STATES: "twin",
    TopicName.ANOMALY_SCORES: "anomaly",
}


class Plant:
    """Sends to the platform as anyone could, and looks at it as anyone could."""

    def __init__(self, installation: Installation, platform: Platform, rng: np.random.Generator) -> None:
        self.platform = platform
        self.rng = rng
        self._bootstrap = installation.bootstrap
        self._database = psycopg.connect(installation.database.url, autocommit=True)
        self.register([*NEIGHBOURS, "P-101"])

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def register(self, names: Sequence[str]) -> None:
        """Register pumps."""
        assets = tuple(Asset(asset_id=name, asset_class="centrifugal_pump", name=name) for name in names)
        register(self._bootstrap, "", assets)

    def send(self, topic: TopicName, messages: Iterable[Message]) -> int:
        """Send messages and wait until the broker has them; returns how many."""
        return produce(self._bootstrap, topic.value, messages)

    def settle(self, patience_s: float = _PATIENCE_S) -> float:
        """Seconds until a reading sent now by a machine in each partition is shown by the API.

        Raises
        ------
        BenchError
            If one is not shown within ``patience_s``: a neighbour was stopped.
        """
        begin_s = time.monotonic()
        waiting = set(NEIGHBOURS)
        while waiting:
            sent_at = datetime.now(UTC)
            self._send_neighbours(sent_at)
            while waiting and datetime.now(UTC) - sent_at < _SEND_AGAIN:
                waiting = {name for name in waiting if not self._shows(name, sent_at)}
                if time.monotonic() - begin_s > patience_s:
                    raise BenchError(f"not shown within {patience_s:g} s: {', '.join(sorted(waiting))}")
        return time.monotonic() - begin_s

    def _send_neighbours(self, now: datetime) -> None:
        metrics = {name: round(value, 3) for name, value in pump_metrics(self.rng, load=0.5).items()}
        readings = [{"asset_id": name, "ts": format_utc(now), "metrics": metrics} for name in NEIGHBOURS]
        messages = [Message(key=one["asset_id"].encode(), value=json.dumps(one).encode()) for one in readings]
        self.send(TopicName.READINGS_RAW, messages)

    def _shows(self, name: str, sent_at: datetime) -> bool:
        status, body = self.ask(f"/api/v1/assets/{name}/latest")
        newest = json.loads(body).get("ts") if status == 200 else None
        return newest is not None and datetime.fromisoformat(newest) >= sent_at

    def rejected(self) -> int:
        """Rows of the table of rejections."""
        row = self._database.execute("SELECT count(*) FROM rejected").fetchone()
        assert row is not None
        return int(row[0])

    def memory_mib(self, name: str) -> float:
        """Resident memory of a service now."""
        return resident_mib(self.platform.processes[name].pid)

    def ask(self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of an answer; 0 if the connection broke."""
        request = urllib.request.Request(
            f"{self.platform.api_url}{path}", data=body, headers={"content-type": "application/json", **(headers or {})}
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()
        except OSError:
            return 0, b""

    def connect(self, url: str) -> socket.socket:
        """A bare connection to one of the platform's HTTP servers."""
        place = urlsplit(url)
        assert place.hostname is not None
        return socket.create_connection((place.hostname, place.port or 80), timeout=_ANSWER_S)

    def example_frames(self) -> dict[TopicName, bytes]:
        """A sound frame of each frame topic."""
        folder = Path(REPOSITORY) / "schemas" / "examples" / "frames"
        return {topic: (folder / f"{kind}.centrifugal_pump.v1.arrow").read_bytes() for topic, kind in _FRAMES.items()}
