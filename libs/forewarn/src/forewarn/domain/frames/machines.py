"""Machines of several partitions in one frame and in one state.

A processor works on all its partitions at once, because the cost of a step hardly depends on the number
of rows. What a machine's rows lead to depends on that machine's rows alone, so a partition can still be
restored, handed over and replayed by itself. To hold even when a producer spreads the readings of an
asset over partitions, a *machine* is an asset as seen in one partition, and is named by both.
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
_TURNS: Final = 8  # one turn after the other often has the same machines


class Stretch(NamedTuple):
    """Rows of one partition, and which categories of ``asset_id`` are its machines."""

    partition: int
    start: int
    stop: int
    first: int
    machines: int


@lru_cache(maxsize=65_536)
def machine(partition: int, asset_id: str) -> str:
    """Name of an asset as seen in a partition."""
    return f"{partition}{_SEPARATOR}{asset_id}"


@lru_cache(maxsize=65_536)
def partition_of(name: str) -> int:
    """Partition of a machine."""
    return int(name.partition(_SEPARATOR)[0])


@lru_cache(maxsize=65_536)
def asset_of(name: str) -> str:
    """Asset of a machine."""
    return name.partition(_SEPARATOR)[2]


def machines(assets: Strings, partitions: NDArray[np.int64]) -> Strings:
    """Name the machine of each row; rows without an asset keep none.

    Parameters
    ----------
    assets, partitions
        Asset and partition of each row, shape (rows,).
    """
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
    return tuple(machine(number // width, assets[number % width - 1]) for number in numbers)


def by_partition(frame: Frame) -> tuple[Frame, list[Stretch]]:
    """Sort a frame of machines by partition, rows of one partition in their order, and say what is whose.

    Of the categories of ``asset_id`` only those remain that have rows; they are sorted by partition too.
    """
    frame = _tidied(frame)
    home = _homes(frame.assets.categories)
    partition = home[frame.assets.codes]
    if (np.diff(partition) < 0).any():
        order = np.argsort(partition, kind="stable")
        frame, partition = frame.take(order), partition[order]
    starts, firsts = _starts(partition), _starts(home)
    return frame, [
        Stretch(int(partition[start]), start, stop, first, last - first)
        for (start, stop), (first, last) in zip(pairwise(starts), pairwise(firsts), strict=True)
    ]


def _tidied(frame: Frame) -> Frame:
    """Bring the categories of ``asset_id`` into the order of their partitions, without those that have no row."""
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
    """Where each run of equal numbers begins, and where the last one ends."""
    return [0, *(np.flatnonzero(np.diff(partition)) + 1).tolist(), partition.size]


def of_partition(frame: Frame, stretch: Stretch) -> Frame:
    """The rows of one partition, named by their assets."""
    own = frame.take(np.arange(stretch.start, stretch.stop))
    names = tuple(map(asset_of, own.assets.categories))
    return replace(own, strings={**own.strings, "asset_id": Strings(own.assets.codes, names)})


def assets_in(names: Iterable[str], partition: int) -> Mapping[str, str]:
    """Those of the machines that are in a partition, each with its asset."""
    return {name: asset_of(name) for name in names if partition_of(name) == partition}


def elsewhere(names: Iterable[str], partition: int) -> Mapping[str, str]:
    """Those of the machines that are in other partitions, each with itself."""
    return {name: name for name in names if partition_of(name) != partition}


def machines_in(assets: Iterable[str], partition: int) -> Mapping[str, str]:
    """Assets, each with the machine it is in a partition."""
    return {asset_id: machine(partition, asset_id) for asset_id in assets}
