"""What comes as the body of an apply."""

import pytest

from controller.ports import ApiError
from sim.apiserver.ownership.patch import apply_patch


def test_yaml_and_json_say_the_same() -> None:
    wanted = {"a": {"b": [1, "x", True, None]}, "2026-01-01": "2026-01-01"}
    assert apply_patch(b"a: {b: [1, x, true, null]}\n2026-01-01: 2026-01-01\n", "Warn") == wanted
    assert apply_patch(b'{"a":{"b":[1,"x",true,null]},"2026-01-01":"2026-01-01"}', "Warn") == wanted


def test_keys_are_texts() -> None:
    assert apply_patch(b"data: {1: a, true: b}", "Warn") == {"data": {"1": "a", "true": "b"}}


def test_no_body_says_nothing() -> None:
    assert apply_patch(b"", "Warn") == {}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{a: [", "error converting YAML to JSON: yaml: line 1: did not find expected node content"),
        (b"a: b: c", "error converting YAML to JSON: yaml: mapping values are not allowed in this context"),
        (
            b"a: 1\nb: c: d\n",
            "error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context",
        ),
        (b"a: *x", "error converting YAML to JSON: yaml: unknown anchor 'x' referenced"),
        (
            b"[1]",
            "error unmarshaling JSON: while decoding JSON: "
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
    ],
)
def test_broken_bodies_are_refused_in_the_words_of_the_real_decoder(body: bytes, text: str) -> None:
    with pytest.raises(ApiError) as error:
        apply_patch(body, "Warn")
    assert (error.value.code, error.value.message) == (400, f"error decoding YAML: {text}")


def test_keys_that_come_twice_are_refused_when_asked_for() -> None:
    body = b"data:\n  k: 1\n  k: 2\n"
    assert apply_patch(body, "Warn") == {"data": {"k": 2}}
    with pytest.raises(ApiError) as error:
        apply_patch(body, "Strict")
    assert error.value.message == (
        "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
        '  line 3: key "k" already set in map'
    )


def test_aliases_cannot_blow_a_body_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ApiError, match="excessive aliasing"):
        apply_patch("\n".join(lines).encode(), "Warn")


def test_a_body_that_holds_itself_is_refused() -> None:
    with pytest.raises(ApiError):
        apply_patch(b"a: &a [*a]", "Warn")
