"""Intervals of expected values, by the model that judged the reading."""

from collections.abc import Mapping, Sequence
from typing import Final

from forewarn.contracts.answers.assets import LiveJudgement
from forewarn.contracts.health import ModelArtefact, ResidualRange
from forewarn.domain.twin.interval import bounds
from forewarn.domain.twin.model import Regime
from forewarn.ports.history import History, RollUp, Series

TWIN_KIND: Final = "twin"

Ends = tuple[float | None, float | None]
_UNKNOWN: Final[Ends] = (None, None)
_NO_BANDS: Final[Mapping[str, ResidualRange]] = {}


def around(judged: LiveJudgement, card: ModelArtefact | None) -> Mapping[str, tuple[float, float]]:
    """Return the interval of each expected value of a judged reading.

    Empty if another model judged it, or if the reading's values are unknown.
    """
    if card is None or card.version != judged.model_version or not judged.values:
        return {}
    return bounds(judged.values, judged.expected, judged.residual, _bands(card, judged.regime))


def along(history: History, series: Series, cards: Sequence[ModelArtefact]) -> Sequence[Ends]:
    """Return the interval of each expected value of a column over time; empty if all are unknown.

    A raw reading's comes from the model and regime that judged it, and is unknown where the model extrapolated.
    A bucket's is that of a single reading, from the newest model whose baseline had begun.
    """
    judges = _of_buckets(history, cards) if history.roll_up is not RollUp.RAW else _of_readings(history, cards)
    if not series.expected:
        return ()
    ends = [_ends(*at, series.column) for at in zip(series.expected, judges, strict=True)]
    return ends if any(end is not _UNKNOWN for end in ends) else ()


def _ends(middle: float | None, bands: Mapping[str, ResidualRange], column: str) -> Ends:
    band = bands.get(column)
    return _UNKNOWN if middle is None or band is None else (middle + band.low, middle + band.high)


def _of_readings(history: History, cards: Sequence[ModelArtefact]) -> list[Mapping[str, ResidualRange]]:
    known: dict[tuple[int | None, int | None], Mapping[str, ResidualRange]] = {
        (card.version, regime.code): regime.intervals
        for card in cards
        for regime in card.regimes
        if card.kind == TWIN_KIND
    }
    judges = zip(history.model_version, history.regime, strict=True)
    return [known.get(judge, _NO_BANDS) for judge in judges] or [_NO_BANDS] * len(history.ts)


def _of_buckets(history: History, cards: Sequence[ModelArtefact]) -> list[Mapping[str, ResidualRange]]:
    versions = sorted((card for card in cards if card.kind == TWIN_KIND), key=lambda card: card.version)
    found = []
    for at in history.ts:
        newest = next((card for card in reversed(versions) if card.trained_from <= at), None)
        found.append(_NO_BANDS if newest is None else _bands(newest, Regime.LEARNED))
    return found


def _bands(card: ModelArtefact, code: int) -> Mapping[str, ResidualRange]:
    """Return a regime's intervals; the usual regime's if the model does not know the code, as when it extrapolates."""
    regimes = {regime.code: regime.intervals for regime in card.regimes}
    return regimes.get(code, regimes.get(Regime.LEARNED, _NO_BANDS))
