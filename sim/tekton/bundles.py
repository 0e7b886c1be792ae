"""The registry as Tekton's bundle resolver meets it: images with layers in them, or a registry's refusal."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.ports import Document
from sim.tekton.imagereference import ImageReference, parse
from sim.tekton.registry import ANSWERS, Answer
from sim.tekton.remote import encode

_PREFIX = "resolution.tekton.dev/"
_API_VERSION = "dev.tekton.image.apiVersion"
_KIND = "dev.tekton.image.kind"
_NAME = "dev.tekton.image.name"
_LAYERS_MAX = 20


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


@dataclass(frozen=True, slots=True)
class _Layer:
    data: str
    """Base64."""
    annotations: Mapping[str, str]


@dataclass(slots=True)
class _Image:
    layers: list[_Layer] = field(default_factory=list)
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    """By kind, in lower case, and name; made anew after every change."""
    flaw: str = ""
    """Why it is no Tekton bundle, or ``""``."""


class BundleCatalogue:
    """What lies under which image reference, and what the registries answer. May be changed while the world runs."""

    def __init__(self) -> None:
        self._images: dict[str, _Image] = {}
        self._answers: dict[str, Answer] = {}
        self._protected: set[str] = set()

    def add(self, image: str, document: Document, *, name: str = "", kind: str = "") -> None:
        """Put a Pipeline or Task into the bundle ``image``; name and kind default to the document's own."""
        version = str(document.get("apiVersion", "tekton.dev/v1")).rpartition("/")[2]
        annotations = {
            _API_VERSION: version,
            _KIND: (kind or str(document["kind"])).lower(),
            _NAME: name or str(document["metadata"]["name"]),
        }
        self._put(image, _Layer(encode(document), annotations))

    def add_layer(self, image: str, data: bytes, annotations: Mapping[str, str]) -> None:
        """Put a layer into ``image`` as somebody else built it: any bytes, and ``dev.tekton.image.*`` or not."""
        self._put(image, _Layer(base64.b64encode(data).decode(), annotations))

    def _put(self, image: str, layer: _Layer) -> None:
        found = self._images.setdefault(image, _Image())
        labels = layer.annotations.get(_KIND, "").lower(), layer.annotations.get(_NAME, "")
        found.layers[:] = [
            one
            for one in found.layers
            if (one.annotations.get(_KIND, "").lower(), one.annotations.get(_NAME, "")) != labels or labels == ("", "")
        ]
        found.layers.append(layer)
        found.flaw = _flaw(found.layers)
        found.entries = _entries(image, found.layers)
        self._answers.pop(image, None)

    def refuse(self, image: str, text: str) -> None:
        """From now on the registry answers ``text`` for ``image``: ``GET https://…: DENIED: …``, ``… no such host``."""
        self._answers[image] = Answer(text.replace("{", "{{").replace("}", "}}"))

    def trouble(self, where: str, kind: str) -> None:
        """From now on ``where`` answers as one of ``registry.ANSWERS``: an image, a registry's host, or ``""`` for all.

        Raises KeyError for a kind of answer that is not known.
        """
        self._answers[where] = ANSWERS[kind]

    def heal(self, where: str) -> None:
        """Take back :meth:`refuse` or :meth:`trouble`."""
        self._answers.pop(where, None)

    def protect(self, image: str) -> None:
        """Who has no credentials for the registry of ``image`` is answered 401."""
        self._protected.add(image)

    def refusal(self, image: str, reference: ImageReference, logins: frozenset[str]) -> Answer | None:
        """What a request for ``image`` is answered now instead of the manifest."""
        if self._answers:
            for where in (image, reference.registry, ""):
                if where in self._answers:
                    return self._answers[where]
        if image in self._protected and reference.registry not in logins:
            return ANSWERS["unauthorized"]
        if image not in self._images:
            detail = f"; map[unknown tag:{reference.identifier}]"
            return Answer(ANSWERS["not found"].text + detail.replace("{", "{{").replace("}", "}}"))
        return None

    def fetch(self, image: str, kind: str, name: str) -> Entry:
        """One object of a bundle that the registry gave away. Raises BundleError."""
        found = self._images[image]
        if found.flaw:
            raise BundleError(f"invalid tekton bundle {image}, error: {found.flaw}")
        entry = found.entries.get((kind.lower(), name))
        if entry is None:
            raise BundleError(f"could not find object in image with kind: {kind} and name: {name}")
        return entry


def _entries(image: str, layers: list[_Layer]) -> dict[tuple[str, str], Entry]:
    digest = hashlib.sha256("".join(layer.data for layer in layers).encode()).hexdigest()
    entries = {}
    for layer in layers:
        kind, name = layer.annotations.get(_KIND, ""), layer.annotations.get(_NAME, "")
        told = {_PREFIX + key: layer.annotations.get(key, "") for key in (_API_VERSION, _KIND, _NAME)}
        source = {"digest": {"sha256": digest}, "entryPoint": name, "uri": parse(image).name}
        entries[kind.lower(), name] = Entry(layer.data, told, source)
    return entries


def _flaw(layers: list[_Layer]) -> str:
    if len(layers) > _LAYERS_MAX:
        return f"contained more than the maximum {_LAYERS_MAX} allow objects"
    for number, layer in enumerate(layers):
        for key in (_API_VERSION, _NAME, _KIND):
            if key not in layer.annotations:
                return f"the layer {number} does not contain a {key} annotation"
        kind = layer.annotations[_KIND]
        if kind.lower().removesuffix("s") != kind:
            return f"the layer {number} the annotation {_KIND} must be lowercased and singular, found {kind}"
    return ""
