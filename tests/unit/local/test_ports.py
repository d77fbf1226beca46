"""Choice of ports."""

import socket

import pytest

from forewarn_local.errors import PortTakenError
from forewarn_local.ports import accepts, any_free, choose, is_free


@pytest.fixture
def listener():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def test_the_wanted_port_is_taken_when_it_is_free():
    port, notices = any_free(), []
    assert choose(port, what="x", notice=notices.append) == port
    assert notices == []


def test_the_next_free_port_is_taken_with_a_notice(listener):
    port, notices = listener.getsockname()[1], []
    chosen = choose(port, what="the API", notice=notices.append)
    assert chosen > port
    assert is_free(chosen)
    assert notices == [f"Port {port} is taken, so the API uses {chosen}."]


def test_a_promised_port_is_not_given_twice():
    port, taken = any_free(), set()
    first, second = (choose(port, what="x", taken=taken) for _ in range(2))
    assert first != second
    assert taken == {first, second}


def test_no_free_port_is_one_clear_message(monkeypatch):
    monkeypatch.setattr("forewarn_local.ports.is_free", lambda port, host: False)
    with pytest.raises(PortTakenError, match=r"No free port for Kafka from 9092 to 9141.*\.env"):
        choose(9092, what="Kafka")


def test_a_listening_port_accepts_and_a_free_one_does_not(listener):
    assert accepts(listener.getsockname()[1])
    assert not accepts(any_free())
