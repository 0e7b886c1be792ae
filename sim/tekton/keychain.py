"""Pull secrets: which registries a ResolutionRequest may log in to, and the requests that it takes to know."""

import base64
import binascii
import json
from collections.abc import Iterator

from controller.ports import ApiError, Cluster, Document, Resource
from sim.tekton.access import SECRETS, SERVICE_ACCOUNTS

_EMPTY: Document = {}
_FIELDS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}


async def registries(cluster: Cluster, namespace: str, account: str, secret: str) -> frozenset[str]:
    """The hosts with credentials: of the named secret, then of the account's ``imagePullSecrets``.

    What does not exist is passed over. Raises ApiError for any other refusal, ConnectionLost.
    """
    documents = [await _get(cluster, SECRETS, namespace, secret)] if secret else []
    holder = await _get(cluster, SERVICE_ACCOUNTS, namespace, account)
    references = (holder or _EMPTY).get("imagePullSecrets") or ()
    documents += [await _get(cluster, SECRETS, namespace, reference["name"]) for reference in references]
    return frozenset(host for document in documents if document is not None for host in _hosts(document))


async def _get(cluster: Cluster, resource: Resource, namespace: str, name: str) -> Document | None:
    try:
        return await cluster.get(resource, namespace, name)
    except ApiError as error:
        if error.code == 404:
            return None
        raise


def _hosts(secret: Document) -> Iterator[str]:
    kind = secret.get("type", "")
    data = (secret.get("data") or {}).get(_FIELDS.get(kind, ""))
    if not data:
        return
    try:
        config = json.loads(base64.b64decode(data))
    except (ValueError, binascii.Error):
        return
    auths = config.get("auths") if kind.endswith("json") and isinstance(config, dict) else config
    for entry in auths if isinstance(auths, dict) else ():
        yield entry.removeprefix("https://").removeprefix("http://").partition("/")[0]
