"""JSON documents: one value changed, and the references they make."""

import json
from collections.abc import Iterator
from typing import Any


def replaced(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    """A copy of a document with another value at a place."""
    copied = json.loads(json.dumps(document))
    node = copied
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return copied


def references(node: Any) -> Iterator[str]:
    """Every ``$ref`` in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
