"""Components of the health index: the present deviation (twin, anomaly) and the future (RUL, risk)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from forewarn.contracts.health import ComponentName, FailureRisk, HealthComponent, RulEstimate
from forewarn.domain.anomaly.scale import CRITICAL_SCORE, FLAG_SCORE, band_of
from forewarn.domain.health.profile import HealthProfile, status_of

#: Score by median remaining life: above, or from, this many days; the last one for less.
#: A life of exactly 180 days belongs to "90 to 180".
LIFE_STEPS: Final = ((90.0, 80.0), (30.0, 60.0), (7.0, 40.0))
LONG_LIFE_DAYS: Final = 180.0
LONG_LIFE_SCORE: Final = 95.0
SHORT_LIFE_SCORE: Final = 20.0

#: Bands of the twin's deviation: low below, medium between, high above.
DEVIATION_LOW: Final = 10.0
DEVIATION_HIGH: Final = 25.0

#: Anomaly scores are mentioned from here on.
ANOMALY_NOTICE: Final = 30.0

_FULL: Final = 100.0

#: Anomaly scores and their worth: the bands of both coincide.
_BEHAVIOUR: Final = ((0.0, _FULL), (FLAG_SCORE, 70.0), (CRITICAL_SCORE, 30.0), (_FULL, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prognosis:
    """Prospects: median life of the nearest failure, probability of any failure; None where nothing is foreseen."""

    life_days: float | None = None
    risk: FailureRisk | None = None


#: Nothing is foreseen.
NO_PROGNOSIS: Final = Prognosis()


@dataclass(frozen=True, slots=True)
class _ComponentScore:
    name: ComponentName
    score: float | None
    message: str


def life_score(days: float) -> float:
    """Score a remaining life: > 180 d 95, 90–180 80, 30–90 60, 7–30 40, < 7 20; a bound has the better score."""
    if days > LONG_LIFE_DAYS:
        return LONG_LIFE_SCORE
    return next((score for bound, score in LIFE_STEPS if days >= bound), SHORT_LIFE_SCORE)


def behaviour_score(anomaly_score: float) -> float:
    """Score an anomaly score: "good" or better up to warning, "critical" from its critical band.

    Linear between 0 → 100, 70 → 70, 85 → 30 and 100 → 0, because healthy machines reach 60 now and then.
    """
    low, high = next(pair for pair in pairwise(_BEHAVIOUR) if anomaly_score <= pair[1][0])
    return low[1] + (high[1] - low[1]) * (anomaly_score - low[0]) / (high[0] - low[0])


def prognosis_of(estimates: tuple[RulEstimate, ...]) -> Prognosis:
    """Combine estimates of single failure modes, assuming they are independent."""
    if not estimates:
        return NO_PROGNOSIS
    survives = [1.0, 1.0, 1.0]
    for item in estimates:
        if item.risk is not None:
            of_mode = (item.risk.within_7_days, item.risk.within_30_days, item.risk.within_90_days)
            survives = [share * (1.0 - p) for share, p in zip(survives, of_mode, strict=True)]
    week, month, quarter = (1.0 - share for share in survives)
    return Prognosis(
        life_days=min(item.p50_days for item in estimates),
        risk=FailureRisk(within_7_days=week, within_30_days=month, within_90_days=quarter),
    )


def components_of(
    profile: HealthProfile, *, deviation: float | None, anomaly_score: float | None, prognosis: Prognosis
) -> tuple[float | None, tuple[HealthComponent, ...]]:
    """Return the weighted mean of the components' scores, and each with its explanation.

    Unknown components pass their weight to the known ones, and say so.
    """
    parts = (_twin(deviation), _anomaly(anomaly_score), _life(prognosis), _risk(prognosis))
    index, total = _mean(profile, [(part.name, part.score) for part in parts])
    return index, tuple(_component(part, profile.components[part.name], total) for part in parts)


def present_components(profile: HealthProfile, deviation: float | None, anomaly_score: float | None) -> float | None:
    """Return the index of ``components_of`` with nothing foreseen."""
    twin = None if deviation is None else _FULL - deviation
    anomaly = None if anomaly_score is None else behaviour_score(anomaly_score)
    index, _ = _mean(profile, [("twin", twin), ("anomaly", anomaly)])
    return index


def _mean(profile: HealthProfile, scores: Sequence[tuple[ComponentName, float | None]]) -> tuple[float | None, float]:
    """Return the weighted mean of the known scores, and the sum of their weights."""
    total = sum(profile.components[name] for name, score in scores if score is not None)
    if total <= 0.0:
        return None, 0.0
    points = sum(profile.components[name] * score for name, score in scores if score is not None)
    return min(_FULL, points / total), total  # rounding can carry a mean of scores past 100


def _component(part: _ComponentScore, nominal: float, total: float) -> HealthComponent:
    status = status_of(part.score)
    message = part.message
    if part.score is None:
        message = f"{message}; its weight of {nominal:.0%} goes to the known components"
    return HealthComponent(
        name=part.name,
        score=part.score,
        weight=nominal / total if part.score is not None and total > 0.0 else 0.0,
        status="unknown" if status is None else status.value,
        message=message,
    )


def _twin(deviation: float | None) -> _ComponentScore:
    if deviation is None:
        return _ComponentScore("twin", None, "The twin is still learning or cannot judge now")
    if deviation < DEVIATION_LOW:
        message = "Measured values match the twin"
    elif deviation <= DEVIATION_HIGH:
        message = "Measured values differ somewhat from the twin"
    else:
        message = "Measured values differ strongly from the twin"
    return _ComponentScore("twin", _FULL - deviation, message)


def _anomaly(score: float | None) -> _ComponentScore:
    if score is None:
        return _ComponentScore("anomaly", None, "Anomaly detection is still learning or cannot judge now")
    if score <= ANOMALY_NOTICE:
        message = "Normal behaviour"
    elif band_of(score) == "monitoring":
        message = "Slight deviation from normal behaviour"
    elif band_of(score) == "warning":
        message = "Clear deviation from normal behaviour"
    else:
        message = "Strong deviation from normal behaviour"
    return _ComponentScore("anomaly", behaviour_score(score), message)


def _life(prognosis: Prognosis) -> _ComponentScore:
    days = prognosis.life_days
    if days is None:
        return _ComponentScore("rul", None, "No failure mode is growing, so there is no estimate")
    return _ComponentScore("rul", life_score(days), f"Median remaining life {duration(days)}")


def _risk(prognosis: Prognosis) -> _ComponentScore:
    if prognosis.risk is None:
        return _ComponentScore("risk", None, "Unknown without an estimate of remaining life")
    share = prognosis.risk.within_30_days
    return _ComponentScore("risk", _FULL * (1.0 - share), f"Probability of failure within 30 days: {share:.0%}")


def duration(days: float) -> str:
    """Express a time to failure in words."""
    if days >= 2.0:
        return f"{days:.0f} days"
    return f"{days * 24.0:.0f} hours" if days * 24.0 >= 2.0 else f"{days * 1440.0:.0f} minutes"
