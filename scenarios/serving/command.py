"""``rehearse serve``: from its options to a server, and from its end to a record."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from scenarios import parts
from scenarios.errors import BadInput
from scenarios.serving.server import WorldServer, allow_many_connections
from scenarios.serving.session import ServedWorld, SessionOptions, SessionRecord, open_world
from sim import garbage
from sim.apiserver.http import credentials, kubeconfig
from sim.apiserver.http.certificates import Authority, certificates_in, context
from sim.apiserver.http.clockpage import speed_of
from sim.apiserver.http.condition import BadCondition, Condition
from sim.apiserver.http.listener import bind
from sim.apiserver.identity import ADMIN, User
from sim.apiserver.rbac import MASTERS
from sim.pump import FASTEST, Pump
from sim.workload.durations import format_us, parse_us

LOOPBACK = "127.0.0.1"
_ADMIN_GROUPS = (MASTERS,)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What ``rehearse serve`` was asked for. ``http_port`` None: no plain listener; ports may be 0: any free one."""

    session: SessionOptions
    host: str
    port: int
    http_port: int | None
    speed: str
    until: str
    kubeconfig: Path
    token_file: Path | None
    client_ca: Path | None
    record: Path | None


def epoch_of(text: str) -> datetime:
    """The time of day at which the world begins: ``now``, or RFC 3339. Raises BadInput."""
    if text == "now":
        now = datetime.now(UTC)  # noqa: TID251  # clients reckon ages by their own clocks
        return now.replace(microsecond=0)
    try:
        epoch = datetime.fromisoformat(text)
    except ValueError:
        epoch = None
    if epoch is None or epoch.tzinfo is None or not 1971 <= epoch.year <= 2200:
        raise BadInput("--epoch", f'"{text[:40]}" is no time', "now, or RFC 3339 such as 2026-01-05T08:00:00Z")
    return epoch.astimezone(UTC).replace(microsecond=0)


def serve(options: ServeOptions) -> int:
    """Serve until a signal, or ``--until``; the exit code. Raises BadInput before anything has been served."""
    users = _users(options.token_file)
    admin = next((token for token, user in users.items() if MASTERS in user.groups), "")
    if not admin:
        raise BadInput(f"--token-file {options.token_file}", f"names nobody in group {MASTERS}", "an administrator")
    try:
        speed = speed_of(options.speed)
    except ValueError as error:
        raise BadInput("--speed", str(error)) from None
    authorities = _read_authorities(options.client_ca)
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(_bound("--port", options.host, options.port))]
        if options.http_port is not None:
            sockets.append(opened.enter_context(_bound("--http-port", LOOPBACK, options.http_port)))
        world = opened.enter_context(contextlib.closing(open_world(options.session)))
        pump = _pump(world, speed, options.until)
        record = None if options.record is None else SessionRecord(options.session, world)
        server = WorldServer(world, users, pump, record)
        allow_many_connections()
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a client that has gone is no reason to go
        with garbage.tuned(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(options, server, sockets, admin, authorities))
        if record is not None and options.record is not None and pump.broken is None:
            world.loop.run_until(world.loop.now_us)
            record.close().write(options.record)
            print(f"record: {options.record}")
    if pump.broken is not None:
        print(f"rehearse: the world broke at {format_us(world.now_us())}: {pump.broken!r:.500}", file=sys.stderr)
        return 1
    return 0


async def _run(
    options: ServeOptions, server: WorldServer, sockets: list[socket.socket], admin: str, authorities: bytes
) -> None:
    stopped = asyncio.get_running_loop().create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _stop, stopped)
    authority = Authority()
    tls = context(authority.server(options.host), authority.pem + authorities)
    url = await server.listen(sockets[0], tls)
    plain = await server.listen(sockets[1]) if len(sockets) > 1 else ""
    certificate = authority.client("admin", _ADMIN_GROUPS)
    content = kubeconfig.document(_reachable(url), admin, authority.pem, certificate)
    try:
        kubeconfig.write(options.kubeconfig, content)
    except OSError as error:
        raise BadInput(f"--kubeconfig {options.kubeconfig}", f"cannot be written ({error.strerror})") from None
    _greet(options, server, url, plain)
    server.pump.start()
    assert server.pump.ended is not None
    await asyncio.wait([stopped, server.pump.ended], return_when=asyncio.FIRST_COMPLETED)
    await server.stop()


def _stop(stopped: "asyncio.Future[None]") -> None:
    if not stopped.done():
        stopped.set_result(None)
    else:
        os._exit(130)  # asked twice


def _greet(options: ServeOptions, server: WorldServer, url: str, plain: str) -> None:
    speed = server.pump.speed
    pace = "as fast as it can" if speed == FASTEST else f"{speed:g} virtual seconds per second"
    played = [name for name in parts.PARTS if name not in options.session.without]
    print(f"serving {url}" + (f" and {plain}" if plain else ""))
    print(f"kubeconfig: {options.kubeconfig}")
    print(f"time: {server.world.clock.timestamp()}, {pace}; parts: {', '.join(played) or 'none'}", flush=True)


def _reachable(url: str) -> str:
    return url.replace("://0.0.0.0:", f"://{LOOPBACK}:").replace("://[::]:", "://[::1]:")


def _users(path: Path | None) -> dict[str, User]:
    if path is None:
        return {credentials.made_up(): ADMIN}
    try:
        return credentials.read(path)
    except credentials.BadTokens as error:
        raise BadInput("--token-file", str(error)) from None


def _read_authorities(path: Path | None) -> bytes:
    if path is None:
        return b""
    try:
        return certificates_in(path.read_bytes())
    except OSError as error:
        raise BadInput(f"--client-ca {path}", f"cannot be read ({error.strerror})", "a PEM file") from None
    except ValueError:
        raise BadInput(f"--client-ca {path}", "holds no certificate", "a PEM file") from None


def _bound(option: str, host: str, port: int) -> socket.socket:
    if not 0 <= port < 65536:
        raise BadInput(option, f"{port} is no port", "a number from 0 to 65535")
    try:
        return bind(host, port)
    except OSError as error:
        raise BadInput(option, f"cannot listen on {host}:{port} ({error.strerror})", "a free port") from None


def _pump(world: ServedWorld, speed: float, until: str) -> Pump:
    if not until:
        return Pump(world.loop, speed=speed)
    try:
        return Pump(world.loop, speed=speed, end_us=world.now_us() + parse_us(until))
    except ValueError:
        pass
    try:
        return Pump(world.loop, speed=speed, end_when=Condition(world.server, until))
    except BadCondition as error:
        raise BadInput("--until", str(error), "or a duration such as 10m") from None
