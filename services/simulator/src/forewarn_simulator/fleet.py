"""The simulated machines, and the commands they carry out."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

import structlog

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Command, InjectFault, RunScenario
from forewarn.domain.simulation.profile import FaultCourse
from forewarn_simulator.gateway import BadGateway
from forewarn_simulator.machines import SimulatedMachine
from forewarn_simulator.performance import Performance, past_readings, performance_of
from forewarn_simulator.reading import ReadingSource, SourceReading

_log = structlog.get_logger(__name__)

#: Past readings sent before the live ones get their turn again.
_AT_ONCE: Final = 400

#: The registry's readers know a new asset within this time; readings sent earlier might be rejected.
_SETTLING_S: Final = 2.0

#: For commands much older than this process, its predecessor has already sent the history.
_FRESH_S: Final = 60.0

#: How long an injected fault stays at its full severity before the machine is repaired.
_HOLD_S: Final = 900.0


class SimulatedFleet:
    """Sources by asset, with the past readings still to be sent."""

    def __init__(self, catalogue: Mapping[str, AssetClass], start_s: float) -> None:
        self._catalogue = catalogue
        self._start_s = start_s
        self._sources: dict[str, ReadingSource] = {}
        self._performing: dict[str, Performance] = {}
        self._past: dict[str, Iterator[SourceReading]] = {}
        self._waiting: list[tuple[float, Command, RunScenario]] = []

    def __len__(self) -> int:
        return len(self._sources.keys() | self._performing.keys())

    def knows(self, asset_id: str) -> bool:
        """Return whether an asset is simulated here."""
        return asset_id in self._sources

    def add(self, asset_id: str, source: ReadingSource, now_s: float, *, is_new: bool) -> None:
        """Add a machine; a new one sends its history before its first live reading."""
        self._sources[asset_id] = source
        if is_new:
            self._past[asset_id] = source.history(now_s)

    def obey(self, command: Command, now_s: float) -> None:
        """Carry out a command for a machine; a scenario begins once every service knows the asset."""
        body = command.body
        if isinstance(body, InjectFault):
            self._inject(command.asset_id, _course_of(command, body))
        elif isinstance(body, RunScenario):
            self._waiting.append((now_s + _SETTLING_S, command, body))

    def due(self, now_s: float) -> Iterator[SourceReading]:
        """Return due readings, and a portion of the past."""
        self._begin_waiting(now_s)
        yield from self._some_past()
        for asset_id, performance in list(self._performing.items()):
            if now_s >= performance.end_s:
                del self._performing[asset_id]
                _log.info("scenario_over", asset_id=asset_id, scenario=performance.scenario)
        for asset_id in self._sources.keys() | self._performing.keys():
            if asset_id not in self._past:
                yield from self._due_of(asset_id, now_s)

    def next_due_s(self, now_s: float) -> float:
        """Return when the next reading is due; infinite without one."""
        if self._past:
            return now_s
        names = self._sources.keys() | self._performing.keys()
        return min((self._source(name).next_due_s for name in names), default=float("inf"))

    def _source(self, asset_id: str) -> ReadingSource:
        performance = self._performing.get(asset_id)
        return self._sources[asset_id] if performance is None else performance.source

    def _due_of(self, asset_id: str, now_s: float) -> Iterable[SourceReading]:
        """Return due readings of a machine; if they cannot be computed, the other machines go on."""
        try:
            return list(self._source(asset_id).due(now_s))
        except Exception:  # noqa: BLE001  # commands are reread at every start: none of them may end the process
            _log.exception("machine_failed", asset_id=asset_id)
            if self._performing.pop(asset_id, None) is None:
                del self._sources[asset_id]
            return ()

    def _some_past(self) -> Iterator[SourceReading]:
        """Return past readings, asset by asset, so that the first assets start their live readings early."""
        left = _AT_ONCE
        while self._past and left > 0:
            asset_id, readings = next(iter(self._past.items()))
            for reading in readings:
                yield reading
                left -= 1
                if left == 0:
                    break
            else:
                del self._past[asset_id]
                _log.info("history_sent", asset_id=asset_id)

    def _inject(self, asset_id: str, course: FaultCourse) -> None:
        source = self._sources.get(asset_id)
        if isinstance(source, BadGateway):
            source = source.machine
        if not isinstance(source, SimulatedMachine):
            _log.warning("fault_ignored", asset_id=asset_id, reason="no simulated machine of this plant")
        elif course.fault not in source.faults:
            _log.warning("fault_ignored", asset_id=asset_id, fault=course.fault, known=source.faults)
        else:
            source.inject(course)
            _log.info("fault_injected", asset_id=asset_id, fault=course.fault, duration_s=course.duration_s)

    def _begin_waiting(self, now_s: float) -> None:
        ready = [(command, body) for at_s, command, body in self._waiting if at_s <= now_s]
        self._waiting = [item for item in self._waiting if item[0] > now_s]
        for command, body in ready:
            try:
                self._perform(command, body)
            except ValueError as exc:
                _log.warning("scenario_ignored", asset_id=command.asset_id, problem=str(exc))
            except Exception:  # noqa: BLE001  # as in _due_of
                _log.exception("scenario_ignored", asset_id=command.asset_id)

    def _perform(self, command: Command, body: RunScenario) -> None:
        asset_class = self._catalogue.get(body.asset_class)
        if asset_class is None:
            raise ValueError(f"no class {body.asset_class!r} in the catalogue")
        asset_id, issued_s = command.asset_id, command.issued_at.timestamp()
        if body.acceleration is not None:
            performance = performance_of(asset_id, asset_class, body, issued_s)
            if performance.end_s > self._start_s:
                self._performing[asset_id] = performance
                _log.info("scenario_started", asset_id=asset_id, scenario=body.scenario, end_s=performance.end_s)
        elif issued_s >= self._start_s - _FRESH_S:
            before = self._past.get(asset_id, iter(()))
            self._past[asset_id] = chain(before, past_readings(asset_id, asset_class, body, issued_s))
            _log.info("scenario_sent_as_history", asset_id=asset_id, scenario=body.scenario)


def _course_of(command: Command, body: InjectFault) -> FaultCourse:
    """Return how an injected fault develops: it grows once, then it is repaired."""
    return FaultCourse(
        fault=body.fault,
        onset_s=command.issued_at.timestamp(),
        duration_s=body.duration_s,
        hold_s=_HOLD_S,
        healthy_s=float("inf"),
        severity=body.severity,
    )
