"""JSON is read as Go's encoding/json reads it; the complaints are what that library says of the same texts."""

import pytest

from sim.apiserver.rest.jsontext import read_json

COMPLAINTS = {
    b"": "unexpected end of JSON input",
    b"{bad": "invalid character 'b' looking for beginning of object key string",
    b'{"a"': "unexpected end of JSON input",
    b'{"a" 1}': "invalid character '1' after object key",
    b'{"a":1 "b"': "invalid character '\"' after object key:value pair",
    b'{"a":1,}': "invalid character '}' looking for beginning of object key string",
    b"[1 2]": "invalid character '2' after array element",
    b"[1,]": "invalid character ']' looking for beginning of value",
    b"1 2": "invalid character '2' after top-level value",
    b"tru": "invalid character ' ' in literal true (expecting 'e')",
    b"-a": "invalid character 'a' in numeric literal",
    b"1.x": "invalid character 'x' after decimal point in numeric literal",
    b"-12.E+3": "invalid character 'E' after decimal point in numeric literal",
    b"1e+": "invalid character ' ' in exponent of numeric literal",
    b'"a': "unexpected end of JSON input",
    b'"\x01"': r"invalid character '\x01' in string literal",
    b'"\\x"': "invalid character 'x' in string escape code",
    b'"\\u12g4"': r"invalid character 'g' in \u hexadecimal character escape",
    b"'a'": r"invalid character '\'' looking for beginning of value",
    b"\xef\xbb\xbf{}": "invalid character 'ï' looking for beginning of value",
    b"NaN": "invalid character 'N' looking for beginning of value",
    b"[" * 20_000: "exceeded max depth",
}


@pytest.mark.parametrize(("body", "complaint"), COMPLAINTS.items(), ids=lambda value: repr(value)[:30])
def test_what_is_no_json_is_refused_in_the_words_of_the_real_decoder(body: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"invalid|unexpected|exceeded") as refused:
        read_json(body)

    assert str(refused.value) == complaint


def test_what_is_no_text_becomes_a_replacement_character() -> None:
    assert read_json(rb'["\ud800", "\ud83d\ude00", "\\ud800"]') == ["\ufffd", "\U0001f600", r"\ud800"]
    assert read_json(b'"\xff"') == "\ufffd"


def test_integers_beyond_64_bits_are_floats() -> None:
    value = read_json(b"[1, 9223372036854775807, 123456789012345678901234567890]")

    assert value == [1, 9223372036854775807, 1.2345678901234568e29]
    assert type(value[2]) is float


def test_deep_nesting_that_the_real_decoder_takes_is_read_or_refused_but_never_a_crash() -> None:
    assert read_json(b"[" * 900 + b"]" * 900)
    with pytest.raises(RecursionError):
        read_json(b"[" * 5_000 + b"]" * 5_000)
