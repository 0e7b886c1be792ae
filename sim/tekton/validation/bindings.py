"""Volumes that a run binds to workspaces."""

from collections.abc import Iterator

from controller.ports import Document
from sim.tekton.validation.fielderrors import FieldError, both, missing, neither

_TOLD = ("persistentvolumeclaim", "volumeclaimtemplate", "emptydir", "configmap", "secret")
_SOURCES = ("volumeClaimTemplate", "persistentVolumeClaim", "emptyDir", "configMap", "secret", "projected", "csi")
_NEEDS = (
    ("persistentVolumeClaim", "claimName", "persistentvolumeclaim.claimname"),
    ("configMap", "name", "configmap.name"),
    ("secret", "secretName", "secret.secretName"),
    ("projected", "sources", "projected.sources"),
    ("csi", "driver", "csi.driver"),
)


def binding_errors(binding: Document) -> Iterator[FieldError]:
    given = [key for key in _SOURCES if binding.get(key) is not None]
    if not given and not binding.get("name") and not binding.get("subPath"):
        yield missing("")
    elif len(given) > 1:
        yield both(*_TOLD)
    elif not given:
        yield neither(*_TOLD)
    else:
        for source, key, path in _NEEDS:
            if source in given and not binding[source].get(key):
                yield missing(path)
