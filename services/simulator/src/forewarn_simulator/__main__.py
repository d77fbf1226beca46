"""Composition root of the simulator: ``python -m forewarn_simulator``; with ``load`` it generates benchmark load."""

import sys
import threading

import structlog

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.clock import SystemClock
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.service import run_service, supervised
from forewarn_simulator.app import Simulation
from forewarn_simulator.load.command import main as load_main
from forewarn_simulator.settings import SimulatorSettings
from forewarn_simulator.stage import parts_of_plants

_log = structlog.get_logger(__name__)


def main(settings: SimulatorSettings, stop: threading.Event) -> None:
    """Register the plants and stream their readings until ``stop`` is set."""
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    catalogue = load_catalogue(settings.catalogue_path)
    parts = parts_of_plants(settings, catalogue)
    ready = threading.Event()

    def problem() -> str | None:
        return None if ready.is_set() else "the plant is not registered yet"

    with supervised(settings, heartbeat, ready=problem):
        simulation = Simulation(settings, catalogue, clock, heartbeat, stop)
        simulation.enlist(parts)
        if stop.is_set():
            return
        ready.set()
        if settings.simulation_enabled:
            simulation.stream()
            return
        _log.info("simulation_disabled", hint="SIMULATION_ENABLED=true starts it")
        while not stop.wait(1.0):
            heartbeat.beat()


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        sys.exit(load_main(sys.argv[2:]))
    run_service("simulator", SimulatorSettings, main)
