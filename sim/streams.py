"""Named random streams, all derived from one seed.

A stream's draws depend on the seed and its name alone, never on what other streams drew or on the hash seed,
so adding a model does not change the others.
"""

import hashlib
import random


class Streams:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, random.Random] = {}

    def __call__(self, name: str) -> random.Random:
        """The stream called ``name``; the same object each time."""
        stream = self._streams.get(name)
        if stream is None:
            digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
            stream = self._streams[name] = random.Random(int.from_bytes(digest[:16], "big"))
        return stream
