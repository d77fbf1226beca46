"""The twin's state as bytes: exact, equal for equal states, at most 50 kB for a trained asset."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any, Final

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind, frame_columns
from forewarn.domain.frames.frame import NUMPY_DTYPES, Array
from forewarn.domain.frames.waiting import Waiting
from forewarn.domain.state.packing import pack, unpack
from forewarn.domain.twin.layout import ClassLayout, layout_of
from forewarn.domain.twin.model import AssetModel, FittedModel
from forewarn.domain.twin.parameters import kind_of, restored
from forewarn.domain.twin.request import LearningRequest
from forewarn.domain.twin.state import Learning, TwinState

_MAGIC: Final = b"FWTWIN02"


def dump(states: Iterable[TwinState]) -> bytes:
    """Serialise the states of several classes."""
    arrays: dict[str, Array] = {}
    headers = [_dump_one(state, arrays) for state in sorted(states, key=lambda s: s.asset_class.name)]
    return pack(_MAGIC, headers, arrays)


def load(data: bytes, catalogue: Mapping[str, AssetClass]) -> dict[str, TwinState]:
    """Read what ``dump`` wrote, by class name; ValueError if the bytes are no such snapshot.

    A class that has left the catalogue, or now has other tags, drivers, responses or priors, starts empty.
    """
    headers, arrays = unpack(_MAGIC, data)
    states = {}
    for header in headers:
        asset_class = catalogue.get(header["asset_class"])
        if asset_class is not None and _fits(header, layout := layout_of(asset_class)):
            states[asset_class.name] = _load_one(layout, header, arrays)
    return states


def _shape(layout: ClassLayout) -> list[list[str]]:
    return [list(layout.asset_class.column_names), list(layout.drivers), list(layout.responses)]


def _fits(header: Mapping[str, Any], layout: ClassLayout) -> bool:
    """Return whether a class matches a stored state; states older than priors have none."""
    stored, present = header.get("priors", []), list(layout.priors.signature)
    return header["shape"] == _shape(layout) and stored in ([], present)


def _dump_one(state: TwinState, arrays: dict[str, Array]) -> dict[str, object]:
    name = state.asset_class.name
    learners, learned = sorted(state.learning), sorted(state.models)
    for position, asset_id in enumerate(learned):
        model = state.models[asset_id]
        for item in fields(model):
            arrays[f"{name}/{position}/{item.name}"] = np.asarray(getattr(model, item.name))
    waiting = []
    for position, asset_id in enumerate(learners):
        learning = state.learning[asset_id]
        rows, usable = learning.joined(state.asset_class)
        waiting.append(rows)
        arrays[f"{name}/learning/{position}/usable"] = usable
        arrays[f"{name}/learning/{position}/emitted"] = learning.emitted
        arrays[f"{name}/learning/{position}/emitted_ts"] = learning.emitted_ts
    everything = Waiting.joined([Waiting.none(FrameKind.VALID, state.asset_class), *waiting])
    arrays |= {f"{name}/waiting/{column}": values for column, values in everything.columns.items()}
    return {
        "asset_class": name,
        "shape": _shape(state.layout),
        "priors": list(state.layout.priors.signature),
        "cards": [asdict(state.cards[asset_id]) for asset_id in learned],
        "kinds": [kind_of(state.models[a]) for a in learned],
        "learning": [[a, state.learning[a].version, asdict(state.learning[a].request)] for a in learners],
    }


def _load_one(layout: ClassLayout, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> TwinState:
    asset_class = layout.asset_class
    name = asset_class.name
    models: dict[str, AssetModel] = {}
    cards: dict[str, FittedModel] = {}
    for position, (raw, kind) in enumerate(zip(header["cards"], header["kinds"], strict=True)):
        card = FittedModel.restored(raw)
        models[card.asset_id] = restored(kind, arrays, layout, prefix=f"{name}/{position}/")
        cards[card.asset_id] = card
    dtypes = {column.name: NUMPY_DTYPES[column.dtype] for column in frame_columns(FrameKind.VALID, asset_class)}
    prefix = f"{name}/waiting/"
    stored = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    everything = Waiting.stored(stored, FrameKind.VALID, asset_class)
    if any(values.dtype != dtypes[column] for column, values in everything.columns.items()):
        raise ValueError(f"snapshot of {name} holds waiting readings in other types than a frame has")
    learning, start = {}, 0
    for position, (asset_id, version, *request) in enumerate(header["learning"]):
        place = f"{name}/learning/{position}"
        usable = arrays[f"{place}/usable"]
        learning[asset_id] = Learning(
            version=version,
            waiting=(everything.part(start, start + usable.size),),
            usable=(usable,),
            emitted=arrays[f"{place}/emitted"],
            emitted_ts=arrays[f"{place}/emitted_ts"],
            baseline_rows=arrays[f"{place}/emitted_ts"].size + int(np.count_nonzero(usable)),
            waiting_rows=usable.size,
            request=LearningRequest.restored(request[0] if request else None),
        )
        start += usable.size
    return TwinState.of(asset_class, learning, models, cards)
