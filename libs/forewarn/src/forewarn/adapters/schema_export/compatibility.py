"""What may change in a published contract: it may only grow.

Old messages stay readable by new programs, and new messages keep what old programs rely on. So a change is breaking
when a field disappears, when a field is required that old messages lack, or when values that were valid are refused.
Growing enumerations is allowed: readers must expect new members.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_LOWER_BOUNDS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT: Final = ("pattern", "format", "contentEncoding")
_VARIANTS: Final = ("anyOf", "oneOf")
_EVERY_TYPE: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})

Schema = Mapping[str, Any]


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Return every way in which ``new`` breaks what relies on ``old``, one line each.

    Both are JSON Schemas in the form pydantic writes; references are to their own ``$defs``.
    """
    return list(_Comparison(old, new).differences("", old, new))


def missing_columns(old: Schema, new: Schema) -> list[str]:
    """Return every way in which a frame's new description breaks readers of the old one."""
    found = {column["name"]: column for column in new["columns"]}
    problems = []
    for column in old["columns"]:
        name = column["name"]
        if name not in found:
            problems.append(f"column {name!r} is gone")
            continue
        problems += [
            f"column {name!r}: {what} was {column[what]!r}, is {found[name][what]!r}"
            for what in ("type", "unit")
            if found[name][what] != column[what]
        ]
    return problems


class _Comparison:
    """Walks two schemas side by side."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old_root, self._new_root = old, new
        self._seen: set[tuple[int, int]] = set()

    def differences(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        """Yield the differences of two (sub)schemas; a pair of recursive definitions is compared once."""
        old, new = _resolve(old, self._old_root), _resolve(new, self._new_root)
        if (id(old), id(new)) in self._seen:
            return
        self._seen.add((id(old), id(new)))
        old_variants, new_variants = _variants(old), _variants(new)
        if len(old_variants) > 1 or len(new_variants) > 1:
            yield from self._variant_differences(place, old_variants, new_variants)
            return
        yield from _value_differences(place or "document", old, new)
        yield from self._property_differences(place, old, new)
        for part in ("items", "additionalProperties"):
            if isinstance(old.get(part), Mapping) and isinstance(new.get(part), Mapping):
                yield from self.differences(f"{place}[]", old[part], new[part])

    def _property_differences(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            where = f"{place}.{name}".lstrip(".")
            if name not in after:
                yield f"{where}: field is gone"
            else:
                yield from self.differences(where, schema, after[name])
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            schema = after.get(name, {})
            if "default" not in schema and not schema.get("readOnly", False):
                yield f"{place}.{name}".lstrip(".") + ": field must be there now, old messages lack it"
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{place or 'document'}: unknown fields are refused now"

    def _variant_differences(self, place: str, old: list[Schema], new: list[Schema]) -> Iterator[str]:
        candidates = [_resolve(variant, self._new_root) for variant in new]
        for variant in (_resolve(variant, self._old_root) for variant in old):
            attempts = [list(self.differences(place, variant, c)) for c in candidates if _same_kind(variant, c)]
            if not attempts:
                label = variant.get("title") or variant.get("type", "a variant")
                yield f"{place or 'document'}: {label} is not accepted any more"
            elif all(attempts):
                yield from attempts[0]


def _same_kind(old: Schema, new: Schema) -> bool:
    """Return whether ``new`` may succeed ``old``; objects are identified by title or by their constant fields."""
    if not _types(old) <= _types(new):
        return False
    if "properties" not in old or "properties" not in new:
        return True
    constants = _constants(old)
    return old.get("title") == new.get("title") or (bool(constants) and constants == _constants(new))


def _constants(schema: Schema) -> Mapping[str, Any]:
    return {name: field["const"] for name, field in schema["properties"].items() if "const" in field}


def _resolve(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        target = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema


def _variants(schema: Schema) -> list[Schema]:
    for word in _VARIANTS:
        if word in schema:
            return list(schema[word])
    return [schema]


def _types(schema: Schema) -> frozenset[str]:
    stated = schema.get("type", ())
    types = frozenset([stated] if isinstance(stated, str) else stated) or _EVERY_TYPE
    return types | {"integer"} if "number" in types else types


def _allowed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _value_differences(place: str, old: Schema, new: Schema) -> Iterator[str]:
    lost_types = _types(old) - _types(new)
    if lost_types:
        yield f"{place}: {', '.join(sorted(lost_types))} is not accepted any more"
    before, after = _allowed(old), _allowed(new)
    if after is not None:
        lost = ["any other value"] if before is None else [repr(value) for value in before if value not in after]
        if lost:
            yield f"{place}: {', '.join(lost)} is not accepted any more"
    yield from (
        f"{place}: {word} was {old.get(word)!r}, is {new[word]!r}"
        for word in (*_LOWER_BOUNDS, *_UPPER_BOUNDS, *_EXACT)
        if word in new and _narrower(word, old.get(word), new[word])
    )


def _narrower(word: str, before: Any, after: Any) -> bool:  # noqa: ANN401  # numbers or texts, by keyword
    if before is None:
        return True
    if word in _LOWER_BOUNDS:
        return bool(after > before)
    return bool(after < before) if word in _UPPER_BOUNDS else bool(after != before)
