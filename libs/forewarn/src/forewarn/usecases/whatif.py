"""What-if: predicts from an asset's model and newest reading what changes of its drivers would do."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

import structlog

from forewarn.contracts import questions
from forewarn.contracts.answers import twin as answers
from forewarn.contracts.answers.problems import Fault
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.health import ModelArtefact, OperatingRange, RulEstimate
from forewarn.domain.health.profile import profile_of
from forewarn.domain.twin.deviation import band_of
from forewarn.domain.twin.fleet import LEAST_MEMBERS, FleetModel
from forewarn.domain.twin.model import AssetModel
from forewarn.domain.twin.parameters import load_model
from forewarn.domain.twin.predict import INTERVAL_Z, OwnModel, Prediction, Predictor, deviation_in
from forewarn.domain.twin.report import Operating
from forewarn.domain.whatif.effects import health_effect, life_effects
from forewarn.domain.whatif.presets import presets_of
from forewarn.domain.whatif.question import Machine, WhatIfOutcome, changeable, complete, what_if
from forewarn.ports.live import LiveView
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import ConflictError, InvalidRequestError
from forewarn.usecases.faults import pointer
from forewarn.usecases.intervals import TWIN_KIND
from forewarn.usecases.workers import Work

_log = structlog.get_logger(__name__)

#: Members of a fleet model; more hardly change the median but cost 2 ms each.
_MOST_MEMBERS: Final = 25
_NO_MODEL: Final = (
    "No model can answer: the twin of {asset_id} is still learning, and fewer than two other assets of its class have "
    "a model. Try again when it has learned."
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Subject:
    """An asset with the model that answers and the reading to start from.

    ``card`` describes the asset's own model; None for a fleet model of ``members``.
    """

    asset: Asset
    machine: Machine
    predictor: Predictor
    card: ModelArtefact | None
    members: tuple[str, ...]
    reading_at: datetime | None

    @property
    def provenance(self) -> questions.Provenance:
        """Whose model answers."""
        return "fleet" if self.card is None else "own"


async def answer_what_if(backend: Backend, asset_id: str, request: questions.WhatIfRequest) -> questions.WhatIfAnswer:
    """Predict from the newest reading of an asset.

    Raises ``NotFoundError`` or ``InvalidRequestError`` if there is no such asset, or the question makes no sense.
    Raises ``ConflictError`` if no model can answer yet. Raises ``UnavailableError`` if registry or live state are still
    loading, or too many questions are under way.
    """
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    changes = _changes(asset_class, request)
    subject = await _find_subject(backend, asset, asset_class)
    if subject is None:
        raise ConflictError("no-model", _NO_MODEL.format(asset_id=asset_id))
    live = backend.live.asset(asset_id)
    estimates = live.health.rul if live is not None and live.health is not None else ()
    try:
        return await backend.workers.run(Work.ASKING, predict, subject, changes, estimates)
    except ValueError as exc:
        fault = Fault(detail=str(exc), pointer=pointer("changes"))
        raise InvalidRequestError("question-not-possible", f"This cannot be asked: {exc}.", [fault]) from exc


async def describe_twin(backend: Backend, asset_id: str) -> answers.TwinAnswer:
    """Describe what the twin of an asset knows; raise like ``answer_what_if``, except for a missing model."""
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    subject = await _find_subject(backend, asset, asset_class)
    return await backend.workers.run(Work.ASKING, describe, asset, asset_class, subject)


async def _find_subject(backend: Backend, asset: Asset, asset_class: AssetClass) -> Subject | None:
    """Return model and newest reading of an asset; None while neither it nor two others of its class have a model."""
    live, asset_id = backend.complete_live(), asset.asset_id
    seen = live.asset(asset_id)
    if seen is None or seen.reading is None:  # no reading since this process started
        live.seed(await backend.history.latest([asset_id]), await backend.history.latest_health([asset_id]))
    return await backend.workers.run(Work.ASKING, subject_of, asset, asset_class, live, backend.registry.all())


def _changes(asset_class: AssetClass, request: questions.WhatIfRequest) -> Sequence[questions.ChangeRequest]:
    if request.preset is None:
        return request.changes
    known = presets_of(asset_class)
    if request.preset not in known:
        detail = f"{asset_class.name} has {', '.join(known) or 'no presets: give changes'}"
        fault = Fault(detail=detail, pointer=pointer("preset"))
        raise InvalidRequestError("unknown-preset", f"There is no preset {request.preset!r}.", [fault])
    return known[request.preset].changes(asset_class)


def subject_of(asset: Asset, asset_class: AssetClass, live: LiveView, assets: Mapping[str, Asset]) -> Subject | None:
    """Return the asset with its own model or else those of two or more others of its class; None without either."""
    seen = live.asset(asset.asset_id)
    reading = None if seen is None else seen.reading
    measured = {} if reading is None else {n: math.nan if v is None else v for n, v in reading.values.items()}
    own = live.model(asset.asset_id, TWIN_KIND)
    cards = [own] if own is not None else _of_class(asset, live, assets)
    models = {card.asset_id: model for card in cards if (model := _model(card, asset_class)) is not None}
    predictor: Predictor
    if own is not None and models:
        predictor = OwnModel(asset_class=asset_class, model=models[own.asset_id])
    elif own is None and len(models) >= LEAST_MEMBERS:
        predictor = FleetModel.of(asset_class, models)
    else:
        return None
    return Subject(
        asset=asset,
        machine=Machine(
            asset_class=asset_class,
            measured=measured,
            operating=_operating([card for card in cards if card.asset_id in models]),
            nameplate=asset.nameplate,
        ),
        predictor=predictor,
        card=own,
        members=() if own is not None else tuple(sorted(models)),
        reading_at=None if reading is None else reading.ts,
    )


def _of_class(asset: Asset, live: LiveView, assets: Mapping[str, Asset]) -> list[ModelArtefact]:
    alike = {a.asset_id for a in assets.values() if a.asset_class == asset.asset_class and a.asset_id != asset.asset_id}
    cards = [card for card in live.models() if card.asset_id in alike and card.kind == TWIN_KIND]
    return sorted(cards, key=lambda card: (card.trained_to, card.asset_id), reverse=True)[:_MOST_MEMBERS]


def _model(card: ModelArtefact, asset_class: AssetClass) -> AssetModel | None:
    """Return a card's model; None if the card predates published models or does not fit the class."""
    if card.parameters is None:
        return None
    try:
        return load_model(card.parameters, asset_class)
    except ValueError as exc:
        _log.warning("model_ignored", asset_id=card.asset_id, version=card.version, problem=str(exc))
        return None


def _operating(cards: Sequence[ModelArtefact]) -> dict[str, Operating]:
    """Return the joint operating ranges of machines."""
    spans: dict[str, list[OperatingRange]] = {}
    for card in cards:
        for name, span in card.operating.items():
            spans.setdefault(name, []).append(span)
    return {
        name: Operating(
            low=min(s.low for s in found), middle=median(s.middle for s in found), high=max(s.high for s in found)
        )
        for name, found in spans.items()
    }


def predict(
    subject: Subject, changes: Sequence[questions.ChangeRequest], estimates: Sequence[RulEstimate]
) -> questions.WhatIfAnswer:
    """Predict the effect of changes, given estimates of remaining life; raise ``ValueError`` like ``what_if``."""
    predicted = what_if(subject.machine, subject.predictor, changes)
    asset_class, far = subject.machine.asset_class, predicted.reach == "too_far"
    profile = profile_of(asset_class, subject.asset)
    lives = () if far else life_effects(asset_class, estimates, predicted.before, predicted.after)
    return questions.WhatIfAnswer(
        asset_id=subject.asset.asset_id,
        provenance=subject.provenance,
        confidence="high" if subject.card is not None and predicted.reach == "learned" else "low",
        reach=predicted.reach,
        model_version=None if subject.card is None else subject.card.version,
        reading_at=subject.reading_at,
        drivers={name: value for name, value in predicted.drivers.items() if math.isfinite(value)},
        responses=_responses(subject.machine, predicted),
        derived=_derived(asset_class, predicted),
        health=None if far else health_effect(profile, predicted.before, predicted.after),
        remaining_life=lives,
        cautions=predicted.cautions,
    )


def _responses(machine: Machine, predicted: WhatIfOutcome) -> dict[str, questions.ExpectedValue]:
    return {
        name: questions.ExpectedValue(
            unit=machine.asset_class.units[name],
            measured=_known(machine.measured.get(name)),
            expected_now=item.now,
            expected=item.then,
            low=item.low,
            high=item.high,
            projected=item.projected,
        )
        for name, item in predicted.responses.items()
    }


def _derived(asset_class: AssetClass, predicted: WhatIfOutcome) -> dict[str, questions.DerivedValue]:
    return {
        name: questions.DerivedValue(
            unit=asset_class.units[name],
            now=_known(predicted.before[name]),
            projected=_known(predicted.after[name]),
            healthy=_known(predicted.healthy[name]),
        )
        for name in asset_class.derived_names
    }


def describe(asset: Asset, asset_class: AssetClass, subject: Subject | None) -> answers.TwinAnswer:
    """Return what the twin knows."""
    return answers.TwinAnswer(
        asset_id=asset.asset_id,
        provenance=None if subject is None else subject.provenance,
        model=None if subject is None or subject.card is None else without_parameters(subject.card),
        fleet=None if subject is None or subject.card is not None else _judged_by_fleet(subject),
        drivers=[_driver(subject, asset_class, name) for name in changeable(asset_class)],
        presets=[
            answers.PresetItem(
                name=name,
                title=preset.title,
                changes=list(preset.changes(asset_class)),
            )
            for name, preset in presets_of(asset_class).items()
        ],
    )


def without_parameters(card: ModelArtefact) -> ModelArtefact:
    """Return a card without its parameters, which only programs read."""
    return card.model_copy(update={"parameters": None})


def _driver(subject: Subject | None, asset_class: AssetClass, name: str) -> answers.DriverItem:
    titles = asset_class.titles
    span = None if subject is None else subject.machine.operating.get(name)
    return answers.DriverItem(
        column=name,
        title=titles[name],
        unit=asset_class.units[name],
        now=None if subject is None else _known(complete(subject.machine)[name]),
        learned=None if span is None else OperatingRange(low=span.low, middle=span.middle, high=span.high),
    )


def _judged_by_fleet(subject: Subject) -> answers.FleetJudgement | None:
    if subject.reading_at is None:
        return None
    state, asset_class = complete(subject.machine), subject.machine.asset_class
    predicted = subject.predictor.predict(state, frozenset(changeable(asset_class)))
    if predicted.extrapolated:  # no other machine has ever run there
        predicted = Prediction(expected={}, scale={}, extrapolated=True)
    measured = {name: subject.machine.measured.get(name, math.nan) for name in predicted.expected}
    deviation = deviation_in(predicted, subject.predictor.typical, measured)
    return answers.FleetJudgement(
        members=list(subject.members),
        reading_at=subject.reading_at,
        deviation=deviation,
        band=None if deviation is None else band_of(deviation),
        confidence="low",
        responses={
            name: answers.FleetExpectation(
                unit=asset_class.units[name],
                measured=_known(measured[name]),
                expected=value,
                low=value - INTERVAL_Z * predicted.scale[name],
                high=value + INTERVAL_Z * predicted.scale[name],
            )
            for name, value in predicted.expected.items()
        },
    )


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
