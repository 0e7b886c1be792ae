"""Values as Go's ``fmt`` prints them, which Tekton's texts are full of: ``%q`` of texts, ``%v`` of slices and maps."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

_NAMED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


@lru_cache(maxsize=1024)
def quoted(text: str) -> str:
    """``%q`` of a string."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    shown = escaped(text.replace("\\", "\\\\")).replace('"', '\\"')
    return f'"{shown}"'


def listed(values: Iterable[object]) -> str:
    """``%v`` of a slice."""
    return f"[{' '.join(map(str, values))}]"


def mapped(lists: Mapping[str, Iterable[str]]) -> str:
    """``%v`` of a map of slices."""
    return f"map[{' '.join(f'{name}:{listed(lists[name])}' for name in sorted(lists))}]"


def escaped(text: str) -> str:
    """Without characters that cannot be printed: their escapes in their places."""
    return text if text.isprintable() else "".join(one if one.isprintable() else _code(one) for one in text)


def _code(one: str) -> str:
    known = _NAMED.get(one)
    if known is not None:
        return known
    point = ord(one)
    if point < 0x80:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
