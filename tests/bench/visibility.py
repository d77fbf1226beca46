"""How long it takes until a reading, and its result, can be queried.

No markers are sent: a few of the load's own machines are asked for their newest rows over and over, by
primary key, and each row's age is taken when it first shows. So the age includes the poll interval.
"""

import threading
import time
from datetime import datetime
from typing import NamedTuple

import psycopg

from bench.figures import Latency

_POLL_S = 0.02
_MS_PER_S = 1e3
#: Without statistics of the fresh tables the planner would rather scan them.
_SESSION = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c timezone=UTC -c jit=off"

_NEWER = """
SELECT w.asset_key, r.ts, {column}
FROM unnest(%s::integer[], %s::timestamptz[]) AS w (asset_key, seen)
JOIN {table} r ON r.asset_key = w.asset_key AND r.ts > w.seen
ORDER BY r.ts
"""


class _Place(NamedTuple):
    """One reading."""

    asset_key: int
    ts: datetime


class RowWatcher:
    """Watches some machines' rows appear in both tables of a class."""

    def __init__(self, database_url: str, asset_class: str) -> None:
        self._connection = psycopg.connect(database_url, autocommit=True, options=_SESSION)
        self._readings = _NEWER.format(column="r.received_at", table=f"readings_{asset_class}")
        self._results = _NEWER.format(column="NULL", table=f"results_{asset_class}")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._clear()

    @property
    def backend(self) -> int:
        """Process of the server that answers: its cost is not the platform's."""
        return self._connection.info.backend_pid

    def start(self, asset_ids: list[str], since: datetime) -> None:
        """Watch rows of these machines newer than ``since``."""
        rows = self._connection.execute("SELECT asset_key FROM asset WHERE asset_id = ANY (%s)", [asset_ids])
        self._clear()
        keys = [key for (key,) in rows]
        self._seen = {"readings": dict.fromkeys(keys, since), "results": dict.fromkeys(keys, since)}
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="row-watcher", daemon=True)
        self._thread.start()

    def finish(self) -> tuple[Latency, Latency]:
        """Stop; ages of readings and of results when they became visible."""
        assert self._thread is not None
        self._stop.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return Latency.of(self._reading_ms), Latency.of(self._result_ms)

    def close(self) -> None:
        """Leave the database."""
        self._connection.close()

    def _clear(self) -> None:
        self._seen: dict[str, dict[int, datetime]] = {}
        self._received_s: dict[_Place, float] = {}
        self._early: dict[_Place, float] = {}  # results that showed before their readings
        self._reading_ms: list[float] = []
        self._result_ms: list[float] = []

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._look()
                self._stop.wait(_POLL_S)
        except Exception as exc:  # noqa: BLE001  # raised where the ages are asked for
            self._failure = exc

    def _look(self) -> None:
        now_s, rows = self._newer("readings", self._readings)
        for key, ts, received in rows:
            place, received_s = _Place(key, ts), received.timestamp()
            self._reading_ms.append((now_s - received_s) * _MS_PER_S)
            if (seen_s := self._early.pop(place, None)) is not None:
                self._result_ms.append((seen_s - received_s) * _MS_PER_S)
            else:
                self._received_s[place] = received_s
        now_s, rows = self._newer("results", self._results)
        for key, ts, _ in rows:
            place = _Place(key, ts)
            if (received_s := self._received_s.pop(place, None)) is None:
                self._early[place] = now_s
            else:
                self._result_ms.append((now_s - received_s) * _MS_PER_S)

    def _newer(self, table: str, query: str) -> tuple[float, list[tuple[int, datetime, datetime]]]:
        seen = self._seen[table]
        rows = self._connection.execute(query.encode(), [list(seen), list(seen.values())]).fetchall()
        now_s = time.time()  # after the answer: what a client sees
        for key, ts, _ in rows:
            seen[key] = ts
        return now_s, rows
