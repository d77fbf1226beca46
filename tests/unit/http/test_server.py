"""What the HTTP server takes from clients before an application sees it, over real sockets."""

import contextlib
import time

import pytest
from prometheus_client import REGISTRY
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from support.raw_http import ask, opened, parsed, request, until_closed
from support.stack import wait_until

UPGRADE = (
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def upgrade(target="/", *headers):
    return request(target, *UPGRADE, *headers).replace(b"Connection: close", b"Connection: Upgrade")


def test_what_fits_is_served(port):
    assert ask(port, request()) == (200, "0")
    assert ask(port, request("/", "Content-Length: 5", method="POST") + b"12345") == (200, "5")
    chunked = request("/", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n0\r\nX-Trailer: y\r\n\r\n"
    assert ask(port, chunked) == (200, "3")
    assert ask(port, b"GET / HTTP/1.0\r\n\r\n") == (200, "0")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("/" + "a" * 1_001), 414),
        (request("/", *(f"X-{n}: y" for n in range(30))), 431),
        (request("/", *(f"X-{n}: {'y' * 500}" for n in range(10))), 431),
        (request("/", "X: " + "y" * 5_000), 431),
        (request("/")[:-2] + b"X: " + b"y" * 1_000_000, 431),
        (b"GET / HTTP/1.1\r\nHost: test\r\n" + b"x: y\r\n" * 100_000, 431),
        (b"\r\n" * 100_000, 431),
        (b"GET /" + b"a" * 1_000_000, 431),
        (request("/", "Transfer-Encoding: chunked", method="POST") + b"0\r\nX: " + b"y" * 1_000_000, 431),
        (request("/", "Transfer-Encoding: chunked", method="POST") + b"1;" + b"y" * 1_000_000, 431),
        (upgrade("/" + "a" * 1_001), 414),
        (upgrade("/", "X: " + "y" * 1_001), 431),
        (b"\x16\x03\x01 TLS to a port without", 400),
        (request("/", "Content-Length: 5", "Transfer-Encoding: chunked", method="POST"), 400),
    ],
    ids=lambda value: value if isinstance(value, int) else repr(value[:24]),
)
def test_what_is_too_long_is_refused_at_once(port, data, status):
    answered, problem = ask(port, data)
    assert (answered, problem["status"]) == (status, status)
    assert problem["type"].startswith("urn:forewarn:problem:")


@pytest.mark.parametrize(
    "host",
    ["Host: [", "Host:", "Host: " + "a" * 300, "Host: a b", "Host: a/b", "Host: [::1", "Host: a:port", None,
     "Host: one\r\nHost: two", "Host: \x80"],
)  # fmt: skip
def test_a_host_that_is_none_is_refused(port, host):
    status, problem = ask(port, request(host=host))
    assert (status, problem["type"]) == (400, "urn:forewarn:problem:bad-host")


@pytest.mark.parametrize("host", ["plant_a.example.org:8000", "127.0.0.1", "[::1]:8050", "API"])
def test_a_host_is_a_name_or_an_address(port, host):
    assert ask(port, request(host=f"Host: {host}")) == (200, "0")


def test_who_does_not_finish_its_headers_is_cut_off(port):
    with opened(port) as silent, opened(port) as half, opened(port) as again:
        half.sendall(b"GET / HTTP/1.1\r\nHost:")
        again.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        wait_until(lambda: again.recv(1_000), 20)
        again.sendall(b"G")
        assert until_closed(silent) == b""
        assert parsed(until_closed(half))[0] == 408
        assert parsed(until_closed(again))[0] == 408


def test_a_kept_connection_without_requests_is_closed(port):
    with opened(port) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert until_closed(line).endswith(b"0")


def test_a_body_that_stands_still_is_cut_off(port):
    with opened(port) as line:
        line.sendall(request("/", "Content-Length: 100", method="POST") + b"half")
        assert parsed(until_closed(line))[0] == 408


def test_a_newcomer_takes_the_place_of_the_longest_waiting(port, server):
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(opened(port)) for _ in range(10)]
        wait_until(lambda: len(server.server_state.connections) == 10, 20)
        begin_s = time.monotonic()
        assert ask(port, request())[0] == 200
        assert until_closed(lines[0]) == b""
        assert time.monotonic() - begin_s < 0.4
        lines[1].sendall(request())
        assert parsed(until_closed(lines[1]))[0] == 200


def test_beyond_the_bytes_of_all_bodies_the_stillest_gives_way(port):
    half = request("/", "Content-Length: 150000", method="POST") + bytes(140_000)
    with opened(port) as first, opened(port) as second:
        first.sendall(half)
        second.sendall(half)
        assert ask(port, request("/", "Content-Length: 100000", method="POST") + bytes(100_000)) == (200, "100000")
        status, problem = parsed(until_closed(first))
        assert (status, problem["type"]) == (503, "urn:forewarn:problem:too-many-bytes")
        second.sendall(bytes(10_000))
        assert parsed(until_closed(second)) == (200, "150000")


def test_who_does_not_read_its_answer_is_cut_off(port, server):
    with opened(port, receive_bytes=4_096) as http, opened(port, receive_bytes=4_096) as socket:
        http.sendall(request("/long"))
        socket.sendall(upgrade("/flood"))
        wait_until(lambda: len(server.server_state.connections) == 2, 20)
        wait_until(lambda: not server.server_state.connections, 20)


def test_beyond_the_bytes_of_all_answers_the_slowest_reader_is_cut_off(port, server):
    before = cut_off("answers-not-taken")
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            line = stack.enter_context(opened(port, receive_bytes=4_096))
            line.sendall(request("/long"))
        wait_until(lambda: cut_off("answers-not-taken") > before, 20)
        left = sum(connection.transport.get_write_buffer_size() for connection in list(server.server_state.connections))
        assert 0 < left <= server.server_state.limits.answers_bytes
        assert ask(port, request())[0] == 200


def cut_off(reason):
    return REGISTRY.get_sample_value("forewarn_http_cut_off_total", {"reason": reason}) or 0.0


def test_requests_sent_ahead_are_few(port, server):
    with opened(port) as line:
        line.sendall(b"GET /long HTTP/1.1\r\nHost: test\r\n\r\n" * 1_000)
        assert until_closed(line).count(b"HTTP/1.1 200") < 10
    with opened(port) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 2 + request())
        assert until_closed(line).count(b"HTTP/1.1 200") == 3


def test_an_answer_may_come_before_the_end_of_a_body(port):
    with opened(port) as line:
        line.sendall(request("/early", "Content-Length: 100000", method="POST").replace(b"close", b"keep-alive"))
        assert line.recv(1_000).startswith(b"HTTP/1.1 200")
        line.sendall(bytes(100_000) + request())
        assert parsed(until_closed(line))[0] == 200
    with opened(port) as line:
        line.sendall(request("/early", "Content-Length: 100000", method="POST").replace(b"close", b"keep-alive"))
        until_closed(line)


def test_websockets_are_few(port):
    url = f"ws://127.0.0.1:{port}/"
    with connect(url), connect(url):
        with pytest.raises(InvalidStatus) as refused:
            connect(url)
        assert refused.value.response.status_code == 503
        assert ask(port, request())[0] == 200
    wait_until(lambda: _opens(url), 20)


def _opens(url):
    with contextlib.suppress(InvalidStatus), connect(url):
        return True
    return False
