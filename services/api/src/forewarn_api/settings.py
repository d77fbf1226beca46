"""Settings of the API."""

from typing import Final, Self

from pydantic import Field, PostgresDsn, SecretStr, field_validator, model_validator

from forewarn.contracts.limits import MAX_LIVE_ASSETS
from forewarn.runtime.settings import DiskSettings, Environment

_TOKEN_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SHORTEST_TOKEN: Final = 16


class ApiSettings(DiskSettings):
    """Settings of the API."""

    database_url: PostgresDsn = Field(description="postgresql://user:password@host:port/database")
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=0, le=65535, description="0 picks a free port.")
    api_token: SecretStr = Field(
        default=SecretStr(""), description="Bearer token that clients must send; empty: the demo's API is open."
    )
    api_allowed_origins: tuple[str, ...] = Field(
        default=(), description='Origins of web pages that may use the API, e.g. ["https://plant.example.org"].'
    )
    api_max_subscribers: int = Field(default=200, ge=1, le=10_000, description="Most WebSocket clients at a time.")
    api_delivery_timeout_s: float = Field(
        default=8.0, ge=1, le=120, description="How long the broker may take to confirm what was sent."
    )
    api_max_under_way: int = Field(
        default=50_000, ge=5_000, le=1_000_000, description="Most readings that wait for the broker at a time."
    )
    api_max_assets: int = Field(
        default=MAX_LIVE_ASSETS,
        ge=1,
        le=MAX_LIVE_ASSETS,
        description="Most registered assets; further ones are refused.",
    )
    physics_strict_mode: bool = Field(
        default=False, description="As in the validator: dry runs reject readings that would pass with warnings."
    )

    @field_validator("api_token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr) -> SecretStr:
        if not set(token.get_secret_value()) <= _TOKEN_CHARACTERS:
            msg = "use letters, digits and - . _ ~ only: the token travels in headers"
            raise ValueError(msg)
        return token

    @model_validator(mode="after")
    def _token_is_long_enough(self) -> Self:
        if self.forewarn_env is Environment.PRODUCTION and len(self.api_token.get_secret_value()) < _SHORTEST_TOKEN:
            msg = f"API_TOKEN needs at least {_SHORTEST_TOKEN} characters (or FOREWARN_ENV=demo for a demo)"
            raise ValueError(msg)
        return self
