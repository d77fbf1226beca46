"""Settings of the local platform: environment first, then ``.env``."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from forewarn_local.errors import PreflightError


class LocalSettings(BaseModel):
    """Settings of the ``forewarn`` command itself; services read and check their own."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kafka_bootstrap_servers: str | None = None
    kafka_heap_mb: int = Field(default=384, ge=128)
    database_url: str | None = None
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=1, le=65535)
    api_token: str | None = None
    dashboard_host: str = "127.0.0.1"
    dashboard_port: int = Field(default=8050, ge=1, le=65535)
    simulation_enabled: bool = True
    disk_budget_gb: float | None = Field(default=None, gt=0)
    disk_reserve_gb: float = Field(default=1.0, ge=0)


def user_environment(root: Path, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return ``.env`` overridden by the environment; empty values count as unset."""
    from_file = {key: value for key, value in dotenv_values(root / ".env").items() if value}
    from_process = {key: value for key, value in (os.environ if env is None else env).items() if value}
    return {**from_file, **from_process}


def load_settings(environment: Mapping[str, str]) -> LocalSettings:
    """Check the settings; raise PreflightError with a line for each wrong variable."""
    values = {name: environment[name.upper()] for name in LocalSettings.model_fields if name.upper() in environment}
    try:
        return LocalSettings.model_validate(values)
    except ValidationError as exc:
        wrong = (f"{str(error['loc'][0]).upper()}: {error['msg']}" for error in exc.errors())
        raise PreflightError("\n".join(wrong)) from exc


def reachable_host(host: str) -> str:
    """Return the address at which clients on this machine reach a server that listens on ``host``."""
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104  # compared, not bound
