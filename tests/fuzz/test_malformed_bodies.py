"""Bodies that are broken, odd, huge or deep; the codes are those of a real server."""

import random

import pytest
from victim import Victim

MAPS = "/api/v1/namespaces/default/configmaps"
PROTOBUF = "application/vnd.kubernetes.protobuf"
BOMB = b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: bomb}\na0: &a0 [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 9)
)
CREATED = [
    ("json", b"", 400),
    ("json", b"{", 400),
    ("json", b"[]", 400),
    ("json", b'{"metadata":{"name":NaN}}', 400),
    ("json", b"\xef\xbb\xbf{}", 400),
    ("json", b'{"metadata":{"name":"a\\u0000b"}}', 422),
    ("json", b'{"metadata":{"name":"\\ud800"}}', 422),
    ("json", b'{"metadata":{"name":"big"},"data":{"a":"' + b"x" * 1_500_000 + b'"}}', 422),
    ("json", b'{"metadata":{"name":"bigger"},"data":{"a":"' + b"x" * 4_000_000 + b'"}}', 413),
    ("json", b'{"metadata":{"name":"a","generation":' + b"9" * 5_000 + b"}}", 400),
    ("json", b'{"data":' + b"[" * 500_000, 400),
    ("json", b'{"a":' * 20_000 + b"1" + b"}" * 20_000, 400),
    ("json", b'{"metadata":[]}', 400),
    ("json", b'{"metadata":{"name":5}}', 400),
    ("json", b'{"metadata":{"name":"a","labels":["a"]}}', 400),
    ("json", b'{"metadata":{"name":"a","ownerReferences":[{}]}}', 422),
    ("json", b'{"metadata":{"name":"a"},"data":[1]}', 400),
    ("json", b'{"metadata":{"name":"a"},"binaryData":{"a":"?"}}', 400),
    ("yaml", b"[" * 500_000, 400),
    ("yaml", BOMB, 400),
    ("yaml", b"metadata: &m {name: a, labels: *m}", 400),
    ("yaml", b'!!python/object/apply:os.system ["true"]', 400),
    ("yaml", b"? {a: 1}\n: b", 400),
    ("yaml", b"metadata: {name: a, generation: .inf}", 400),
    ("yaml", b"\x00", 400),
    ("protobuf", b"", 400),
    ("protobuf", b"junk", 400),
    ("protobuf", b"k8s\x00" + b"\xff" * 1_000, 400),
    ("protobuf", b"k8s\x00" + b"\x0a\xff\xff\xff\xff\x0f", 400),
    ("protobuf", b"k8s\x00\x0a\x12\x0a\x02v1\x12\x0cx\x12\x05\x0a\x03\x0a\x01", 400),
    ("xml", b"<a/>", 415),
]
PATCHED = [
    ("json-patch+json", b"{}", 400),
    ("json-patch+json", b"[1]", 422),
    ("json-patch+json", b'[{"op":"add","path":5,"value":1}]', 422),
    ("json-patch+json", b'[{"op":"add","path":"","value":1}]', 400),
    ("json-patch+json", b'[{"op":"remove","path":"/metadata"}]', 400),
    ("json-patch+json", b"[" + b",".join([b'{"op":"test","path":"","value":0}'] * 10_001) + b"]", 413),
    ("merge-patch+json", b"1", 400),
    ("merge-patch+json", b'{"metadata":null}', 400),
    ("merge-patch+json", b'{"data":1}', 400),
    ("merge-patch+json", b'{"metadata":{"resourceVersion":"abc"}}', 409),
    ("merge-patch+json", b'{"a":' * 20_000, 400),
    ("strategic-merge-patch+json", b"null", 400),
    ("strategic-merge-patch+json", b'{"metadata":{"finalizers":[{"$patch":"replace"}]}}', 400),
    ("apply-patch+yaml", b"[" * 500_000, 400),
    ("apply-patch+yaml", b"", 400),
    ("apply-patch+yaml", b'{"apiVersion":5,"kind":"ConfigMap"}', 400),
    ("apply-patch+yaml", b'{"apiVersion":"v1","kind":"ConfigMap","metadata":5}', 500),
    ("apply-patch+yaml", b'{"apiVersion":"v1","kind":"ConfigMap","data":5}', 500),  # a real server blames itself, too
]


def short(value: object) -> str:
    return repr(value)[:40]


@pytest.mark.parametrize(("form", "body", "code"), CREATED, ids=short)
def test_a_broken_body_creates_nothing(victim: Victim, form: str, body: bytes, code: int) -> None:
    media = PROTOBUF if form == "protobuf" else f"application/{form}"

    answer = victim.client.post(MAPS, content=body, headers={"content-type": media})

    assert answer.status_code == code, answer.text
    assert answer.json()["kind"] == "Status"
    assert len(answer.content) < 10_000 + len(body) // 100


@pytest.mark.parametrize(("form", "body", "code"), PATCHED, ids=short)
def test_a_broken_patch_changes_nothing(victim: Victim, form: str, body: bytes, code: int) -> None:
    victim.client.post(MAPS, json={"metadata": {"name": "patched"}, "data": {"a": "b"}})
    before = victim.client.get(f"{MAPS}/patched").json()

    url, headers = f"{MAPS}/patched?fieldManager=fuzz", {"content-type": f"application/{form}"}
    answer = victim.client.patch(url, content=body, headers=headers)

    assert answer.status_code == code, answer.text
    assert victim.client.get(f"{MAPS}/patched").json() == before


def test_flipped_bytes_of_protobuf_are_refused_or_mean_something(victim: Victim) -> None:
    stream = random.Random(5)
    container = {"name": "c", "image": "i", "resources": {"limits": {"cpu": "1"}}, "ports": [{"containerPort": 80}]}
    pod = {"metadata": {"name": "flipped", "labels": {"a": "b"}}, "spec": {"containers": [container]}}
    pods = "/api/v1/namespaces/default/pods"
    whole = victim.client.post(f"{pods}?dryRun=All", json=pod, headers={"accept": PROTOBUF}).content
    assert whole.startswith(b"k8s\x00")
    codes = set()
    for _ in range(400):
        flipped = bytearray(whole)
        for _ in range(stream.randint(1, 3)):
            at = stream.randrange(4, len(flipped))
            if stream.random() < 0.7:
                flipped[at] = stream.randrange(256)
            else:
                del flipped[at : at + stream.randint(1, 9)]
        answer = victim.client.post(pods, content=bytes(flipped), headers={"content-type": PROTOBUF})
        assert answer.status_code < 500 or "should not be set on objects to be created" in answer.text, answer.text
        codes.add(answer.status_code)
    assert 400 in codes
