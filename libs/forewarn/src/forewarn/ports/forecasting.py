"""Methods that forecast a series of equal steps."""

from typing import Protocol

from forewarn.domain.forecast.backtest import Forecast
from forewarn.domain.forecast.series import Season
from forewarn.domain.frames.frame import FloatArray


class Forecaster(Protocol):
    """A set of forecasting methods, ordered from the simplest to the richest."""

    def tune(self, training: FloatArray, seasons: tuple[Season, ...], horizon: int) -> Forecast:
        """Tune all methods on training steps, shape (n,), complete and finite.

        The result forecasts from any later history of the same series. It is causal and deterministic, and omits
        methods that cannot handle the history. ``seasons`` come shortest first, none for a series without; ``horizon``
        is the number of steps to forecast. Raises ForecasterUnavailable if the library is not installed.
        """
        ...


class ForecasterUnavailable(Exception):  # noqa: N818  # a state of the installation, not a mistake
    """The library is not installed; the message says how to install it."""
