"""Water and its vapour. Element-wise; NaN where an input is NaN or outside the formula's range."""

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.numerics import within


def vapour_pressure_pa(temp_c: FloatArray) -> FloatArray:
    """Return the saturation pressure over water [Pa], −20 to 100 °C.

    Magnus formula with the coefficients of Alduchov and Eskridge, J. Appl. Meteor. 35 (1996) 601:
    within 0.4 % from −40 to 50 °C, within 3 % up to 100 °C.
    """
    temp_c = within(temp_c, -20.0, 100.0)
    return 610.94 * np.exp(17.625 * temp_c / (243.04 + temp_c))


def wet_bulb_c(dry_bulb_c: FloatArray, relative_humidity_pct: FloatArray) -> FloatArray:
    """Return the wet-bulb temperature of air at sea level [°C].

    Stull, J. Appl. Meteor. Climatol. 50 (2011) 2267, eq. 1: within 1 K and mostly within 0.3 K for 5–99 % relative
    humidity and −20 to 50 °C, and as good in fog; NaN outside. Near saturation the formula may exceed the dry bulb by
    its own error, so it is capped there.
    """
    humidity = within(relative_humidity_pct, 5.0, 100.0)
    dry_bulb_c = within(dry_bulb_c, -20.0, 50.0)
    wet = (
        dry_bulb_c * np.arctan(0.151977 * np.sqrt(humidity + 8.313659))
        + np.arctan(dry_bulb_c + humidity)
        - np.arctan(humidity - 1.676331)
        + 0.00391838 * humidity**1.5 * np.arctan(0.023101 * humidity)
        - 4.686035
    )
    return np.minimum(wet, dry_bulb_c)


def dew_point_c(dry_bulb_c: FloatArray, relative_humidity_pct: FloatArray) -> FloatArray:
    """Return the dew point of air [°C], inverting the Magnus formula; NaN for humidities outside (0, 100] %."""
    dry_bulb_c = within(dry_bulb_c, -20.0, 100.0)
    humidity = within(relative_humidity_pct, 1e-3, 100.0)
    term = np.log(humidity / 100.0) + 17.625 * dry_bulb_c / (243.04 + dry_bulb_c)
    return 243.04 * term / (17.625 - term)
