"""Settings of the dashboard."""

from typing import Final

from pydantic import AnyHttpUrl, Field, SecretStr

from forewarn.domain.twin.settings import MIN_BASELINE
from forewarn.runtime.settings import ServiceSettings

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class DashboardSettings(ServiceSettings):
    """Settings of the dashboard."""

    dashboard_host: str = "127.0.0.1"
    dashboard_port: int = Field(default=8050, ge=0, le=65535)
    dashboard_allowed_hosts: str = Field(
        default="",
        description="Comma-separated host names that browsers may use; empty: any, and only loopback names while the "
        "dashboard listens on loopback.",
    )
    api_url: AnyHttpUrl = Field(default=AnyHttpUrl("http://127.0.0.1:8000"), description="Address of the API.")
    baseline_readings: int | None = Field(
        default=None, ge=MIN_BASELINE, description="As in the twin: healthy readings to learn from."
    )
    api_token: SecretStr | None = Field(default=None, description="Bearer token for the API.")

    @property
    def hosts(self) -> frozenset[str] | None:
        """Host names that requests may use; None for any. Loopback listeners answer to loopback names only."""
        named = frozenset(host.strip().lower() for host in self.dashboard_allowed_hosts.split(",") if host.strip())
        if named:
            return named | LOOPBACK
        return LOOPBACK if self.dashboard_host in LOOPBACK else None
