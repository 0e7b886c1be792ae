"""Requests that are odd on the wire."""

import pytest
from victim import Victim

MAPS = "/api/v1/namespaces/default/configmaps"
POST = b"POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\n"
WIRE = {
    b"\x00\x01\x02\r\n\r\n": 400,
    b"GET /version HTTP/1.1\r\nfoo\r\n\r\n": 400,
    b"GET /version HTTP/1.1\r\nhost: x\r\nfoo: a\x00b\r\n\r\n": 400,
    b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n": 400,
    b"FOO /version HTTP/1.1\r\nhost: x\r\n\r\n": 400,
    POST + b"content-length: -1\r\n\r\n": 400,
    POST + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab": 400,
    POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n": 400,
    POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n": 400,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 400,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500: 400,
    b"": 0,
    b"GET /version HTTP/1.1\r\nhost": 0,
    POST + b"content-length: 100\r\n\r\n{": 0,
}
TOO_LARGE = [
    b"GET /version HTTP/1.1\r\nhost: x\r\na: " + b"x" * 2_000_000,
    b"GET /version HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 300_000,
    b"GET /" + b"x" * 2_000_000,
]
ASKED = [
    ("GET", "//", 200),
    ("GET", "/api/v1/namespaces/%64efault/configmaps", 200),
    ("GET", f"{MAPS}/..", 404),
    ("GET", f"{MAPS}/%00", 404),
    ("GET", "/api/v1/namespaces/%zz", 404),
    ("GET", "/api/v1/namespaces/%ff%fe", 404),
    ("GET", f"/api/v1/namespaces/{'a' * 60_000}", 404),
    ("GET", "/apis/apps/v9", 404),
    ("GET", f"{MAPS}?limit=abc", 400),
    ("GET", f"{MAPS}?limit=99999999999999999999999", 400),
    ("GET", f"{MAPS}?continue=%ff", 400),
    ("GET", f"{MAPS}?resourceVersion=-1", 400),
    ("GET", f"{MAPS}?resourceVersion=99999999999999999999999", 504),
    ("GET", f"{MAPS}?labelSelector={'a,' * 5_000}", 400),
    ("GET", f"{MAPS}?labelSelector=a+in+((((", 400),
    ("GET", f"{MAPS}?fieldSelector=a", 400),
    ("GET", f"{MAPS}?watch=1&timeoutSeconds=abc", 400),
    ("GET", f"{MAPS}?watch=1&timeoutSeconds=-5", 200),
    ("GET", f"{MAPS}?%00=%00&&&==", 200),
    ("HEAD", f"{MAPS}/x", 405),
    ("OPTIONS", MAPS, 405),
    ("TRACE", MAPS, 405),
    ("PUT", MAPS, 405),
    ("DELETE", "/api/v1/namespaces/default/pods/x/log", 405),
    ("GET", "/api/v1/namespaces/default/pods/x/exec?command=a", 404),
    ("GET", "/rehearse/clock/../../etc/passwd", 404),
]
HEADERS = [
    ("accept: " + "application/json," * 20_000, 200),
    ("accept: \xff\xfe;q=x,;;;,", 406),
    ("accept-encoding: \xff", 200),
    ("impersonate-user: \xff\x01", 400),
    ("authorization: Bearer \xff", 200),
    ("user-agent: \xff" + "x" * 5_000, 200),
    ("connection: upgrade\r\nupgrade: websocket", 200),
]


@pytest.mark.parametrize(("sent", "code"), WIRE.items(), ids=lambda value: repr(value)[:40])
def test_what_is_no_request_is_refused_or_left(victim: Victim, sent: bytes, code: int) -> None:
    assert victim.raw(sent).code == code


@pytest.mark.parametrize("sent", TOO_LARGE, ids=lambda value: repr(value)[:50])
def test_a_head_without_end_is_not_listened_to(victim: Victim, sent: bytes) -> None:
    """The client may be too busy sending to hear the answer."""
    assert victim.raw(sent).code in (431, 0)


@pytest.mark.parametrize(("method", "path", "code"), ASKED, ids=lambda value: repr(value)[:60])
def test_an_odd_path_is_answered_as_by_a_real_server(victim: Victim, method: str, path: str, code: int) -> None:
    answer = victim.ask(method, path)

    assert answer.code == code, answer.body[:500]


@pytest.mark.parametrize(("header", "code"), HEADERS, ids=lambda value: repr(value)[:40])
def test_an_odd_header_harms_nobody(victim: Victim, header: str, code: int) -> None:
    answer = victim.ask("GET", "/api/v1/namespaces/default", headers=f"{header}\r\n")

    assert answer.code in (code, 400, 401), answer.body[:500]
