"""Calls over the network of this machine, to listeners that the tests start."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sim.apiserver.admission.webhookcalls import make
from sim.apiserver.admission.webhookreplies import Call, Reply
from sim.apiserver.http.certificates import Authority

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handler: Handler, folder: Path, authority: Authority | None) -> AsyncIterator[int]:
    context = None
    if authority is not None:
        pair = authority.server("127.0.0.1")
        (folder / "c.pem").write_bytes(pair.certificate + pair.key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "c.pem")
    ended: list[asyncio.Task[None]] = []

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        ended.append(task)
        try:
            await handler(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(tracked, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*ended, return_exceptions=True)
        await asyncio.sleep(0.01)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
    body = await reader.readexactly(length)
    answer = json.dumps({"line": head.partition("\r\n")[0], "body": body.decode()}).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(answer), answer))
    await writer.drain()
    await reader.read()


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


def called(handler: Handler, folder: Path, *, scheme: str, trusted: bool = True, timeout_s: float = 2) -> Reply:
    async def run() -> Reply:
        authority = Authority()
        async with listening(handler, folder, authority if scheme == "https" else None) as port:
            ca = authority.pem.decode() if trusted else Authority().pem.decode()
            url = f"{'https' if scheme != 'http' else 'http'}://127.0.0.1:{port}/x?timeout=2s"
            return await make(Call(url, b'{"a":1}', timeout_s, ca, ""))  # type: ignore[arg-type]

    return asyncio.run(run())


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_webhook_gets_the_review_and_its_answer_comes_back(scheme: str, tmp_path: Path) -> None:
    reply = called(echo, tmp_path, scheme=scheme)
    assert (reply.status, reply.failure) == (200, "")
    assert json.loads(reply.body) == {"line": "POST /x?timeout=2s HTTP/1.1", "body": '{"a":1}'}


def test_a_certificate_of_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    reply = called(echo, tmp_path, scheme="https", trusted=False)
    assert reply.failure == "tls: failed to verify certificate: x509: certificate signed by unknown authority"


def test_a_silent_webhook_is_given_up(tmp_path: Path) -> None:
    assert called(silence, tmp_path, scheme="http", timeout_s=0.05).failure == "context deadline exceeded"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: \xb2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n",
    ],
    ids=["a length in superscript", "an endless length", "a chunk below nothing", "a code in superscript"],
)
def test_an_answer_that_is_no_http_is_a_failure(answer: bytes, tmp_path: Path) -> None:
    async def nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    assert "transport connection broken" in called(nonsense, tmp_path, scheme="http").failure


def test_a_host_that_is_no_name_is_a_failure() -> None:
    reply = asyncio.run(make(Call(f"https://{'x' * 300}/", b"", 2, "", "")))
    assert "transport connection broken" in reply.failure


def test_nobody_listens() -> None:
    reply = asyncio.run(make(Call("https://127.0.0.1:1/x", b"", 2, "", "")))
    assert reply.failure == "dial tcp 127.0.0.1:1: connect: connection refused"
