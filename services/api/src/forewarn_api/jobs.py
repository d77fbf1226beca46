"""Heavy work as plain functions; worker processes import only this module of the service."""

from collections.abc import Sequence

from forewarn.adapters.recording_files import NamedRecording, labels_csv, readings_csv, text_times
from forewarn.adapters.scenario_request import ScenarioRequest, recorded
from forewarn.contracts.answers.scenarios import ScenarioData
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.health import ModelArtefact
from forewarn.ports.history import History
from forewarn.usecases.forecasting import forecasts
from forewarn_api.bodies import ReadingsBody, readings_of
from forewarn_api.csv_export import history_csv
from forewarn_api.dry_run import Judge, dry_run
from forewarn_api.present import history_answer

__all__ = ["forecasts", "history_json", "history_text", "recording_content", "verdicts_json"]


def verdicts_json(body: ReadingsBody, judge: Judge) -> bytes:
    """Return the verdicts of a dry run as JSON."""
    return dry_run(readings_of(body), judge).model_dump_json().encode()


def recording_content(request: ScenarioRequest, output: str, asset_class: AssetClass) -> bytes:
    """Return a recording as the body of an answer; ``output`` is json, csv or labels_csv."""
    catalogue = {asset_class.name: asset_class}
    item = NamedRecording(asset_id=request.asset.asset_id, recording=recorded(request, catalogue))
    if output == "json":
        data = ScenarioData(
            asset_id=item.asset_id,
            asset_class=asset_class.name,
            scenario=request.scenario,
            readings=item.recording.rows,
            ts=text_times(item),
            columns={
                tag: [value if value == value else None for value in values.tolist()]  # noqa: PLR0124  # NaN
                for tag, values in item.recording.columns.items()
            },
        )
        return data.model_dump_json().encode()
    return readings_csv(item) if output == "csv" else labels_csv(item)


def history_json(history: History, cards: Sequence[ModelArtefact]) -> bytes:
    """Return a history as the body of an answer."""
    return history_answer(history, cards).model_dump_json(by_alias=True).encode()


def history_text(history: History, cards: Sequence[ModelArtefact], *, headings: bool = True) -> bytes:
    """Return a history as CSV."""
    return history_csv(history_answer(history, cards), headings=headings).encode()
