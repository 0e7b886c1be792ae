"""The registry as Tekton's bundle resolver meets it: images with pipelines in them, or a registry's refusal."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from controller.ports import Document
from sim.tekton.remote import encode

_API_VERSION = "resolution.tekton.dev/dev.tekton.image.apiVersion"
_KIND = "resolution.tekton.dev/dev.tekton.image.kind"
_NAME = "resolution.tekton.dev/dev.tekton.image.name"


class RegistryError(Exception):
    """The registry, or the way to it, refused: the text that go-containerregistry reports."""


class BundleError(Exception):
    """The image was had and is of no use."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One object of a bundle, ready to be written: base64 ``data``, ``annotations`` and where it came from."""

    data: str
    annotations: Mapping[str, str]
    source: Document


class BundleCatalogue:
    """What lies under which image reference. May be changed while the world runs."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[tuple[str, str], Entry]] = {}
        self._refusals: dict[str, str] = {}

    def add(self, image: str, document: Document, *, name: str = "", kind: str = "") -> None:
        """Put a Pipeline or Task into the bundle ``image``; name and kind default to the document's own."""
        kind = (kind or str(document["kind"])).lower()
        name = name or str(document["metadata"]["name"])
        data = encode(document)
        source = {
            "digest": {"sha256": hashlib.sha256(data.encode()).hexdigest()},
            "entryPoint": name,
            "uri": repository_of(image),
        }
        version = str(document.get("apiVersion", "tekton.dev/v1")).rpartition("/")[2]
        annotations = {_API_VERSION: version, _KIND: kind, _NAME: name}
        self._entries.setdefault(image, {})[kind, name] = Entry(data, annotations, source)
        self._refusals.pop(image, None)

    def refuse(self, image: str, text: str) -> None:
        """From now on the registry answers ``text`` for ``image``: ``GET https://…: DENIED: …``, ``… no such host``."""
        self._refusals[image] = text

    def has(self, image: str) -> bool:
        """Whether a pull of ``image`` succeeds now."""
        return image in self._entries and image not in self._refusals

    def fetch(self, image: str, kind: str, name: str) -> Entry:
        """One object of a bundle. Raises RegistryError or BundleError."""
        refusal = self._refusals.get(image)
        if refusal is not None:
            raise RegistryError(refusal)
        entries = self._entries.get(image)
        if entries is None:
            raise RegistryError(_unknown(image))
        entry = entries.get((kind, name))
        if entry is None:
            raise BundleError(f"could not find object in image with kind: {kind} and name: {name}")
        return entry


def repository_of(image: str) -> str:
    """The reference without tag and digest."""
    image = image.partition("@")[0]
    head, slash, last = image.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _unknown(image: str) -> str:
    repository = repository_of(image)
    registry, _, path = repository.partition("/")
    tag = image[len(repository) + 1 :] or "latest"
    scheme = "http" if registry.startswith(("localhost:", "127.0.0.1:")) else "https"
    manifest = f"{scheme}://{registry}/v2/{path}/manifests/{tag}"
    return f"GET {manifest}: MANIFEST_UNKNOWN: manifest unknown; map[unknown tag:{tag}]"
