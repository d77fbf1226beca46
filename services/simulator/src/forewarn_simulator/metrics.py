"""Metrics of the simulator."""

from forewarn.runtime.metrics import counter, gauge


class SimulatorMetrics:
    """Counters and gauges of one process."""

    def __init__(self) -> None:
        self.readings = counter("forewarn_simulator_readings")
        self.waiting = gauge("forewarn_simulator_waiting_readings")
        self.machines = gauge("forewarn_simulator_machines")
