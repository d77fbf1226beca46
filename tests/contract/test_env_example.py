"""``.env.example`` against the settings of every service: all are there, none is left over, defaults are true."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from forewarn.runtime.provision import ProvisionSettings
from forewarn_alerting.settings import AlertingSettings
from forewarn_anomaly.settings import AnomalyServiceSettings
from forewarn_api.settings import ApiSettings
from forewarn_dashboard.settings import DashboardSettings
from forewarn_health.settings import HealthSettings
from forewarn_local.settings import LocalSettings
from forewarn_simulator.settings import SimulatorSettings
from forewarn_sink.settings import SinkSettings
from forewarn_twin.settings import TwinServiceSettings
from forewarn_validator.settings import ValidatorSettings

REPOSITORY = Path(__file__).parents[2]
SETTINGS: tuple[type[BaseModel], ...] = (
    AlertingSettings,
    AnomalyServiceSettings,
    ApiSettings,
    DashboardSettings,
    HealthSettings,
    LocalSettings,
    ProvisionSettings,
    SimulatorSettings,
    SinkSettings,
    TwinServiceSettings,
    ValidatorSettings,
)
#: Read before there are settings: where the local platform keeps things.
OF_MAKE_RUN = {"FOREWARN_HOME", "FOREWARN_CACHE"}
#: No default is right for these: the file shows an example.
EXAMPLES = {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "API_ALLOWED_ORIGINS"}

LINES = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (REPOSITORY / ".env.example").read_text(), re.MULTILINE))


def defaults_of(variable: str) -> list[object]:
    """Defaults that the services have for a variable; it may differ from one to the other."""
    fields = (kind.model_fields.get(variable.lower()) for kind in SETTINGS)
    return [field.default for field in fields if field is not None and field.default is not PydanticUndefined]


def is_shown_as(default: object, text: str) -> bool:
    """Whether a default is what the file shows."""
    if default is None or (isinstance(default, SecretStr) and not default.get_secret_value()):
        return text == ""
    if isinstance(default, bool):
        return text == str(default).lower()
    return float(text) == default if isinstance(default, int | float) else text == str(default).rstrip("/")


def test_every_setting_of_every_service_stands_in_the_example():
    settings = {name.upper() for kind in SETTINGS for name in kind.model_fields}
    assert set(LINES) == settings | OF_MAKE_RUN


@pytest.mark.parametrize("variable", sorted(set(LINES) - EXAMPLES - OF_MAKE_RUN))
def test_the_example_shows_a_default_of_a_service(variable):
    defaults = defaults_of(variable)
    assert any(is_shown_as(default, LINES[variable]) for default in defaults), defaults


@pytest.mark.parametrize("default", [1.5, 3, True, None, "x", SecretStr("")])
def test_another_value_is_noticed(default):
    assert not is_shown_as(default, "7")
