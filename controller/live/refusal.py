"""Answers of an API server, or of something before it, that say no."""

import json
import re
from collections.abc import Mapping
from typing import Any

from controller.ports import ApiError

_TEXT_MAX = 4096  # characters kept of an answer that is no Status: a proxy's page, say
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Gone",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
"""What client-go makes of a bare HTTP status."""


def refusal(code: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """The Status in ``body``, or what can be said of an answer that holds none."""
    retry_after_s = _seconds(headers.get("Retry-After", ""))
    try:
        status = json.loads(body)
    except ValueError:
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        return of_status(status, code, retry_after_s)
    text = _CONTROL.sub(" ", body.decode(errors="replace")[:_TEXT_MAX])
    return ApiError(code, _REASONS.get(code, ""), text, None, retry_after_s)


def of_status(status: Mapping[str, Any], code: int = 500, retry_after_s: float | None = None) -> ApiError:
    """``code`` stands in where the Status has none."""
    told, details = status.get("code"), status.get("details")
    return ApiError(
        told if isinstance(told, int) else code,
        str(status.get("reason") or ""),
        str(status.get("message") or ""),
        details if isinstance(details, dict) else None,
        retry_after_s,
    )


def _seconds(header: str) -> float | None:
    """API servers send whole seconds; the other form, a date, only comes from proxies and is not believed."""
    return float(header) if header.isascii() and header.isdigit() else None
