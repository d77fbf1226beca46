"""Refuses unknown query parameters: a misspelt one would be silently ignored."""

from collections.abc import Collection, Mapping
from typing import Any

from fastapi import Request
from starlette.datastructures import QueryParams

from forewarn.contracts.answers.problems import Fault
from forewarn.usecases.errors import InvalidRequestError


async def known_parameters(request: Request) -> None:
    """Check a request's query against the OpenAPI document; raise like ``require_known``."""
    operations = request.app.openapi()["paths"][request.scope["route"].path_format]
    described = operations[request.method.lower()].get("parameters", [])
    schemas = {parameter["name"]: parameter["schema"] for parameter in described if parameter["in"] == "query"}
    often = [name for name in schemas if _is_list(schemas[name])]
    require_known(request.query_params, once=[name for name in schemas if name not in often], often=often)


def require_known(query: QueryParams, *, once: Collection[str], often: Collection[str]) -> None:
    """Raise ``InvalidRequestError`` for parameters that do not exist or are repeated without being lists."""
    twice = [name for name in once if len(query.getlist(name)) > 1]
    if twice:
        faults = [Fault(detail="is given more than once", parameter=f"query.{name}") for name in twice]
        raise InvalidRequestError("invalid-request", f"Give each parameter once: {', '.join(twice)}.", faults)
    known = [*once, *often]
    unknown = [name for name in query if name not in known]
    if unknown:
        there_are = f"there are {', '.join(known)}" if known else "there are none"
        faults = [Fault(detail=f"no such parameter: {there_are}", parameter=f"query.{name}") for name in unknown]
        names = ", ".join(dict.fromkeys(unknown))
        detail = f"The query has parameters that do not exist here: {names}."
        raise InvalidRequestError("unknown-parameter", detail, faults)


def _is_list(schema: Mapping[str, Any]) -> bool:
    return any(choice.get("type") == "array" for choice in schema.get("anyOf", [schema]))
