"""The table of service processes and their environment."""

from collections.abc import Mapping
from dataclasses import dataclass

FIRST_PROBE_PORT = 8101


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """One service process; services start in the order of :data:`SERVICES`."""

    name: str
    needs_database: bool = False
    probe_port: int

    @property
    def module(self) -> str:
        """Return the main module."""
        return f"forewarn_{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The addresses of one run."""

    kafka: str
    database: str
    api_host: str
    api_port: int
    dashboard_host: str
    dashboard_port: int
    api_url: str
    dashboard_url: str


_ORDER = (  # downstream first, so that all are listening when the first readings come
    ("sink", True),
    ("api", True),
    ("dashboard", False),
    ("alerting", False),
    ("health", False),
    ("anomaly", False),
    ("twin", False),
    ("validator", False),
    ("simulator", False),
)
SERVICES = tuple(
    ServicePlan(name=name, needs_database=needs_database, probe_port=FIRST_PROBE_PORT + index)
    for index, (name, needs_database) in enumerate(_ORDER)
)

# Nine processes share the machine: no thread pools of numerical libraries, no glibc arena per thread.
_FRUGAL = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
_DEFAULTS = {"FOREWARN_ENV": "demo", "LOG_LEVEL": "INFO", "LOG_FORMAT": "console", "PYTHONUNBUFFERED": "1"}


def base_environment(user: Mapping[str, str], addresses: Addresses) -> dict[str, str]:
    """Return the environment of every process, provisioning included; without the database."""
    kept = {key: value for key, value in user.items() if key != "DATABASE_URL"}
    return {
        **_DEFAULTS,
        **kept,
        **_FRUGAL,
        "KAFKA_BOOTSTRAP_SERVERS": addresses.kafka,
        "API_HOST": addresses.api_host,
        "API_PORT": str(addresses.api_port),
        "API_URL": addresses.api_url,
        "DASHBOARD_HOST": addresses.dashboard_host,
        "DASHBOARD_PORT": str(addresses.dashboard_port),
    }


def service_environment(
    service: ServicePlan, user: Mapping[str, str], addresses: Addresses, probe_port: int
) -> dict[str, str]:
    """Return the environment of one service; only services that use the database get its URL."""
    environment = base_environment(user, addresses)
    environment |= {"PROBE_PORT": str(probe_port), "SERVICE_INSTANCE": f"{service.name}-1"}
    if service.needs_database:
        environment["DATABASE_URL"] = addresses.database
    return environment
