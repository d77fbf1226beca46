"""The API's documentation as one page without scripts and without the internet.

Plants are offline, and FastAPI's own pages load Swagger UI from a content delivery network. This one
is made from the OpenAPI document on the server.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

Json = Mapping[str, Any]

STYLE: Final = """
:root { color-scheme: light dark; --line: #8886; --quiet: #6b7280; --accent: #1d6f8c; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem; }
h1 { margin-bottom: 0; } h2 { border-bottom: 1px solid var(--line); margin-top: 2.5rem; text-transform: capitalize; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } summary code { font-weight: 600; }
.method { color: var(--accent); display: inline-block; font-weight: 700; width: 4.5rem; }
table { border-collapse: collapse; margin: .6rem 0; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .5rem .25rem 0; text-align: left; vertical-align: top; }
pre { background: #8881; border-radius: .4rem; overflow-x: auto; padding: .6rem; }
.quiet { color: var(--quiet); }
"""
_METHODS: Final = ("get", "post", "put", "patch", "delete")


def render(document: Json) -> str:
    """HTML of an OpenAPI document; every text of it is escaped."""
    info = document["info"]
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                tag = operation.get("tags", ["other"])[0]
                groups.setdefault(tag, []).append("".join(_operation(path, method, operation)))
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(items)}" for tag, items in groups.items())
    schemas = "".join(
        f"<details id='{escape(name)}'><summary><code>{escape(name)}</code></summary>"
        f"<p>{escape(schema.get('description', ''))}</p>{_pre(schema)}</details>"
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title>"
        '<link rel="stylesheet" href="docs/style.css"></head><body><main>'
        f"<h1>{escape(info['title'])}</h1><p class='quiet'>Version {escape(info['version'])} · "
        '<a href="openapi.json">OpenAPI document</a></p>'
        f"{_paragraphs(info.get('description', ''))}{sections}<h2>Schemas</h2>{schemas}</main></body></html>"
    )


def _operation(path: str, method: str, operation: Json) -> Iterator[str]:
    yield (
        f"<details><summary><span class='method'>{method.upper()}</span><code>{escape(path)}</code> "
        f"<span class='quiet'>{escape(operation.get('summary', ''))}</span></summary>"
        f"{_paragraphs(operation.get('description', ''))}"
    )
    parameters = operation.get("parameters", [])
    if parameters:
        yield "<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead><tbody>"
        for parameter in parameters:
            schema = parameter.get("schema", {})
            default = f" Default: {schema['default']}." if "default" in schema else ""
            yield (
                f"<tr><td><code>{escape(parameter['name'])}</code>{' *' if parameter.get('required') else ''}</td>"
                f"<td>{escape(parameter['in'])}</td><td>{escape(_type(schema))}</td>"
                f"<td>{escape(parameter.get('description', '') + default)}</td></tr>"
            )
        yield "</tbody></table>"
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>Body: <code>{escape(media_type)}</code>, {_link(content.get('schema', {}))}</p>"
        for example in content.get("examples", {}).values():
            yield f"<p class='quiet'>{escape(example.get('summary', 'Example'))}</p>{_pre(example['value'])}"
    yield "<table><thead><tr><th>Answer</th><th>Meaning</th><th>Body</th></tr></thead><tbody>"
    for status, response in sorted(operation.get("responses", {}).items()):
        bodies = ", ".join(_link(content.get("schema", {})) for content in response.get("content", {}).values())
        yield f"<tr><td>{escape(status)}</td><td>{escape(response.get('description', ''))}</td><td>{bodies}</td></tr>"
    yield "</tbody></table></details>"


def _type(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_type(option) for option in schema[key] if option.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "any"))


def _link(schema: Json) -> str:
    name = escape(_type(schema))
    return f"<a href='#{name}'>{name}</a>" if "$ref" in schema else name


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part.strip())}</p>" for part in text.split("\n\n") if part.strip())


def _pre(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
