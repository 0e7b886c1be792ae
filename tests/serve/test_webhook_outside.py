"""A webhook of somebody else, on a TLS listener of its own, has its say about what clients of a served world write."""

import base64
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scenarios.serving.fixture import KubernetesServer
from sim.apiserver.http.certificates import Authority

MAPS = "/api/v1/namespaces/default/configmaps"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


class Handler(BaseHTTPRequestHandler):
    """Lets everything through but what is called ``bad``, and stamps it."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked = review["request"]
        stamp = [{"op": "add", "path": "/metadata/labels", "value": {"stamped": "yes"}}]
        answer = {"uid": asked["uid"], "allowed": asked["name"] != "bad"}
        if answer["allowed"]:
            answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(stamp).encode()).decode()}
        body = json.dumps({**review, "request": None, "response": answer}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def webhook(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Its client configuration."""
    authority = Authority()
    pair = authority.server("127.0.0.1")
    (tmp_path / "pair.pem").write_bytes(pair.certificate + pair.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "pair.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    bundle = base64.b64encode(authority.pem).decode()
    yield {"url": f"https://127.0.0.1:{server.server_address[1]}/stamp", "caBundle": bundle}
    server.shutdown()
    thread.join()
    server.server_close()


def ask(server: KubernetesServer, path: str, body: Any) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.kubernetes_server(speed=0)
def test_it_changes_and_refuses_what_strangers_create(
    kubernetes_server: KubernetesServer, webhook: dict[str, str]
) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    hook = {
        "name": "stamp.hooks.test",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "clientConfig": webhook,
        "rules": [rule],
    }
    assert ask(kubernetes_server, CONFIGURATIONS, {"metadata": {"name": "h"}, "webhooks": [hook]})[0] == 201

    status, created = ask(kubernetes_server, MAPS, {"metadata": {"name": "good"}})
    refused = ask(kubernetes_server, MAPS, {"metadata": {"name": "bad"}})

    assert (status, created["metadata"]["labels"]) == (201, {"stamped": "yes"})
    assert refused[0] == 400
    assert refused[1]["message"] == 'admission webhook "stamp.hooks.test" denied the request without explanation'
