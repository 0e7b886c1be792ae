"""The lock on a target: the name under which its PipelineRun is created, one at a time."""

import hashlib
from functools import lru_cache


@lru_cache(maxsize=4096)
def lock_name(target_resource: str) -> str:
    """``wfe-`` and 16 hex digits: one name a target, case-sensitive."""
    digest = hashlib.sha256(target_resource.encode("utf-8", "surrogatepass")).hexdigest()
    return f"wfe-{digest[:16]}"
