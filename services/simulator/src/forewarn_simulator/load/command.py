"""``python -m forewarn_simulator load``: registers pumps, sends readings, prints exact counts as JSON.

The report is the last line on stdout, after the log.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from forewarn.adapters.clock import SystemClock
from forewarn.contracts.assets import Asset
from forewarn.domain.simulation.pump import PUMP_TAGS
from forewarn.runtime.logging import configure_logging
from forewarn.runtime.service import EXIT_BAD_SETTINGS
from forewarn.runtime.settings import KafkaSettings, SettingsError, load_settings
from forewarn_simulator.load.cycle import Cycle, encode_cycle
from forewarn_simulator.load.sender import LoadSender, Tally
from forewarn_simulator.registration import register

_EXIT_LOST: Final = 3
_SAMPLES: Final = 240
_BASELINE_STEP_US: Final = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """Run the load generator and return the exit code: 0 only if every reading was delivered."""
    options = _parse(arguments)
    try:
        settings = load_settings(KafkaSettings)
    except SettingsError as exc:
        sys.stderr.write(f"load: cannot start\n{exc}\n")
        return EXIT_BAD_SETTINGS
    configure_logging("load", settings.log_level, settings.log_format)
    clock, rng = SystemClock(), np.random.default_rng(options.seed)
    assets = [_asset(options.asset_prefix, number) for number in range(options.assets)]
    cycle = encode_cycle([a.asset_id for a in assets], tags=options.tags, samples=_SAMPLES, rng=rng)
    bootstrap, prefix = settings.kafka_bootstrap_servers, settings.kafka_topic_prefix
    register(assets, bootstrap, prefix, now=clock.now(), stop=threading.Event())
    sender = LoadSender(bootstrap, prefix, cycle, clock)
    report: dict[str, object] = {
        "assets": options.assets,
        "tags": options.tags,
        "bytes_per_reading": _mean_bytes(cycle),
    }
    tallies: list[Tally] = []
    if options.baseline_rows:
        tallies.append(sender.past(options.baseline_rows, step_us=_BASELINE_STEP_US))
        report["baseline"] = _phase(tallies[-1])
    if options.duration > 0:
        tallies.append(sender.live(rate_per_s=options.rate, duration_s=options.duration, pause=time.sleep))
        report["load"] = {"offered_per_s": options.rate, **_phase(tallies[-1])}
    for name in ("sent", "delivered", "failed"):
        report[name] = sum(getattr(tally, name) for tally in tallies)
    sys.stdout.write(json.dumps(report) + "\n")
    return 0 if report["failed"] == 0 else _EXIT_LOST


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m forewarn_simulator load",
        description="Send readings of healthy pumps to KAFKA_BOOTSTRAP_SERVERS at a rate, and count them.",
    )
    parser.add_argument("--rate", type=_positive, default=10_000.0, help="readings a second (default: %(default)s)")
    parser.add_argument("--assets", type=_count, default=500, help="number of pumps (default: %(default)s)")
    parser.add_argument("--duration", type=_not_negative, default=60.0, help="seconds at that rate; 0: baseline only")
    parser.add_argument(
        "--tags", type=int, choices=range(1, len(PUMP_TAGS) + 1), default=len(PUMP_TAGS), help="tags in a reading"
    )
    parser.add_argument(
        "--baseline-rows", type=int, default=0, help="readings of the past per pump, sent first, at any rate, 1 s apart"
    )
    parser.add_argument("--asset-prefix", default="LOAD", help="asset ids are PREFIX-00000, … (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of sizes and noise (default: %(default)s)")
    return parser.parse_args(arguments)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be 0 or more, not {text}")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {text}")
    return value


def _asset(prefix: str, number: int) -> Asset:
    asset_id = f"{prefix}-{number:05d}"
    return Asset(asset_id=asset_id, asset_class="centrifugal_pump", name=f"Load pump {number}", path=("load",))


def _mean_bytes(cycle: Cycle) -> int:
    overhead = len(cycle.heads[0]) + 27 + 8 + 17  # time, counter, tail
    return round(float(np.mean([len(body) for body in cycle.bodies[0]]))) + overhead


def _phase(tally: Tally) -> dict[str, float]:
    return {
        "sent": tally.sent,
        "delivered": tally.delivered,
        "failed": tally.failed,
        "seconds": round(tally.seconds, 3),
        "rate_per_s": round(tally.rate_per_s, 1),
    }
