"""Scenarios on request: played live in quick motion, or written into the past."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from forewarn.adapters.plant_document import Day, SimulatedSource
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import RunScenario
from forewarn.domain.simulation.delivery import PERFECT
from forewarn.domain.simulation.recording import MOST_ROWS, record
from forewarn.domain.simulation.scenarios import find_scenario
from forewarn.domain.simulation.story import Plot, Story, play
from forewarn.domain.time import S_PER_DAY
from forewarn_simulator.gateway import BadGateway
from forewarn_simulator.machines import SimulatedMachine, readings_of
from forewarn_simulator.reading import ReadingSource, SourceReading

#: Shortest interval of live readings, however quick the motion.
_SHORTEST_INTERVAL_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """A scenario that runs until ``end_s`` [s since 1970 UTC]."""

    scenario: str
    source: ReadingSource
    end_s: float


def performance_of(asset_id: str, asset_class: AssetClass, body: RunScenario, issued_s: float) -> Performance:
    """Return a live scenario in quick motion: it shortens days and growth, not the machine's physics.

    Raises ``ValueError`` if there is no such scenario for the class.
    """
    quickness = body.acceleration or 1.0
    day_s = S_PER_DAY / quickness
    story, days = _story(asset_class, body, issued_s, day_s)
    source = SimulatedSource(day=Day(period_s=day_s, weather_seed=body.seed), seed=body.seed)
    machine = SimulatedMachine(
        asset_id,
        asset_class.name,
        source,
        interval_s=max(body.interval_s / quickness, _SHORTEST_INTERVAL_S),
        registered_s=issued_s,
        start_s=issued_s,
        story=story,
    )
    on_the_way = story.delivery
    return Performance(
        scenario=body.scenario,
        source=machine if on_the_way == PERFECT else BadGateway(machine, on_the_way, seed=body.seed),
        end_s=issued_s + days * day_s,
    )


def past_readings(
    asset_id: str, asset_class: AssetClass, body: RunScenario, issued_s: float
) -> Iterator[SourceReading]:
    """Return a scenario as history, ending when the command was issued.

    Raises ``ValueError`` if there is no such scenario for the class, or it would have too many readings.
    """
    days = body.days or find_scenario(body.scenario, asset_class.name).days
    rows = max(int(min(days * S_PER_DAY / body.interval_s, MOST_ROWS + 1)), 1)  # a tiny interval makes it infinite
    start_s = issued_s - rows * body.interval_s
    story, _ = _story(asset_class, body, start_s, S_PER_DAY)
    recording = record(story, start_s=start_s, step_s=body.interval_s, rows=rows)
    return iter(readings_of(asset_id, recording.stamped_us, recording.columns, historical=True))


def _story(asset_class: AssetClass, body: RunScenario, start_s: float, day_s: float) -> tuple[Story, float]:
    scenario = find_scenario(body.scenario, asset_class.name)
    days = scenario.days if body.days is None else body.days
    plot = Plot(
        asset_class=asset_class,
        start_s=start_s,
        days=days,
        severity=body.severity,
        seed=body.seed,
        tag=body.tag,
        profile=Day(period_s=day_s, weather_seed=body.seed).profile(),
        day_s=day_s,
    )
    return play(scenario, plot), days
