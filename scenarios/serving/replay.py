"""Repeats a recorded session: every request at its instant, to the byte the same record."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from scenarios.errors import BadInput
from scenarios.record import Recording
from scenarios.serving.session import SessionOptions, SessionRecord, open_world, rest_of
from scenarios.version import VERSION
from sim import garbage
from sim.apiserver.http.application import answered
from sim.apiserver.http.journal import read
from sim.apiserver.rest.rest import Request, Response
from sim.apiserver.watch import Stream
from sim.pump import enter

_LINE_MAX_BYTES = 64 * 1024 * 1024  # the largest body a server takes, spelled at its longest

_SHOWN = 40  # characters on both sides of a difference


@dataclass(frozen=True, slots=True)
class Replayed:
    """``different`` tells of the first line that came out otherwise; empty when the whole record is the same."""

    recording: Recording
    requests: int
    virtual_us: int
    different: str


def replay(path: Path) -> Replayed:
    """Live the session that ``path`` is the record of. Raises BadInput for a file that is none."""
    lines = list(_lines(path))
    options, end_us = _options(path, lines), _end_us(path, lines)
    world = open_world(options)
    record = SessionRecord(options, world)
    rest = rest_of(world, {})
    watches: dict[int, Stream] = {}

    def ask(request: Request) -> None:
        response = answered(rest, request)
        number = record.request(world.loop.now_us, request, rest, response)
        _keep(watches, number, response)

    def attempt() -> None:
        record.attempt(world.loop.now_us)

    def hang_up(number: int) -> None:
        if number in watches:  # otherwise its request was answered otherwise, which the difference tells
            watches.pop(number).close()
        record.hang_up(world.loop.now_us, number)

    requests = 0
    with garbage.tuned():
        for number, line in enumerate(lines, start=1):
            where = f"{path} line {number}"
            try:
                if line["kind"] == "request":
                    request, requests = read(line), requests + 1
                    world.loop.run_until(_at_us(line, world.loop.now_us))
                    enter(world.loop, ask, request)
                elif line["kind"] == "attempt":
                    world.loop.run_until(_at_us(line, world.loop.now_us))
                    enter(world.loop, attempt)
                elif line["kind"] == "hang_up":
                    world.loop.run_until(_at_us(line, world.loop.now_us))
                    enter(world.loop, hang_up, line["request"])
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise BadInput(
                    where, f"cannot be repeated ({error!r:.100})", "a line as `rehearse serve` wrote it"
                ) from None
        world.loop.run_until(max(end_us, world.loop.now_us))
    recording = record.close()
    now_us = world.now_us()
    world.close()
    return Replayed(recording, requests, now_us, _difference(path, recording.lines))


def _keep(watches: dict[int, Stream], number: int, response: Response) -> None:
    """A watch is read as eagerly as the server read it, by nobody."""
    stream = response.body
    if isinstance(stream, Stream):
        watches[number] = stream
        stream.take()
        stream.alert(partial(_drain, stream))


def _drain(stream: Stream) -> None:
    stream.take()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(_LINE_MAX_BYTES):
                number += 1
                line = _parsed(raw)
                if line is None:
                    raise BadInput(f"{path} line {number}", "is no line of a record", "one JSON object with a kind")
                yield line
    except OSError as error:
        raise BadInput(str(path), f"cannot be read ({error.strerror})", "a record of `rehearse serve`") from None


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and isinstance(line.get("kind"), str) else None


def _options(path: Path, lines: list[dict[str, Any]]) -> SessionOptions:
    try:
        run, scenario = lines[0], lines[1]
        if run["kind"] != "run" or scenario["source"] != "session":
            raise KeyError("source")
        if run["version"] != VERSION:
            raise BadInput(str(path), f"was recorded by rehearse {run['version']:.20}", f"a record of {VERSION}")
        chosen = run["settings"]
        epoch = datetime.strptime(run["epoch"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return SessionOptions(
            str(chosen["scenario"]),
            int(run["seed"]),
            tuple(map(str, chosen["overrides"])),
            frozenset(chosen["without"]),
            epoch,
            str(run["command"]),
        )
    except (IndexError, KeyError, TypeError, ValueError):
        raise BadInput(
            str(path), "is not the record of a session", "a file that `rehearse serve --record` wrote"
        ) from None


def _end_us(path: Path, lines: list[dict[str, Any]]) -> int:
    last = [line for line in lines if line["kind"] == "scenario_end"]
    if len(last) != 1 or lines[-1]["kind"] != "end" or not isinstance(last[0].get("virtual_us"), int):
        raise BadInput(str(path), "is truncated", 'a last line of kind "end"')
    return int(last[0]["virtual_us"])


def _at_us(line: dict[str, Any], now_us: int) -> int:
    at_us = line["at_us"]
    if not isinstance(at_us, int) or at_us < now_us:
        raise ValueError(f"at_us {at_us} lies before {now_us}")
    return at_us


def _difference(path: Path, lines: list[str]) -> str:
    recorded = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")  # texts may hold other line breaks
    for number, (was, now) in enumerate(zip(recorded, lines, strict=False), start=1):
        if was != now:
            at = next(i for i, (a, b) in enumerate(zip(was + "\n", now + "\n", strict=False)) if a != b)
            part = slice(max(at - _SHOWN, 0), at + _SHOWN)
            return f"line {number} differs: recorded …{was[part]}…, now …{now[part]}…"
    if len(recorded) != len(lines):
        return f"{len(lines)} lines instead of {len(recorded)}"
    return ""
