"""Hostile requests for every operation of an OpenAPI document: a new route is covered without a line here.

For each operation there is one valid request, made from the document alone. Each of its parameters and each place
of its body in turn then gets every hostile value.
"""

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from jsonschema import Draft202012Validator

#: The API's own document: a contract test keeps the committed one up to date, and making it takes a second.
DOCUMENT = json.loads((Path(__file__).parents[2] / "schemas/openapi.json").read_text(encoding="utf-8"))

#: Valid values by name, where the schema alone does not give one that leads past the first check.
KNOWN = {
    "asset_id": "P-101",
    "asset": "P-101",
    "asset_class": "centrifugal_pump",
    "rule": "vibration_high",
    "name": "centrifugal_pump",
    "tag": "vibration_mm_s",
    "rejected_id": "readings.raw/3/17",
    "columns": "flow_m3_h",
    "column": "flow_m3_h",
    "scenario": "sensor_drift",
    "plant": "refinery",
    "fault": "bearing_wear",
    "occurrence_id": "o-1",
    "ts": "2026-11-20T20:00:00Z",
    "from": "2026-11-20T19:00:00Z",
    "to": "2026-11-20T20:00:00Z",
    "since": "2026-11-20T19:00:00Z",
    "start": "2026-11-20T19:00:00Z",
    "metrics": {"flow_m3_h": 120.3},
    "nameplate": {"fluid_density_kg_m3": 998.0},
    "path": ["works"],
    "changes": [{"column": "flow_m3_h", "factor": 1.1}],
    "version": 1,
}
#: Objects with names of their own need a valid name for the hostile value.
KEYS = {"metrics": "vibration_mm_s", "components": "twin", "nameplate": "fluid_density_kg_m3", "quality": "flow_m3_h"}

#: Fields of which a request may have one; a valid one has the first.
RIVALS = (("changes", "preset"), ("since", "history"), ("acceleration", "start"))

TIMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+05:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-05:00",
    "2199-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00Z",
    "1700000000",
)
CURSORS = (
    "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzA1OjAwIiwgImEiXQ==",  # of year 1
    "WyIyMDI2LTExLTIwVDIwOjAwOjAwWiIsICJhXHUwMDAwYiJd",  # with NUL
    "WyIyMDI2LTExLTIwVDIwOjAwOjAwIiwgImEiXQ==",  # without a zone
)
#: What a database might refuse.
FOR_DATABASES = (*TIMES, *CURSORS, "\x00", "P-101\x00", "\ud800", "%00", "1" * 400)
TEXTS = (
    *TIMES,
    "",
    " ",
    "\x00",
    "P-101\x00",
    "P-101\nP-102",
    "\x1b[31m",
    "\ud800",
    "\u202egnp.exe",
    "../../etc/passwd",
    "%00",
    "[",
    "nan",
    "1e999",
    "5e-324",
    "1" * 400,
    "x" * 10_000,
    *CURSORS,
)
#: JSON literals, as some of them are nothing that ``json`` would write.
LITERALS = (
    *(json.dumps(text) for text in TEXTS),
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "0.5",
    "5e-324",
    "-5e-324",
    "1e-300",
    "1e308",
    "-1e308",
    "NaN",
    "-Infinity",
    "1e999",
    "9" * 30,
    "9" * 5_000,
    "[]",
    "{}",
    '{"\\u0000":1}',
    "[" * 200 + "]" * 200,
    "[" * 100_000,
)
_HERE = "@hostile@"
_KEPT = 0.8


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation with the parts of a valid request."""

    method: str
    path: str
    parameters: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: object = None

    def __str__(self):
        return f"{self.method} {self.path}"

    def url(self, **changed: str) -> str:
        path = self.path
        for name, value in self.parameters.items():
            path = path.replace(f"{{{name}}}", _quoted(changed.get(name, value)))
        query = {name: value for name, value in {**self.query, **changed}.items() if name not in self.parameters}
        return path + ("?" + "&".join(f"{name}={_quoted(value)}" for name, value in query.items()) if query else "")


#: Kinds of requests: odd ones may be right by chance, mistyped ones never are, valid ones have none.
ODD = "odd"
MISTYPED = "mistyped"


@dataclass(frozen=True)
class HostileRequest:
    """One request; ``place`` says where it is hostile."""

    place: str
    method: str
    url: str
    content: bytes | None = None
    kind: str | None = None

    def __str__(self):
        return f"{self.method} {self.place}"


def operations(document: dict) -> list[Operation]:
    """Every operation of a document; those that remove something come last."""
    found = [
        _operation(document, method, path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    return sorted(found, key=lambda operation: operation.method == "DELETE")


def hostile_requests(operation: Operation, document: dict, texts: tuple[str, ...] = TEXTS) -> Iterator[HostileRequest]:
    """The valid request, then every hostile one."""
    valid = None if operation.body is None else json.dumps(_without_rivals(operation.body, ())).encode()
    yield HostileRequest("as it should be", operation.method, operation.url(), valid)
    for name in (*operation.parameters, *_query_names(operation, document)):
        for text in texts:
            if text.strip("./ ") or name not in operation.parameters:  # else it is the path of another operation
                url = operation.url(**{name: text})
                yield HostileRequest(f"{name}={text[:40]!a}", operation.method, url, valid, ODD)
    if operation.body is not None:
        yield from _hostile_bodies(operation)


def _hostile_bodies(operation: Operation) -> Iterator[HostileRequest]:
    chance = random.Random(str(operation))  # for variety, the same in each run
    for place in _places(operation.body):
        whole = _without_rivals(_replaced(operation.body, place), place)
        for literal in LITERALS:
            document = _without_some(whole, place, chance)
            content = json.dumps(document).replace(json.dumps(_HERE), literal).encode("utf-8", "surrogatepass")
            where = f"/{'/'.join(map(str, place))}={literal[:40]}"
            kind = MISTYPED if _mistyped(_value_at(operation.body, place), literal) else ODD
            yield HostileRequest(where, operation.method, operation.url(), content, kind)


def _without_rivals(document: object, place: tuple) -> object:
    if not isinstance(document, dict):
        return document
    dropped = {(first if place[:1] == (second,) else second) for first, second in RIVALS if second in document}
    return {name: value for name, value in document.items() if name not in dropped}


def _mistyped(valid: object, literal: str) -> bool:
    """Whether a literal is of another JSON type than the valid value."""
    if isinstance(valid, bool) or not isinstance(valid, str | int | float):
        return False
    number = literal[:1] in "-0123456789" and literal[:2] != "-I"
    return literal in ("true", "false") or (number if isinstance(valid, str) else literal.startswith('"'))


def _without_some(document: object, place: tuple, chance: random.Random) -> object:
    """Leave out some fields other than the hostile one: defaults lead down other paths."""
    if not isinstance(document, dict):
        return document
    return {name: value for name, value in document.items() if name == place[0] or chance.random() < _KEPT}


def _operation(document: dict, method: str, path: str, described: dict) -> Operation:
    parameters = described.get("parameters", [])
    values = {p["name"]: _sample(p["schema"], document, p["name"]) for p in parameters}
    content = described.get("requestBody", {}).get("content", {}).get("application/json")
    return Operation(
        method=method.upper(),
        path=path,
        parameters={p["name"]: str(values[p["name"]]) for p in parameters if p["in"] == "path"},
        query={p["name"]: str(values[p["name"]]) for p in parameters if p["in"] == "query" and p.get("required")},
        body=None if content is None else _sample(content["schema"], document, ""),
    )


def _query_names(operation: Operation, document: dict) -> list[str]:
    described = document["paths"][operation.path][operation.method.lower()]
    return [p["name"] for p in described.get("parameters", []) if p["in"] == "query"]


def _sample(schema: dict, document: dict, name: str) -> object:
    """A value that fits a schema; optional fields are there too."""
    while "$ref" in schema:
        schema = _target(document, schema["$ref"])
    stated = [KNOWN.get(name), schema.get("const"), schema.get("default"), *schema.get("enum", ())]
    stated += () if "properties" in schema else schema.get("examples", ())
    validator = Draft202012Validator({**schema, "components": document["components"]})
    for value in stated:
        if value is not None and value not in ({}, []) and validator.is_valid(value):
            return value
    for variants in (schema.get("oneOf"), schema.get("anyOf")):
        if variants:
            return _sample(variants[0], document, name)
    return _SAMPLES.get(schema.get("type"), lambda *_: None)(schema, document, name)


def _sample_object(schema: dict, document: dict, name: str) -> object:
    if "properties" in schema:
        known = schema.get("examples", [{}])[0]
        return {
            field: known[field] if field in known and field not in KNOWN else _sample(inner, document, field)
            for field, inner in schema["properties"].items()
        }
    inner = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {"": {}}).values()))
    return {KEYS.get(name, "flow_m3_h"): _sample(inner, document, "")}


def _sample_number(schema: dict, _document: dict, _name: str) -> float:
    return schema["exclusiveMinimum"] + 1 if "exclusiveMinimum" in schema else max(schema.get("minimum", 0), 0)


_SAMPLES = {
    "object": _sample_object,
    "array": lambda schema, document, name: [_sample(schema["items"], document, name.removesuffix("s"))],
    "number": _sample_number,
    "integer": _sample_number,
    "boolean": lambda *_: False,
    "string": lambda *_: "text",
}


def _target(document: dict, reference: str) -> dict:
    node = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def _places(node: object, place: tuple = ()) -> Iterator[tuple]:
    """Every place of a document, itself included."""
    yield place
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, value in items:
        yield from _places(value, (*place, step))


def _replaced(document: object, place: tuple) -> object:
    if not place:
        return _HERE
    changed = copy.deepcopy(document)
    node = changed
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = _HERE
    return changed


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _value_at(document: object, place: tuple) -> object:
    for step in place:
        document = document[step]
    return document
