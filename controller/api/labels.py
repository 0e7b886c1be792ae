"""Label values: any text as one that the API server takes."""

import hashlib
import re
from functools import lru_cache

_LIMIT = 63
_VALID = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_INVALID = re.compile(r"[^-A-Za-z0-9_.]", re.ASCII)
_DIGEST_LENGTH = 8


@lru_cache(maxsize=4096)
def label_value(text: str) -> str:
    """``text`` as a valid label value: slashes become ``__``; what cannot be kept is told apart by a digest."""
    slashed = text.replace("/", "__")
    if _VALID.fullmatch(slashed) is not None:
        return slashed
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
    kept = _INVALID.sub("-", slashed)[: _LIMIT - _DIGEST_LENGTH - 1].strip("-_.")
    return f"{kept}-{digest}" if kept else digest
