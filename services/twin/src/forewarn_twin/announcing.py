"""Messages about models: a new card with its model, or a withdrawal."""

from typing import Final

from forewarn.adapters.event_codec import Envelope, cloud_event_headers, encode_event
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.health import (
    ModelArtefact,
    OperatingRange,
    OperatingRegime,
    ResidualRange,
    SuspiciousStretch,
)
from forewarn.contracts.topics import TopicName
from forewarn.domain.frames.partitions import asset_of
from forewarn.domain.time import to_datetime
from forewarn.domain.twin.interval import LearnedRegime
from forewarn.domain.twin.model import AssetModel, FittedModel
from forewarn.domain.twin.parameters import dump_model
from forewarn.domain.twin.report import Stretch
from forewarn.ports.lanes import Output

_SOURCE: Final = "/forewarn/twin"
_KIND: Final = "twin"


def announce(fitted: FittedModel, model: AssetModel, asset_class: AssetClass) -> Output:
    """Return the message that publishes a model on ``models``."""
    card = artefact(fitted, model, asset_class)
    key = _key(card.asset_id)
    envelope = Envelope(id=f"{key}/{card.version}", source=_SOURCE, time=card.trained_to, partition_key=card.asset_id)
    headers = tuple(cloud_event_headers(card, envelope))
    return Output(topic=TopicName.MODELS, key=key.encode(), value=encode_event(card), headers=headers)


def withdraw(machine: str) -> Output:
    """Return the message that withdraws an asset's model on ``models``."""
    return Output(topic=TopicName.MODELS, key=_key(asset_of(machine)).encode(), value=None)


def artefact(fitted: FittedModel, model: AssetModel, asset_class: AssetClass) -> ModelArtefact:
    """Return the card of a model."""
    report = fitted.report
    return ModelArtefact(
        asset_id=asset_of(fitted.asset_id),
        kind=_KIND,
        version=fitted.version,
        method=fitted.method,
        trained_from=to_datetime(fitted.trained_from_us),
        trained_to=to_datetime(fitted.trained_to_us),
        rows=fitted.rows,
        r2=dict(fitted.r2),
        unjudged=dict(fitted.unjudged),
        requested_by=fitted.request.by,
        reason=fitted.request.reason,
        operating={
            name: OperatingRange(low=span.low, middle=span.middle, high=span.high)
            for name, span in report.operating.items()
        },
        regimes=tuple(_regime(regime) for regime in report.regimes),
        suspicious=tuple(_explained(stretch, asset_class) for stretch in report.stretches),
        suspicious_share=report.suspicious_share,
        parameters=dump_model(model, asset_class),
    )


def _key(asset_id: str) -> str:
    return f"{asset_id}/{_KIND}"


def _regime(found: LearnedRegime) -> OperatingRegime:
    return OperatingRegime(
        code=found.code,
        share=found.share,
        centre=dict(found.centre),
        intervals={
            name: ResidualRange(low=interval.low, high=interval.high, scale=interval.scale)
            for name, interval in found.intervals.items()
        },
    )


def _explained(stretch: Stretch, asset_class: AssetClass) -> SuspiciousStretch:
    titles = asset_class.titles
    side = "above" if stretch.distance > 0 else "below"
    return SuspiciousStretch(
        tag=stretch.tag,
        start=to_datetime(stretch.from_us),
        end=to_datetime(stretch.to_us),
        rows=stretch.rows,
        explanation=f"{titles[stretch.tag]} lay {abs(stretch.distance):.0f} standard deviations {side} what the rest "
        f"of the baseline expects, for {stretch.rows} readings: was the machine healthy and the sensor sound then?",
    )
