"""The wire format of protobuf: fields of a number, a wire type and a value."""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_MASK = (1 << 64) - 1
_VARINT_BYTES = 10


class Malformed(ValueError):
    """The bytes are no protobuf message; the text says why, as Go's decoder does."""


def varint(number: int) -> bytes:
    number &= _MASK
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def tagged(number: int, wire_type: int) -> bytes:
    return varint(number << 3 | wire_type)


def chunk(number: int, value: bytes) -> bytes:
    """A field of bytes, of text or of another message."""
    return tagged(number, BYTES) + varint(len(value)) + value


def signed(number: int) -> int:
    """A varint as the signed number it stands for."""
    return number - (1 << 64) if number >> 63 else number


def fields(data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Every field in order: number, wire type, value. Raises Malformed."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise Malformed("illegal tag 0 (wire type 0)")
        if wire_type == VARINT:
            value, at = _varint(data, at)
            yield number, wire_type, value
            continue
        if wire_type == BYTES:
            size, at = _varint(data, at)
        elif wire_type in (FIXED64, FIXED32):
            size = 8 if wire_type == FIXED64 else 4
        else:
            raise Malformed(f"illegal wireType {wire_type}")
        if size > end - at:
            raise Malformed("unexpected EOF")
        yield number, wire_type, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(_VARINT_BYTES):
        if at >= len(data):
            raise Malformed("unexpected EOF")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return number & _MASK, at
    raise Malformed("integer overflow")
