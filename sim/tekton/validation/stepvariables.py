"""References to variables in the fields of steps."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from controller.ports import Document
from sim.tekton.validation.fielderrors import FieldError, under
from sim.tekton.validation.params import (
    declared,
    enum_errors,
    name_errors,
    repeated_specs,
    without_properties,
)
from sim.tekton.validation.variables import not_isolated, prohibited, prohibited_whole, refers, unknown

_Judge = Callable[[str, bool], Iterator[FieldError]]
"""``(text, in a list of arguments)``."""
_MOUNT = ("name", "mountPath", "subPath")
_MOUNT_SPELLED = ("name", "MountPath", "SubPath")


def _judged(step: Document, judge: _Judge, mount_paths: Sequence[str] = _MOUNT) -> Iterator[FieldError]:
    for key in ("name", "image", "workingDir", "script"):
        text = step.get(key) or ""
        if "$(" in text:
            yield from under(judge(text, False), key)
    for key in ("command", "args"):
        for index, text in enumerate(step.get(key) or ()):
            if "$(" in text:
                yield from under(judge(text, True), f"{key}[{index}]")
    for variable in step.get("env") or ():
        text = variable.get("value") or ""
        if "$(" in text:
            yield from under(judge(text, False), "env", f"[{variable['name']}]")
    for index, mount in enumerate(step.get("volumeMounts") or ()):
        for key, spelled in zip(_MOUNT, mount_paths, strict=True):
            text = mount.get(key) or ""
            if "$(" in text:
                yield from under(judge(text, False), f"volumeMount[{index}]", spelled)


def unknown_variables(steps: Iterable[Document], prefix: str, known: Iterable[str]) -> Iterator[FieldError]:
    names = frozenset(known)
    for index, step in enumerate(steps):
        place = f"steps[{index}]"
        yield from under(_judged(step, lambda text, _: unknown(text, prefix, names), _MOUNT_SPELLED), place)
        yield from under(unknown(step.get("onError") or "", prefix, names), place, "onError")


def _nested(steps: Iterable[Document], judge: _Judge) -> list[FieldError]:
    """What the steps before already have gets the place of every later step put before it, too: so does Tekton."""
    errors: list[FieldError] = []
    for index, step in enumerate(steps):
        errors = list(under([*errors, *_judged(step, judge)], f"steps[{index}]"))
    return errors


def array_misuse(steps: Iterable[Document], arrays: frozenset[str]) -> list[FieldError]:
    return _nested(
        steps,
        lambda text, listed: not_isolated(text, "params", arrays) if listed else prohibited(text, "params", arrays),
    )


def parameter_usage(steps: list[Document], specs: Sequence[Document]) -> Iterator[FieldError]:
    """Whether steps refer to declared parameters only, and to objects by key."""
    if refers(steps):
        known = declared(specs)
        yield from unknown_variables(steps, "params", known.names)
        for name, keys in known.keys.items():
            yield from unknown_variables(steps, rf"params\.{name}", keys)
        yield from _nested(steps, lambda text, _: prohibited_whole(text, "params", known.keys))
    yield from without_properties(specs)


def parameter_variables(steps: list[Document], specs: Sequence[Document]) -> Iterator[FieldError]:
    """What is wrong with declarations of parameters, and with the use of arrays in steps."""
    yield from repeated_specs(specs)
    yield from under(enum_errors(specs), "params")
    yield from name_errors(specs)
    if refers(steps):
        yield from array_misuse(steps, declared(specs).arrays)
