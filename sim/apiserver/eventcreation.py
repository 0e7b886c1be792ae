"""The create verb for Events as recorders send them: a fourth of all calls, and almost never anything but alike."""

from typing import TYPE_CHECKING

from controller.ports import Document
from sim.apiserver.corekinds import Events
from sim.apiserver.names import subdomain
from sim.apiserver.registry import Served

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_FIELDS = Events.FIELDS.issuperset
_DEFAULTS = Events.DEFAULTS


def create_event(server: "ApiServer", served: Served, namespace: str, body: Document) -> Document | None:
    """Store a new core Event; None, and nothing done, for any in which something could be wrong or unusual.

    Those take the way of every other kind, :func:`sim.apiserver.creation.create`, which would store the same.
    """
    metadata, involved = body.get("metadata"), body.get("involvedObject")
    if type(metadata) is not dict or type(involved) is not dict or len(metadata) != 2:
        return None
    name = metadata.get("name")
    if metadata.get("namespace") != namespace or involved.get("namespace") != namespace or type(name) is not str:
        return None
    if body.get("kind") != "Event" or body.get("apiVersion") != "v1" or not _FIELDS(body) or subdomain(name):
        return None
    mutators, validators = server.admission.plugins(served.key, "CREATE")
    if mutators or validators or not server.namespaces.open(namespace):
        return None
    if served.table.find(namespace, name) is not None:
        return None
    created = {
        "name": name,
        "namespace": namespace,
        "uid": server.fresh_uid(),
        "creationTimestamp": server.clock.timestamp(),
    }
    return server.store.put(served.table, namespace, name, None, {**_DEFAULTS, **body, "metadata": created})
