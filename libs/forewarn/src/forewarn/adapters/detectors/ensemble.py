"""Detectors that see the same smoothed residuals as the anomaly stage and return p-values.

Each asset has its own. They are fitted to the first part of its baseline and calibrated on the rest, both contiguous;
then every live row is scored, and learned by the online ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forewarn.adapters.detectors.registry import make_detector
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import Phase, residual_column
from forewarn.domain.anomaly.calibration import KNOTS, Calibration, calibrate, usual_period_us
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.smoothing import Strip, shrunken_means
from forewarn.domain.frames.frame import Array, FloatArray, Frame
from forewarn.domain.state.packing import pack, unpack
from forewarn.ports.detector import Detector

_MAGIC: Final = b"FWMEMBER1"
_FITTED_SHARE: Final = 0.6
_MIN_ROWS: Final = 150  # of a baseline: fewer give neither a fit nor a calibration
_LEARNABLE_P: Final = 0.05
_FIRST: Final = np.zeros(1, dtype=np.intp)


@dataclass(slots=True)
class _Member:
    """One calibrated detector of one asset."""

    detector: Detector
    middle: float = 0.0
    spread: float = 1.0
    calibration: Calibration | None = None

    def calibrate(self, rows: FloatArray) -> None:
        scores = self._raw(rows)
        known = scores[~np.isnan(scores)]
        if known.size < rows.shape[0] or not known.size:
            return
        self.middle = float(np.median(known))
        self.spread = max(float(np.median(np.abs(known - self.middle))), 1e-9)
        # Scores have arbitrary scales: 0 becomes the healthy median, 1 its usual distance.
        self.calibration = calibrate(self._standard(known), float("nan"), 1.0)

    def p_values(self, rows: FloatArray) -> FloatArray:
        calibration = self.calibration
        if calibration is None:
            return np.full(len(rows), np.nan)
        if not self.detector.online:
            scores = self._standard(self.detector.score(rows))
            return calibration.p_values(np.zeros(len(rows), dtype=np.intp), scores)
        out = np.empty(len(rows))
        for number in range(len(rows)):
            row = rows[number : number + 1]
            p = calibration.p_values(_FIRST, self._standard(self.detector.score(row)))
            if not self.detector.protected or p[0] > _LEARNABLE_P:
                self.detector.learn(row)
            out[number] = p[0]
        return out

    def _raw(self, rows: FloatArray) -> FloatArray:
        """Return the detector's own scores, learning on the way as in service."""
        if not self.detector.online:
            return self.detector.score(rows)
        out = np.empty(len(rows))
        for number in range(len(rows)):
            out[number] = self.detector.score(rows[number : number + 1])[0]
            self.detector.learn(rows[number : number + 1])
        return out

    def _standard(self, scores: FloatArray) -> FloatArray:
        standard: FloatArray = np.maximum((scores - self.middle) / self.spread, 0.0)
        return standard


@dataclass(slots=True)
class _AssetMembers:
    """Detectors of one asset, and the residuals that smoothing still needs."""

    version: int
    residuals: list[FloatArray] = field(default_factory=list)
    times: list[NDArray[np.int64]] = field(default_factory=list)
    members: dict[str, _Member] | None = None
    gap_us: float = float("inf")


class MemberEnsemble:
    """Detectors of all assets of one class in one partition.

    Unlike the domain's state it changes in place; after a rollback a lane must restore it from its snapshot.
    """

    def __init__(self, asset_class: AssetClass, names: Sequence[str], settings: AnomalySettings, seed: int = 0) -> None:
        self._class = asset_class
        self._names = tuple(names)
        self._settings = settings
        self._seed = seed
        self._assets: dict[str, _AssetMembers] = {}

    def p_values(self, frame: Frame) -> dict[str, FloatArray]:
        """Return the p-value of each row of a TWIN frame by each detector; learns on the way.

        NaN for baseline rows, late rows, rows without residual, and while a detector is not ready.
        """
        out = {name: np.full(frame.rows, np.nan) for name in self._names}
        residuals = np.stack(
            [frame.arrays[residual_column(name)] for name in self._class.twin.responses], axis=1, dtype=np.float64
        )
        usable = ~frame.arrays["late"] & ~np.isnan(residuals).all(axis=1)
        codes = frame.assets.codes
        order = np.flatnonzero(usable)
        order = order[np.argsort(codes[order], kind="stable")]
        key = np.stack([codes[order], frame.arrays["model_version"][order], frame.arrays["phase"][order]])
        for rows in np.split(order, np.flatnonzero((np.diff(key, axis=1) != 0).any(axis=0)) + 1):
            if rows.size:
                self._take(frame, rows, residuals[rows], out)
        return out

    def _take(self, frame: Frame, rows: NDArray[np.intp], residuals: FloatArray, out: Mapping[str, Array]) -> None:
        """Score rows of one asset, model version and phase."""
        asset_id = frame.assets.categories[int(frame.assets.codes[rows[0]])]
        version, ts = int(frame.arrays["model_version"][rows[0]]), frame.arrays["ts"][rows]
        learning = frame.arrays["phase"][rows[0]] == Phase.BASELINE
        own = self._assets.get(asset_id)
        if own is None or own.version != version:
            own = self._assets[asset_id] = _AssetMembers(version)
            if not learning:
                own.members = {}  # its baseline was never seen here: nothing to fit
        if learning:
            own.residuals.append(residuals)
            own.times.append(ts)
            return
        if own.members is None:
            self._fit(own)
        means = self._smooth(own, residuals, ts)
        known = ~np.isnan(means).all(axis=1)
        for name, member in (own.members or {}).items():
            out[name][rows[known]] = member.p_values(np.nan_to_num(means[known]))

    def _fit(self, own: _AssetMembers) -> None:
        residuals, times = np.concatenate(own.residuals), np.concatenate(own.times)
        own.gap_us = usual_period_us(times) * self._settings.gap_periods
        own.residuals, own.times, own.members = [], [], {}
        means = self._smooth(own, residuals, times)
        means = np.nan_to_num(means[self._settings.window :])
        if len(means) < _MIN_ROWS:
            return
        split = int(_FITTED_SHARE * len(means))
        for name in self._names:
            member = _Member(make_detector(name, self._seed))
            member.detector.fit(means[:split])
            member.calibrate(means[split:])
            own.members[name] = member

    def _smooth(self, own: _AssetMembers, residuals: FloatArray, ts: NDArray[np.int64]) -> FloatArray:
        """Return trailing means of one asset's rows, shape (rows, responses); keeps what the next rows need."""
        history = self._settings.history
        width = residuals.shape[1]
        old = own.residuals[0] if own.residuals else np.full((history, width), np.nan)
        before = own.times[0][-1] if own.times else ts[0]
        place = Strip.of(np.zeros(len(ts), dtype=np.intp), history)
        floor = place.floors(np.diff(ts, prepend=before) > own.gap_us)
        strip = place.spread(old[None, :, :], residuals)
        means = shrunken_means(strip, place, floor, self._settings.window, self._settings.min_readings)
        own.residuals, own.times = [place.remembered(strip, floor, np.nan)[0]], [ts[-1:]]
        return means

    def forget(self, asset_id: str) -> None:
        """Forget an asset."""
        self._assets.pop(asset_id, None)

    def dump(self) -> bytes:
        """Serialise detectors, calibrations and recent residuals."""
        header: list[dict[str, Any]] = []
        arrays: dict[str, Array] = {}
        for number, (asset_id, own) in enumerate(sorted(self._assets.items())):
            width = len(self._class.twin.responses)
            arrays[f"{number}/residuals"] = np.concatenate([np.empty((0, width)), *own.residuals])
            arrays[f"{number}/times"] = np.concatenate([np.empty(0, dtype=np.int64), *own.times])
            arrays[f"{number}/gap_us"] = np.array([own.gap_us])
            for name, member in (own.members or {}).items():
                arrays |= {f"{number}/{name}/{key}": values for key, values in _dump_member(member).items()}
            fitted = None if own.members is None else list(own.members)
            header.append({"asset_id": asset_id, "version": own.version, "members": fitted})
        names = {"asset_class": self._class.name, "names": self._names, "seed": self._seed}
        return pack(_MAGIC, {**names, "assets": header}, arrays)

    def load(self, data: bytes) -> None:
        """Take over what ``dump`` wrote.

        Raises
        ------
        ValueError
            If the bytes are no such snapshot, or one of other detectors or another class.
        """
        header, arrays = unpack(_MAGIC, data)
        mine = [self._class.name, list(self._names), self._seed]
        if [header["asset_class"], header["names"], header["seed"]] != mine:
            raise ValueError(f"snapshot of detectors {header['names']} of {header['asset_class']}, not of {mine}")
        self._assets = {}
        for number, entry in enumerate(header["assets"]):
            own = _AssetMembers(entry["version"], gap_us=float(arrays[f"{number}/gap_us"][0]))
            if arrays[f"{number}/times"].size:
                own.residuals, own.times = [arrays[f"{number}/residuals"]], [arrays[f"{number}/times"]]
            if entry["members"] is not None:
                own.members = {
                    name: _load_member(name, self._seed, arrays, f"{number}/{name}") for name in entry["members"]
                }
            self._assets[entry["asset_id"]] = own


def _dump_member(member: _Member) -> dict[str, Array]:
    out: dict[str, Array] = {
        "detector": np.frombuffer(member.detector.dump(), dtype=np.uint8),
        "scale": np.array([member.middle, member.spread]),
        "tail": np.empty(0),
        "knots": np.empty(0),
    }
    if member.calibration is not None:
        out["tail"] = np.array([member.calibration.tail_start[0], member.calibration.tail_width[0]])
        out["knots"] = member.calibration.knots[0]
    return out


def _load_member(name: str, seed: int, arrays: Mapping[str, Array], place: str) -> _Member:
    detector = make_detector(name, seed)
    detector.load(arrays[f"{place}/detector"].tobytes())
    middle, spread = arrays[f"{place}/scale"].tolist()
    member = _Member(detector, middle, spread)
    tail = arrays[f"{place}/tail"]
    if tail.size:
        member.calibration = Calibration(
            knots=arrays[f"{place}/knots"].reshape(1, KNOTS),
            tail_start=tail[:1],
            tail_width=tail[1:],
            gap_us=np.array([np.inf]),
        )
    return member
