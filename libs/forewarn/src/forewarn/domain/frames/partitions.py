"""Assets of several partitions in one frame and in one state.

A processor steps all its partitions at once, because a step's cost hardly depends on the number of rows. Each asset is
keyed by partition and id, so that a partition can be restored, handed over and replayed by itself, even when a producer
spreads an asset's readings over partitions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import MISSING, Frame, Strings

_SEPARATOR: Final = "/"
_TURNS: Final = 8  # consecutive turns often have the same machines


class PartitionRows(NamedTuple):
    """Rows of one partition; its keys are the categories ``first`` to ``first + keys`` of ``asset_id``."""

    partition: int
    start: int
    stop: int
    first: int
    keys: int


@lru_cache(maxsize=65_536)
def partition_key(partition: int, asset_id: str) -> str:
    """Return the key of an asset in a partition."""
    return f"{partition}{_SEPARATOR}{asset_id}"


@lru_cache(maxsize=65_536)
def partition_of(key: str) -> int:
    """Return the partition of a key."""
    return int(key.partition(_SEPARATOR)[0])


@lru_cache(maxsize=65_536)
def asset_of(key: str) -> str:
    """Return the asset of a key."""
    return key.partition(_SEPARATOR)[2]


def partition_keys(assets: Strings, partitions: NDArray[np.int64]) -> Strings:
    """Return the key of each row from its asset and partition, shape (rows,); None without an asset."""
    width = len(assets.categories) + 1  # room for rows without an asset, code −1
    pair = partitions * width + (assets.codes + 1)
    used = np.flatnonzero(np.bincount(pair))
    named = used[used % width > 0]
    table = np.full(int(used[-1]) + 1 if used.size else 0, MISSING, dtype=np.int32)
    table[named] = np.arange(named.size, dtype=np.int32)
    return Strings(table[pair], _names(assets.categories, named.tobytes()))


@lru_cache(maxsize=_TURNS)
def _names(assets: tuple[str, ...], pairs: bytes) -> tuple[str, ...]:
    width = len(assets) + 1
    numbers = np.frombuffer(pairs, dtype=np.int64).tolist()
    return tuple(partition_key(number // width, assets[number % width - 1]) for number in numbers)


def by_partition(frame: Frame) -> tuple[Frame, list[PartitionRows]]:
    """Sort a frame of keys by partition, rows of one partition in their order, and return the rows of each.

    Only categories of ``asset_id`` that have rows stay; they are sorted by partition too.
    """
    frame = _tidied(frame)
    home = _homes(frame.assets.categories)
    partition = home[frame.assets.codes]
    if (np.diff(partition) < 0).any():
        order = np.argsort(partition, kind="stable")
        frame, partition = frame.take(order), partition[order]
    starts, firsts = _starts(partition), _starts(home)
    return frame, [
        PartitionRows(int(partition[start]), start, stop, first, last - first)
        for (start, stop), (first, last) in zip(pairwise(starts), pairwise(firsts), strict=True)
    ]


def _tidied(frame: Frame) -> Frame:
    """Sort the categories of ``asset_id`` by partition and drop those without rows."""
    assets = frame.assets
    home = _homes(assets.categories)
    has_rows = np.bincount(assets.codes, minlength=home.size) > 0
    if has_rows.all() and (np.diff(home) >= 0).all():
        return frame
    used = np.flatnonzero(has_rows)
    used = used[np.argsort(home[used], kind="stable")]
    table = np.empty(home.size, dtype=np.int32)
    table[used] = np.arange(used.size, dtype=np.int32)
    names = tuple(assets.categories[code] for code in used.tolist())
    return replace(frame, strings={**frame.strings, "asset_id": Strings(table[assets.codes], names)})


@lru_cache(maxsize=_TURNS)
def _homes(names: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([partition_of(name) for name in names], dtype=np.int64)


def _starts(partition: NDArray[np.int64]) -> list[int]:
    """Return the start of each run of equal numbers, and the end of the last."""
    return [0, *(np.flatnonzero(np.diff(partition)) + 1).tolist(), partition.size]


def of_partition(frame: Frame, stretch: PartitionRows) -> Frame:
    """Select the rows of one partition, named by asset."""
    own = frame.take(np.arange(stretch.start, stretch.stop))
    names = tuple(map(asset_of, own.assets.categories))
    return replace(own, strings={**own.strings, "asset_id": Strings(own.assets.codes, names)})


def assets_in(keys: Iterable[str], partition: int) -> Mapping[str, str]:
    """Map the keys of a partition to their assets."""
    return {key: asset_of(key) for key in keys if partition_of(key) == partition}


def elsewhere(keys: Iterable[str], partition: int) -> Mapping[str, str]:
    """Map the keys of other partitions to themselves."""
    return {key: key for key in keys if partition_of(key) != partition}


def keys_in(assets: Iterable[str], partition: int) -> Mapping[str, str]:
    """Map assets to their keys in a partition."""
    return {asset_id: partition_key(partition, asset_id) for asset_id in assets}
