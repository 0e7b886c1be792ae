"""Tekton's entrypoint as a kubelet meets it: its flags, and the termination message it leaves behind.

Every step container runs ``entrypoint`` first, which waits for a file, runs the step and posts a file for the next
one. What it reports goes into the container's termination message, a JSON list that Tekton's controller reads back.
"""

import json
from dataclasses import dataclass
from functools import lru_cache

from controller.ports import Document
from sim.workload.durations import parse_us

MESSAGE_LIMIT_BYTES = 4096
"""A longer termination message is refused by the entrypoint itself (limit of the kubelet)."""
OVERSIZED = "Termination message is above max allowed size 4096, caused by large task result."
SKIPPING = "Skipping step because a previous step failed"
READY_ANNOTATION = "tekton.dev/ready"
READY = "READY"

_BOOLEAN_FLAGS = frozenset({"-wait_file_content", "-breakpoint_on_failure", "-debug_before_step"})
_GO_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


@dataclass(frozen=True, slots=True)
class Entrypoint:
    """The flags that decide when a step starts and what follows from its end."""

    wait_file: str
    wait_content: bool
    """Wait until the file has content: the downward API file that carries the ready annotation."""
    post_file: str
    timeout_us: int | None
    on_error_continue: bool


def read(container: Document) -> Entrypoint | None:
    """The entrypoint's flags of a container; None when it runs something else."""
    command = container.get("command")
    if not command or not command[0].endswith("/entrypoint"):
        return None
    arguments = (*command[1:], *container.get("args", ()))
    end = arguments.index("-entrypoint") if "-entrypoint" in arguments else len(arguments)
    return _parse(arguments[:end])


@lru_cache(maxsize=4096)
def _parse(arguments: tuple[str, ...]) -> Entrypoint:
    flags: dict[str, str] = {}
    position = 0
    while position < len(arguments):
        flag = arguments[position]
        if flag == "--":
            break
        if flag in _BOOLEAN_FLAGS:
            flags[flag] = "true"
            position += 1
        else:
            flags[flag] = arguments[position + 1] if position + 1 < len(arguments) else ""
            position += 2
    timeout_us = parse_us(flags["-timeout"]) if "-timeout" in flags else 0
    return Entrypoint(
        wait_file=flags.get("-wait_file", ""),
        wait_content="-wait_file_content" in flags,
        post_file=flags.get("-post_file", ""),
        timeout_us=timeout_us or None,  # 0 means no limit
        on_error_continue=flags.get("-on_error") == "continue",
    )


def message(
    started_at: str, *, reason: str = "", exit_code: int | None = None, results: tuple[tuple[str, str], ...] = ()
) -> str:
    """The termination message. ``started_at`` is RFC 3339 with milliseconds.

    ``reason``: Skipped or TimeoutExceeded; ``exit_code``: the real one of a step that may fail (onError: continue).
    """
    text = f'{{"key":"StartedAt","value":"{started_at}","type":3}}'
    if results:
        written = (f'{{"key":{_go_json(name)},"value":{_go_json(value)},"type":1}}' for name, value in results)
        text = f"{','.join(written)},{text}"
    if reason:
        text += f',{{"key":"Reason","value":"{reason}","type":3}}'
    if exit_code is not None:
        text += f',{{"key":"ExitCode","value":"{exit_code}","type":3}}'
    return f"[{text}]"


def _go_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_GO_ESCAPES)
