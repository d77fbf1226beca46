"""Early warning: limits that an asset is expected to reach, from its long memory."""

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.forecasts import LimitForecast
from forewarn.domain.forecast.backtest import Tune
from forewarn.domain.forecast.crossing import Crossing, crossing
from forewarn.domain.forecast.memory import BUCKET_S, SeriesMemory
from forewarn.domain.forecast.outlook import Outlook, look_ahead
from forewarn.domain.forecast.screen import may_reach
from forewarn.domain.forecast.series import NotForecastable, complete
from forewarn.domain.forecast.watch import Watch, watches
from forewarn.domain.time import S_PER_DAY, to_datetime

_PER_DAY = int(S_PER_DAY) // BUCKET_S


def foresee(memory: SeriesMemory, asset_class: AssetClass, tune: Tune) -> tuple[LimitForecast, ...]:
    """Forecast the columns that move towards a limit; of two limits of a rule, the more probable one.

    Depends only on the complete buckets. Costs about 0.2 s of CPU per column that moves, microseconds for the others.
    """
    found: dict[str, LimitForecast] = {}
    outlooks: dict[tuple[str, float], Outlook | None] = {}
    for watch in watches(asset_class):
        means = memory.means(watch.column)
        horizon = watch.horizon_days
        if not may_reach(means, watch.limit, rising=watch.rising, per_day=_PER_DAY, horizon_days=horizon):
            continue
        key = (watch.column, horizon)
        if key not in outlooks:
            outlooks[key] = _outlook(memory, watch, tune)
        outlook = outlooks[key]
        if outlook is None:
            continue
        forecast = _forecast(watch, outlook, asset_class.units[watch.column])
        if watch.rule not in found or found[watch.rule].probability < forecast.probability:
            found[watch.rule] = forecast
    return tuple(found.values())


def limit_forecast(
    outlook: Outlook, crossed: Crossing, *, rule: str, column: str, unit: str, limit: float
) -> LimitForecast:
    """Return a crossing in the contract's terms: days from the end of the history."""
    return LimitForecast(
        rule=rule,
        column=column,
        unit=unit,
        limit=limit,
        probability=crossed.probability,
        horizon_days=outlook.horizon * outlook.step_s / S_PER_DAY,
        earliest_days=_days(crossed.earliest_s),
        likely_days=_days(crossed.likely_s),
        latest_days=_days(crossed.latest_s),
        method=outlook.method,
        made_at=to_datetime(round(outlook.start_s * 1e6)),
    )


def _outlook(memory: SeriesMemory, watch: Watch, tune: Tune) -> Outlook | None:
    try:
        series = complete(memory.means(watch.column), start_s=memory.start_s, step_s=BUCKET_S)
        return look_ahead(series, round(watch.horizon_days * _PER_DAY), tune)
    except NotForecastable:
        return None  # a young or gappy history gives no forecast


def _forecast(watch: Watch, outlook: Outlook, unit: str) -> LimitForecast:
    crossed = crossing(outlook, watch.limit, rising=watch.rising)
    return limit_forecast(outlook, crossed, rule=watch.rule, column=watch.column, unit=unit, limit=watch.limit)


def _days(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / S_PER_DAY
