"""Named statements from the ``.sql`` files of this package.

A statement starts behind a line ``-- name: its_name`` and ends before the next such line.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

_NAME: Final = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@lru_cache(maxsize=16)
def statements(file_name: str) -> Mapping[str, bytes]:
    """Return all statements of a file by name, as bytes, which psycopg takes as trusted SQL."""
    text = (files("forewarn.adapters.timescale") / file_name).read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return MappingProxyType({name: body.strip().encode() for name, body in zip(parts[::2], parts[1::2], strict=True)})
