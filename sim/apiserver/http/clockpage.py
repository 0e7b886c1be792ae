"""The handle on a served world's time, under a path of its own beside the Kubernetes API."""

import ipaddress
import json
import math
from collections.abc import Callable
from typing import Any

from controller.ports import ApiError, Document
from sim.apiserver.http.condition import BadCondition, Condition
from sim.apiserver.rbac import MASTERS
from sim.apiserver.rest.rest import Request, Response, Rest
from sim.apiserver.server import ApiServer
from sim.pump import FASTEST, Pump
from sim.workload.durations import format_us, parse_us

PATH = "/rehearse/clock"
_LIMIT = "24h"
_ACTIONS = ("pause", "resume", "speed", "step", "until")


class ClockPage:
    """``GET`` tells the time; ``POST {"do": …}`` changes how it passes. For administrators on this machine alone.

    ``{"do": "pause" | "resume"}``, ``{"do": "speed", "speed": 60 | "max"}``, ``{"do": "step", "for": "5m"}`` and
    ``{"do": "until", "condition": "wfe/demo phase=Completed", "within": "24h"}``; the last two answer when the time
    has passed, and leave it paused. ``counts`` adds what else is worth telling.
    """

    def __init__(self, pump: Pump, server: ApiServer, rest: Rest, counts: Callable[[], Document]) -> None:
        self._pump = pump
        self._server = server
        self._rest = rest
        self._counts = counts

    async def __call__(self, request: Request, address: str) -> Response:
        try:
            self._permit(request, address)
            if request.path.rstrip("/") != PATH:
                raise ApiError(404, "NotFound", f"nothing is served here; expected {PATH}")
            if request.method == "GET":
                return _answer(200, self._status())
            if request.method != "POST":
                raise ApiError(405, "MethodNotAllowed", f"{request.method} is not served; expected GET or POST")
            held = await self._do(_read(request.body))
        except ApiError as error:
            return _answer(error.code, error.status())
        except ValueError as error:
            return _answer(400, ApiError(400, "BadRequest", str(error)[:500]).status())
        return _answer(200, {**self._status(), "held": held})

    def _permit(self, request: Request, address: str) -> None:
        if address and not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            raise ApiError(403, "Forbidden", "the clock is turned on the server's own machine only")
        user = self._rest.authenticate(request)
        if MASTERS not in user.groups:
            raise ApiError(403, "Forbidden", f'the clock is for {MASTERS}; "{user.name}" is not among them')

    async def _do(self, asked: Document) -> bool:
        pump, action = self._pump, asked.get("do")
        if action == "pause":
            pump.pause()
        elif action == "resume":
            pump.resume()
        elif action == "speed":
            pump.set_speed(speed_of(asked.get("speed")))
        elif action == "step":
            return await pump.step(parse_us(asked.get("for")))
        elif action == "until":
            text = asked.get("condition")
            if not isinstance(text, str):
                raise BadCondition("condition: expected text such as 'wfe/demo phase=Completed'")
            return await pump.step(parse_us(asked.get("within", _LIMIT)), Condition(self._server, text))
        else:
            raise ValueError(f"do: {str(action)[:40]!r} is unknown; expected one of {', '.join(_ACTIONS)}")
        return True

    def _status(self) -> dict[str, Any]:
        pump = self._pump
        now_us = pump.loop.now_us
        return {
            "now": self._server.clock.microtimestamp(),
            "virtual_us": now_us,
            "virtual": format_us(now_us // 1000 * 1000),
            "speed": "max" if math.isinf(pump.speed) else pump.speed,
            "paused": pump.paused,
            "over": pump.over,
            **self._counts(),
        }


def speed_of(value: object) -> float:
    """A factor, or ``max``. Raises ValueError."""
    if value == "max":
        return FASTEST
    try:
        speed = float(str(value))
    except ValueError:
        speed = math.nan
    if not 0 <= speed < FASTEST:
        raise ValueError(f"{str(value)[:40]!r} is no speed; expected a factor such as 1 or 60, 0 to pause, or max")
    return speed


def _read(body: bytes) -> Document:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise ValueError('expected a JSON object, such as {"do": "step", "for": "5m"}')
    return asked


def _answer(code: int, document: Document) -> Response:
    return Response(code, {"content-type": "application/json"}, document)
