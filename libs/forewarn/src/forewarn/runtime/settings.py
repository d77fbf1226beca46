"""Settings that services share, read from the environment or ``.env``, typed and checked at start."""

from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as SourceError

from forewarn.adapters.disk import DiskSpace

#: Secrets of the examples: anyone can read them, so only the demo may use them.
SAMPLE_SECRETS: Final = frozenset({"", "changeme", "change-me", "forewarn", "secret", "password", "sample", "demo"})


class Environment(StrEnum):
    """Where the service runs; sample secrets are refused outside the demo."""

    DEMO = "demo"
    PRODUCTION = "production"


class SettingsError(Exception):
    """Settings are missing or wrong; the message names each variable and the remedy."""


class ServiceSettings(BaseSettings):
    """Settings of any service."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, env_ignore_empty=True
    )

    forewarn_env: Environment = Environment.PRODUCTION
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "json"
    probe_host: str = "127.0.0.1"
    probe_port: int = Field(default=0, ge=0, le=65535, description="0 picks a free port.")
    service_instance: str = Field(
        default="", description="Stable name of this replica; restarts under the same name rejoin at once."
    )
    catalogue_path: Path | None = Field(default=None, description="Directory of additional asset classes.")

    @model_validator(mode="after")
    def _secrets_are_real(self) -> Self:
        if self.forewarn_env is Environment.DEMO:
            return self
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr) and value.get_secret_value().lower() in SAMPLE_SECRETS:
                msg = f"{name.upper()} is a sample or empty secret: set a real one (or FOREWARN_ENV=demo for a demo)"
                raise ValueError(msg)
        return self


class KafkaSettings(ServiceSettings):
    """Settings of a service that talks to Kafka."""

    kafka_bootstrap_servers: str = Field(description="host:port[,host:port]")
    kafka_topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._\-]{0,64}$")


class DiskSettings(KafkaSettings):
    """Settings of a service that sends readings, and stops while the disk is full."""

    disk_path: Path | None = Field(
        default=None, description="A directory on the disk of broker and database; unset: the disk is not watched."
    )
    disk_reserve_gb: float = Field(
        default=1.0, ge=0, description="Free space below which no new readings are taken [GB]."
    )

    @field_validator("disk_path")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_dir():
            msg = f"there is no directory {path}"
            raise ValueError(msg)
        return path

    def disk(self) -> DiskSpace | None:
        """Return the disk to watch."""
        return None if self.disk_path is None else DiskSpace(path=self.disk_path, reserve_gb=self.disk_reserve_gb)


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load_settings(kind: type[SettingsT]) -> SettingsT:
    """Read settings from environment and ``.env``.

    Raises ``SettingsError``, with a line for each variable that is missing or wrong.
    """
    try:
        return kind()
    except ValidationError as exc:
        raise SettingsError("\n".join(_explain(kind, error["loc"], error["msg"]) for error in exc.errors())) from exc
    except SourceError as exc:  # a list or an object that is not JSON; the error only names the field
        raise SettingsError(_explain(kind, (_field_in(kind, str(exc)),), 'is not JSON such as ["a", "b"]')) from exc


def _field_in(kind: type[BaseSettings], problem: str) -> str:
    return next((name for name in kind.model_fields if f'"{name}"' in problem), problem)


def _explain(kind: type[BaseSettings], location: tuple[int | str, ...], problem: str) -> str:
    problem = problem.removeprefix("Value error, ")
    if not location:
        return problem
    name = str(location[0])
    field = kind.model_fields.get(name)
    hint = f" ({field.description})" if field is not None and field.description else ""
    return f"{name.upper()}{hint}: {problem}"
