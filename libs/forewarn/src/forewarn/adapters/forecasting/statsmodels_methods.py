"""Exponential smoothing and seasonal decomposition from statsmodels.

A method combines a season (none, daily, daily and weekly; STL, Cleveland et al. 1990, one after the other as in MSTL,
Bandara et al. 2021) with a way to extrapolate the rest: a constant level (simple exponential smoothing), a damped
trend (Holt; Gardner & McKenzie 1985), a robust line, the mean of level and line (after the Theta method,
Assimakopoulos & Nikolopoulos 2000), or growth by a constant factor. The moving average is the benchmark.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forewarn.domain.forecast.backtest import Forecast
from forewarn.domain.forecast.baselines import moving_average, theil_sen
from forewarn.domain.forecast.series import Season
from forewarn.domain.frames.frame import FloatArray
from forewarn.ports.forecasting import ForecasterUnavailable

#: Smoothing constants to try. A grid instead of an optimiser: bounded time, always the same result.
_LEVELS: Final = (0.05, 0.15, 0.3, 0.6, 0.9)
_TRENDS: Final = (0.02, 0.1)
_DAMPING: Final = 0.98

#: Local regressions are evaluated at every so many-th point of their span, and interpolated between.
_JUMP_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Library:
    """The parts of statsmodels in use; it ships no types."""

    simple: Callable[..., Any]
    holt: Callable[..., Any]
    stl: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Smoothing:
    """Smoothing constants tuned for one kind of season, with its name prefix and periods [steps]."""

    prefix: str
    periods: tuple[int, ...]
    level: float
    trend_level: float
    trend: float


class StatsmodelsForecaster:
    """Implements ``forewarn.ports.forecasting.Forecaster``; imports statsmodels on first use."""

    def tune(self, training: FloatArray, seasons: tuple[Season, ...], horizon: int) -> Forecast:
        """Choose smoothing constants by the squared error of one step ahead."""
        library = _load()
        window = max(2 * horizon, 24)
        with _quiet():
            tuned = [_tune(library, training, seasons[:count]) for count in range(len(seasons) + 1)]
        average_over = seasons[0].steps if seasons else window // 2

        def forecast(history: FloatArray, horizon: int) -> Mapping[str, FloatArray]:
            said = {"moving_average": moving_average(history, average_over, horizon)}
            with _quiet():
                for smoothing in tuned:
                    rest, season = _decompose(library, history, smoothing.periods, horizon)
                    for name, values in _continued(library, rest, smoothing, window, horizon):
                        said[f"{smoothing.prefix}{name}"] = values + season
            return {name: values for name, values in said.items() if np.isfinite(values).all()}

        return forecast


def _quiet() -> np.errstate:
    """Silence the logarithm of zero: statsmodels takes it of the error, and a constant column has none."""
    return np.errstate(all="ignore")


def _load() -> _Library:
    try:
        from statsmodels.tsa.holtwinters import Holt, SimpleExpSmoothing  # noqa: PLC0415  # 3 s and 165 MB
        from statsmodels.tsa.seasonal import STL  # noqa: PLC0415  # as above
    except ImportError as exc:
        raise ForecasterUnavailable(
            "forecasts need statsmodels, which is not installed here: install forewarn[forecast]"
        ) from exc
    return _Library(simple=SimpleExpSmoothing, holt=Holt, stl=STL)


def _decompose(
    library: _Library, history: FloatArray, periods: tuple[int, ...], horizon: int
) -> tuple[FloatArray, FloatArray]:
    """Return the history without its seasons, and the seasons extrapolated: the last cycle of each is repeated.

    Seasons are removed one after the other, the shortest first, like the first round of MSTL.
    """
    rest, season = history, np.zeros(horizon)
    for period in periods:
        jump = max(1, round(_JUMP_SHARE * period))
        found = library.stl(rest, period=period, seasonal_jump=1, trend_jump=jump, low_pass_jump=jump).fit()
        part = np.asarray(found.seasonal)
        rest = rest - part
        season = season + part[-period:][np.arange(horizon) % period]
    return rest, season


def _tune(library: _Library, training: FloatArray, seasons: tuple[Season, ...]) -> _Smoothing:
    periods = tuple(season.steps for season in seasons)
    rest, _ = _decompose(library, training, periods, 1)
    simple = min(_LEVELS, key=lambda level: float(_simple(library, rest, level).sse))
    both = [(level, trend) for level in _LEVELS for trend in _TRENDS]
    level, trend = min(both, key=lambda pair: float(_damped(library, rest, *pair).sse))
    prefix = f"{seasons[-1].name}_" if seasons else ""
    return _Smoothing(prefix, periods, simple, level, trend)


def _continued(
    library: _Library, rest: FloatArray, smoothing: _Smoothing, window: int, horizon: int
) -> Iterator[tuple[str, FloatArray]]:
    """Extrapolate the deseasonalised history by each method."""
    level = np.asarray(_simple(library, rest, smoothing.level).forecast(horizon))
    line = theil_sen(rest, window, horizon)
    yield "level", level
    yield "theta", (level + line) / 2.0
    yield "damped_trend", np.asarray(_damped(library, rest, smoothing.trend_level, smoothing.trend).forecast(horizon))
    yield "line", line
    if rest[-window:].min() > 0.0:
        yield "growth", np.exp(theil_sen(np.log(rest[-window:]), window, horizon))


def _simple(library: _Library, rest: FloatArray, level: float) -> Any:  # noqa: ANN401  # the library has no types
    model = library.simple(rest, initialization_method="known", initial_level=_begin(rest))
    return model.fit(smoothing_level=level, optimized=False)


def _damped(library: _Library, rest: FloatArray, level: float, trend: float) -> Any:  # noqa: ANN401  # as above
    model = library.holt(
        rest, damped_trend=True, initialization_method="known", initial_level=_begin(rest), initial_trend=0.0
    )
    return model.fit(smoothing_level=level, smoothing_trend=trend, damping_trend=_DAMPING, optimized=False)


def _begin(rest: FloatArray) -> float:
    return float(rest[:8].mean())
