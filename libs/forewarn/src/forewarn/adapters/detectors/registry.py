"""Detectors by name."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

from forewarn.adapters.detectors.pyod_members import AUTOENCODER, PYOD_MODELS, PyodDetector
from forewarn.adapters.detectors.zscore import ZScore
from forewarn.ports.detector import Detector, DetectorUnavailable

#: The score of smoothed residuals: always there, made by ``forewarn.domain.anomaly``.
RESIDUAL: Final = "residual"


def _half_space(seed: int) -> Detector:
    from forewarn.adapters.detectors.river_members import HalfSpace  # noqa: PLC0415  # imports River

    return HalfSpace(seed)


def _drift(_seed: int) -> Detector:
    from forewarn.adapters.detectors.river_members import DriftMember  # noqa: PLC0415  # imports River

    return DriftMember()


def _pyod(name: str) -> Callable[[int], Detector]:
    def make(seed: int) -> Detector:
        for library in ("pyod", "torch", "tqdm") if name == AUTOENCODER else ("pyod",):
            if find_spec(library) is None:  # importing them takes seconds, so that waits for the first fit
                raise ModuleNotFoundError(f"No module named {library!r}", name=library)
        return PyodDetector(name, seed)

    return make


_MAKERS: Final[Mapping[str, Callable[[int], Detector]]] = MappingProxyType(
    {
        "zscore": lambda _seed: ZScore(),
        **{name: _pyod(name) for name in PYOD_MODELS},
        "half_space_trees": _half_space,
        "adwin": _drift,
    }
)

#: All names that ``make_detector`` knows.
DETECTORS: Final = tuple(_MAKERS)


def make_detector(name: str, seed: int = 0) -> Detector:
    """Make an untrained detector.

    Raises
    ------
    ValueError
        If there is no such detector.
    DetectorUnavailable
        If the library it needs is not installed.
    """
    if name not in _MAKERS:
        raise ValueError(f"no detector {name!r}: there are {', '.join(DETECTORS)}")
    try:
        return _MAKERS[name](seed)
    except ModuleNotFoundError as exc:
        extra = "deep" if name == AUTOENCODER else "ml"
        raise DetectorUnavailable(f"detector {name!r} needs {exc.name}: pip install 'forewarn[{extra}]'") from exc


def parse_members(text: str) -> tuple[str, ...]:
    """Parse a list such as ``residual,hbos`` into the detectors besides the residual score.

    Raises
    ------
    ValueError
        If a name is unknown or stands twice, or the residual score is missing.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name != RESIDUAL and name not in _MAKERS]
    if unknown:
        raise ValueError(f"no detector {', '.join(unknown)}: there are {RESIDUAL}, {', '.join(DETECTORS)}")
    if RESIDUAL not in names or len(set(names)) != len(names):
        raise ValueError(f"members must name {RESIDUAL!r} and each other detector once, not {text!r}")
    return tuple(name for name in names if name != RESIDUAL)
