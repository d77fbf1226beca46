"""Forecasts in a background thread, a few assets at a time."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import structlog

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.forecasts import LimitForecast
from forewarn.domain.forecast.early import foresee
from forewarn.domain.forecast.memory import SeriesMemory
from forewarn.ports.forecasting import Forecaster, ForecasterUnavailable
from forewarn_health.state import AssetState, Foreseen

#: Assets of one job: a few seconds of work at most, as stopping the process waits for it.
_AT_ONCE: Final = 8

_log = structlog.get_logger(__name__)


class Foresight:
    """Chooses the assets to forecast, and holds results until they are collected."""

    def __init__(self, forecaster: Forecaster, catalogue: Mapping[str, AssetClass], min_interval_s: float) -> None:
        self._forecaster = forecaster
        self._catalogue = catalogue
        self._min_interval_s = min_interval_s
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="foresight")
        self._job: Future[dict[str, Foreseen]] | None = None
        self._waiting: dict[str, None] = {}  # in order of arrival
        self._not_before_s: dict[str, float] = {}

    def note(self, states: Mapping[str, AssetState]) -> None:
        """Note that these assets have new readings."""
        self._waiting.update((asset_id, None) for asset_id, state in states.items() if state.news)

    def restart(self, asset_ids: Iterable[str]) -> None:
        """Drop the current job and start over with these assets."""
        self._job = None
        self._waiting = dict.fromkeys(asset_ids)
        self._not_before_s.clear()

    def forget(self, asset_id: str) -> None:
        """Forget a removed asset."""
        self._waiting.pop(asset_id, None)
        self._not_before_s.pop(asset_id, None)

    def finished(self) -> dict[str, Foreseen]:
        """Return the forecasts since the last call, or raise the thread's exception."""
        if self._job is None or not self._job.done():
            return {}
        job, self._job = self._job, None
        return job.result()

    def begin(self, states: Mapping[str, AssetState], now_s: float) -> None:
        """Start the next job unless the thread is busy."""
        if self._job is not None:
            return
        chosen: dict[str, tuple[SeriesMemory, AssetClass]] = {}
        for asset_id in list(self._waiting):
            if len(chosen) == _AT_ONCE:
                break
            if self._not_before_s.get(asset_id, now_s) > now_s:
                continue
            del self._waiting[asset_id]
            state = states.get(asset_id)
            asset_class = None if state is None else self._catalogue.get(state.health.asset_class)
            if state is None or asset_class is None or state.memory is None or not state.news:
                continue
            chosen[asset_id] = (state.memory, asset_class)
            self._not_before_s[asset_id] = now_s + self._min_interval_s
        if chosen:
            self._job = self._pool.submit(self._look_ahead, chosen)

    def close(self) -> None:
        """Wait for the current job and end the thread."""
        self._pool.shutdown(cancel_futures=True)

    def _look_ahead(self, chosen: Mapping[str, tuple[SeriesMemory, AssetClass]]) -> dict[str, Foreseen]:
        return {
            asset_id: Foreseen(index=memory.index, forecasts=self._forecasts(memory, asset_class))
            for asset_id, (memory, asset_class) in chosen.items()
        }

    def _forecasts(self, memory: SeriesMemory, asset_class: AssetClass) -> tuple[LimitForecast, ...]:
        try:
            return foresee(memory, asset_class, self._forecaster.tune)
        except ForecasterUnavailable as exc:
            _log.warning("forecasts_unavailable", asset_class=asset_class.name, reason=str(exc))
            return ()
