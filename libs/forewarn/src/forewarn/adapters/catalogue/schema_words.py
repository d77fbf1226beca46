"""Errors of pydantic, in words for people who write files by hand."""

from collections.abc import Collection, Iterator
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from forewarn.adapters.catalogue.document import Location
from forewarn.adapters.catalogue.draft import Finding
from forewarn.domain.physics.registry import nearest


def schema_findings(error: ValidationError, model: type[BaseModel], raw: object) -> Iterator[Finding]:
    """Yield what a model's schema finds wrong with raw values, in words for people who write the file."""
    details = error.errors()
    places = [tuple(detail["loc"]) for detail in details]
    for detail, location in zip(details, places, strict=True):
        if detail["type"] == "too_short" and any(_is_within(place, location) for place in places):
            continue  # entries that are wrong do not count: the list is not short
        written = _written(location, raw, is_missing=detail["type"] == "missing")
        if detail["type"] == "missing":
            yield written, "is missing"
        elif detail["type"] == "extra_forbidden":
            yield written, f"there is no such key{nearest(str(location[-1]), _keys_at(model, location[:-1]))}"
        else:
            yield written, _words(detail)


def _written(place: Location, raw: object, *, is_missing: bool) -> Location:
    """Return a place as the file has it: pydantic also names the model it tried for an entry."""
    node: object = raw
    found: list[str | int] = []
    for position, step in enumerate(place):
        if isinstance(node, dict) and (step in node or (is_missing and position == len(place) - 1)):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int):
            node = node[step] if step < len(node) else None
        else:
            continue
        found.append(step)
    return tuple(found)


def _is_within(place: Location, outer: Location) -> bool:
    return len(place) > len(outer) and place[: len(outer)] == outer


def _words(detail: ErrorDetails) -> str:
    text = detail["msg"].removeprefix("Value error, ")
    given = detail.get("input")
    return (
        f"{text}, not {given!r}" if isinstance(given, str | int | float) and detail["type"] != "value_error" else text
    )


def _keys_at(model: type[BaseModel], location: Location) -> Collection[str]:
    """Return the keys that the schema knows at a place."""
    models = [model]
    for step in location:
        holders = [one for one in models if step in one.model_fields]
        if holders:
            models = list(_models(holders[0].model_fields[str(step)].annotation))
        elif isinstance(step, str):  # which of several models it is: pydantic names the tag, mostly a field's value
            tagged = [one for one in models if any(step in get_args(f.annotation) for f in one.model_fields.values())]
            models = tagged or models
    return models[0].model_fields if models else ()


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
