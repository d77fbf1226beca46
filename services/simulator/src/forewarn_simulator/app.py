"""Streams the readings of simulated machines and carries out commands."""

import threading
from typing import Final

import structlog

from forewarn.adapters.catalogue import Catalogue
from forewarn.adapters.disk import DiskState
from forewarn.adapters.kafka.command_group import CommandGroup
from forewarn.adapters.plant_file import PlantError, example_names, load_plant
from forewarn.contracts.assets import Command, SetUpPlant
from forewarn.ports.clock import Clock
from forewarn.runtime.heartbeat import Heartbeat
from forewarn_simulator.fleet import SimulatedFleet
from forewarn_simulator.metrics import SimulatorMetrics
from forewarn_simulator.raw_producer import RawProducer
from forewarn_simulator.registration import register
from forewarn_simulator.settings import SimulatorSettings
from forewarn_simulator.stage import PlayableMachine, parts_of, sources_of

_log = structlog.get_logger(__name__)

_LONGEST_WAIT_S: Final = 0.5  # commands are polled at least this often
_FLUSH_S: Final = 3.0


class Simulation:
    """The machines of this process, from registration to the last reading."""

    def __init__(
        self,
        settings: SimulatorSettings,
        catalogue: Catalogue,
        clock: Clock,
        heartbeat: Heartbeat,
        stop: threading.Event,
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._stop = stop
        self._clock = clock
        self._heartbeat = heartbeat
        self._fleet = SimulatedFleet(catalogue, self._now_s())
        self._metrics = SimulatorMetrics()
        self._disk = settings.disk()
        self._is_paused = False

    def enlist(self, parts: list[PlayableMachine]) -> None:
        """Register machines and add them to the fleet; known ones stay as they are."""
        new = [part for part in parts if not self._fleet.knows(part.entry.asset.asset_id)]
        registered = register(
            [part.entry.asset for part in new],
            self._settings.kafka_bootstrap_servers,
            self._settings.kafka_topic_prefix,
            now=self._clock.now(),
            stop=self._stop,
            on_wait=self._heartbeat.beat,
        )
        if self._stop.is_set():
            return
        now_s = self._now_s()
        for asset_id, source in sources_of(new, registered, self._catalogue, now_s):
            self._fleet.add(asset_id, source, now_s, is_new=registered[asset_id].is_new)

    def stream(self) -> None:
        """Send readings and carry out commands until ``stop`` is set."""
        bootstrap, prefix = self._settings.kafka_bootstrap_servers, self._settings.kafka_topic_prefix
        producer = RawProducer(bootstrap, prefix, self._stop, self._metrics, self._heartbeat)
        # A command's effect counts from when it was issued, so rereading all commands restores every machine.
        commands = CommandGroup(bootstrap, prefix, service="simulator", from_start=True, on_wait=self._heartbeat.beat)
        _log.info("streaming", machines=len(self._fleet), interval_s=self._settings.simulation_interval_seconds)
        try:
            while not self._stop.is_set():
                self._heartbeat.beat()
                self._obey(commands)
                self._metrics.machines.set(len(self._fleet))
                is_full = self._is_disk_full()
                for reading in self._fleet.due(self._now_s()):
                    if not is_full:
                        producer.send(reading)
                producer.poll()
                now_s = self._now_s()
                wait_s = self._fleet.next_due_s(now_s) - now_s
                self._stop.wait(min(max(wait_s, 0.0), _LONGEST_WAIT_S))
        finally:
            commands.close()
            producer.close(_FLUSH_S)

    def _obey(self, commands: CommandGroup) -> None:
        """Carry out the commands since the last call."""
        while not self._stop.is_set() and (came := commands.take(0)):
            for command in came:
                if not isinstance(command, Command):
                    continue
                if isinstance(command.body, SetUpPlant):
                    self._set_up(command.body.plant)
                else:
                    self._fleet.obey(command, self._now_s())
            commands.done()

    def _is_disk_full(self) -> bool:
        """Return whether the disk is too full to store readings; log when that begins and ends."""
        is_full = self._disk is not None and self._disk.state() is DiskState.FULL
        if is_full is not self._is_paused:
            self._is_paused = is_full
            if is_full:
                _log.warning("paused", reason="the disk of broker and database is full (DISK_RESERVE_GB)")
            else:
                _log.info("resumed")
        return is_full

    def _set_up(self, name: str) -> None:
        """Start an example plant; known machines stay as they are."""
        if name not in example_names():
            _log.warning("plant_ignored", plant=name, known=example_names())
            return
        try:
            self.enlist(parts_of(load_plant(name), self._settings, self._catalogue))
        except PlantError as exc:
            _log.warning("plant_ignored", plant=name, problem=str(exc))
            return
        _log.info("plant_set_up", plant=name, machines=len(self._fleet))

    def _now_s(self) -> float:
        return self._clock.now().timestamp()
