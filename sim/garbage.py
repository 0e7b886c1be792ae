"""Python's own garbage collector during a run.

A world holds hundreds of thousands of long-lived documents and makes next to no cycles while it runs; the collector
would walk all of them, over and over with the default thresholds, to find nothing. A world that is over is one big
cycle: the collector is run when enough of such garbage can have come together.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (5_000_000, 50, 1000)  # objects; a safety net
_LEFT_MAX = 500_000  # objects that runs left behind, about 150 MiB

_left = 0


@contextmanager
def tuned() -> Iterator[None]:
    """Collect rarely while the block runs, and as before afterwards."""
    global _left  # noqa: PLW0603  # there is one collector per interpreter
    if _left > _LEFT_MAX:
        gc.collect()
        _left = 0
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        _left += gc.get_count()[0]
        gc.freeze()  # once more: what the run left goes to the oldest generation without a walk
        gc.set_threshold(*before)
        gc.unfreeze()
