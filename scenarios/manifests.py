"""What an administrator applies to deploy our controllers, on a simulated API server."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

import controller
from controller.executor.wiring import NAME
from controller.ports import ApiError
from scenarios.target import NAMESPACE
from sim.apiserver.identity import ADMIN, User
from sim.apiserver.server import ApiServer

DEPLOY = Path(controller.__file__).parent / "deploy"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with libyaml
CONTROLLER = User(
    f"system:serviceaccount:{NAMESPACE}:{NAME}",
    ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", "system:authenticated"),
)
"""The account under which the executor runs."""


def apply_all(server: ApiServer) -> None:
    """Kinds, accounts and roles."""
    for document in _documents():
        _apply(server, document)


@cache
def _documents() -> tuple[dict[str, Any], ...]:
    """What an administrator applies to deploy the controllers, in order: kinds first, then accounts and roles.

    Read once: every scenario has a world of its own, and nobody mutates a document.
    """
    paths = [*sorted((DEPLOY / "crds").glob("*.yaml")), *sorted(DEPLOY.glob("rbac-*.yaml"))]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return tuple(document for text in texts for document in yaml.load_all(text, _LOADER) if document)


def _apply(server: ApiServer, document: dict[str, Any]) -> None:
    group, _, version = document["apiVersion"].rpartition("/")
    if document["kind"] == "CustomResourceDefinition":
        server.install_crd(document)
        return
    namespace = document["metadata"].get("namespace", "")
    if namespace:
        ensure_namespace(server, namespace)
    if document["kind"] == "Namespace":
        ensure_namespace(server, document["metadata"]["name"])
        return
    server.create(ADMIN, server.resource(group, f"{document['kind'].lower()}s", version), namespace, document)


def ensure_namespace(server: ApiServer, name: str) -> None:
    """Create the namespace unless it is there."""
    try:
        server.create(ADMIN, server.resource("", "namespaces"), "", {"metadata": {"name": name}})
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
