"""Ratios of powers and of rated values. All functions are element-wise; NaN where an input is NaN."""

from typing import Final

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.numerics import positive, ratio

#: Below this input a ratio shows only the power meter's zero error: the machine stands still.
MIN_INPUT_KW: Final = 0.1

#: Below this a flow meter shows its zero error.
MIN_FLOW_M3_H: Final = 0.1


def efficiency_pct(useful_kw: FloatArray, input_kw: FloatArray) -> FloatArray:
    """Return the useful share of the power taken in [%]; NaN while the machine takes none."""
    return 100.0 * ratio(useful_kw, input_kw, MIN_INPUT_KW)


def specific_energy_kwh_m3(power_kw: FloatArray, flow_m3_h: FloatArray) -> FloatArray:
    """Return the energy per cubic metre delivered [kWh/m³]; NaN where nothing is delivered."""
    return ratio(power_kw, flow_m3_h, MIN_FLOW_M3_H)


def share_of_rated_pct(value: FloatArray, rated_value: FloatArray) -> FloatArray:
    """Return a value over its rated value [%]; NaN without a positive rated value."""
    return 100.0 * value / positive(rated_value)
