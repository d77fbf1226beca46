"""State of the guard for the assets of one class, and its compact form for snapshots."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.frames.frame import Array, FloatArray

#: "No reading yet" in times.
NEVER: Final = -(2**63)

_MAGIC: Final = b"FWGUARD2"
_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GuardState:
    """Struct of arrays over the assets of one class, in the order of first sight.

    Immutable: a step returns a new one, so that an aborted transaction loses nothing.
    """

    asset_class: str
    tags: tuple[str, ...]
    watched: tuple[str, ...]
    assets: tuple[str, ...]
    newest_ts: NDArray[np.int64]  #: Newest event time [µs], shape (assets,).
    #: Whether that reading became valid data: only then is a second one a duplicate.
    newest_accepted: NDArray[np.bool_]
    seen: NDArray[np.bool_]  #: Whether the tag ever came, shape (assets, tags).
    #: Newest usable value of each tag and its time, spikes included.
    raw: FloatArray
    raw_ts: NDArray[np.int64]
    #: The same without spikes.
    good: FloatArray
    good_ts: NDArray[np.int64]
    #: Since when ``raw`` is exactly the same while the machine runs [µs], and over how many readings.
    unchanged_since: NDArray[np.int64]
    equal_readings: NDArray[np.int64]
    #: Smoothed disagreement of redundant sensors in tolerances, and the time of its newest value; shape (assets,
    #: watched).
    drift: FloatArray
    drift_ts: NDArray[np.int64]

    @classmethod
    def empty(cls, asset_class: AssetClass) -> "GuardState":
        """Return a state without assets."""
        return _blank(asset_class.name, asset_class.tag_names, watched(asset_class), ())

    def with_assets(self, names: Iterable[str]) -> "GuardState":
        """Add rows for new assets."""
        known = set(self.assets)
        new = tuple(name for name in dict.fromkeys(names) if name not in known)
        return self.joined(_blank(self.asset_class, self.tags, self.watched, new)) if new else self

    def select(self, names: Mapping[str, str]) -> "GuardState":
        """Select these assets, under the names they map to; the order stays."""
        rows = [row for row, name in enumerate(self.assets) if name in names]
        arrays = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return self._of(tuple(names[self.assets[row]] for row in rows), arrays)

    def joined(self, other: "GuardState") -> "GuardState":
        """Return the union with a state of other assets of the same class."""
        arrays = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _ARRAYS}
        return self._of((*self.assets, *other.assets), arrays)

    def aligned(self, asset_class: AssetClass) -> "GuardState":
        """Adapt the columns to a changed class: new ones start empty, dropped ones are forgotten."""
        target = _blank(self.asset_class, asset_class.tag_names, watched(asset_class), self.assets)
        if (self.tags, self.watched) == (target.tags, target.watched):
            return self
        of_tags, of_watched = _shared(self.tags, target.tags), _shared(self.watched, target.watched)
        arrays: dict[str, Array] = {}
        for name in _ARRAYS:
            old, new = getattr(self, name), getattr(target, name)
            if old.ndim == 1:
                new = old
            else:
                sources, places = of_watched if name in _OF_WATCHED else of_tags
                new[:, places] = old[:, sources]
            arrays[name] = new
        return target._of(self.assets, arrays)  # noqa: SLF001  # of its own class

    def _of(self, assets: tuple[str, ...], arrays: Mapping[str, Array]) -> "GuardState":
        return GuardState(
            asset_class=self.asset_class, tags=self.tags, watched=self.watched, assets=assets, **dict(arrays)
        )


def watched(asset_class: AssetClass) -> tuple[str, ...]:
    """Name the comparisons of redundant sensors: one per pair or residual, one per sensor of a larger group."""
    return tuple(
        name
        for group in asset_class.redundant
        for name in ((group.id,) if len(group.columns) <= 2 else (f"{group.id}/{column}" for column in group.columns))
    )


def _shared(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Return the positions, in the old and new order, of the common entries."""
    kept = [name for name in new if name in old]
    return [old.index(name) for name in kept], [new.index(name) for name in kept]


_OF_WATCHED: Final = ("drift", "drift_ts")
_ARRAYS: Final = tuple(f.name for f in fields(GuardState) if f.name not in ("asset_class", "tags", "watched", "assets"))


def _blank(
    asset_class: str, tags: tuple[str, ...], watched_names: tuple[str, ...], assets: tuple[str, ...]
) -> GuardState:
    rows, shape = len(assets), (len(assets), len(tags))
    return GuardState(
        asset_class=asset_class,
        tags=tags,
        watched=watched_names,
        assets=assets,
        newest_ts=np.full(rows, NEVER, dtype=np.int64),
        newest_accepted=np.zeros(rows, dtype=np.bool_),
        seen=np.zeros(shape, dtype=np.bool_),
        raw=np.full(shape, np.nan),
        raw_ts=np.full(shape, NEVER, dtype=np.int64),
        good=np.full(shape, np.nan),
        good_ts=np.full(shape, NEVER, dtype=np.int64),
        unchanged_since=np.full(shape, NEVER, dtype=np.int64),
        equal_readings=np.zeros(shape, dtype=np.int64),
        drift=np.zeros((rows, len(watched_names))),
        drift_ts=np.full((rows, len(watched_names)), NEVER, dtype=np.int64),
    )


def dump(states: Iterable[GuardState]) -> bytes:
    """Serialise the states of several classes; equal states give equal bytes."""
    header: list[dict[str, object]] = []
    body: list[bytes] = []
    for state in sorted(states, key=lambda s: s.asset_class):
        names = {"tags": state.tags, "watched": state.watched, "assets": state.assets}
        header.append({"asset_class": state.asset_class, **names})
        body += [np.ascontiguousarray(getattr(state, name)).tobytes() for name in _ARRAYS]
    head = json.dumps(header, separators=(",", ":")).encode()
    return b"".join([_MAGIC, len(head).to_bytes(_LENGTH_BYTES, "little"), head, *body])


def load(data: bytes, catalogue: Mapping[str, AssetClass]) -> dict[str, GuardState]:
    """Read what ``dump`` wrote, by class name; classes that have left the catalogue are dropped.

    Raises ValueError if the bytes are no dump of this version.
    """
    if not data.startswith(_MAGIC):
        raise ValueError(f"not a guard state: expected {_MAGIC!r}, found {data[: len(_MAGIC)]!r}")
    start = len(_MAGIC) + _LENGTH_BYTES
    size = int.from_bytes(data[len(_MAGIC) : start], "little")
    position = start + size
    states: dict[str, GuardState] = {}
    for entry in json.loads(data[start:position]):
        blank = _blank(entry["asset_class"], *(tuple(entry[key]) for key in ("tags", "watched", "assets")))
        arrays: dict[str, Array] = {}
        for name in _ARRAYS:
            like = getattr(blank, name)
            arrays[name] = np.frombuffer(data, like.dtype, like.size, position).reshape(like.shape)
            position += like.nbytes
        state = GuardState(
            asset_class=blank.asset_class, tags=blank.tags, watched=blank.watched, assets=blank.assets, **arrays
        )
        if state.asset_class in catalogue:
            states[state.asset_class] = state.aligned(catalogue[state.asset_class])
    return states
