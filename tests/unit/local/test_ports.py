"""Choice of ports."""

import socket
import subprocess
import sys

import pytest

from forewarn_local.errors import PortTakenError, PreflightError
from forewarn_local.ports import PortLocks, accepts, any_free, choose, is_free


@pytest.fixture
def locks(tmp_path):
    made = PortLocks(tmp_path / "ports")
    yield made
    made.release()


@pytest.fixture
def listener():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def test_the_wanted_port_is_taken_when_it_is_free(locks):
    port, notices = any_free(), []
    assert choose(port, what="x", locks=locks, notice=notices.append) == port
    assert notices == []


def test_the_next_free_port_is_taken_with_a_notice(listener, locks):
    port, notices = listener.getsockname()[1], []
    chosen = choose(port, what="the API", locks=locks, notice=notices.append)
    assert chosen > port
    assert is_free(chosen)
    assert notices == [f"Port {port} is taken, so the API uses {chosen}."]


def test_a_locked_port_is_not_given_twice(locks):
    port = any_free()
    assert len({choose(port, what="x", locks=locks) for _ in range(2)}) == 2


def test_another_platform_of_the_user_does_not_get_a_locked_port_until_it_is_released(locks, tmp_path):
    port = choose(any_free(), what="x", locks=locks)
    code = f"from forewarn_local.ports import *; print(PortLocks(Path({str(tmp_path / 'ports')!r})).take({port}))"

    def elsewhere():
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert is_free(port), "nobody listens there yet"
    assert elsewhere() == "False"
    locks.release()
    assert elsewhere() == "True"


def test_a_cache_that_cannot_be_written_to_is_one_clear_message(tmp_path):
    (tmp_path / "ports").write_text("not a directory")
    with pytest.raises(PreflightError, match="Set FOREWARN_CACHE elsewhere"):
        PortLocks(tmp_path / "ports").take(9092)


def test_no_free_port_is_one_clear_message(monkeypatch, locks):
    monkeypatch.setattr("forewarn_local.ports.is_free", lambda port, host: False)
    with pytest.raises(PortTakenError, match=r"No free port for Kafka from 9092 to 9141.*\.env"):
        choose(9092, what="Kafka", locks=locks)


def test_a_listening_port_accepts_and_a_free_one_does_not(listener):
    assert accepts(listener.getsockname()[1])
    assert not accepts(any_free())
