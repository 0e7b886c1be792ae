"""YAML bodies, as the real decoder turns them into what JSON can say."""

from typing import Any

import pytest

from sim.apiserver.rest.yamltext import read_yaml

VALUES: dict[bytes, Any] = {
    b"": None,
    b"a: 2020-01-01": {"a": "2020-01-01"},
    b"a: !!binary aGVsbG8=": {"a": "hello"},
    b"a: !!set {x, y}": {"a": {"x": None, "y": None}},
    b"1: a\ntrue: b\n1.5: c": {"1": "a", "true": "b", "1.5": "c"},
    b"a: 22:30": {"a": "22:30"},
    b"a: [1e3, 1.0, 1.5, 010, 0x1F, yes, ~]": {"a": [1000, 1, 1.5, 8, 31, True, None]},
    b"a: ['1', \"yes\", '<<', <<]": {"a": ["1", "yes", "<<", "<<"]},
    b"x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}": {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}},
    b"a: 1\n---\nb: 2": {"a": 1},
    b'a: !!python/object/apply:os.system ["true"]': {"a": ["true"]},
    b"&a a: *a": {"a": "a"},
}
COMPLAINTS = {
    b"a: &a [*a]": "anchor 'a' value contains itself",
    b"a: *x": "unknown anchor 'x' referenced",
    b"[" * 300_000: "exceeded max depth of 10000",
    b"{a: " * 300_000: "exceeded max depth of 10000",
    b"? {a: 1}\n: b": "unsupported map key of type: dict",
    b"a: .inf": "cannot decode !!float `.inf`: json: unsupported value",
    b"\t- a": "found character that cannot start any token",
}


@pytest.mark.parametrize(("body", "value"), VALUES.items(), ids=repr)
def test_a_document_says_what_json_can_say(body: bytes, value: Any) -> None:
    found = read_yaml(body)

    assert found == value
    assert repr(found).count(".") == repr(value).count(".")  # 1.0 is 1


@pytest.mark.parametrize(("body", "complaint"), COMPLAINTS.items(), ids=lambda value: repr(value)[:30])
def test_what_cannot_be_read_is_refused_and_never_crashes(body: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read_yaml(body)

    assert str(refused.value) == complaint


def test_what_stands_twice_is_told_with_its_line() -> None:
    repeated: list[str] = []

    assert read_yaml(b"a: 1\nb:\n  c: 1\n  c: 2\n", repeated) == {"a": 1, "b": {"c": 2}}
    assert repeated == ['line 4: key "c" already set in map']
