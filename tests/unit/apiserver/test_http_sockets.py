"""The server on real sockets: what clients can do to a connection."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from http_world import CONFIG_MAPS, config_map

from sim.apiserver.http.application import Application
from sim.apiserver.http.feed import Feed
from sim.apiserver.http.hosted import Hosted
from sim.apiserver.identity import ADMIN
from sim.apiserver.rest.rest import Rest
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.pump import Pump
from sim.streams import Streams

HEAD = b"host: test\r\nauthorization: Bearer t\r\n"


class Host:
    def __init__(self) -> None:
        loop = Loop()
        self.server = ApiServer(loop, Streams(1), Clock(loop))
        self.pump = Pump(loop)
        self.application = Application(Rest(self.server, {"t": ADMIN}), self.pump)
        self.hosted = Hosted(self.application, self.pump)

    def connect(self, receive_bytes: int = 0) -> socket.socket:
        connected = socket.socket()
        if receive_bytes:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connected.settimeout(10)
        connected.connect(("127.0.0.1", int(self.hosted.url.rpartition(":")[2])))
        return connected

    def said(self, *parts: bytes) -> bytes:
        """Everything that is answered until the server closes the connection."""
        with self.connect() as connected:
            for part in parts:
                connected.sendall(part)
            return read_all(connected)

    def create(self, name: str, **data: str) -> None:
        resource = self.server.resource("", "configmaps")
        self.hosted.call(self.server.create, ADMIN, resource, "default", config_map(name, **data))

    def watches(self) -> int:
        return len(self.server.registry.named("", "configmaps").table.streams)


def read_all(connected: socket.socket) -> bytes:
    text = b""
    while part := connected.recv(1 << 20):
        text += part
    return text


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    with host.hosted:
        yield host


def soon(condition: Callable[[], Any]) -> bool:
    for _ in range(1000):
        if condition():
            return True
        time.sleep(0.005)
    return False


def test_a_request_head_without_end_is_refused(host: Host) -> None:
    endless = b"GET /version HTTP/1.1\r\n" + HEAD + b"".join(b"x-%d: %s\r\n" % (n, b"y" * 1000) for n in range(1100))

    said = host.said(endless)

    assert said.startswith(b"HTTP/1.1 431 Request Header Fields Too Large")
    assert said.count(b"HTTP/1.1") == 1


def test_a_url_without_end_is_refused(host: Host) -> None:
    assert host.said(b"GET /" + b"x" * 1_100_000 + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 431")


def test_what_is_no_http_is_a_bad_request(host: Host) -> None:
    assert host.said(b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_requests_in_one_packet_are_answered_in_order(host: Host) -> None:
    host.create("a")
    get = b"GET " + CONFIG_MAPS.encode() + b"/%s HTTP/1.1\r\n" + HEAD

    said = host.said(get % b"a" + b"\r\n", get % b"b" + b"\r\n" + get % b"a" + b"connection: close\r\n\r\n")

    assert [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200"]


def test_a_body_is_waited_for_when_its_sender_asks_first(host: Host) -> None:
    body = json.dumps(config_map("a")).encode()
    head = b"POST " + CONFIG_MAPS.encode() + b" HTTP/1.1\r\n" + HEAD + b"expect: 100-continue\r\nconnection: close\r\n"
    with host.connect() as connected:
        connected.sendall(head + b"content-length: %d\r\n\r\n" % len(body))
        assert connected.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        connected.sendall(body)
        assert read_all(connected).startswith(b"HTTP/1.1 201")


def test_a_body_far_beyond_the_limit_is_answered_and_the_server_goes_on(host: Host) -> None:
    size = 10 * 1024 * 1024
    head = b"POST " + CONFIG_MAPS.encode() + b" HTTP/1.1\r\n" + HEAD + b"connection: close\r\n"

    said = host.said(head + b"content-length: %d\r\n\r\n" % size, b" " * size)

    assert said.startswith(b"HTTP/1.1 413")
    assert host.said(b"GET /version HTTP/1.1\r\n" + HEAD + b"connection: close\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_a_watcher_that_vanishes_is_forgotten(host: Host) -> None:
    watch = b"GET " + CONFIG_MAPS.encode() + b"?watch=1 HTTP/1.1\r\n" + HEAD + b"\r\n"
    opened = [host.connect() for _ in range(50)]
    for connected in opened:
        connected.sendall(watch)
    assert soon(lambda: host.watches() == 50)

    for connected in opened:
        connected.close()

    assert soon(lambda: host.watches() == 0)
    assert not host.application.feeds


def test_a_watcher_that_never_reads_is_cut_and_holds_nobody_up(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Feed.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(Feed.__init__.__kwdefaults__, "unread_lines", 20)
    watch = b"GET " + CONFIG_MAPS.encode() + b"?watch=1 HTTP/1.1\r\n" + HEAD + b"connection: close\r\n\r\n"
    with host.connect(receive_bytes=4096) as slow:
        slow.sendall(watch)
        assert soon(lambda: host.application.feeds)
        (feed,) = host.application.feeds
        for number in range(200):
            host.create(f"a{number}", k="x" * 100_000)
            if feed.cut:
                break
        assert feed.cut
        text = read_all(slow)

    last = json.loads(text.rstrip().splitlines()[-3])
    assert (last["type"], last["object"]["code"]) == ("ERROR", 410)
    assert soon(lambda: host.watches() == 0)


def test_the_server_stops_although_a_client_never_reads() -> None:
    host = Host()
    slow = host.hosted
    with slow:
        connected = host.connect(receive_bytes=4096)
        connected.sendall(b"GET " + CONFIG_MAPS.encode() + b"?watch=1 HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert soon(lambda: host.application.feeds)
        for number in range(100):
            host.create(f"a{number}", k="x" * 100_000)
    connected.close()


def test_a_request_without_a_body_that_should_have_one_is_a_bad_request(host: Host) -> None:
    head = b"POST " + CONFIG_MAPS.encode() + b" HTTP/1.1\r\n" + HEAD + b"connection: close\r\n\r\n"

    assert host.said(head).startswith(b"HTTP/1.1 400")


def test_a_head_request_has_no_body(host: Host) -> None:
    said = host.said(b"HEAD /version HTTP/1.1\r\n" + HEAD + b"connection: close\r\n\r\n")

    assert said.endswith(b"\r\n\r\n")
