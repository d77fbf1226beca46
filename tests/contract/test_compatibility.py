"""The rule by which published contracts may change, tried with changes that must fail and changes that must not."""

import copy

import pytest

from forewarn.adapters.schema_export.compatibility import breaking_changes, missing_columns

OLD = {
    "$defs": {
        "Grade": {"enum": ["good", "bad"], "title": "Grade", "type": "string"},
        "Part": {
            "properties": {"name": {"type": "string"}, "parts": {"items": {"$ref": "#/$defs/Part"}, "type": "array"}},
            "required": ["name"],
            "title": "Part",
            "type": "object",
        },
        "Start": {"properties": {"kind": {"const": "start"}}, "title": "Start", "type": "object"},
        "Stop": {"properties": {"kind": {"const": "stop"}}, "title": "Stop", "type": "object"},
    },
    "properties": {
        "id": {"maxLength": 10, "pattern": "^[a-z]+$", "title": "Id", "type": "string"},
        "score": {"maximum": 100, "minimum": 0, "type": "number"},
        "note": {"default": "", "type": "string"},
        "grade": {"$ref": "#/$defs/Grade"},
        "root": {"$ref": "#/$defs/Part"},
        "at": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "At"},
        "values": {"additionalProperties": {"type": "number"}, "type": "object"},
        "body": {"oneOf": [{"$ref": "#/$defs/Start"}, {"$ref": "#/$defs/Stop"}], "title": "Body"},
    },
    "required": ["id", "score"],
    "title": "Event",
    "type": "object",
}


def _changed(*path, to=None, drop=False):
    schema = copy.deepcopy(OLD)
    node = schema
    for step in path[:-1]:
        node = node[step]
    if drop:
        del node[path[-1]]
    else:
        node[path[-1]] = to
    return schema


P = "properties"
BREAKING = {
    "field_removed": (_changed(P, "note", drop=True), "note: field is gone"),
    "nested_field_removed": (_changed("$defs", "Part", P, "name", drop=True), "root.name: field is gone"),
    "field_of_a_list_item_removed": (_changed("$defs", "Part", P, "parts", drop=True), "root.parts: field is gone"),
    "new_required_field": (
        _changed(P, to=OLD[P] | {"site": {"type": "string"}}) | {"required": ["id", "score", "site"]},
        "site: field must be there now",
    ),
    "optional_made_required": (
        _changed(P, "grade", to={"type": "string"}) | {"required": ["id", "score", "grade"]},
        "grade: field must be there now",
    ),
    "type_changed": (_changed(P, "score", "type", to="string"), "score: integer, number is not accepted"),
    "type_narrowed": (_changed(P, "score", "type", to="integer"), "score: number is not accepted"),
    "null_no_longer_accepted": (_changed(P, "at", to={"type": "string"}), "at: null is not accepted"),
    "enum_member_removed": (_changed("$defs", "Grade", "enum", to=["good"]), "grade: 'bad' is not accepted"),
    "enum_added_to_free_text": (_changed(P, "note", "enum", to=["a"]), "note: any other value is not accepted"),
    "const_changed": (_changed("$defs", "Stop", P, "kind", "const", to="halt"), "'stop' is not accepted"),
    "variant_removed": (_changed(P, "body", "oneOf", to=[{"$ref": "#/$defs/Start"}]), "body: Stop is not accepted"),
    "minimum_raised": (_changed(P, "score", "minimum", to=1), "score: minimum was 0, is 1"),
    "maximum_lowered": (_changed(P, "score", "maximum", to=99), "score: maximum was 100, is 99"),
    "bound_added": (_changed(P, "note", "maxLength", to=5), "note: maxLength was None, is 5"),
    "pattern_changed": (_changed(P, "id", "pattern", to="^[a-y]+$"), "id: pattern was"),
    "map_values_narrowed": (
        _changed(P, "values", "additionalProperties", "type", to="integer"),
        "values[]: number is not accepted",
    ),
    "unknown_fields_refused": (OLD | {"additionalProperties": False}, "document: unknown fields are refused now"),
}

HARMLESS = {
    "nothing": OLD,
    "new_optional_field": _changed(P, to=OLD[P] | {"site": {"type": "string"}}),
    "new_field_with_a_default_that_writers_always_write": (
        _changed(P, to=OLD[P] | {"site": {"default": "", "type": "string"}}) | {"required": ["id", "score", "site"]}
    ),
    "new_computed_field": (
        _changed(P, to=OLD[P] | {"state": {"readOnly": True, "type": "string"}})
        | {"required": ["id", "score", "state"]}
    ),
    "required_made_optional": OLD | {"required": ["id"]},
    "number_for_integer": _changed(P, "score", "type", to=["number", "null"]),
    "nullable_at_last": _changed(P, "note", to={"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Note"}),
    "enum_member_added": _changed("$defs", "Grade", "enum", to=["good", "bad", "ugly"]),
    "variant_renamed": _changed("$defs", "Stop", "title", to="Halt"),
    "variant_added": _changed(P, "body", "oneOf", to=[*OLD[P]["body"]["oneOf"], {"$ref": "#/$defs/Part"}]),
    "bound_dropped": _changed(P, "id", "maxLength", drop=True),
    "maximum_raised": _changed(P, "score", "maximum", to=200),
    "description_added": _changed(P, "note", "description", to="Free text."),
}


@pytest.mark.parametrize(("new", "complaint"), BREAKING.values(), ids=BREAKING)
def test_a_breaking_change_is_found_and_named(new, complaint):
    problems = breaking_changes(OLD, new)
    assert any(complaint in problem for problem in problems), problems


@pytest.mark.parametrize("new", HARMLESS.values(), ids=HARMLESS)
def test_growth_is_no_breaking_change(new):
    assert breaking_changes(OLD, new) == []


FRAME = {
    "columns": [
        {"name": "ts", "type": "timestamp[us, tz=UTC]", "unit": ""},
        {"name": "p", "type": "double", "unit": "bar"},
    ]
}


def test_a_frame_may_gain_columns():
    assert missing_columns(FRAME, {"columns": [*FRAME["columns"], {"name": "q", "type": "double", "unit": ""}]}) == []


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        (FRAME["columns"][:1], "column 'p' is gone"),
        ([FRAME["columns"][0], {"name": "p", "type": "float", "unit": "bar"}], "type was 'double', is 'float'"),
        ([FRAME["columns"][0], {"name": "p", "type": "double", "unit": "psi"}], "unit was 'bar', is 'psi'"),
    ],
)
def test_a_frame_must_not_lose_or_change_columns(columns, complaint):
    assert complaint in missing_columns(FRAME, {"columns": columns})[0]
