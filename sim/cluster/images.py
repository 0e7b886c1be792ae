"""Images: which exist, how long a node takes to pull them, and what the runtime says when it cannot.

Texts are those of containerd as kubelets of 1.30 and later show them.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from random import Random

from sim.workload.distributions import Distribution, Lognormal

BACKOFF_FIRST_US = 10_000_000
BACKOFF_MAX_US = 300_000_000
_REFERENCE = re.compile(
    r"(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
ASSUMED_PULL = Lognormal(2_000_000, 0.7, "assumed: a few hundred MB over a data-centre link")


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the catalogue. ``error``: why it cannot be pulled; empty when it can."""

    pull: Distribution = ASSUMED_PULL
    error: str = ""
    cached: bool = False
    """On every node from the start."""


CACHED = Image(cached=True)


def absent(reference: str) -> Image:
    return Image(error=_failure("NotFound", reference, f"{_normal(reference)}: not found"))


def unauthorised(reference: str) -> Image:
    text = "pull access denied, repository does not exist or may require authorization: authorization failed"
    return Image(error=_failure("Unknown", reference, f"{text}: no basic auth credentials"))


def unreachable(reference: str) -> Image:
    host, _, rest = _normal(reference).partition("/")
    path, _, tag = rest.rpartition(":")
    url = f"https://{host}/v2/{path}/manifests/{tag}"
    return Image(
        error=_failure(
            "Unknown", reference, f'failed to do request: Head "{url}": dial tcp: lookup {host}: no such host'
        )
    )


def _failure(code: str, reference: str, cause: str) -> str:
    name = _normal(reference)
    return (
        f'rpc error: code = {code} desc = failed to pull and unpack image "{name}": '
        f'failed to resolve reference "{name}": {cause}'
    )


def _normal(reference: str) -> str:
    """The reference with the registry and tag that the runtime fills in."""
    first, slash, _ = reference.partition("/")
    if not slash:
        reference = f"docker.io/library/{reference}"
    elif "." not in first and ":" not in first and first != "localhost":
        reference = f"docker.io/{reference}"
    last = reference.rpartition("/")[2]
    return reference if ":" in last or "@" in last else f"{reference}:latest"


@lru_cache(maxsize=4096)
def image_id(reference: str) -> str:
    """A made-up but stable digest of the image, as ``imageID`` shows it."""
    folder, slash, last = reference.partition("@")[0].rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}@sha256:{sha256(reference.encode()).hexdigest()}"


@lru_cache(maxsize=4096)
def invalid_name(reference: str) -> str:
    """Why the kubelet cannot read the reference; empty when it can."""
    if _REFERENCE.fullmatch(reference):
        return ""
    shown = reference[:256]
    return (
        f'Failed to apply default image tag "{shown}": couldn\'t parse image name "{shown}": invalid reference format'
    )


@dataclass(slots=True)
class Catalogue:
    """What registries hold. Unlisted references are ``default``. A scenario may change entries while it runs."""

    images: dict[str, Image] = field(default_factory=dict)
    default: Image = CACHED

    def look_up(self, reference: str) -> Image:
        return self.images.get(reference, self.default)


@dataclass(frozen=True, slots=True)
class Pull:
    """What a node needs to have an image: when that is decided, and the failure if it is one."""

    decided_at_us: int
    reason: str = ""
    message: str = ""


class NodeImages:
    """The images of one node. Pulls are serialised, as kubelets do by default: computed, not queued."""

    __slots__ = ("_catalogue", "_free_at_us", "_present", "_stream")

    def __init__(self, catalogue: Catalogue, stream: Random) -> None:
        self._catalogue = catalogue
        self._stream = stream
        self._present: dict[str, int] = {}
        self._free_at_us = 0

    def pull(self, reference: str, policy: str, now_us: int) -> Pull | None:
        """Make sure that ``reference`` is here; None when it is already."""
        present_at_us = self._present.get(reference)
        if (
            present_at_us is not None
            and present_at_us <= now_us
            and (policy != "Always" or not self._catalogue.look_up(reference).error)
        ):
            return None
        problem = invalid_name(reference)
        if problem:
            return Pull(now_us, "InvalidImageName", problem)
        image = self._catalogue.look_up(reference)
        if present_at_us is None and image.cached and not image.error:
            present_at_us = self._present[reference] = 0
        if present_at_us is not None and not (policy == "Always" and image.error):
            return Pull(present_at_us) if present_at_us > now_us else None
        if policy == "Never":
            return Pull(
                now_us,
                "ErrImageNeverPull",
                f'Container image "{reference}" is not present with pull policy of Never',
            )
        if image.error:
            return Pull(max(now_us, self._free_at_us), "ErrImagePull", image.error)  # refusals come at once
        self._free_at_us = done_us = max(now_us, self._free_at_us) + image.pull.sample_us(self._stream)
        self._present[reference] = done_us
        return Pull(done_us)


def back_off(reference: str, error: str) -> str:
    """The message of ImagePullBackOff after ``error``."""
    return f'Back-off pulling image "{reference}": ErrImagePull: {error}'


def back_off_us(failures: int) -> int:
    """How long the kubelet leaves an image alone after ``failures`` >= 1 failed pulls: 10 s doubling to 300 s."""
    return min(BACKOFF_FIRST_US << min(failures - 1, 10), BACKOFF_MAX_US)
