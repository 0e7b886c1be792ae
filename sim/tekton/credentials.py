"""Secrets of a service account that Tekton hands to every step (``pkg/pod/creds_init.go``, ``pkg/credentials``)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from controller.ports import ApiError, Document
from sim.tekton.access import SECRETS, SERVICE_ACCOUNTS, Access
from sim.tekton.names import hashed_name

_ANNOTATIONS = {"docker": "tekton.dev/docker-", "git": "tekton.dev/git-"}
_WHOLE = {"kubernetes.io/dockercfg": "-docker-cfg", "kubernetes.io/dockerconfigjson": "-docker-config"}
_FLAGS = {
    ("kubernetes.io/basic-auth", "docker"): "-basic-docker",
    ("kubernetes.io/basic-auth", "git"): "-basic-git",
    ("kubernetes.io/ssh-auth", "git"): "-ssh-git",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the secrets of an account add to a pod: flags of the entrypoint, volumes and their mounts."""

    arguments: Sequence[str] = ()
    volumes: Sequence[Document] = ()
    mounts: Sequence[Document] = ()


NO_CREDENTIALS = Credentials()


async def credentials_of(access: Access, task_run: Document, account: str) -> Credentials:
    """The credentials of service account ``account``. Raises what the API server answers, but not for a secret that
    is not there: that is told by an Event."""
    namespace = task_run["metadata"]["namespace"]
    found = await access.core.get(SERVICE_ACCOUNTS, namespace, account)
    names = list(dict.fromkeys(one["name"] for one in found.get("secrets") or () if one.get("name")))
    if not names:
        return NO_CREDENTIALS
    missing: list[str] = []
    arguments: list[str] = []
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []
    for name in names:
        try:
            secret = await access.core.get(SECRETS, namespace, name)
        except ApiError as error:
            if error.code != 404:
                raise
            missing.append(name)
            continue
        flags = list(_flags(secret))
        if flags:
            arguments += flags
            volume = hashed_name("tekton-creds", name, 8)
            volumes.append({"name": volume, "secret": {"secretName": name}})
            mounts.append({"name": volume, "mountPath": f"/tekton/creds-secrets/{name}"})
    if missing:
        text = f"Unable to retrieve some secrets ({', '.join(missing)}); attempting to use them may not succeed."
        access.event(task_run, "Warning", "FailedToRetrieveSecret", text)
    return Credentials(arguments, volumes, mounts) if arguments else NO_CREDENTIALS


def _flags(secret: Document) -> Iterator[str]:
    """What the entrypoint is told of one secret."""
    kind, name = secret.get("type", "Opaque"), secret["metadata"]["name"]
    annotations = secret["metadata"].get("annotations") or {}
    if kind in _WHOLE:
        yield f"{_WHOLE[kind]}={name}"
    for use, prefix in _ANNOTATIONS.items():
        flag = _FLAGS.get((kind, use))
        if flag is not None:
            yield from (f"{flag}={name}={annotations[key]}" for key in sorted(annotations) if key.startswith(prefix))
