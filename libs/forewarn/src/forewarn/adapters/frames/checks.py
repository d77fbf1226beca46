"""Whether what a frame says can be true: times within the platform's range, assets with names that can be used.

A frame is Forewarn's own, so the checks are few. They are those on which everything behind relies: a time that
no calendar has, or an asset that no event can name, would end the consumer instead of the message.
"""

from collections.abc import Sequence
from functools import lru_cache
from re import compile as compile_pattern
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.base import EARLIEST, IDENTIFIER, LATEST
from forewarn.contracts.frames import LARGEST_CODE
from forewarn.contracts.limits import KIB
from forewarn.domain.frame import Frame
from forewarn.domain.rows import to_datetime, to_microseconds
from forewarn.ports.codec import InvalidFrame

#: Columns of event times and the like.
TIMES: Final = ("ts", "received_at")
#: Longest text of a row: the database lays out all rows of a block as wide as the longest.
_MAX_TEXT_CHARACTERS: Final = 16 * KIB
_EARLIEST_US: Final = to_microseconds(EARLIEST)
_LATEST_US: Final = to_microseconds(LATEST)
_IDENTIFIER: Final = compile_pattern(IDENTIFIER)


def check_frame(frame: Frame) -> None:
    """Check a frame that was just decoded.

    Raises
    ------
    InvalidFrame
        With the column and what is wrong in it.
    """
    check_assets(frame.assets.categories)
    for name in TIMES:
        check_times(name, frame.arrays[name])
    for name in LARGEST_CODE.keys() & frame.arrays.keys():
        check_codes(name, frame.arrays[name])
    for name, strings in frame.strings.items():
        if any(len(text) > _MAX_TEXT_CHARACTERS for text in strings.categories):
            raise InvalidFrame(f"column {name!r} has a text of more than {_MAX_TEXT_CHARACTERS} characters")


def check_assets(asset_ids: Sequence[str]) -> None:
    """Check that assets have names by which they can be registered.

    Raises
    ------
    InvalidFrame
        With the name.
    """
    if not all(map(_is_identifier, asset_ids)):
        unfit = next(name for name in asset_ids if not _is_identifier(name))
        raise InvalidFrame(f"column 'asset_id' has the name {unfit!r}, which is no identifier")


def check_times(column: str, at_us: NDArray[np.int64]) -> None:
    """Check that times [µs since 1970 UTC] lie in the range that all of the platform shares.

    Raises
    ------
    InvalidFrame
        With the column.
    """
    if at_us.size and not (at_us.min() >= _EARLIEST_US and at_us.max() < _LATEST_US):
        years = f"{EARLIEST.year} to {to_datetime(_LATEST_US - 1).year}"
        raise InvalidFrame(f"column {column!r} has a time outside of the years {years}")


def check_codes(column: str, codes: NDArray[np.uint8]) -> None:
    """Check that codes have a meaning.

    Raises
    ------
    InvalidFrame
        With the column and the code.
    """
    if codes.size and codes.max() > LARGEST_CODE[column]:
        raise InvalidFrame(f"column {column!r} has the code {codes.max()}, the largest is {LARGEST_CODE[column]}")


@lru_cache(maxsize=65_536)
def _is_identifier(name: str) -> bool:
    return _IDENTIFIER.fullmatch(name) is not None
