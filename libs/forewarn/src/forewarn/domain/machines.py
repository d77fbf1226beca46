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

from forewarn.domain.frame import Frame, Strings

_SEPARATOR: Final = "/"


class Stretch(NamedTuple):
    """Rows of one partition."""

    partition: int
    start: int
    stop: int


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
    used, codes = np.unique(partitions * width + (assets.codes + 1), return_inverse=True)
    nameless = used % width == 0
    table = np.cumsum(~nameless, dtype=np.int32) - np.int32(1)
    table[nameless] = -1
    names = tuple(
        machine(number // width, assets.categories[number % width - 1]) for number in used[~nameless].tolist()
    )
    return Strings(table[codes], names)


def by_partition(frame: Frame) -> tuple[Frame, list[Stretch]]:
    """Sort a frame of machines by partition, rows of one partition in their order, and say which rows are whose."""
    if not frame.rows:
        return frame, []
    table = np.array([partition_of(name) for name in frame.assets.categories], dtype=np.int64)
    partition = table[frame.assets.codes]
    step = np.diff(partition)
    if (step < 0).any():
        order = np.argsort(partition, kind="stable")
        frame, partition = frame.take(order), partition[order]
        step = np.diff(partition)
    edges = [0, *(np.flatnonzero(step) + 1).tolist(), frame.rows]
    return frame, [Stretch(int(partition[start]), start, stop) for start, stop in pairwise(edges)]


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
