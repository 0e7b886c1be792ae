"""What definitions are called: Java-like names with the words of a group in reverse."""

from controller.ports import Resource

_META = "io.k8s.apimachinery.pkg"
_PACKAGES = {
    "meta.v1": f"{_META}.apis.meta.v1",
    "runtime": f"{_META}.runtime",
    "resource": f"{_META}.api.resource",
    "intstr": f"{_META}.util.intstr",
    "apiextensions.v1": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
}
OBJECT_META, LIST_META = "meta.v1.ObjectMeta", "meta.v1.ListMeta"


def type_name(name: str) -> str:
    """A type of :mod:`sim.apiserver.schemas`, ``core.v1.Pod``, as a definition is called."""
    package, _, short = name.rpartition(".")
    return f"{_PACKAGES.get(package) or f'io.k8s.api.{package}'}.{short}"


def custom_name(resource: Resource, suffix: str = "") -> str:
    """A custom kind's: ``com.example.conf.v1.Widget``."""
    words = ".".join(reversed(resource.group.split(".")))
    return f"{words}.{resource.version}.{resource.kind}{suffix}"
