"""Scenarios by name: the fault, the machines, the length in days."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.simulation.delivery import PERFECT, GatewayDelivery
from forewarn.domain.simulation.growth import AFTER_INTERVENTION, EARLY, STEADY, Curve
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.sensor_effects import (
    Drift,
    Dropout,
    During,
    Noise,
    Quantisation,
    SensorEffect,
    Spikes,
    Stuck,
)

#: Makes a sensor effect from a tag's span (its engineering range), a severity and a time.
EffectOf = Callable[[str, float, float, During], SensorEffect]


class UnknownScenarioError(ValueError):
    """The class has no such scenario; the message lists the available ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario."""

    name: str
    title: str
    days: float  #: Usual length.
    onset: float = 0.0  #: Start, as a share of the length.
    #: Fault of the machine model, by class; empty without wear.
    faults: Mapping[str, str] = field(default_factory=dict)
    curve: Curve = STEADY  #: Growth from the onset to the end.
    pace: float = 0.05  #: Spread of the random pace of growth, see ``growth.random_pace``.
    #: Instead of severities in ``curve``: the failure mode indicator's mean over the share of the time.
    indicator_course: Curve | None = None
    #: For faults of sensors or delivery: an effect on one tag, two swapped tags, a delivery (at full severity).
    effect: EffectOf | None = None
    swaps: bool = False
    delivery: GatewayDelivery = PERFECT

    @property
    def wears(self) -> bool:
        """Return whether the machine wears, rather than its sensors or gateway failing."""
        return bool(self.faults)

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the classes with this scenario."""
        return tuple(name for name in KINDS if name in self.faults or not self.wears)


_PUMP, _MOTOR, _FAN, _CHILLER = "centrifugal_pump", "electric_motor", "fan", "chiller"
_TURBO, _PISTON, _TURBINE = "centrifugal_compressor", "reciprocating_compressor", "turbine"
_EXCHANGER, _TOWER = "heat_exchanger", "cooling_tower"

#: A fouling condenser: approach in K in the middle of weeks 1, 4, 8 and 12 of 12, extended linearly to both ends.
_FOULING_STORY: Final[Curve] = (
    (0.0, 2.5 - 1.3 / 6.0),
    (0.5 / 12.0, 2.5),
    (3.5 / 12.0, 3.8),
    (7.5 / 12.0, 5.2),
    (11.5 / 12.0, 7.0),
    (1.0, 7.0 + 1.8 / 8.0),
)

#: Name, title, usual days, onset as a share of them, fault of the machine model, classes.
_WEAR: Final[tuple[tuple[str, str, float, float, str, tuple[str, ...]], ...]] = (
    ("tube_fouling", "Deposits in the condenser tubes of a chiller", 60, 0.0, "tube_fouling", (_CHILLER,)),
    (
        "bearing_wear",
        "A rolling or sleeve bearing wears out",
        45,
        0.1,
        "bearing_wear",
        (_PUMP, _CHILLER, _FAN, _MOTOR, _TURBO, _TURBINE, _PISTON),
    ),
    ("refrigerant_leak", "A chiller loses refrigerant", 30, 0.12, "refrigerant_leak", (_CHILLER,)),
    (
        "electrical_issue",
        "Shorted turns in a winding: the phases draw unequal currents",
        14,
        0.25,
        "electrical_issue",
        (_CHILLER, _MOTOR),
    ),
    (
        "post_maintenance_misalignment",
        "After a repair the shafts are out of line: at once, settling, then growing",
        7,
        0.45,
        "misalignment",
        (_PUMP, _CHILLER, _FAN, _MOTOR, _TURBO, _TURBINE),
    ),
    ("cavitation", "The suction strainer clogs until the pump cavitates", 14, 0.25, "cavitation", (_PUMP,)),
    ("impeller_wear", "The impeller wears", 60, 0.08, "impeller_wear", (_PUMP,)),
    ("seal_leak", "The rod packing leaks", 21, 0.15, "seal_leak", (_PISTON,)),
    ("compressor_fouling", "Deposits on the impellers of a compressor", 60, 0.08, "compressor_fouling", (_TURBO,)),
    ("valve_leak", "A cylinder valve leaks", 21, 0.15, "valve_leak", (_PISTON,)),
    ("surge", "The plant's resistance drives a compressor into surge", 7, 0.45, "surge", (_TURBO,)),
    ("heat_exchanger_fouling", "Deposits on the tubes of a heat exchanger", 60, 0.08, "fouling", (_EXCHANGER,)),
    ("fan_imbalance", "Dirt or a lost blade unbalances the impeller", 30, 0.12, "fan_imbalance", (_FAN, _TOWER)),
    ("belt_slip", "A loose belt slips", 21, 0.15, "belt_slip", (_FAN,)),
    ("filter_clogging", "The air filter clogs", 60, 0.08, "filter_clogging", (_FAN,)),
    ("tube_blockage", "Debris blocks tubes of a heat exchanger", 21, 0.15, "tube_blockage", (_EXCHANGER,)),
    ("winding_overheating", "Dirt chokes a motor's cooling", 30, 0.12, "winding_overheating", (_MOTOR,)),
    ("thrust_bearing_wear", "The thrust bearing wears", 45, 0.1, "thrust_bearing_wear", (_TURBO, _TURBINE)),
    ("blade_fouling", "Deposits on the blades of a turbine", 60, 0.08, "blade_fouling", (_TURBINE,)),
    ("fill_fouling", "Scale in the fill of a cooling tower", 60, 0.08, "fill_fouling", (_TOWER,)),
    ("gearbox_wear", "The gearbox of a cooling tower's fan wears", 45, 0.1, "gearbox_wear", (_TOWER,)),
    ("ring_wear", "Piston rings wear", 45, 0.1, "ring_wear", (_PISTON,)),
    ("rider_ring_wear", "Rider rings wear, the rod drops", 60, 0.08, "rider_ring_wear", (_PISTON,)),
)

#: Growth of those that do not grow steadily.
_COURSES: Final[Mapping[str, Mapping[str, Any]]] = {
    "tube_fouling": {"pace": 0.008, "indicator_course": _FOULING_STORY},
    "post_maintenance_misalignment": {"curve": AFTER_INTERVENTION},
    "seal_leak": {"curve": EARLY},
}

_MACHINES: Final = (
    Scenario(name="healthy", title="Nothing goes wrong", days=30),
    *(
        Scenario(
            name=name,
            title=title,
            days=days,
            onset=onset,
            faults=dict.fromkeys(classes, fault),
            **_COURSES.get(name, {}),
        )
        for name, title, days, onset, fault, classes in _WEAR
    ),
)

_SENSORS: Final = (
    Scenario(
        name="sensor_noise",
        title="A sensor becomes noisy",
        days=7,
        onset=0.5,
        effect=lambda tag, span, severity, during: Noise(tag=tag, spread=0.05 * span * severity, during=during),
    ),
    Scenario(
        name="sensor_quantisation",
        title="A sensor's range is set much too wide: coarse steps",
        days=7,
        onset=0.5,
        effect=lambda tag, span, severity, during: Quantisation(
            tag=tag, resolution=0.1 * span * severity, during=during
        ),
    ),
    Scenario(
        name="sensor_drift",
        title="A sensor drifts away from the truth",
        days=14,
        onset=0.25,
        effect=lambda tag, span, severity, during: Drift(tag=tag, per_day=0.02 * span * severity, during=during),
    ),
    Scenario(
        name="sensor_dropout",
        title="A loose contact: stretches of half an hour without values",
        days=7,
        onset=0.5,
        effect=lambda tag, _span, severity, during: Dropout(
            tag=tag, share=0.5 * severity, burst_s=1800.0, during=during
        ),
    ),
    Scenario(
        name="sensor_stuck",
        title="A sensor stays at one value",
        days=7,
        onset=0.5,
        effect=lambda tag, _span, _severity, during: Stuck(tag=tag, during=during),
    ),
    Scenario(
        name="sensor_spikes",
        title="Single wild values",
        days=7,
        onset=0.5,
        effect=lambda tag, span, severity, during: Spikes(
            tag=tag, share=0.05 * severity, size=1.5 * span, during=during
        ),
    ),
    Scenario(name="swapped_wires", title="Two sensors are connected crosswise", days=7, onset=0.5, swaps=True),
    Scenario(
        name="clock_skew",
        title="The gateway's clock is ahead",
        days=7,
        delivery=GatewayDelivery(clock_skew_s=480.0),
    ),
    Scenario(
        name="late_delivery",
        title="A tenth of the readings arrive up to an hour late",
        days=7,
        delivery=GatewayDelivery(late_share=0.1, late_by_s=3600.0),
    ),
    Scenario(
        name="duplicate_delivery",
        title="A fifth of the readings are sent twice",
        days=7,
        delivery=GatewayDelivery(duplicate_share=0.2),
    ),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({item.name: item for item in (*_MACHINES, *_SENSORS)})


def find_scenario(name: str, asset_class: str) -> Scenario:
    """Find a scenario for a class; raise UnknownScenarioError, listing the available ones, without one."""
    if asset_class not in KINDS:
        raise UnknownScenarioError(f"machines of class {asset_class!r} cannot be simulated, only {', '.join(KINDS)}")
    known = [item.name for item in SCENARIOS.values() if asset_class in item.classes]
    if name not in known:
        raise UnknownScenarioError(f"no scenario {name!r} for {asset_class}: there are {', '.join(known)}")
    return SCENARIOS[name]


def simulated_tags(asset_class: AssetClass) -> list[str]:
    """Return the tags of a class in the machine's model; users' classes may have more."""
    kind = KINDS[asset_class.name]
    sensors = kind.sensors(kind.design())
    return [name for name in asset_class.tag_names if name in sensors]


def require_tag(asset_class: AssetClass, tag: str) -> None:
    """Check that a tag's sensor can fail; UnknownScenarioError, listing the possible tags, if it cannot."""
    known = simulated_tags(asset_class)
    if tag not in known:
        what = "simulated tag" if tag in asset_class.tag_names else "tag"
        raise UnknownScenarioError(f"{asset_class.name} has no {what} {tag!r}: there are {', '.join(known)}")


def usual_tag(asset_class: AssetClass) -> str:
    """Return the default tag whose sensor fails: the first response that is simulated."""
    known = simulated_tags(asset_class)
    return next((name for name in asset_class.twin.responses if name in known), known[0])


def crossed_tags(asset_class: AssetClass) -> tuple[str, str]:
    """Return two tags that are easily swapped: the two that a rule blames for it, otherwise two responses.

    Raises UnknownScenarioError if the class has fewer than two tags of one unit.
    """
    pairs = [rule.blames for rule in asset_class.rules if rule.severity == "reject"]
    known = simulated_tags(asset_class)
    for pair in pairs:
        if len(pair) == 2 and set(pair) <= set(known):  # a pair
            return pair[0], pair[1]
    units = asset_class.units
    for tag in known:
        for other in known:
            if tag != other and units[tag] == units[other]:
                return tag, other
    raise UnknownScenarioError(f"{asset_class.name} has no two sensors of one unit that could be swapped")
