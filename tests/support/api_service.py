"""The API as a process of its own, and how tests talk to it."""

from datetime import UTC, datetime

import httpx2
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from forewarn.adapters.timescale.store import TimescaleStore
from forewarn.contracts.topics import qualified
from forewarn.ports.store import Item, Source
from forewarn.testing.api_examples import CATALOGUE
from support.stack import wait_until
from support.wire import Message, produce, read_topic

TOKEN = "an-integration-token-0001"


class Service:
    """One API process and how to talk to it."""

    def __init__(self, process, port, probe_port, bootstrap, prefix, database_url):
        self.process = process
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.database_url = database_url
        self.probes = httpx2.Client(base_url=f"http://127.0.0.1:{probe_port}")
        self.http = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {TOKEN}"}, timeout=30
        )
        self.live_url = f"ws://127.0.0.1:{port}/api/v1/live"

    def ready(self):
        assert self.process.running, self.process.log
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def wait_ready(self, timeout_s=60):
        wait_until(self.ready, timeout_s, describe=lambda: self.process.log[-2000:])

    def live(self, query=""):
        return connect(self.live_url + query, additional_headers={"authorization": f"Bearer {TOKEN}"}, max_size=2**22)

    def store(self, *contents):
        """Write as the sink does."""
        store = TimescaleStore(self.database_url, CATALOGUE, application="test")
        source = Source(f"{self.prefix}{datetime.now(UTC).timestamp()}", 0)
        items = [Item(source=source, offset=n, content=content) for n, content in enumerate(contents)]
        store.write(items, store.claim([source]))
        store.close()

    def produce(self, topic, *messages):
        name = qualified(topic, self.prefix)
        assert produce(self.bootstrap, name, [Message(key=key, value=value) for key, value in messages])

    def topic(self, topic):
        return read_topic(self.bootstrap, topic, self.prefix)

    def close(self):
        self.http.close()
        self.probes.close()


def reading(asset_id="P-101", **changes):
    return {
        "asset_id": asset_id,
        "ts": datetime.now(UTC).isoformat(),
        "metrics": {"flow_m3_h": 120.5, "speed_rpm": 1480.0},
        **changes,
    }


def code_of_the_end(socket):
    """Read until the service closes the connection."""
    while True:
        try:
            socket.recv(timeout=20)
        except ConnectionClosed as closed:
            return closed.rcvd.code
