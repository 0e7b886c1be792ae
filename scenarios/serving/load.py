"""A load generator: a process of its own that asks a server as fast as it answers, over a few connections.

It speaks just enough HTTP that the server, and not the generator, is what is measured.
"""

import asyncio
import json
import sys
import time

import uvloop

WIDGETS = "/apis/bench.example.com/v1/namespaces/default/widgets"
KINDS = ("get", "create", "patch", "list")
_CONNECTIONS = 8
_HEAD = "host: bench\r\nauthorization: Bearer {token}\r\naccept: application/json\r\nuser-agent: load\r\n"


def widget(name: str) -> dict[str, object]:
    """A small custom object."""
    return {
        "apiVersion": "bench.example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "bench"}},
        "spec": {"image": "registry.local/bench:1.0", "size": 3, "note": "x" * 100},
    }


def _request(kind: str, token: str, number: int) -> bytes:
    head = _HEAD.format(token=token)
    if kind == "get":
        return f"GET {WIDGETS}/w-0 HTTP/1.1\r\n{head}\r\n".encode()
    if kind == "list":
        return f"GET {WIDGETS} HTTP/1.1\r\n{head}\r\n".encode()
    if kind == "create":
        body, line, media = widget(f"new-{number}"), f"POST {WIDGETS}", "application/json"
    else:
        body, line = {"status": {"seen": number}}, f"PATCH {WIDGETS}/w-{number % 64}/status"
        media = "application/merge-patch+json"
    data = json.dumps(body).encode()
    return f"{line} HTTP/1.1\r\n{head}content-type: {media}\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data


async def _connection(port: int, kind: str, token: str, numbers: range) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    for number in numbers:
        writer.write(_request(kind, token, number))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        at = head.index(b"content-length: ") + 16
        body = await reader.readexactly(int(head[at : head.index(b"\r", at)]))
        if not head.startswith(b"http/1.1 20"):
            raise SystemExit(f"answered {head[:40]!r} {body[:200]!r}")
    writer.close()


async def generate(port: int, kind: str, token: str, requests: int) -> float:
    """Requests per second."""
    began = time.perf_counter()
    shares = [range(first, requests, _CONNECTIONS) for first in range(_CONNECTIONS)]
    await asyncio.gather(*(_connection(port, kind, token, share) for share in shares))
    return requests / (time.perf_counter() - began)


if __name__ == "__main__":
    print(uvloop.run(generate(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))))
