"""``rehearse clock``: talks to a running server about its time."""

import base64
import binascii
import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from scenarios.errors import BadInput
from sim.apiserver.http.clockpage import PATH

_ANSWER_MAX_BYTES = 1 << 20
_QUICK_S = 10.0
_PATIENT = ("step", "until")


@dataclass(frozen=True, slots=True)
class Access:
    """Where a server is and who we are to it, from the kubeconfig that it wrote."""

    url: str
    token: str
    authority: str | None


def access(path: Path) -> Access:
    """Raises BadInput for a file that leads to no server of ours."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
        data = cluster.get("certificate-authority-data")
        authority = None if data is None else base64.b64decode(data).decode("ascii")
        return Access(str(cluster["server"]), str(user["token"]), authority)
    except OSError as error:
        raise BadInput(
            f"--kubeconfig {path}",
            f"cannot be read ({error.strerror})",
            "the file that a running `rehearse serve` wrote",
        ) from None
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, UnicodeDecodeError, binascii.Error):
        raise BadInput(f"--kubeconfig {path}", "leads nowhere", "the file that `rehearse serve` wrote") from None


def ask(to: Access, asked: dict[str, Any] | None) -> dict[str, Any]:
    """Send ``asked`` to the clock (None: just look); its answer. Raises BadInput for a refusal or no answer."""
    place = urlsplit(to.url)
    limit_s = None if asked is not None and asked.get("do") in _PATIENT else _QUICK_S
    connection: http.client.HTTPConnection
    try:
        if place.scheme == "https":
            tls = ssl.create_default_context(cadata=to.authority)
            connection = http.client.HTTPSConnection(place.hostname or "", place.port, timeout=limit_s, context=tls)
        else:
            connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=limit_s)
        body = None if asked is None else json.dumps(asked)
        headers = {"authorization": f"Bearer {to.token}", "content-type": "application/json"}
        connection.request("GET" if asked is None else "POST", PATH, body, headers)
        answer = connection.getresponse()
        found = json.loads(answer.read(_ANSWER_MAX_BYTES))
        status = answer.status
        connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise BadInput(to.url, f"no clock answers there ({error!s:.100})", "a running `rehearse serve`") from None
    if not isinstance(found, dict) or status != 200:
        message = found.get("message") if isinstance(found, dict) else None
        raise BadInput("clock", str(message or f"answered {status}"))
    return found


def told(status: dict[str, Any]) -> str:
    """The state of the clock in one line."""
    speed = status.get("speed")
    pace = "paused" if status.get("paused") else "as fast as it can" if speed == "max" else f"{speed:g} s per second"
    over = "; over" if status.get("over") else ""
    counts = ", ".join(f"{status.get(name, 0)} {name}" for name in ("executions", "finished", "requests", "watches"))
    return f"{status.get('now')} ({status.get('virtual')} since the start), {pace}{over}; {counts}"
