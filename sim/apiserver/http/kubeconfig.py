"""The file that leads clients to a server."""

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from sim.apiserver.http.certificates import Pair

NAME = "rehearse"
BY_CERTIFICATE = f"{NAME}-certificate"


def document(url: str, token: str, authority: bytes | None = None, client: "Pair | None" = None) -> dict[str, Any]:
    """A kubeconfig whose current context uses ``token``; one more uses the ``client`` certificate, if there is one.

    ``authority`` is the PEM of who signed the server's certificate; None for plain HTTP.
    """
    cluster: dict[str, Any] = {"server": url}
    if authority is not None:
        cluster["certificate-authority-data"] = _base64(authority)
    users: list[dict[str, Any]] = [{"name": NAME, "user": {"token": token}}]
    if client is not None:
        data = {"client-certificate-data": _base64(client.certificate), "client-key-data": _base64(client.key)}
        users.append({"name": BY_CERTIFICATE, "user": data})
    contexts = [{"name": user["name"], "context": {"cluster": NAME, "user": user["name"]}} for user in users]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": users,
        "contexts": contexts,
        "current-context": NAME,
        "preferences": {},
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write it for its owner's eyes only. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        yaml.safe_dump(content, file, sort_keys=False)
    draft.replace(path)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
