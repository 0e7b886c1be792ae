"""The resolvers' cache of what they fetched: least recently used goes first, and nothing stays longer than its time."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from sim.tekton.bundles import Entry

_PARAM = "cache"
_MODES = ("always", "never", "auto")
_PREFIX = "resolution.tekton.dev/"

CacheKey = tuple[tuple[str, str], ...]
"""What a request asks for, however it wants it cached."""


def mode_of(params: Mapping[str, Any], default: str) -> str:
    """The cache mode that a request asks for. Raises ValueError with Tekton's words."""
    mode: str = params.get(_PARAM) or ""
    if mode and mode not in _MODES:
        words = " ".join(_MODES)
        raise ValueError(f"invalid cache mode '{mode}', must be one of: [{words}] (or empty for default)")
    return mode or default


class ResolverCache:
    """At most ``most`` entries for ``ttl_us`` each, by all parameters of a request but ``cache``."""

    def __init__(self, ttl_us: int, most: int) -> None:
        self._ttl_us = ttl_us
        self._most = most
        self._entries: OrderedDict[CacheKey, tuple[int, Entry]] = OrderedDict()

    def get(self, key: CacheKey, now_us: int) -> Entry | None:
        found = self._entries.get(key)
        if found is None:
            return None
        if now_us >= found[0]:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return found[1]

    def put(self, key: CacheKey, entry: Entry, now_us: int) -> None:
        self._entries[key] = now_us + self._ttl_us, entry
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)


def annotated(annotations: Mapping[str, str], operation: str, timestamp: str) -> dict[str, str]:
    """The annotations of what went through the cache; ``operation`` is ``store`` or ``retrieve``."""
    return {
        **annotations,
        f"{_PREFIX}cached": "true",
        f"{_PREFIX}cache-timestamp": timestamp,
        f"{_PREFIX}cache-resolver-type": "bundles",
        f"{_PREFIX}cache-operation": operation,
    }


def key_of(params: Mapping[str, Any]) -> CacheKey:
    return tuple(sorted((name, str(value)) for name, value in params.items() if name != _PARAM))
