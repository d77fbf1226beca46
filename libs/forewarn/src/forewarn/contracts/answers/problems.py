"""Errors as RFC 9457 problem details."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

MAX_ERRORS: Final = 20


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    detail: str
    pointer: str | None = Field(default=None, description="JSON Pointer into the body (RFC 6901), as a fragment.")
    parameter: str | None = Field(default=None, description="Where it is not the body: query.NAME, path.NAME, …")


class Problem(BaseModel):
    """A problem detail (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:forewarn:problem:unknown-asset"])
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: str = Field(description="Names this request: its id stands in the service's log.")
    errors: list[Fault] = Field(default_factory=list, description=f"Single faults, the first {MAX_ERRORS}.")
