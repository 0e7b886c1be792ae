"""Steps and sidecars of a task."""

import posixpath
import re
from collections.abc import Iterator

from controller.ports import Document
from sim.apiserver.names import label
from sim.tekton.goformat import quoted
from sim.tekton.gotypes.durations import parse_ns
from sim.tekton.validation.fielderrors import FieldError, gated, generic, invalid_value, missing, under
from sim.tekton.validation.references import reference_errors
from sim.tekton.validation.variables import refers
from sim.tekton.version import WebhookChecks

_STEP_RESULT = re.compile(r"\$\(steps\..*?\.results\..*?\)")
_STEP_ARTIFACT = re.compile(r"\$\(steps\.([^.]+)\.(?:inputs|outputs)\.([^.)]+)\)")
TASK_ARTIFACT = re.compile(r"\$\(tasks\.([^.]+)\.(?:inputs|outputs)\.([^.)]+)\)")
NO_ARTIFACTS = "feature flag enable-artifacts should be set to true to use artifacts feature."
_NAME_HELP = (
    "Task step name must be a valid DNS Label, For more info refer to "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names"
)
_NOT_WITH_REF = (
    ("image", "image"),
    ("command", "command"),
    ("args", "args"),
    ("script", "script"),
    ("workingDir", "working dir"),
    ("env", "env"),
    ("volumeMounts", "volumeMounts"),
    ("results", "results"),
)


def clean_path(path: str) -> str:
    """As Go's ``filepath.Clean``."""
    cleaned = posixpath.normpath(path or ".")
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def step_errors(step: Document, checks: WebhookChecks) -> Iterator[FieldError]:
    if _uses_artifacts(step):
        yield generic(NO_ARTIFACTS, "")
        return
    if step.get("timeout") and parse_ns(step["timeout"]) < 0:
        yield invalid_value(step["timeout"], "negative timeout")
        return
    yield from _content_errors(step, checks)
    name = step.get("name") or ""
    if name and label(name):
        yield FieldError(f"invalid value {quoted(name)}", ("name",), _NAME_HELP)
    for index, mount in enumerate(step.get("volumeMounts") or ()):
        yield from under(_mount_errors(mount, checks.cleaned_mount_paths), "volumeMounts", f"[{index}]")
    policy = step.get("onError") or ""
    if policy and not policy.startswith("$(params") and policy not in ("continue", "stopAndFail"):
        help_text = 'Task step onError must be either "continue" or "stopAndFail"'
        yield FieldError(f'invalid value: "{policy}"', ("onError",), help_text)
    if (step.get("script") or "").strip().startswith("#!win"):
        yield gated("windows script support")
    for key, word in (("stdoutConfig", "stdout"), ("stderrConfig", "stderr")):
        if step.get(key) is not None:
            yield gated(f"step {word} stream support")
    yield from _misplaced(step)


def sidecar_errors(sidecar: Document) -> Iterator[FieldError]:
    if sidecar.get("name") == "tekton-log-results":
        yield FieldError("Invalid: cannot use reserved sidecar name tekton-log-results ", ("name",))
    if not sidecar.get("image"):
        yield missing("image")
    if sidecar.get("script") and sidecar.get("command"):
        yield FieldError("script cannot be used with command", ("script",))


def _content_errors(step: Document, checks: WebhookChecks) -> Iterator[FieldError]:
    if step.get("ref") is not None:
        yield from reference_errors(step["ref"], checks)
        for key, word in _NOT_WITH_REF:
            if step.get(key):
                yield FieldError(f"{word} cannot be used with Ref", (key,))
        return
    if step.get("params"):
        yield FieldError("params cannot be used without Ref", ("params",))
    if not step.get("image"):
        yield missing("Image")
    if step.get("script") and step.get("command"):
        yield FieldError("script cannot be used with command", ("script",))


def _mount_errors(mount: Document, cleaned: bool) -> Iterator[FieldError]:
    name, path = mount.get("name") or "", mount.get("mountPath") or ""
    seen = clean_path(path) if cleaned else path
    if seen.startswith("/tekton/") and not seen.startswith("/tekton/home"):
        text = f"volumeMount cannot be mounted under /tekton/ (volumeMount {quoted(name)} mounted at {quoted(path)})"
        yield generic(text, "mountPath")
    if name.startswith("tekton-internal-"):
        yield generic(f'volumeMount name {quoted(name)} cannot start with "tekton-internal-"', "name")


def _uses_artifacts(step: Document) -> bool:
    if not refers(step):
        return False
    texts = [step.get("script") or "", *(step.get("command") or ()), *(step.get("args") or ())]
    texts += [variable.get("value") or "" for variable in step.get("env") or ()]
    return any("$(" in text and (_step_artifact(text) or _task_artifact(text)) for text in texts)


def _step_artifact(text: str) -> bool:
    return "$(step.artifacts.path)" in text or _STEP_ARTIFACT.search(text) is not None


def _task_artifact(text: str) -> bool:
    return "$(artifacts.path)" in text or TASK_ARTIFACT.search(text) is not None


def _misplaced(step: Document) -> Iterator[FieldError]:
    """References to results and artifacts of earlier steps in fields that do not take them."""
    if not refers(step):
        return
    texts = [(key, step.get(key) or "") for key in ("name", "image", "script", "imagePullPolicy", "workingDir")]
    for source in step.get("envFrom") or ():
        texts.append(("envFrom.prefix", source.get("prefix") or ""))
        texts += [
            (f"envFrom.{key}", (source.get(key) or {}).get("name") or "") for key in ("configMapRef", "secretRef")
        ]
    for group, keys in (("volumeMounts", ("name", "mountPath", "subPath")), ("volumeDevices", ("name", "devicePath"))):
        for one in step.get(group) or ():
            texts += [(f"{group}.{key}", one.get(key) or "") for key in keys]
    for field, text in texts:
        if "$(" not in text:
            continue
        if _STEP_RESULT.search(text):
            words = "stepResult substitutions are only allowed in env, command and args. Found usage in"
            yield FieldError(words, (field,))
        if field != "script" and _step_artifact(text):
            words = "stepArtifact substitutions are only allowed in env, command, args and script. Found usage in"
            yield FieldError(words, (field,))
