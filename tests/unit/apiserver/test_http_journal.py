"""What is taken down of a request: enough to repeat it, and nobody's credentials."""

import json

from core_world import World

from sim.apiserver.http.journal import read, written
from sim.apiserver.identity import ADMIN
from sim.apiserver.rest.exchange import Request
from sim.apiserver.rest.rest import Rest

TOKEN = "do-not-tell"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"


def test_a_request_is_read_as_it_was_written() -> None:
    rest = Rest(World().server, {TOKEN: ADMIN})
    headers = {"authorization": f"Bearer {TOKEN}", "accept": "application/json"}
    asked = Request("POST", "/api/v1/namespaces/default/secrets", {"dryRun": "All"}, headers, b'{"data": {}}')

    again = read(written(asked, rest))

    assert (again.method, again.path, again.query, again.body) == (asked.method, asked.path, asked.query, asked.body)
    assert again.headers == {"accept": "application/json"}
    assert again.user == ADMIN


def test_no_credentials_are_taken_down() -> None:
    rest = Rest(World().server, {TOKEN: ADMIN})
    headers = {"authorization": f"Bearer {TOKEN}", "sec-websocket-protocol": f"base64url.bearer.{TOKEN}"}
    body = json.dumps({"spec": {"token": TOKEN}}).encode()

    entry = written(Request("POST", REVIEWS, {}, headers, body), rest)

    assert TOKEN not in json.dumps(entry)
    assert entry == written(read(entry), Rest(World().server, {}))
