"""Events as recorders create them and count them up: a third of all calls, and almost never anything but alike.

Whatever could be wrong or unusual takes the way of every other kind, which would store the same.
"""

from typing import TYPE_CHECKING, Any

from controller.ports import Document
from sim.apiserver.corekinds import Events
from sim.apiserver.names import subdomain
from sim.apiserver.registry import Served

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_FIELDS = Events.FIELDS.issuperset
_DEFAULTS = Events.DEFAULTS
_COUNTED = frozenset(("count", "lastTimestamp", "message")).issuperset
_SCALARS = frozenset((str, int)).issuperset


def create_event(server: "ApiServer", served: Served, namespace: str, body: Document) -> Document | None:
    """Store a new core Event; None, and nothing done, where :func:`sim.apiserver.creation.create` has to look."""
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


def count_event(server: "ApiServer", served: Served, namespace: str, name: str, change: Any) -> Document | None:
    """Merge a repetition into a core Event; None, and nothing done, where :mod:`sim.apiserver.replacement` has to."""
    if type(change) is not dict or not _COUNTED(change) or not _SCALARS(map(type, change.values())):
        return None
    old = served.table.find(namespace, name)
    if old is None or "deletionTimestamp" in old["metadata"]:
        return None
    mutators, validators = server.admission.plugins(served.key, "UPDATE")
    if mutators or validators:
        return None
    new = {**old, **change}
    if new == old:
        return old
    new["metadata"] = dict(old["metadata"])
    return server.store.put(served.table, namespace, name, old, new)
