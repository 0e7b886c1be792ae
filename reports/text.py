"""Text from a record: bounded and cleaned before it goes anywhere. Names, messages and errors are untrusted."""

import re

NAME_LIMIT = 200
MESSAGE_LIMIT = 2_000
_NOT_ALLOWED = re.compile(
    # XML 1.0 forbids most control characters even escaped; bidirectional overrides make a line read as another.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
_WHITE = re.compile(r"\s+")


def clean(text: str, limit: int = NAME_LIMIT) -> str:
    """One line of at most ``limit`` characters, cut with an ellipsis; what may not be shown becomes U+FFFD."""
    return clean_lines(_WHITE.sub(" ", text[: limit * 4]).strip(), limit)


def clean_lines(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """As :func:`clean`, but newlines and tabs stay."""
    text = _NOT_ALLOWED.sub("\ufffd", text[: limit + 1].replace("\r\n", "\n"))
    return text if len(text) <= limit else text[: limit - 1] + "…"
