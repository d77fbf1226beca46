"""JSON documents with one value changed."""

import json
from typing import Any


def replaced(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    """A copy of a document with another value at a place."""
    copied = json.loads(json.dumps(document))
    node = copied
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return copied
