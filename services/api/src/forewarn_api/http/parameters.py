"""Refuses query parameters that a route does not have: a misspelt one would be passed over in silence."""

from fastapi import Request

from forewarn_api.problems import Fault, unprocessable


async def known_parameters(request: Request) -> None:
    """Compare the request's query with what the OpenAPI document says of its route.

    Raises
    ------
    ProblemError
        422 with every parameter that does not exist, and those that do.
    """
    operations = request.app.openapi()["paths"][request.scope["route"].path_format]
    described = operations[request.method.lower()].get("parameters", [])
    known = [parameter["name"] for parameter in described if parameter["in"] == "query"]
    unknown = [name for name in request.query_params if name not in known]
    if not unknown:
        return
    there_are = f"there are {', '.join(known)}" if known else "there are none"
    faults = [Fault(detail=f"no such parameter: {there_are}", parameter=f"query.{name}") for name in unknown]
    names = ", ".join(dict.fromkeys(unknown))
    raise unprocessable("unknown-parameter", f"The query has parameters that do not exist here: {names}.", faults)
