"""Weather of a site: season, passing fronts, time of day, and humidity.

A function of time and seed alone, computable for any moment. Fronts are sums of sines with incommensurable periods, so
that they never repeat; their amplitude is bounded.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.water import vapour_pressure_pa
from forewarn.domain.simulation.chance import uniform

_HOURS: Final = 24.0
_DAYS_OF_YEAR: Final = 365.2425
_WARMEST_DAY: Final = 202.0  # of the northern year: land is warmest a month after the solstice
_WARMEST_HOUR: Final = 15.0  # of the day: the ground keeps warming the air after noon
_SUMMER_SWING: Final = 0.25  # seasonal variation of the daily swing, larger in summer
_WAVES: Final = 6
_SHORTEST_DAYS, _LONGEST_DAYS = 3.0, 11.0  # from one front to the next
_LEAST_HUMIDITY_PCT, _MOST_HUMIDITY_PCT = 15.0, 95.0
_COLDEST_C, _HOTTEST_C = -20.0, 50.0  # range of the formulae of moist air


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """Weather around a machine.

    The defaults describe a ventilated hall in a warm temperate place, which sees about half of seasons and fronts.
    """

    mean_temp_c: float = 22.0  #: Mean air temperature of the year.
    #: Half range of the seasons, and of the time of day averaged over the year.
    season_swing_k: float = 4.0
    day_swing_k: float = 4.0
    #: Relative humidity at the mean temperature of a usual day; the day's moisture is constant, so warm hours are
    #: drier.
    humidity_pct: float = 58.0
    #: Standard deviations of the effect of fronts, which is at most 3.5 times as much.
    front_k: float = 1.2
    front_humidity_pct: float = 8.0
    hemisphere: Literal["north", "south"] = "north"  #: "north" has its summer in July.
    utc_offset_h: float = 0.0  #: Of the site's clock.
    seed: int = 0  #: Of the fronts; machines of equal climate and seed share their weather.

    def __post_init__(self) -> None:
        if min(self.season_swing_k, self.day_swing_k, self.front_k, self.front_humidity_pct) < 0.0:
            raise ValueError(f"swings and fronts must not be below 0: {self}")
        if not _LEAST_HUMIDITY_PCT <= self.humidity_pct <= _MOST_HUMIDITY_PCT:
            limits = f"{_LEAST_HUMIDITY_PCT:g} and {_MOST_HUMIDITY_PCT:g}"
            raise ValueError(f"humidity_pct must lie within {limits}: {self}")
        if self.hemisphere not in ("north", "south"):
            raise ValueError(f"hemisphere must be north or south: {self}")

    def without_fronts(self) -> "Climate":
        """Return the same climate with the usual weather of each date."""
        return replace(self, front_k=0.0, front_humidity_pct=0.0)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OutdoorAir:
    """Air temperature [°C] and relative humidity [%], with the shape of the times."""

    temp_c: FloatArray
    relative_humidity_pct: FloatArray


def weather_at(climate: Climate, days: float | FloatArray) -> OutdoorAir:
    """Return the weather at a time [days since 1970-01-01 00:00 UTC]."""
    utc_days = np.asarray(days, dtype=np.float64)
    local_days = utc_days + climate.utc_offset_h / _HOURS
    summer = np.cos(2.0 * np.pi * (local_days - _WARMEST_DAY) / _DAYS_OF_YEAR)
    if climate.hemisphere == "south":
        summer = -summer
    front_k = climate.front_k * _passing(climate.seed, "temperature", utc_days)
    daily_mean_c = climate.mean_temp_c + climate.season_swing_k * summer + front_k
    swing_k = climate.day_swing_k * (1.0 + _SUMMER_SWING * summer)
    temp_c = daily_mean_c + swing_k * np.cos(2.0 * np.pi * (local_days - _WARMEST_HOUR / _HOURS))
    front_pct = climate.front_humidity_pct * _passing(climate.seed, "humidity", utc_days)
    humid_pct = np.clip(climate.humidity_pct + front_pct, _LEAST_HUMIDITY_PCT, _MOST_HUMIDITY_PCT)
    return OutdoorAir(temp_c=temp_c, relative_humidity_pct=_humidity_pct(temp_c, daily_mean_c, humid_pct))


def _humidity_pct(temp_c: FloatArray, daily_mean_c: FloatArray, humid_pct: FloatArray) -> FloatArray:
    """Return relative humidity of air with the moisture of the day's mean; at most saturated."""
    saturated_pa, now_pa = (
        vapour_pressure_pa(np.clip(at_c, _COLDEST_C, _HOTTEST_C)) for at_c in (daily_mean_c, temp_c)
    )
    return np.minimum(humid_pct * saturated_pa / now_pa, 100.0)


def _passing(seed: int, stream: str, days: FloatArray) -> FloatArray:
    """Return the effect of air masses, with long-term mean 0 and standard deviation 1."""
    per_day, phases = _waves(seed, stream)
    turned = np.sin(np.multiply.outer(days, per_day) + phases).sum(axis=-1)
    passing: FloatArray = np.sqrt(2.0 / _WAVES) * turned
    return passing


@lru_cache(maxsize=256)
def _waves(seed: int, stream: str) -> tuple[FloatArray, FloatArray]:
    """Return angular frequencies [rad/day] and phases [rad] of the sines, one per part of the range of periods."""
    numbers = np.arange(_WAVES)
    places = (numbers + uniform(seed, f"weather/{stream}/period", numbers)) / _WAVES
    periods_days = _SHORTEST_DAYS * np.power(_LONGEST_DAYS / _SHORTEST_DAYS, places)
    return 2.0 * np.pi / periods_days, 2.0 * np.pi * uniform(seed, f"weather/{stream}/phase", numbers)
