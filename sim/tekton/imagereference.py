"""An image reference as go-containerregistry reads it."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

_DOCKER_HUB = "index.docker.io"
_REPOSITORY = re.compile(r"[a-z0-9_./-]{2,255}")
_TAG = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LOOPBACK = re.compile(r"(localhost:.*|.*\.localhost(:\d{1,5})?|127\.0\.0\.1(:\d{1,5})?|(::1|\[::1\](:\d{1,5})?))")
_PRIVATE = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


@dataclass(frozen=True, slots=True)
class ImageReference:
    """``identifier`` is the digest where there is one, else the tag; ``scheme`` is what the registry is asked over."""

    registry: str
    repository: str
    identifier: str
    scheme: str

    @property
    def name(self) -> str:
        """Registry and repository: what a ``refSource`` gives as its URI."""
        return f"{self.registry}/{self.repository}"

    @property
    def manifest_url(self) -> str:
        return f"{self.scheme}://{self.registry}/v2/{self.repository}/manifests/{self.identifier}"


@lru_cache(maxsize=4096)
def parse(text: str) -> ImageReference:
    """Read a reference. Raises ValueError with go-containerregistry's words."""
    base, at, digest = text.partition("@")
    head, slash, last = base.rpartition("/")
    last, _, tag = last.partition(":")
    path = f"{head}{slash}{last}"
    registry, slash, repository = path.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        registry, repository = _DOCKER_HUB, path
    if registry == _DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    identifier = digest if at else tag or "latest"
    fits = _DIGEST.fullmatch(digest) if at else _TAG.fullmatch(identifier)
    if not fits or not _REPOSITORY.fullmatch(repository):
        raise ValueError(f"could not parse reference: {text}")
    return ImageReference(registry, repository, identifier, "http" if _plain(registry) else "https")


def _plain(registry: str) -> bool:
    if _LOOPBACK.fullmatch(registry):
        return True
    try:
        address = ipaddress.ip_address(registry.partition(":")[0])
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)
