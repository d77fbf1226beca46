"""What supervisord and each process are reported."""

import configparser
import contextlib
import json
import signal
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from forewarn_local.home import Home, find_home
from forewarn_local.plan import SERVICES, Addresses, base_environment, service_environment
from forewarn_local.processes import Program, render_config, write_spec

ADDRESSES = Addresses(
    kafka="127.0.0.1:9092",
    database="postgresql://forewarn:pw@127.0.0.1:5432/forewarn",
    api_host="0.0.0.0",
    api_port=8000,
    dashboard_host="127.0.0.1",
    dashboard_port=8050,
    api_url="http://127.0.0.1:8000",
    dashboard_url="http://127.0.0.1:8050",
)


@pytest.fixture
def home(tmp_path):
    directory = tmp_path / "a 100% odd; path"
    one = Home(root=directory, path=directory / ".forewarn")
    one.make()
    return one


def _program(name, **options):
    return Program(name=name, command=["/bin/true"], environment={"A": "100%"}, cwd=Path("/"), **options)


def _options(config, home):
    path = home.run / "supervisord.conf"
    path.write_text(config)
    options = ServerOptions()
    with contextlib.chdir(home.path):
        options.realize(["-c", str(path), "-n"])
    return options


def test_services_stop_together_and_before_the_servers(home):
    programs = [
        _program("kafka", is_service=False),
        _program("postgres", is_service=False, stop_signal=signal.SIGINT),
        _program("twin"),
        _program("sink"),
    ]
    groups = sorted(_options(render_config(programs, home), home).process_group_configs)
    assert [group.name for group in groups] == ["kafka", "postgres", "services"]
    services = {process.name: process for process in groups[-1].process_configs}
    assert set(services) == {"twin", "sink"}
    twin, postgres = services["twin"], groups[1].process_configs[0]
    assert (twin.stopsignal, twin.stopwaitsecs, twin.stopasgroup) == (signal.SIGTERM, 15, True)
    assert (postgres.stopsignal, postgres.stopasgroup) == (signal.SIGINT, False)
    assert not twin.autostart


def test_paths_with_spaces_and_percent_signs_survive(home):
    program = _program("twin")
    [group] = _options(render_config([program], home), home).process_group_configs
    [process] = group.process_configs
    assert str(home.specs / "twin.json") in process.command
    assert process.stdout_logfile == "logs/twin.log"
    assert process.redirect_stderr


def test_logs_are_rotated(home):
    parser = configparser.RawConfigParser()
    parser.read_string(render_config([_program("twin")], home))
    section = parser["program:twin"]
    assert (section["stdout_logfile_maxbytes"], section["stdout_logfile_backups"]) == ("5MB", "2")


def test_a_spec_holds_secrets_and_is_for_its_owner_only(home):
    path = write_spec(_program("twin"), home)
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())["environment"] == {"A": "100%"}


def test_the_database_is_told_only_to_those_that_use_it():
    reported = {
        service.name
        for service in SERVICES
        if "DATABASE_URL" in service_environment(service, {"DATABASE_URL": "user's"}, ADDRESSES, 1)
    }
    assert reported == {"sink", "api"}
    assert "DATABASE_URL" not in base_environment({"DATABASE_URL": "user's"}, ADDRESSES)


def test_a_service_gets_a_stable_name_its_probe_and_the_users_settings():
    environment = service_environment(
        SERVICES[0], {"PHYSICS_STRICT_MODE": "true", "LOG_LEVEL": "DEBUG"}, ADDRESSES, 8123
    )
    assert environment["SERVICE_INSTANCE"] == "sink-1"
    assert environment["PROBE_PORT"] == "8123"
    assert environment["LOG_LEVEL"] == "DEBUG"
    assert environment["FOREWARN_ENV"] == "demo"
    assert environment["PHYSICS_STRICT_MODE"] == "true"
    assert environment["OMP_NUM_THREADS"] == "1"


def test_every_service_has_a_name_and_a_probe_port_of_its_own():
    assert len({service.name for service in SERVICES}) == len({service.probe_port for service in SERVICES}) == 9


def test_the_database_password_is_made_once_and_kept_private(home):
    first = home.database_password()
    assert home.database_password() == first
    assert len(first) >= 24
    assert (home.path / "secrets.env").stat().st_mode & 0o077 == 0


def test_the_home_is_in_the_repository_wherever_the_command_is_run(tmp_path):
    (tmp_path / "uv.lock").touch()
    below = tmp_path / "services" / "twin"
    below.mkdir(parents=True)
    assert find_home({}, below).path == tmp_path / ".forewarn"
    assert find_home({"FOREWARN_HOME": str(tmp_path / "x")}, below).path == tmp_path / "x"


def test_a_socket_path_that_is_too_long_for_the_kernel_moves(tmp_path):
    deep = tmp_path.joinpath(*["directory"] * 15)
    assert len(str(Home(root=deep, path=deep).socket)) < 100
