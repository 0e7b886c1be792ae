"""What an event in a watch queues: the object itself, and its controlling owner by name."""

from collections.abc import Callable, Mapping

from controller.ports import Document
from controller.runtime.cache import Key
from controller.runtime.reflector import Handler

Wake = tuple[Callable[[Key], bool], Callable[[Key], None]]
"""Whether a reconcile of a key would find nothing to do (never while it is under way), and how to queue it."""


def waking(own: Wake | None, owners: Mapping[str, Wake]) -> Handler:
    """Queue an object of ours, then its controlling owner, by its name: not even knative asks for its uid."""

    def handle(before: Document | None, after: Document | None) -> None:
        metadata = (after or before or {})["metadata"]
        namespace = metadata["namespace"]
        if own is not None:
            key = (namespace, metadata["name"])
            if not own[0](key):
                own[1](key)
        if not owners:
            return
        for reference in metadata.get("ownerReferences") or ():
            if reference.get("controller"):
                wake = owners.get(reference["kind"])
                if wake is not None:
                    key = (namespace, reference["name"])
                    if not wake[0](key):
                        wake[1](key)
                return

    return handle


def never(_key: Key) -> bool:
    return False
