"""Which errors Tekton takes for passing ones, that leave no mark and are tried again (``pkg/resolution/common``)."""

from controller.ports import ApiError

_REASONS = ("Conflict", "ServerTimeout", "Timeout", "TooManyRequests")
_TEXTS = ("etcdserver: leader changed", "context deadline exceeded", "retryable error validating referenced object")


def is_transient(error: Exception) -> bool:
    """Whether the queue's back-off is to decide, instead of a condition that says it failed."""
    if isinstance(error, ApiError) and error.reason in _REASONS:
        return True
    text = str(error)
    return any(words in text for words in _TEXTS)
