"""Fleet models in files: a JSON header and plain arrays in a NumPy archive. Nothing in it is executed."""

import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from forewarn.adapters.fleet_life.array_archive import read_archive
from forewarn.adapters.fleet_life.recorded_runs import RunColumns
from forewarn.adapters.whole_file import write_whole
from forewarn.domain.prognosis.fleet import FleetLifeModel
from forewarn.domain.prognosis.outlook import LifeOutlook
from forewarn.domain.prognosis.preparation import Preparation
from forewarn.domain.prognosis.regimes import Conditions
from forewarn.domain.prognosis.trees import Forest

_HEADER: Final = "header"
_FOREST: Final = ("roots", "feature", "threshold", "missing_left", "left", "right", "value")
_OUTLOOK: Final = ("predicted", "actual", "known", "unit")
_CONDITIONS: Final = ("low", "high", "centres", "mean", "sd", "weights")


class FleetModelFileError(Exception):
    """A model file cannot be used; the message says why."""


class FleetModelSummary(BaseModel):
    """What a model learned from and its errors on held-out units; lives in the unit of the time column."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    units: int
    failures: int
    rows: int
    seed: int
    rmse: float
    rmse_of_constant: float
    coverage: float
    width: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FleetFile:
    """Contents of a model file: the model, the columns it reads, and its origin."""

    model: FleetLifeModel
    columns: RunColumns
    summary: FleetModelSummary


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal["forewarn-fleet-rul"] = "forewarn-fleet-rul"
    version: Literal[1] = 1
    unit: str
    time: str
    moments: bool
    drivers: tuple[str, ...]
    tags: tuple[str, ...]
    cap: float | None
    life: float
    step: float
    birth: float | None
    depth: int
    features: int
    share: float
    below: float
    above: float
    summary: FleetModelSummary


def write_model(path: Path, file: FleetFile) -> None:
    """Write a model, replacing the file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    model, columns = file.model, file.columns
    header = _Header(
        unit=columns.unit,
        time=columns.time,
        moments=columns.moments,
        drivers=columns.drivers,
        tags=columns.tags,
        cap=None if math.isinf(model.cap) else model.cap,
        life=model.preparation.life,
        step=model.preparation.step,
        birth=model.preparation.birth,
        depth=model.forest.depth,
        features=model.forest.features,
        share=model.outlook.share,
        below=model.outlook.below,
        above=model.outlook.above,
        summary=file.summary,
    )
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **_arrays(model, header))
    write_whole(path, lambda file: file.write(buffer.getvalue()))


def read_model(path: Path) -> FleetFile:
    """Read a model.

    Raises
    ------
    ModelFileError
        If it cannot be read, is no model or of a version that is not known.
    """
    try:
        arrays = read_archive(path)
        return _file(_header(path, arrays.pop(_HEADER).tobytes()), arrays)
    except FleetModelFileError:
        raise
    except OSError as exc:
        raise FleetModelFileError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    except Exception as exc:  # a foreign file may break any part of reading it
        raise FleetModelFileError(f"{path}: not a model written by `forewarn rul fit`, or damaged: {exc}") from exc


def _arrays(model: FleetLifeModel, header: _Header) -> dict[str, Any]:
    preparation = model.preparation
    arrays = {_HEADER: np.frombuffer(header.model_dump_json().encode(), dtype=np.uint8)}
    arrays |= {f"forest.{name}": getattr(model.forest, name) for name in _FOREST}
    arrays |= {f"outlook.{name}": getattr(model.outlook, name) for name in _OUTLOOK}
    arrays |= {f"conditions.{name}": getattr(preparation.conditions, name) for name in _CONDITIONS}
    return arrays | {"low": preparation.low, "high": preparation.high}


def _header(path: Path, content: bytes) -> _Header:
    version = json.loads(content).get("version")
    if isinstance(version, int) and version > 1:
        raise FleetModelFileError(f"{path}: written by a newer version of Forewarn (format {version}, known: 1)")
    try:
        return _Header.model_validate_json(content)
    except ValidationError as exc:
        raise FleetModelFileError(f"{path}: not a model written by `forewarn rul fit`, or damaged") from exc


def _file(header: _Header, arrays: Mapping[str, Any]) -> FleetFile:
    def part(prefix: str, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: arrays[f"{prefix}.{name}"] for name in names}

    model = FleetLifeModel(
        preparation=Preparation(
            low=arrays["low"],
            high=arrays["high"],
            conditions=Conditions(**part("conditions", _CONDITIONS)),
            life=header.life,
            step=header.step,
            birth=header.birth,
        ),
        forest=Forest(**part("forest", _FOREST), depth=header.depth, features=header.features),
        outlook=LifeOutlook(**part("outlook", _OUTLOOK), share=header.share, below=header.below, above=header.above),
        cap=math.inf if header.cap is None else header.cap,
    )
    _check_shapes(header, model)
    columns = RunColumns(
        unit=header.unit, time=header.time, drivers=header.drivers, tags=header.tags, moments=header.moments
    )
    return FleetFile(model=model, columns=columns, summary=header.summary)


def _check_shapes(header: _Header, model: FleetLifeModel) -> None:
    conditions, tags, drivers = model.preparation.conditions, len(header.tags), len(header.drivers)
    regimes = len(conditions.centres)
    expected = {
        (tags,): (model.preparation.low, model.preparation.high),
        (drivers,): (conditions.low, conditions.high),
        (regimes, drivers): (conditions.centres,),
        (regimes, tags): (conditions.mean, conditions.sd),
    }
    fits = all(array.shape == shape for shape, arrays in expected.items() for array in arrays)
    if not fits or model.preparation.features != model.forest.features:
        raise ValueError("arrays that do not belong to these columns")
