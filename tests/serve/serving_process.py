"""``rehearse serve`` as a process of its own, and a client that knows nothing of it."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from scenarios.serving.clock import access

PATIENCE_S = 60
REHEARSE = (sys.executable, "-c", "from scenarios.cli import main; main()")


class Client:
    """One administrator's view of a server."""

    def __init__(self, url: str, token: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.url = url
        self._token = token
        self._tls = tls

    def open(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"content-type": "application/json"} if body is not None else {}
        if self._token:
            sent["authorization"] = f"Bearer {self._token}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, sent, method=method)
        return urllib.request.urlopen(request, timeout=PATIENCE_S, context=self._tls)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        with self.open(method, path, body, **headers) as answer:
            return json.load(answer)

    def code(self, method: str, path: str, body: Any = None, **headers: str) -> int:
        try:
            with self.open(method, path, body, **headers) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


class Process:
    """A running ``rehearse serve``."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.kubeconfig = folder / "kc"
        command = (
            *REHEARSE,
            "serve",
            "--port",
            "0",
            "--http-port",
            "0",
            "--kubeconfig",
            str(self.kubeconfig),
            *options,
        )
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
        assert self._process.stdout is not None
        self.said = [self._process.stdout.readline() for _ in range(3)]
        if not self.said[-1]:
            pytest.fail(self._process.stderr.read() if self._process.stderr else "it has not started")
        urls = re.findall(r"https?://\S+", self.said[0])
        to = access(self.kubeconfig)
        self.tls = ssl.create_default_context(cadata=to.authority)
        self.client = Client(urls[0], to.token, self.tls)
        self.plain = Client(urls[1], to.token)

    def wait(self) -> int:
        """Its exit code, when it has ended by itself."""
        return self._process.wait(PATIENCE_S)

    def clock(self, *words: str) -> subprocess.CompletedProcess[str]:
        return rehearse("clock", *words, "--kubeconfig", str(self.kubeconfig))

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code, and what it said on standard error."""
        if self._process.poll() is None:
            os.kill(self._process.pid, number)
        _, errors = self._process.communicate(timeout=PATIENCE_S)
        return self._process.returncode, errors


def rehearse(*words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*REHEARSE, *words), capture_output=True, text=True, timeout=PATIENCE_S, cwd=folder, check=False
    )
