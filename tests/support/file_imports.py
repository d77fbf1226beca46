"""Imports of small files of a pump without a platform."""

import json

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.importing.converting import check_mapping
from forewarn.adapters.importing.progress import ProgressFile
from forewarn.adapters.importing.proposal import Said, propose
from forewarn.adapters.importing.rejects import Rejects
from forewarn.adapters.importing.run import ImportPlan, send_all
from forewarn.adapters.importing.scan import scan
from forewarn.adapters.importing.source import open_source
from forewarn.contracts.readings import Reading
from forewarn.domain.importing.guess import guess_roles

PUMP = load_catalogue()["centrifugal_pump"]
PLAIN = "time,flow_m3_h,power_kw\n2026-01-01T00:00:00Z,100.5,20\n2026-01-01T00:01:00Z,101.5,21\n"


class Broker:
    """Takes messages, until it breaks."""

    room = 10

    def __init__(self, breaks_after=10**9):
        self.messages = []
        self._breaks_after = breaks_after

    def send(self, asset_id, message):
        if len(self.messages) >= self._breaks_after:
            raise ConnectionError
        self.messages.append((asset_id, message))

    def flush(self):
        """Everything is stored at once."""

    def wait_for_backlog(self, limit, patience_s, on_wait):
        """Nobody is behind."""

    @property
    def readings(self):
        return [Reading.model_validate(r) for _, message in self.messages for r in json.loads(message)]


def plan_of(path, *, mapping=None, max_gap_s=None, keep=(), end_us=None, latest_us=2**62, **said):
    source = open_source(path)
    roles = guess_roles(source.names)
    found = scan(source, roles, lambda _: None)
    mapping = mapping or propose(source, found, roles, Said(**({"asset": "P-1"} | said)), PUMP)
    check_mapping(source, mapping, PUMP)
    gap = None if max_gap_s is None else int(max_gap_s * 1e6)
    return ImportPlan(
        source=source, scan=found, mapping=mapping, asset_class=PUMP, max_gap_us=gap, latest_us=latest_us,
        end_us=end_us, keep=keep,
    )  # fmt: skip


def imported(plan, tmp_path, broker=None, rejects=None, key="k"):
    broker = broker or Broker()
    with ProgressFile(tmp_path / "imports", key) as place, Rejects(rejects) as refused:
        report = send_all(plan, place, refused, broker, lambda *_: None)
    return broker, report


def text_file(tmp_path, text, name="a.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path
