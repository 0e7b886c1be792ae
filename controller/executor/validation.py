"""What a WorkflowExecution must say before anything is created for it."""

import re
from collections.abc import Mapping
from typing import Any

from controller.api.durations import parse_duration

_NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_KIND = re.compile(r"[A-Za-z](?:[-.A-Za-z0-9]{0,251}[A-Za-z0-9])?", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9](?:[-_.:A-Za-z0-9]{0,251}[A-Za-z0-9])?", re.ASCII)
_RULES = {
    "namespace": (_NAMESPACE, "a namespace (lower case letters, digits, '-')"),
    "kind": (_KIND, "a kind (letters, digits, '-', '.')"),
    "name": (_NAME, "an object name (letters, digits, '-', '_', '.', ':')"),
}
_SHOWN = 80


class SpecError(Exception):
    """The spec cannot be executed; the text names the bad part."""


def validate(spec: Mapping[str, Any]) -> None:
    """Raises SpecError for the first fault: image, target, timeout, in that order."""
    if not (spec.get("workflowRef") or {}).get("containerImage"):
        raise SpecError("workflowRef.containerImage is required")
    _validate_target(spec.get("targetResource") or "")
    config = spec.get("executionConfig") or {}
    timeout = config.get("timeout")
    if timeout is not None:
        try:
            parse_duration(timeout)
        except ValueError as error:
            raise SpecError(f"executionConfig.timeout: {error}") from None
    account = config.get("serviceAccountName")
    if account is not None and not _NAME.fullmatch(account):
        raise SpecError(f"executionConfig.serviceAccountName: {_shown(account)} is not a name")


def _validate_target(target: str) -> None:
    if not target:
        raise SpecError("targetResource is required")
    parts = target.split("/")
    if len(parts) not in (2, 3):
        raise SpecError(
            "targetResource must be in format {namespace}/{kind}/{name} (namespaced) or {kind}/{name} "
            f"(cluster-scoped), got {len(parts)} parts: {_shown(target)}"
        )
    names = ("namespace", "kind", "name")[-len(parts) :]
    for position, (name, part) in enumerate(zip(names, parts, strict=True)):
        if not part:
            raise SpecError(f"targetResource has empty part at position {position} ({name}): {_shown(target)}")
        rule, expected = _RULES[name]
        if rule.fullmatch(part) is None:
            raise SpecError(f"targetResource {name} {_shown(part)} is not {expected}: {_shown(target)}")


def _shown(text: str) -> str:
    shown = ascii(text[:_SHOWN])
    return f"{shown}..." if len(text) > _SHOWN else shown
