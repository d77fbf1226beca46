"""The model of ``forewarn fit`` and its file: a versioned format of plain numbers; nothing in it is executed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from forewarn.adapters.whole_file import write_whole
from forewarn.contracts.limits import MAX_UNPACKED_MODEL_BYTES, MIB
from forewarn.domain.anomaly.calibration import Calibration
from forewarn.domain.anomaly.norms import NORM_ARRAYS, Norms
from forewarn.domain.anomaly.state import CALIBRATION_ARRAYS, ScoringMemory
from forewarn.domain.detection.detector import TableDetector, settings_for
from forewarn.domain.detection.twin import TableTwin
from forewarn.domain.frames.frame import Array
from forewarn.domain.state.packing import pack, unpack
from forewarn.domain.twin.kernel import KernelModel
from forewarn.domain.twin.others import OthersModel
from forewarn.domain.twin.ridge import RidgeModel

_MAGIC: Final = b"FWANOMALY1"
_PARTS: Final[Mapping[str, type[RidgeModel] | type[KernelModel] | type[OthersModel]]] = {
    "ridge": RidgeModel,
    "kernel": KernelModel,
    "fill": OthersModel,
}
_SCALARS: Final = frozenset({"typical", "bandwidth"})
_OWN: Final = ("centre", "spread", "low", "high", "fill_centre", "fill_spread")


class ModelFileError(Exception):
    """A model file cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Model:
    """A detector, and the columns it was learned from."""

    detector: TableDetector
    #: Columns of time and unit, None without.
    time: str | None
    unit: str | None
    moments: bool  #: Whether times were timestamps rather than numbers.
    period: float  #: Usual time between two rows of a unit [s, or the unit of numeric times].
    far: float  #: Nominal share of healthy rows to flag.

    @property
    def tags(self) -> tuple[str, ...]:
        """Columns that a file to be scored must have, besides time and unit."""
        return (*self.detector.twin.drivers, *self.detector.twin.responses)


def save_model(model: Model, path: Path) -> None:
    """Write a model, replacing the file.

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    """
    twin, memory = model.detector.twin, model.detector.memory
    arrays: dict[str, Array] = {f"twin/{name}": getattr(twin, name) for name in _OWN}
    parts = [name for name in _PARTS if getattr(twin, name) is not None]
    for name in parts:
        part = getattr(twin, name)
        arrays |= {f"{name}/{item.name}": np.asarray(getattr(part, item.name)) for item in fields(part)}
    arrays |= {f"norms/{name}": getattr(memory.norms, name) for name in NORM_ARRAYS}
    arrays |= {f"calibration/{name}": getattr(memory.calibration, name) for name in CALIBRATION_ARRAYS}
    header = {
        "time": model.time,
        "unit": model.unit,
        "moments": model.moments,
        "period": model.period,
        "far": model.far,
        "drivers": twin.drivers,
        "responses": twin.responses,
        "parts": parts,
    }
    try:
        write_whole(path, lambda file: file.write(pack(_MAGIC, header, arrays)))
    except OSError as exc:
        raise ModelFileError(f"{path}: cannot be written: {exc.strerror or exc}") from exc


def load_model(path: Path) -> Model:
    """Read what ``save_model`` wrote.

    Raises
    ------
    ModelFileError
        If the file cannot be read, or is no such model.
    """
    try:
        if path.stat().st_size > MAX_UNPACKED_MODEL_BYTES:
            raise ModelFileError(f"{path}: larger than any model ({MAX_UNPACKED_MODEL_BYTES // MIB} MiB)")
        header, arrays = unpack(_MAGIC, path.read_bytes())
        return _model_of(header, arrays)
    except OSError as exc:
        raise ModelFileError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as exc:
        raise ModelFileError(
            f"{path}: no model of 'forewarn fit' of this version ({exc}); make it again with 'forewarn fit'"
        ) from exc


def _model_of(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> Model:
    parts: dict[str, Any] = dict.fromkeys(_PARTS)
    for name in header["parts"]:
        values: dict[str, Any] = {item.name: arrays[f"{name}/{item.name}"] for item in fields(_PARTS[name])}
        values |= {scalar: float(values[scalar]) for scalar in _SCALARS & values.keys()}
        parts[name] = _PARTS[name](**values)
    twin = TableTwin(
        drivers=tuple(header["drivers"]),
        responses=tuple(header["responses"]),
        centre=arrays["twin/centre"],
        spread=arrays["twin/spread"],
        low=arrays["twin/low"],
        high=arrays["twin/high"],
        fill_centre=arrays["twin/fill_centre"],
        fill_spread=arrays["twin/fill_spread"],
        **parts,
    )
    far, period = float(header["far"]), float(header["period"])
    if not (math.isfinite(period) and period > 0):
        raise ValueError(f"period {period}")
    settings = settings_for(far, in_time=header["time"] is not None)
    blank = ScoringMemory.blank(1, settings.history, len(twin.responses))
    memory = ScoringMemory(
        version=blank.version,
        residuals=blank.residuals.astype(np.float64),
        levels=blank.levels,
        flagged=blank.flagged,
        abrupt=blank.abrupt,
        last_ts=blank.last_ts,
        calibration=Calibration(**{name: arrays[f"calibration/{name}"] for name in CALIBRATION_ARRAYS}),
        norms=Norms(**{name: arrays[f"norms/{name}"] for name in NORM_ARRAYS}),
    )
    return Model(
        detector=TableDetector(twin=twin, memory=memory, settings=settings),
        time=header["time"],
        unit=header["unit"],
        moments=bool(header["moments"]),
        period=period,
        far=far,
    )
