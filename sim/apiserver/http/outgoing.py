"""From an answer to bytes."""

import json
from typing import Any

import orjson

from controller.ports import Document, WatchEvent

_KEPT = 4096  # documents

RawHeaders = list[tuple[bytes, bytes]]


def encoded(document: Any) -> bytes:
    """One JSON document. Lone surrogates, which are no text, become U+FFFD."""
    try:
        return orjson.dumps(document)
    except TypeError:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=dict)
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def raw_headers(headers: Any) -> RawHeaders:
    """As ASGI wants them; a list of values becomes as many headers."""
    return [
        (name.encode("latin-1"), one.encode("latin-1", "replace"))
        for name, value in headers.items()
        for one in ([value] if isinstance(value, str) else value)
    ]


class Lines:
    """Watch events as lines of JSON. All watchers of a change share one document, and so its encoding."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Document, bytes]] = {}

    def line(self, event: WatchEvent) -> bytes:
        document = event.object
        known = self._kept.get(id(document))
        if known is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            known = self._kept[id(document)] = (document, encoded(document))  # holding it keeps the id its own
        return b'{"type":"%s","object":%s}\n' % (event.type.encode(), known[1])
