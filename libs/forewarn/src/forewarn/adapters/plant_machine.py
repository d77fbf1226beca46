"""Turns an entry of a plant file into a simulated machine and its story."""

from dataclasses import replace

from forewarn.adapters.plant_document import PlantAsset, SimulatedSource
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.simulation.scenarios import find_scenario
from forewarn.domain.simulation.story import Plot, Story, play


def story_of(entry: PlantAsset, source: SimulatedSource, asset_class: AssetClass, registered_s: float) -> Story:
    """Return the story of a plant's machine: its scenario, or a healthy one, with its own sensors and gateway.

    Parameters
    ----------
    entry, source
        The machine; ``source`` is the entry's.
    registered_s
        When the machine's life began [s since 1970 UTC].
    """
    planned = source.scenario
    name = "healthy" if planned is None else planned.name
    scenario = find_scenario(name, asset_class.name)
    days = None if planned is None else planned.days
    plot = Plot(
        asset_class=asset_class,
        start_s=registered_s + (0.0 if planned is None else planned.begins_s),
        days=scenario.days if days is None else days,
        severity=1.0 if planned is None else planned.severity,
        seed=source.seed,
        tag=None if planned is None else planned.tag,
        design=source.design,
        nameplate=entry.asset.nameplate,
        profile=source.day.profile(),
        schedule=source.schedule,
        day_s=source.day.period_s,
    )
    return with_sensors(play(scenario, plot), source, registered_s)


def with_sensors(story: Story, source: SimulatedSource, registered_s: float) -> Story:
    """Return the story with the sensors and the gateway of a plant file."""
    own = [effect for tag, sensor in source.sensors.items() for effect in sensor.effects(tag, registered_s)]
    delivery = story.delivery if not story.delivery.is_perfect else source.gateway.delivery()
    run = replace(story.run, effects=(*story.run.effects, *own))
    return replace(story, run=run, delivery=delivery)
