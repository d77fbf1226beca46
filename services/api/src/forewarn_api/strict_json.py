"""Reads request bodies strictly: ``true`` and ``"3"`` are no numbers, ``1`` is no truth value."""

import json
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema

BodyT = TypeVar("BodyT")


class _StrictJson:
    """Validates what FastAPI has parsed by the rules for JSON: ``true`` and ``"3"`` are no numbers."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401  # any type
        def validate(value: object, lenient: core_schema.ValidatorFunctionWrapHandler) -> object:
            if isinstance(value, bytes):  # the body does not say that it is JSON
                return lenient(value)
            # Written out again, as pydantic's strict Python mode would refuse the lists and times of JSON.
            return _adapter(source).validate_json(json.dumps(value), strict=True)

        return core_schema.no_info_wrap_validator_function(validate, handler(source))


@cache
def _adapter(source: Any) -> TypeAdapter[Any]:  # noqa: ANN401  # any type
    return TypeAdapter(source)


#: Body of a route, of the type in brackets.
FromJson = Annotated[BodyT, _StrictJson()]
