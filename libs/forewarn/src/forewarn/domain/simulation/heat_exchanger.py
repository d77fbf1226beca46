"""A shell-and-tube heat exchanger, from its heat balance.

One shell pass, an even number of tube passes: the effectiveness is Kays and London's for the TEMA E shell, equivalent
to Bowman's mean temperature difference. The conductance is two films in series with the deposits, ``1/UA = 1/hA_t +
1/hA_s + R_f``, with ``hA_t ~ m^0.8`` inside the tubes (Dittus-Boelter) and ``hA_s ~ m^0.6`` across them (Kern). Losses
to the air are neglected: both streams balance. Water passes within seconds: no lag.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.simulation.machine import (
    Instant,
    Kind,
    Sensor,
    Severities,
    Values,
    Wander,
    accelerating,
    severity_of,
)
from forewarn.domain.simulation.parts import alike, whatever_the_design

FOULING: Final = "fouling"
TUBE_BLOCKAGE: Final = "tube_blockage"

_FRICTION_EXPONENT: Final = 1.8  # turbulent flow in smooth tubes (Blasius: 1.75)
_USUAL_HOT, _USUAL_COLD = 0.90, 0.95  # shares of the rated flows at which the clean conductance is stated


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatExchangerDesign:
    """Nameplate and installation of one exchanger, or of many as arrays."""

    #: Conductance without deposits at usual flows (90 and 95 % of the rated ones).
    clean_conductance_kw_k: FloatArray | float = 8.2
    tube_share: FloatArray | float = 0.55  #: Share of the film inside the tubes in the clean resistance.
    hot_flow_kg_s: FloatArray | float = 2.6
    cold_flow_kg_s: FloatArray | float = 3.0
    hot_heat_capacity_kj_kg_k: FloatArray | float = 4.18
    cold_heat_capacity_kj_kg_k: FloatArray | float = 4.18
    #: Supply temperature of the hot stream from the process; it wanders by a kelvin.
    hot_inlet_c: FloatArray | float = 90.0
    shell_pressure_drop_kpa: FloatArray | float = 26.0
    tube_pressure_drop_kpa: FloatArray | float = 34.0


HEAT_EXCHANGER_SENSORS: Final[dict[str, Sensor]] = {
    **alike(
        Sensor(noise=0.06, resolution=0.01),
        "hot_inlet_temp_c",
        "hot_outlet_temp_c",
        "cold_inlet_temp_c",
        "cold_outlet_temp_c",
    ),
    "hot_flow_kg_s": Sensor(noise=0.008, resolution=0.001),
    "cold_flow_kg_s": Sensor(noise=0.009, resolution=0.001),
    "shell_pressure_drop_kpa": Sensor(noise=0.15, resolution=0.01),
    "tube_pressure_drop_kpa": Sensor(noise=0.2, resolution=0.01),
}


def _truth(design: HeatExchangerDesign, instant: Instant) -> Values:
    """Compute the true values; cooling water follows the weather."""
    truth = _flows(design, instant)
    return truth | _heat(design, truth, instant.faults)


def _flows(design: HeatExchangerDesign, instant: Instant) -> Values:
    """Return inlets and pressure drops; debris on the tube sheet throttles the tube inlet and blocks some tubes."""
    surroundings, faults, wander = instant.surroundings, instant.faults, instant.wander
    blockage, deposits = accelerating(severity_of(faults, TUBE_BLOCKAGE)), severity_of(faults, FOULING)
    hot_share = (0.6 + 0.4 * surroundings.demand) * (1.0 + wander["hot_flow"])
    # the cooling water pump rides up its curve when the tubes resist
    cold_share = (0.8 + 0.2 * surroundings.demand) * (1.0 + wander["cold_flow"]) * (1.0 - 0.06 * blockage)
    friction_kpa = design.tube_pressure_drop_kpa * np.power(cold_share / (1.0 - 0.12 * blockage), _FRICTION_EXPONENT)
    inlet_kpa = 5.0 * blockage * design.tube_pressure_drop_kpa * np.square(cold_share)
    return {
        "hot_share": hot_share,
        "cold_share": cold_share,
        "hot_flow_kg_s": design.hot_flow_kg_s * hot_share,
        "cold_flow_kg_s": design.cold_flow_kg_s * cold_share,
        "hot_inlet_temp_c": np.asarray(design.hot_inlet_c) + wander["inlet_k"],
        "cold_inlet_temp_c": 15.0 + 0.25 * surroundings.ambient_temp_c,
        "shell_pressure_drop_kpa": design.shell_pressure_drop_kpa * np.power(hot_share, _FRICTION_EXPONENT),
        "tube_pressure_drop_kpa": friction_kpa * (1.0 + 0.12 * deposits) + inlet_kpa,
    }


def _heat(design: HeatExchangerDesign, truth: Values, faults: Severities) -> Values:
    """Return outlets, from effectiveness and heat balance."""
    conductance = _conductance_kw_k(design, truth, faults)
    hot = truth["hot_flow_kg_s"] * design.hot_heat_capacity_kj_kg_k
    cold = truth["cold_flow_kg_s"] * design.cold_heat_capacity_kj_kg_k
    least = np.minimum(hot, cold)
    share = least / np.maximum(hot, cold)
    root = np.sqrt(1.0 + np.square(share))
    effectiveness = 2.0 / (1.0 + share + root / np.tanh(0.5 * conductance / least * root))
    duty_kw = effectiveness * least * (truth["hot_inlet_temp_c"] - truth["cold_inlet_temp_c"])
    return {
        "hot_outlet_temp_c": truth["hot_inlet_temp_c"] - duty_kw / hot,
        "cold_outlet_temp_c": truth["cold_inlet_temp_c"] + duty_kw / cold,
    }


def _conductance_kw_k(design: HeatExchangerDesign, truth: Values, faults: Severities) -> FloatArray:
    shut = 0.12 * accelerating(severity_of(faults, TUBE_BLOCKAGE))
    # the same flow through fewer tubes: less area for both films, faster flow for the inner one
    tube = design.tube_share * np.power(_USUAL_COLD / truth["cold_share"], 0.8) / np.power(1.0 - shut, 0.2)
    shell = (1.0 - design.tube_share) * np.power(_USUAL_HOT / truth["hot_share"], 0.6) / (1.0 - shut)
    deposits = 0.72 * severity_of(faults, FOULING)  # of the clean resistance; TEMA designs for up to 0.7
    conductance: FloatArray = design.clean_conductance_kw_k / (tube + shell + deposits)
    return conductance


HEAT_EXCHANGER: Final = Kind(
    design=HeatExchangerDesign,
    wander={  # both flows (relative) and the hot inlet
        "hot_flow": Wander(spread=0.015, memory_s=60.0),
        "cold_flow": Wander(spread=0.012, memory_s=90.0),
        "inlet_k": Wander(spread=1.0, memory_s=300.0),
    },
    truth=_truth,
    sensors=whatever_the_design(HEAT_EXCHANGER_SENSORS),
    faults=(FOULING, TUBE_BLOCKAGE),
)
