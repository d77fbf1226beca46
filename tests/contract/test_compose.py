"""The rules for containers, checked on the files themselves: no engine is needed."""

import copy
import re
from pathlib import Path

import pytest
import yaml

from forewarn.contracts.limits import MEMORY_CEILING_MIB

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "infra/docker/service.Dockerfile").read_text(encoding="utf-8")
OUR_DOCKERFILE = "infra/docker/service.Dockerfile"
ONE_SHOTS = {"provision"}
PUBLISHED = {"api", "dashboard"}


def _load(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


COMPOSE = _load("docker-compose.yml")
OVERRIDES = {path.name: _load(f"infra/docker/{path.name}") for path in (ROOT / "infra/docker").glob("*.yml")}


def problems(compose):
    """Every rule that a compose file breaks."""
    found = []
    for name, service in compose["services"].items():
        found += [f"{name}: {problem}" for problem in _service_problems(name, service)]
    if not compose["networks"]["backend"].get("internal"):
        found.append("network backend: not internal")
    return found


def _service_problems(name, service):
    if str(service.get("user", "root")).split(":")[0] in ("root", "0"):
        yield "runs as root"
    if service.get("read_only") is not True:
        yield "root file system can be written"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add") or service.get("privileged"):
        yield "keeps capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "may gain privileges"
    if not service.get("mem_limit") or not service.get("pids_limit"):
        yield "has no limit of memory or processes"
    if name not in ONE_SHOTS and service.get("restart") != "unless-stopped":
        yield "is not restarted"
    if "logging" not in service:
        yield "has unbounded logs"
    yield from _image_problems(service)
    yield from _network_problems(name, service)
    if any("docker.sock" in str(volume) for volume in service.get("volumes", [])):
        yield "mounts the engine's socket"


def _image_problems(service):
    tag = service["image"].rpartition(":")[2]
    if ":" not in service["image"] or "latest" in tag:
        yield "has an image without a fixed tag"
    ours = service.get("build", {}).get("dockerfile") == OUR_DOCKERFILE
    if not ours and not service.get("healthcheck", {}).get("test"):
        yield "has no healthcheck"
    if ours and not service["build"].get("args", {}).get("SERVICE"):
        yield "does not say which service to build"


def _network_problems(name, service):
    networks = set(service.get("networks", []))
    if service.get("network_mode") or not networks:
        yield "is on the default network"
    if name in PUBLISHED:
        if any("127.0.0.1" not in port for port in service["ports"]):
            yield "is published to the world by default"
    elif service.get("ports") or networks != {"backend"}:
        yield "can be reached from outside"


def test_the_compose_file_keeps_the_rules():
    assert problems(COMPOSE) == []


BAD = {
    "user": ("root", "runs as root"),
    "read_only": (False, "root file system can be written"),
    "cap_drop": ([], "keeps capabilities"),
    "cap_add": (["NET_ADMIN"], "keeps capabilities"),
    "privileged": (True, "keeps capabilities"),
    "security_opt": ([], "may gain privileges"),
    "mem_limit": (None, "has no limit"),
    "pids_limit": (None, "has no limit"),
    "restart": ("no", "is not restarted"),
    "image": ("forewarn-twin:latest", "without a fixed tag"),
    "networks": (["backend", "edge"], "can be reached from outside"),
    "ports": (["8080:8080"], "can be reached from outside"),
    "network_mode": ("host", "default network"),
    "volumes": (["/var/run/docker.sock:/var/run/docker.sock"], "engine's socket"),
    "build": ({"dockerfile": OUR_DOCKERFILE}, "which service to build"),
}


@pytest.mark.parametrize(("setting", "value", "complaint"), [(k, *v) for k, v in BAD.items()], ids=BAD)
def test_a_broken_rule_is_found(setting, value, complaint):
    bad = copy.deepcopy(COMPOSE)
    bad["services"]["twin"] = {**bad["services"]["twin"], setting: value}
    assert any(p.startswith("twin: ") and complaint in p for p in problems(bad)), problems(bad)


def test_a_missing_healthcheck_is_found():
    bad = copy.deepcopy(COMPOSE)
    del bad["services"]["kafka"]["healthcheck"]
    assert problems(bad) == ["kafka: has no healthcheck"]


def test_every_service_of_the_repository_is_composed():
    built = {service["build"]["args"]["SERVICE"] for service in COMPOSE["services"].values() if "build" in service}
    assert built == {path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").exists()}


def test_memory_limits_are_the_ceilings_that_services_are_tested_against():
    limits = {name: _mib(COMPOSE["services"][name]["mem_limit"]) for name in MEMORY_CEILING_MIB}
    assert limits == dict(MEMORY_CEILING_MIB)


def test_logs_and_write_ahead_log_of_every_container_are_bounded():
    for name, service in COMPOSE["services"].items():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name
    assert "max_wal_size=1GB" in COMPOSE["services"]["database"]["command"]


def _mib(limit):
    return int(limit[:-1]) * {"m": 1, "g": 1024}[limit[-1]]


def test_services_wait_for_topics_and_tables():
    for name, service in COMPOSE["services"].items():
        if "build" in service and name not in ONE_SHOTS:
            assert service["depends_on"]["provision"] == {"condition": "service_completed_successfully"}, name
    assert {c["condition"] for c in COMPOSE["services"]["provision"]["depends_on"].values()} == {"service_healthy"}


def test_the_image_recipe_keeps_the_rules():
    final = DOCKERFILE.rpartition("FROM ")[2]
    assert "USER 10001:10001" in final
    assert "HEALTHCHECK" in final
    assert "uv sync --frozen" in DOCKERFILE
    assert "COPY . " not in DOCKERFILE
    assert not re.search(r"^FROM .*:latest|# syntax=", DOCKERFILE, re.MULTILINE)


def test_overrides_name_existing_services_only():
    assert OVERRIDES
    for name, override in OVERRIDES.items():
        assert set(override["services"]) <= set(COMPOSE["services"]), name


def test_production_insists_on_every_secret():
    text = (ROOT / "infra/docker/production.yml").read_text(encoding="utf-8")
    secrets = set(re.findall(r"\$\{(\w*(?:PASSWORD|TOKEN)):-", (ROOT / "docker-compose.yml").read_text("utf-8")))
    assert secrets == {"POSTGRES_PASSWORD", "SINK_DB_PASSWORD", "API_DB_PASSWORD", "API_TOKEN"}
    assert set(re.findall(r"\$\{(\w+):\?", text)) == secrets


def test_production_leaves_no_service_in_demo():
    production = OVERRIDES["production.yml"]["services"]
    ours = {name for name, service in COMPOSE["services"].items() if "build" in service}
    assert {n for n, s in production.items() if s["environment"].get("FOREWARN_ENV") == "production"} == ours
