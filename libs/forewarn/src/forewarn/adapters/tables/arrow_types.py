"""pyarrow has no types; names for people say what is meant."""

from typing import Any, TypeAlias

#: ``pyarrow.Array``.
ArrowArray: TypeAlias = Any

#: ``pyarrow.DataType``.
ArrowType: TypeAlias = Any
