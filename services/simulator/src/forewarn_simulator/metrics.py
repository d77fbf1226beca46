"""Metrics of the simulator."""

from prometheus_client import Counter, Gauge


class SimulatorMetrics:
    """Counters and gauges of one process."""

    def __init__(self) -> None:
        self.readings = Counter("forewarn_simulator_readings", "Readings by outcome: stored, refused.", ["outcome"])
        self.waiting = Gauge("forewarn_simulator_waiting_readings", "Readings in the buffer.")
        self.machines = Gauge("forewarn_simulator_machines", "Machines that send readings.")
