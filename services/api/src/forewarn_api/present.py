"""Bodies of answers from what the ports return. Pure."""

from collections.abc import Sequence
from datetime import datetime

from forewarn.contracts.answers.assets import (
    PER_TAG,
    HistoryAnswer,
    HistoryColumn,
    Judgement,
    LatestState,
    LatestValue,
    LiveJudgement,
    LiveReading,
    StateOfAsset,
)
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import JudgementOverTime
from forewarn.contracts.health import ModelArtefact
from forewarn.contracts.quality import severity
from forewarn.domain.anomaly.scale import band_of as anomaly_band_of
from forewarn.domain.twin.deviation import band_of
from forewarn.ports.history import History
from forewarn.ports.live import LiveAsset
from forewarn.usecases.intervals import along, around
from forewarn_api.issues import found_issues


def live_reading(live: LiveAsset, card: ModelArtefact | None) -> LiveReading | None:
    """Return an asset's newest reading for the live feed, ``card`` being its twin's; None before the first."""
    reading = live.reading
    if reading is None or live.asset_class is None:
        return None
    return LiveReading(
        asset_id=live.asset_id,
        asset_class=live.asset_class,
        ts=reading.ts,
        received_at=reading.received_at,
        findings=reading.findings,
        values=dict(reading.values),
        quality=dict(reading.quality),
        judgement=None if live.judgement is None else _judgement(live.judgement, card),
    )


def latest_state(
    asset: Asset, asset_class: AssetClass, live: LiveAsset | None, card: ModelArtefact | None, now: datetime
) -> StateOfAsset:
    """Return the newest state, column by column, with each column's metadata; ``card`` is the twin's."""
    reading = None if live is None else live_reading(live, card)
    judged = None if reading is None else reading.judgement
    state = LatestState(
        asset_id=asset.asset_id,
        asset_class=asset.asset_class,
        ts=None if reading is None else reading.ts,
        age_s=None if reading is None else (now - reading.ts).total_seconds(),
        values=[] if reading is None else _values(asset_class, reading),
        findings=None if reading is None else reading.findings,
        issues=[] if reading is None else found_issues(reading.findings, asset_class, reading.values),
        health=None if live is None else live.health,
        alarms=[] if live is None else list(live.alarms.values()),
    )
    if judged is None:
        return state
    parts = judged.model_dump(exclude={"ts", "values", *PER_TAG})
    return state.model_copy(update={"judged_at": judged.ts, **parts})


def history_answer(history: History, cards: Sequence[ModelArtefact]) -> HistoryAnswer:
    """Return a history as an answer, ``cards`` being those of the asset's models."""
    ends = {series.column: along(history, series, cards) for series in history.series}
    return HistoryAnswer(
        asset_id=history.asset_id,
        asset_class=history.asset_class,
        resolution=history.roll_up.value,
        ts=history.ts,
        count=history.count,
        columns={
            series.column: HistoryColumn(
                unit=series.unit,
                values=series.values,
                expected=series.expected,
                expected_low=tuple(low for low, _ in ends[series.column]),
                expected_high=tuple(high for _, high in ends[series.column]),
                quality=series.quality,
                minimum=series.minimum,
                maximum=series.maximum,
                pct_good=series.pct_good,
            )
            for series in history.series
        },
        **{name: getattr(history, name) for name in JudgementOverTime.model_fields},
        next_from=history.next_start,
    )


def nothing_stored(asset: Asset) -> HistoryAnswer:
    """Return the empty history of an asset that the database does not know yet."""
    return HistoryAnswer(
        asset_id=asset.asset_id,
        asset_class=asset.asset_class,
        resolution="raw",
        ts=(),
        count=(),
        columns={},
        **dict.fromkeys(JudgementOverTime.model_fields, ()),
        next_from=None,
    )


def _judgement(judged: LiveJudgement, card: ModelArtefact | None) -> Judgement:
    ends = around(judged, card)
    return Judgement(
        **dict(judged),
        expected_low={name: low for name, (low, _) in ends.items()},
        expected_high={name: high for name, (_, high) in ends.items()},
        deviation_band=None if judged.deviation is None else band_of(judged.deviation),
        score_band=None if judged.score is None else anomaly_band_of(judged.score),
    )


def _values(asset_class: AssetClass, reading: LiveReading) -> list[LatestValue]:
    titles = asset_class.titles
    judged = {} if reading.judgement is None else reading.judgement.model_dump(include=set(PER_TAG))
    return [
        LatestValue(
            name=name,
            title=titles[name],
            unit=asset_class.units[name],
            value=reading.values.get(name),
            quality_code=reading.quality.get(name),
            quality=severity(reading.quality[name]) if name in reading.quality else None,
            **{part: by_tag.get(name) for part, by_tag in judged.items()},
        )
        for name in asset_class.column_names
    ]
