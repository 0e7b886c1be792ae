"""A served cluster to be treated badly, and a way to send it what no client library would."""

import asyncio
import socket
from dataclasses import dataclass

import httpx

from scenarios.serving.fixture import KubernetesServer

PATIENCE_S = 20
_LOOKS = 2_000  # between the departure of a client and the moment the server knows


@dataclass(frozen=True)
class Answer:
    """What came back; ``code`` is 0 when the connection was closed without a word."""

    code: int
    body: bytes


class Victim:
    """``client`` is an administrator's; ``raw`` sends bytes and reads until the server has no more to say."""

    def __init__(self, server: KubernetesServer, client: httpx.Client) -> None:
        self.server = server
        self.client = client
        self.address = server.url.rpartition("/")[2].split(":")

    def connect(self) -> socket.socket:
        return socket.create_connection((self.address[0], int(self.address[1])), timeout=PATIENCE_S)

    def raw(self, sent: bytes) -> Answer:
        with self.connect() as connection:
            received = bytearray()
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    received += part
            except OSError:
                pass  # the server may leave in the middle of a sentence
        head, _, body = bytes(received).partition(b"\r\n\r\n")
        return Answer(int(head.split(b" ")[1]) if head.startswith(b"HTTP/") else 0, body)

    def ask(self, method: str, path: str, body: bytes = b"", headers: str = "") -> Answer:
        """One request whose path stays as it is written."""
        length = f"content-length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{self._credentials}{length}{headers}\r\n"
        return self.raw(head.encode("latin-1") + body)

    @property
    def _credentials(self) -> str:
        return f"authorization: Bearer {self.server.token}\r\n"

    def tasks(self) -> int:
        """How many the server's loop has, but for the one that counts."""
        return self.server.call(lambda: len(asyncio.all_tasks()) - 1)

    def settle(self, tasks: int) -> int:
        """The number of tasks when it has fallen to ``tasks``, or does not."""
        for _ in range(_LOOKS):
            if (found := self.tasks()) <= tasks:
                return found
        return found

    def well(self) -> bool:
        """Whether it still does what it is there for."""
        created = self.client.post("/api/v1/namespaces/default/configmaps", json={"metadata": {"generateName": "x-"}})
        gone = self.client.delete(f"/api/v1/namespaces/default/configmaps/{created.json()['metadata']['name']}")
        return (created.status_code, gone.status_code) == (201, 200)
