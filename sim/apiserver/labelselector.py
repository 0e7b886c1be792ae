"""LabelSelectors as objects carry them: ``matchLabels`` and ``matchExpressions``."""

from collections.abc import Mapping
from typing import Any

_NONE: Mapping[str, str] = {}


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether labels are selected; an empty selector selects everything, None nothing."""
    if selector is None:
        return False
    own = labels or _NONE
    wanted = selector.get("matchLabels") or _NONE
    if any(own.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(one, own) for one in selector.get("matchExpressions") or ())


def _holds(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = requirement["key"], requirement.get("operator"), requirement.get("values") or ()
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    return (key in labels) is (operator == "Exists")
