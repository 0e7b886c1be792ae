"""A simulated API server behind real HTTP on loopback, so that live code has something to talk to."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml

from sim.apiserver.http.application import Application
from sim.apiserver.http.hosted import Hosted
from sim.apiserver.identity import ADMIN
from sim.apiserver.rest.rest import Request, Response, Rest
from sim.apiserver.server import ApiServer
from sim.pump import Pump

T = TypeVar("T")
TOKEN = "loopback"


class _Rest(Rest):
    """Knows the collection of bindings, which a real server has beside ``pods/NAME/binding``."""

    def handle(self, request: Request) -> Response:
        before, found, _ = request.path.partition("/bindings")
        if found:
            name = json.loads(request.body)["metadata"]["name"]
            request = replace(request, path=f"{before}/pods/{name}/binding")
        return super().handle(request)


class Served:
    """Use as a context manager; errors of the world are raised when it is left.

    Virtual time follows wall time, ``hurry`` times as fast.
    """

    def __init__(self, server: ApiServer, *, hurry: float = 1.0) -> None:
        self.server = server
        pump = Pump(server.loop, speed=hurry)
        self._host = Hosted(Application(_Rest(server, {TOKEN: ADMIN}), pump), pump)

    @property
    def url(self) -> str:
        return self._host.url

    def __enter__(self) -> Self:
        self._host.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._host.__exit__(*error)

    def kubeconfig(self, folder: Path, **cluster: Any) -> Path:
        """A file that leads here."""
        path = folder / "kubeconfig"
        document = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "loopback", "user": "admin"}}],
            "clusters": [{"name": "loopback", "cluster": {"server": self.url, **cluster}}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}],
        }
        path.write_text(yaml.safe_dump(document))
        return path

    def call(self, act: Callable[[ApiServer], T]) -> T:
        """Do something to the world from another thread, between two of its moments."""
        return self._host.call(act, self.server)
