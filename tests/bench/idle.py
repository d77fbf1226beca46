"""What the whole platform costs when only its demo plant runs."""

import os
import time
from pathlib import Path

from bench.figures import Idle
from bench.installation import Installation
from bench.options import Options
from bench.progress import say
from bench.usage import Meter
from forewarn_simulator.settings import SimulatorSettings
from support.platform import start_platform


def measure_idle(directory: Path, options: Options) -> Idle:
    """Start everything that ``make run`` starts, let it settle, and measure."""
    with Installation(directory, heap_mb=384) as installation:
        say("idle: starting all services with the demo plant")
        platform = start_platform(
            installation.spawn,
            bootstrap=installation.bootstrap,
            prefix="",
            database_url=installation.database.url,
            plant=SimulatorSettings.model_fields["simulation_plant"].default,
        )
        say(f"idle: settling for {options.idle_settle_seconds:g} s (history, first models)")
        time.sleep(options.idle_settle_seconds)
        platform.assert_alive()
        meter = Meter(installation.pids, installation.postmaster)
        say(f"idle: measuring for {options.idle_seconds:g} s, load average {os.getloadavg()[0]:.1f}")
        before = meter.sample()
        time.sleep(options.idle_seconds)
        after = meter.sample()
        platform.assert_alive()
        span_s = after.at_s - before.at_s
        shares = {name: (after.cpu_s[name] - before.cpu_s[name]) / span_s for name in before.cpu_s}
        return Idle(core_share=shares, memory=meter.memory())
