"""Strict validation of request bodies: ``true`` and ``"3"`` are not numbers, ``1`` is not a boolean."""

import json
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema

BodyT = TypeVar("BodyT")


class _StrictJson:
    """Validate strictly, as JSON, what FastAPI has parsed."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401  # any type
        def validate(value: object, lenient: core_schema.ValidatorFunctionWrapHandler) -> object:
            if isinstance(value, bytes):  # the body was not declared as JSON
                return lenient(value)
            # Encoded again because pydantic's strict Python mode refuses the lists and times of JSON.
            return _adapter(source).validate_json(json.dumps(value), strict=True)

        return core_schema.no_info_wrap_validator_function(validate, handler(source))


@cache
def _adapter(source: Any) -> TypeAdapter[Any]:  # noqa: ANN401  # any type
    return TypeAdapter(source)


#: Body of a route, validated strictly.
FromJson = Annotated[BodyT, _StrictJson()]
