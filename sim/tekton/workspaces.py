"""Workspaces of a TaskRun as volumes and mounts of its pod (``pkg/workspace``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.ports import Document
from sim.tekton.names import hashed_name

_SOURCES = ("persistentVolumeClaim", "emptyDir", "configMap", "secret", "projected", "csi")
_Mount = dict[str, Any]


@dataclass(slots=True)
class Workspaces:
    """``shared`` are the mounts of every step and sidecar; ``own`` are those of the containers that ask for a
    workspace by themselves, as (kind of container, index in the task's list)."""

    volumes: list[_Mount] = field(default_factory=list)
    shared: list[_Mount] = field(default_factory=list)
    own: dict[tuple[str, int], list[_Mount]] = field(default_factory=dict)

    def mounts(self, kind: str, index: int) -> list[_Mount]:
        return [*self.own.get((kind, index), ()), *self.shared]


def volume_names(bindings: Sequence[Document]) -> dict[str, str]:
    """The volume of each bound workspace, by its name; one claim bound twice is one volume."""
    names: dict[str, str] = {}
    claims: dict[str, str] = {}
    used: set[str] = set()
    for one in bindings:
        name = hashed_name("ws", one["name"])
        while name in used:
            name = hashed_name("ws", f"{name}$")
        used.add(name)
        claim = (one.get("persistentVolumeClaim") or {}).get("claimName")
        names[one["name"]] = name if claim is None else claims.setdefault(claim, name)
    return names


def mount_path(declaration: Mapping[str, Any]) -> str:
    return declaration.get("mountPath") or f"/workspace/{declaration['name']}"


def workspaces_of(task_spec: Document, bindings: Sequence[Document]) -> Workspaces:
    """``task_spec`` is what the pod is made from, ``bindings`` are the TaskRun's."""
    made = Workspaces()
    names = volume_names(bindings)
    declared = {one["name"]: one for one in task_spec.get("workspaces") or ()}
    askers = [
        (kind, index, usage)
        for kind in ("steps", "sidecars")
        for index, container in enumerate(task_spec.get(kind) or ())
        for usage in container.get("workspaces") or ()
    ]
    for binding in bindings:
        name = binding["name"]
        declaration = declared.get(name) or {"name": name}
        mount: _Mount = {"name": names[name], "mountPath": mount_path(declaration)}
        if binding.get("subPath"):
            mount["subPath"] = binding["subPath"]
        if declaration.get("readOnly"):
            mount["readOnly"] = True
        asking = [(kind, index, usage) for kind, index, usage in askers if usage["name"] == name]
        for kind, index, usage in asking:
            own = {**mount, "mountPath": usage.get("mountPath") or mount["mountPath"]}
            made.own.setdefault((kind, index), []).append(own)
        if not asking:
            made.shared.append(mount)
        if all(volume["name"] != names[name] for volume in made.volumes):
            source = {key: binding[key] for key in _SOURCES if binding.get(key) is not None}
            made.volumes.append({"name": names[name], **source})
    return made
