"""A fitted model as separate bytes, for others to compute with the same model."""

import zlib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Final

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.frames.frame import Array
from forewarn.domain.state.packing import pack, unpack
from forewarn.domain.twin.kernel import KernelModel
from forewarn.domain.twin.layout import ClassLayout, TwinLayout, layout_of
from forewarn.domain.twin.model import AssetModel, bank_of, judge
from forewarn.domain.twin.ridge import RidgeModel

_MAGIC: Final = b"FWMODEL1"
_KINDS: Final[Mapping[str, type[RidgeModel] | type[KernelModel]]] = {"ridge": RidgeModel, "kernel": KernelModel}
_SCALARS: Final = frozenset({"typical", "bandwidth"})

_NO_FACTORS: Final = np.empty((0, 0))

#: More can be no genuine model; keeps a forged one from filling the memory.
_MOST_BYTES: Final = 1 << 20


def kind_of(model: AssetModel) -> str:
    """Return the name of a model's form."""
    return next(name for name, form in _KINDS.items() if isinstance(model, form))


def dump_model(model: AssetModel, asset_class: AssetClass) -> bytes:
    """Serialise a model; only numbers, nothing that executes when read."""
    arrays = {item.name: np.asarray(getattr(model, item.name)) for item in fields(model)}
    layout = layout_of(asset_class)
    header = {
        "kind": kind_of(model),
        "drivers": layout.drivers,
        "responses": layout.responses,
        "priors": layout.priors.signature,
    }
    return zlib.compress(pack(_MAGIC, header, arrays))


def load_model(data: bytes, asset_class: AssetClass) -> AssetModel:
    """Read what ``dump_model`` wrote.

    Raises ValueError if the bytes are no model, or one of a class with other drivers or responses.
    """
    try:
        stream = zlib.decompressobj()
        plain = stream.decompress(data, _MOST_BYTES)
    except zlib.error as exc:
        raise ValueError(f"no model: {exc}") from exc
    if not stream.eof:
        raise ValueError(f"no model: it is cut short or larger than {_MOST_BYTES} bytes")
    header, arrays = unpack(_MAGIC, plain)
    layout = layout_of(asset_class)
    try:
        model = _described(header, arrays, layout)
        _try_out(model, layout)
    except (AttributeError, IndexError, KeyError, TypeError) as exc:
        raise ValueError(f"no model: its parts do not fit together ({type(exc).__name__}: {exc})") from exc
    return model


def _described(header: Any, arrays: Mapping[str, Array], layout: ClassLayout) -> AssetModel:  # noqa: ANN401  # any JSON
    described: tuple[object, object] = (header.get("drivers"), header.get("responses"))
    if described != (list(layout.drivers), list(layout.responses)):
        raise ValueError(f"a model for other drivers or responses than those of {layout.asset_class.name}")
    if header.get("priors", []) not in ([], list(layout.priors.signature)):
        raise ValueError(f"a model with other physics priors than those of {layout.asset_class.name}")
    return restored(str(header.get("kind")), arrays, layout)


def _try_out(model: AssetModel, layout: ClassLayout) -> None:
    """Judge one unknown reading, so that arrays of wrong shapes fail here and not in use."""
    bank = bank_of({"": model})
    columns: dict[str, Array] = {name: np.full(1, np.nan) for name in layout.asset_class.column_names}
    columns |= {"ts": np.zeros(1, dtype=np.int64), "late": np.zeros(1, dtype=np.bool_)}
    if bank is not None:
        judge(bank, layout, columns, np.zeros(1, dtype=np.intp))


def restored(kind: str, arrays: Mapping[str, Array], layout: TwinLayout, prefix: str = "") -> AssetModel:
    """Return a model from the name of its form and its arrays, whose names begin with ``prefix``.

    Raises ValueError if there is no such form or an array is missing.
    """
    form = _KINDS.get(kind)
    if form is None:
        raise ValueError(f"a model of unknown form {kind!r}")
    if form is RidgeModel and not arrays.get(f"{prefix}factors", _NO_FACTORS).size:  # follows no physics
        none = np.zeros((len(layout.priors.names), len(layout.responses)))
        arrays = {**arrays, f"{prefix}factors": none}
    present = [item.name for item in fields(form) if f"{prefix}{item.name}" in arrays]
    missing = [i.name for i in fields(form) if i.name not in present and i.default_factory is MISSING]
    if missing:
        raise ValueError(f"the model lacks {', '.join(missing)}")
    values: dict[str, Any] = {name: arrays[f"{prefix}{name}"] for name in present}
    values |= {scalar: float(values[scalar]) for scalar in _SCALARS & values.keys()}
    return form(**values)
