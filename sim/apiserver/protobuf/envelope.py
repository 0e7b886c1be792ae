"""The envelope around a kind in protobuf: four magic bytes and a ``runtime.Unknown`` with type and content."""

from typing import Any

from controller.ports import Document
from sim.apiserver.errors import bad_request
from sim.apiserver.protobuf.decoding import decoded
from sim.apiserver.protobuf.encoding import encoded
from sim.apiserver.protobuf.special import text
from sim.apiserver.protobuf.wire import Malformed, chunk, fields
from sim.apiserver.rest.negotiation import JSON, YAML
from sim.apiserver.rest.options import unsupported_media
from sim.apiserver.schemas.messages import is_described, kind_name

_MAGIC = b"k8s\x00"
_SUMMARY_BYTES = 30


def unpacked(body: bytes, wanted: str) -> dict[str, Any]:
    """The object of a body, with its kind and apiVersion. Raises ApiError 400, 415 for a kind without description."""
    try:
        if not body.startswith(_MAGIC):
            shown = " ".join(str(byte) for byte in _MAGIC)
            raise Malformed(f"provided data does not appear to be a protobuf message, expected prefix [{shown}]")
        api_version, kind, raw = _unknown(memoryview(body)[len(_MAGIC) :])
    except Malformed as error:
        text_ = f"the object provided is unrecognized (must be of type {wanted}): {error} ({_summary(body)})"
        raise bad_request(text_) from None
    kind, api_version = kind or wanted, api_version or "v1"
    if not is_described(api_version, kind):
        raise unsupported_media(f"{JSON}, {YAML}")
    try:
        found = decoded(raw, kind_name(api_version, kind))
    except Malformed as error:
        version = api_version.rpartition("/")[2]
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {wanted}: {error}') from None
    return {"kind": kind, "apiVersion": api_version, **found}


def _unknown(data: memoryview) -> tuple[str, str, memoryview]:
    api_version, kind, raw = "", "", memoryview(b"")
    for number, _, value in fields(data):
        if isinstance(value, int):
            continue
        if number == 1:
            for part, _, word in fields(value):
                if part == 1:
                    api_version = text(word)
                elif part == 2:
                    kind = text(word)
        elif number == 2:
            raw = value
    return api_version, kind, raw


def _summary(body: bytes) -> str:
    if not body:
        return "<empty>"
    return body.hex() if len(body) <= _SUMMARY_BYTES else f"{body[:_SUMMARY_BYTES].hex()} ..."


def packed(document: Document) -> bytes | None:
    """An object or List of a described kind as a typed client reads it; None for any other document."""
    kind, api_version = str(document["kind"]), str(document["apiVersion"])
    partial = kind.startswith("PartialObjectMetadata")
    name = f"meta.v1.{kind}" if partial else kind_name(api_version, kind)
    try:
        raw = encoded(document, name)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # of another kind, or of another shape than its type
    type_meta = chunk(1, api_version.encode()) + chunk(2, kind.encode())
    return _MAGIC + chunk(1, type_meta) + chunk(2, raw) + chunk(3, b"") + chunk(4, b"")
