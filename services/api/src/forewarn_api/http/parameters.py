"""Refuses query parameters that a route does not have: a misspelt one would be passed over in silence."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from forewarn.contracts.answers.problems import Fault
from forewarn_api.problems import unprocessable


async def known_parameters(request: Request) -> None:
    """Compare the request's query with what the OpenAPI document says of its route.

    Raises
    ------
    ProblemError
        422 with every parameter that does not exist, and those that do, or that is given twice where only one counts.
    """
    operations = request.app.openapi()["paths"][request.scope["route"].path_format]
    described = operations[request.method.lower()].get("parameters", [])
    schemas = {parameter["name"]: parameter["schema"] for parameter in described if parameter["in"] == "query"}
    known = list(schemas)
    twice = [name for name in known if len(request.query_params.getlist(name)) > 1 and not _is_list(schemas[name])]
    if twice:
        faults = [Fault(detail="is given more than once", parameter=f"query.{name}") for name in twice]
        raise unprocessable("invalid-request", f"Give each parameter once: {', '.join(twice)}.", faults)
    unknown = [name for name in request.query_params if name not in known]
    if not unknown:
        return
    there_are = f"there are {', '.join(known)}" if known else "there are none"
    faults = [Fault(detail=f"no such parameter: {there_are}", parameter=f"query.{name}") for name in unknown]
    names = ", ".join(dict.fromkeys(unknown))
    raise unprocessable("unknown-parameter", f"The query has parameters that do not exist here: {names}.", faults)


def _is_list(schema: Mapping[str, Any]) -> bool:
    return any(choice.get("type") == "array" for choice in schema.get("anyOf", [schema]))
