"""``.env.example`` names every setting of every service, with its default, and the composed platform is handed them."""

import importlib
import re
from pathlib import Path

from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[2]
EXAMPLE = dict(re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
FINE_TUNING = (ROOT / ".env.example").read_text("utf-8").partition("--- Fine tuning")[2]
#: Where there is no default, the example shows what a value looks like.
EXAMPLES_ONLY = {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "API_ALLOWED_ORIGINS", "SKAB_PATH"}
#: What containers do not need: they have servers, addresses and a log format of their own.
NOT_IN_CONTAINERS = {
    "FOREWARN_HOME",
    "FOREWARN_CACHE",
    "KAFKA_HEAP_MB",
    "DISK_BUDGET_GB",
    "KAFKA_BOOTSTRAP_SERVERS",
    "DATABASE_URL",
}
NOT_IN_CONTAINERS |= {"DISK_BUDGET_GB", "API_HOST", "DASHBOARD_HOST", "API_URL", "LOG_FORMAT"}


def _kinds(kind):
    for own in kind.__subclasses__():
        yield own
        yield from _kinds(own)


def _defaults():
    """Every default that a setting has in some service."""
    found = {}
    for kind in _kinds(BaseSettings):
        if kind.__module__.startswith("forewarn"):
            for name, field in kind.model_fields.items():
                found.setdefault(name.upper(), set()).add(_text(field.default))
    return found


def _text(default):
    if default is None or default is PydanticUndefined or default == ():
        return ""
    if hasattr(default, "get_secret_value"):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    return str(getattr(default, "value", default)).rstrip("/")


def test_every_setting_stands_in_the_example_with_its_default(subtests):
    for service in (ROOT / "services").iterdir():
        importlib.import_module(f"forewarn_{service.name}.settings")
    importlib.import_module("forewarn.runtime.provision")
    for name, of_services in _defaults().items():
        with subtests.test(name):
            assert name in EXAMPLE, f"{name} is not in .env.example"
            defaults = of_services - {""}
            if name not in EXAMPLES_ONLY:
                expected = defaults.pop() if len(defaults) == 1 else ""
                assert EXAMPLE[name] == expected, "several defaults: the comment names them"


def test_the_composed_platform_is_handed_every_setting_but_the_fine_tuning():
    files = [ROOT / "docker-compose.yml", *(ROOT / "infra/docker").glob("*.yml")]
    handed = {name for file in files for name in re.findall(r"\$\{(\w+)[:}]", file.read_text("utf-8"))}
    wanted = {name for name in EXAMPLE if f"#{name}=" not in FINE_TUNING} - NOT_IN_CONTAINERS
    assert wanted - handed == set()
