"""The names Tekton derives: children, pods and resolution requests. All deterministic."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

_MAX = 63  # a DNS label
_HEX = 32  # an md5 digest in hex
_FNV_OFFSET = 0x6C62272E07BB014262B821756295C58D
_FNV_PRIME = 0x0000000001000000000000000000013B
_FNV_MASK = (1 << 128) - 1


@lru_cache(maxsize=4096)
def child_name(parent: str, suffix: str) -> str:
    """``parent + suffix`` cut to a DNS label, an md5 digest in place of what was cut (knative ``kmeta``)."""
    if len(parent) + len(suffix) <= _MAX:
        return parent + suffix
    keep = _MAX - _HEX
    if len(suffix) < keep:
        return parent[: keep - len(suffix)] + _md5(parent) + suffix
    name = parent[:keep] + _md5(parent + suffix)
    return _trimmed((name + suffix)[:_MAX])


def task_run_name(pipeline_run: str, pipeline_task: str) -> str:
    return child_name(pipeline_run, f"-{pipeline_task}")


def fanned_names(pipeline_run: str, pipeline_task: str, count: int) -> list[str]:
    """The names of the TaskRuns of a task with a matrix; one alone has no number."""
    alone = task_run_name(pipeline_run, pipeline_task)
    if count == 1:
        return [alone]
    names = []
    for number in range(count):
        name = child_name(pipeline_run, f"-{pipeline_task}-{number}")
        if not name.endswith(f"-{number}"):
            name = f"{alone[: _MAX - len(f'-{count}')]}-{number}"
        names.append(name)
    return names


def pod_name(task_run: str, retries: int) -> str:
    """``retries`` is the number of attempts already archived."""
    return child_name(task_run, f"-pod-retry{retries}" if retries else "-pod")


def resolution_request_name(resolver: str, namespace: str, name: str, params: Iterable[Mapping[str, Any]]) -> str:
    """The resolver's name and the hex FNV-1a-128 digest of who asks for what."""
    text = f"{namespace}/{name}"
    for param in sorted(params, key=lambda one: str(one["name"])):
        value = param["value"]
        text += str(param["name"]) + (value if isinstance(value, str) else "")
    return f"{resolver}-{_fnv1a_128(text):032x}"


def hashed_name(prefix: str, name: str, length: int = 5) -> str:
    """``prefix`` and the first ``length`` digits of the hex FNV-1a-32 digest of ``name``."""
    digest = 0x811C9DC5
    for byte in name.encode():
        digest = (digest ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{prefix}-{format(digest, 'x')[:length].ljust(length, '0')}"


@lru_cache(maxsize=4096)
def _fnv1a_128(text: str) -> int:
    digest = _FNV_OFFSET
    for byte in text.encode():
        digest = (digest ^ byte) * _FNV_PRIME & _FNV_MASK
    return digest


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _trimmed(name: str) -> str:
    while name and not name[-1].isalnum():
        name = name[:-1]
    return name
