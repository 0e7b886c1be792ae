"""Python's own garbage collector during a run.

A world holds hundreds of thousands of long-lived documents and makes almost no cycles; with the default thresholds the
collector walks all of them over and over and costs half of the run.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (200_000, 50, 1000)


@contextmanager
def tuned() -> Iterator[None]:
    """Collect rarely while the block runs, and as before afterwards."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
