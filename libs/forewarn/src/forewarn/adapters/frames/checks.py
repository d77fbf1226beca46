"""Checks of a frame's values: times within the platform's range, valid asset names, known codes.

Only Forewarn writes frames, so only what would crash a consumer is checked.
"""

from collections.abc import Sequence
from functools import lru_cache
from re import compile as compile_pattern
from typing import Final

from forewarn.contracts.base import EARLIEST, IDENTIFIER, LATEST
from forewarn.contracts.frames import Column
from forewarn.contracts.limits import KIB
from forewarn.domain.frames.frame import Array, Frame
from forewarn.domain.time import to_datetime, to_microseconds
from forewarn.ports.codec import InvalidFrame

#: Longest text of a row: the database lays out all rows of a block as wide as the longest.
MAX_TEXT_CHARACTERS: Final = 16 * KIB
_EARLIEST_US: Final = to_microseconds(EARLIEST)
_LATEST_US: Final = to_microseconds(LATEST)
_IDENTIFIER: Final = compile_pattern(IDENTIFIER)


def check_frame(frame: Frame) -> None:
    """Check a decoded frame.

    Raises
    ------
    InvalidFrame
        With the column and what is wrong in it.
    """
    check_assets(frame.assets.categories)
    for column in frame.columns:
        if is_checked(column):
            check_values(column, frame.arrays[column.name])
    for name, strings in frame.strings.items():
        if any(len(text) > MAX_TEXT_CHARACTERS for text in strings.categories):
            raise InvalidFrame(f"column {name!r} has a text of more than {MAX_TEXT_CHARACTERS} characters")


def check_assets(asset_ids: Sequence[str]) -> None:
    """Check that assets have valid identifiers.

    Raises
    ------
    InvalidFrame
        With the name.
    """
    if not all(map(_is_identifier, asset_ids)):
        unfit = next(name for name in asset_ids if not _is_identifier(name))
        raise InvalidFrame(f"column 'asset_id' has the name {unfit!r}, which is not an identifier")


def is_checked(column: Column) -> bool:
    """Return whether ``check_values`` knows what the column may hold."""
    return column.dtype == "timestamp_us" or column.largest is not None


def check_values(column: Column, values: Array) -> None:
    """Check that times [µs since 1970 UTC] lie in the platform's range, and that codes are known.

    Raises
    ------
    InvalidFrame
        With the column and the code.
    """
    if not values.size:
        return
    if column.dtype == "timestamp_us" and not (values.min() >= _EARLIEST_US and values.max() < _LATEST_US):
        years = f"{EARLIEST.year} to {to_datetime(_LATEST_US - 1).year}"
        raise InvalidFrame(f"column {column.name!r} has a time outside of the years {years}")
    if column.largest is not None and values.max() > column.largest:
        raise InvalidFrame(f"column {column.name!r} has the code {values.max()}, the largest is {column.largest}")


@lru_cache(maxsize=65_536)
def _is_identifier(name: str) -> bool:
    return _IDENTIFIER.fullmatch(name) is not None
