"""Which leader a key belongs to when the keys of a controller are split into buckets (knative's consistent hash)."""

from collections.abc import Sequence
from functools import lru_cache

from controller.runtime.cache import Key

_UNIVERSE = 1 << 11
_OFFSET, _PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


def bucket_names(prefix: str, count: int) -> tuple[str, ...]:
    """The buckets of one controller, which are the names of its leases: ``prefix.00-of-02``, ``prefix.01-of-02``."""
    return tuple(f"{prefix}.{number:02d}-of-{count:02d}".lower() for number in range(count))


@lru_cache(maxsize=4096)
def owner(buckets: Sequence[str], key: Key) -> str:
    """The bucket that a key is in: always the same one for the same buckets, whoever asks."""
    if len(buckets) == 1:
        return buckets[0]
    target = f"{key[0]}/{key[1]}"
    places: dict[int, str] = {}
    for name in sorted(buckets):
        text = f"{name}{target}"
        angle = _fnv1a(text)
        while angle % _UNIVERSE in places:
            text += f"{angle:x}"
            angle = _fnv1a(text)
        places[angle % _UNIVERSE] = name
    start = _fnv1a(f"{target}start-angle-salt") % _UNIVERSE
    chosen = min(places, key=lambda place: (place < start, place))
    return places[chosen]


def _fnv1a(text: str) -> int:
    angle = _OFFSET
    for byte in text.encode():
        angle = (angle ^ byte) * _PRIME & _MASK
    return angle
