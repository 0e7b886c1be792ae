"""What names, label keys and label values may look like, with the texts of apimachinery ``util/validation``."""

import re
from collections.abc import Callable

NameRule = Callable[[str], tuple[str, ...]]
"""Answers the complaints about a name; empty when it is fine."""

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = _LABEL + r"(\." + _LABEL + ")*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"

_subdomain = re.compile(_SUBDOMAIN).fullmatch
_label = re.compile(_LABEL).fullmatch
_qualified = re.compile(_QUALIFIED).fullmatch
_value = re.compile(_VALUE).fullmatch

_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    f"and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    f"with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_QUALIFIED_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_QUALIFIED}')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
    f"is '{_VALUE}')"
)


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def subdomain(name: str) -> tuple[str, ...]:
    """RFC 1123 subdomain, at most 253 characters: the names of most kinds."""
    if len(name) <= 253 and _subdomain(name):
        return ()
    complaints = (_too_long(253),) if len(name) > 253 else ()
    return complaints if _subdomain(name) else (*complaints, _SUBDOMAIN_TEXT)


def label(name: str) -> tuple[str, ...]:
    """RFC 1123 label, at most 63 characters: namespaces."""
    if len(name) <= 63 and _label(name):
        return ()
    complaints = (_too_long(63),) if len(name) > 63 else ()
    return complaints if _label(name) else (*complaints, _LABEL_TEXT)


def path_segment(name: str) -> tuple[str, ...]:
    """What fits into a URL path: RBAC kinds, whose names carry colons."""
    if name in (".", ".."):
        return (f"may not be '{name}'",)
    return tuple(f"may not contain '{one}'" for one in "/%" if one in name)


def qualified_name(key: str) -> tuple[str, ...]:
    """``[prefix/]name``: label keys, annotation keys, finalizers."""
    prefix, slash, name = key.rpartition("/")
    complaints: tuple[str, ...] = ()
    if slash:
        if "/" in prefix:
            return (
                "a qualified name "
                + _QUALIFIED_TEXT[len("name part ") :]
                + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
            )
        if not prefix:
            complaints = ("prefix part must be non-empty",)
        else:
            complaints = tuple(f"prefix part {text}" for text in subdomain(prefix))
    if not name:
        return (*complaints, "name part must be non-empty", _QUALIFIED_TEXT)
    if len(name) > 63:
        complaints = (*complaints, f"name part {_too_long(63)}")
    return complaints if _qualified(name) else (*complaints, _QUALIFIED_TEXT)


def label_value(value: str) -> tuple[str, ...]:
    if len(value) <= 63 and _value(value):
        return ()
    complaints = (_too_long(63),) if len(value) > 63 else ()
    return complaints if _value(value) else (*complaints, _VALUE_TEXT)
