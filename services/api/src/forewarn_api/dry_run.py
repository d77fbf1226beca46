"""Judges readings like the validator, but without its state and without storing anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from forewarn.adapters.raw_readings import DecodedBatch, RawReadingDecoder
from forewarn.adapters.rejections import RefusedInput
from forewarn.contracts.answers.readings import DryRun, Judged, TagQuality
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import Verdict, quality_column
from forewarn.contracts.guard_rules import Cause
from forewarn.contracts.quality import severity
from forewarn.contracts.readings import Reading
from forewarn.domain.frames.frame import Frame
from forewarn.domain.guard.batch import GuardResult, GuardSettings, RawBatch, Rejection
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.ports.lanes import Record
from forewarn_api.bodies import wire_form
from forewarn_api.issues import found_issues, known

_VERDICTS: Final[dict[int, Literal["accepted", "warning"]]] = {
    Verdict.ACCEPTED: "accepted",
    Verdict.WARNING: "warning",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What verdicts depend on besides readings: assets, classes, the guard's settings, the time [µs]."""

    assets: Mapping[str, Asset]
    catalogue: Mapping[str, AssetClass]
    guard: GuardSettings
    now_us: int


def dry_run(readings: Sequence[Reading], judge: Judge) -> DryRun:
    """Return the verdict on each reading, in order."""
    records = [_record(index, reading, judge.now_us) for index, reading in enumerate(readings)]
    batches, refusals = RawReadingDecoder(judge.catalogue, judge.assets.get).decode(records)
    verdicts = {refusal.record.offset: _refused(refusal, readings) for refusal in refusals}
    nameplates = {asset_id: asset.nameplate for asset_id, asset in judge.assets.items()}
    for decoded in batches:
        state = GuardState.empty(decoded.batch.asset_class)
        result = check(decoded.batch, state, judge.guard, nameplates)
        verdicts |= _judged(decoded, result, readings)
    return DryRun(verdicts=[verdicts[index] for index in range(len(readings))])


def _record(index: int, reading: Reading, now_us: int) -> Record:
    """Return a reading as a record whose offset is its index."""
    return Record(
        topic="dry-run",
        partition=0,
        offset=index,
        received_us=now_us,
        key=reading.asset_id.encode(),
        value=wire_form(reading),
    )


def _refused(refusal: RefusedInput, readings: Sequence[Reading]) -> Judged:
    index = refusal.record.offset
    return Judged(
        index=index,
        asset_id=readings[index].asset_id,
        ts=readings[index].ts,
        verdict="rejected",
        reason=refusal.reason,
        cause=Cause.DATA,
        explanation=refusal.explanation,
        recommendation=refusal.recommendation,
    )


def _judged(decoded: DecodedBatch, result: GuardResult, readings: Sequence[Reading]) -> dict[int, Judged]:
    places = [record.offset for record in decoded.records]
    verdicts = {places[rejection.row]: _condemned(rejection, places, readings) for rejection in result.rejections}
    findings = result.frame.strings["findings"].to_list()
    for position, row in enumerate(result.rows.tolist()):
        index = places[row]
        place = _Place(batch=decoded.batch, row=row, frame=result.frame, position=position)
        verdicts[index] = _passed(index, readings[index], place, findings[position])
    for index in places:
        if index not in verdicts:
            reading = readings[index]
            verdicts[index] = Judged(index=index, asset_id=reading.asset_id, ts=reading.ts, verdict="duplicate")
    return verdicts


def _condemned(rejection: Rejection, places: Sequence[int], readings: Sequence[Reading]) -> Judged:
    index = places[rejection.row]
    return Judged(
        index=index,
        asset_id=readings[index].asset_id,
        ts=readings[index].ts,
        verdict="rejected",
        reason=rejection.reason,
        rule=rejection.rule,
        cause=rejection.cause,
        values=dict(rejection.values),
        explanation=rejection.explanation,
        recommendation=rejection.recommendation,
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Place:
    """Place of a reading: its row in the judged batch, and its position in the resulting frame."""

    batch: RawBatch
    row: int
    frame: Frame
    position: int


def _passed(index: int, reading: Reading, place: _Place, findings: str | None) -> Judged:
    batch, frame, position = place.batch, place.frame, place.position
    asset_class = batch.asset_class
    codes = {name: int(frame.arrays[quality_column(name)][position]) for name in asset_class.tag_names}
    derived = {name: float(frame.arrays[name][position]) for name in asset_class.derived_names}
    values = dict(zip(asset_class.tag_names, batch.values[place.row].tolist(), strict=True)) | derived
    return Judged(
        index=index,
        asset_id=reading.asset_id,
        ts=reading.ts,
        verdict=_VERDICTS[int(frame.arrays["verdict"][position])],
        late=bool(frame.arrays["late"][position]),
        quality={name: TagQuality(code=code, severity=severity(code)) for name, code in codes.items()},
        findings=found_issues(findings, asset_class, values),
        derived={name: known(value) for name, value in derived.items()},
    )
