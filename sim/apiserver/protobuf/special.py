"""Types whose JSON is not an object of their fields: times, quantities, numbers or names, raw JSON."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sim.apiserver.protobuf.wire import BYTES, VARINT, Malformed, chunk, fields, signed, tagged, varint

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_S = 253_402_300_799  # the year 9999


def text(value: int | memoryview) -> str:
    """Raises Malformed."""
    if isinstance(value, int):
        raise Malformed("wrong wireType = 0 for a field of bytes")
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise Malformed("invalid UTF-8") from None


def _numbers(data: memoryview) -> dict[int, int]:
    return {number: signed(value) for number, _, value in fields(data) if isinstance(value, int)}


def _read_time(data: memoryview) -> Any:
    found = _numbers(data)
    return _moment(found).strftime("%Y-%m-%dT%H:%M:%SZ") if found.get(1) else None


def _read_micro_time(data: memoryview) -> Any:
    found = _numbers(data)
    return _moment(found).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if found.get(1) else None


def _moment(found: Mapping[int, int]) -> datetime:
    seconds = found.get(1, 0)
    if not 0 <= seconds <= _LONGEST_S:
        raise Malformed(f"time out of range: {seconds}")
    return _EPOCH + timedelta(seconds=seconds, microseconds=found.get(2, 0) // 1000)


def _write_time(value: Any) -> bytes:
    if not value:
        return b""
    passed = datetime.fromisoformat(str(value).replace("Z", "+00:00")) - _EPOCH
    seconds = passed // timedelta(seconds=1)
    rest = (passed - timedelta(seconds=seconds)) // timedelta(microseconds=1) * 1000
    return tagged(1, VARINT) + varint(seconds) + tagged(2, VARINT) + varint(rest)


def _read_quantity(data: memoryview) -> Any:
    return next((text(value) for number, _, value in fields(data) if number == 1), "0")


def _write_quantity(value: Any) -> bytes:
    return chunk(1, str(value).encode())


def _read_int_or_string(data: memoryview) -> Any:
    found = {number: value for number, _, value in fields(data)}
    if found.get(1, 0) == 1:
        return text(found.get(3, memoryview(b"")))
    number = found.get(2, 0)
    return signed(number) if isinstance(number, int) else 0


def _write_int_or_string(value: Any) -> bytes:
    if isinstance(value, int):
        return tagged(1, VARINT) + varint(0) + tagged(2, VARINT) + varint(value)
    return tagged(1, VARINT) + varint(1) + chunk(3, str(value).encode())


def _read_raw(data: memoryview) -> Any:
    raw = next((bytes(value) for number, kind, value in fields(data) if number == 1 and kind == BYTES), b"")
    try:
        return json.loads(raw) if raw else None
    except ValueError as error:
        raise Malformed(f"embedded JSON: {error}") from None


def _write_raw(value: Any) -> bytes:
    return chunk(1, json.dumps(value, separators=(",", ":")).encode())


READERS: Mapping[str, Callable[[memoryview], Any]] = {
    "meta.v1.Time": _read_time,
    "meta.v1.MicroTime": _read_micro_time,
    "resource.Quantity": _read_quantity,
    "intstr.IntOrString": _read_int_or_string,
    "meta.v1.FieldsV1": _read_raw,
    "runtime.RawExtension": _read_raw,
    "apiextensions.v1.JSON": _read_raw,
}
"""By type. All raise Malformed; None is a value that JSON leaves out."""
WRITERS: Mapping[str, Callable[[Any], bytes]] = {
    "meta.v1.Time": _write_time,
    "meta.v1.MicroTime": _write_time,
    "resource.Quantity": _write_quantity,
    "intstr.IntOrString": _write_int_or_string,
    "meta.v1.FieldsV1": _write_raw,
    "runtime.RawExtension": _write_raw,
    "apiextensions.v1.JSON": _write_raw,
}
