"""What an OCI registry may answer instead of a manifest, and what go-containerregistry makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sim.tekton.imagereference import ImageReference

RETRIES = 1  # Tekton gives go-containerregistry two attempts, 2 s apart, stretched by up to a tenth
RETRY_AFTER_US = 2_000_000
RETRY_STRETCH = 0.1
_DIAL_US = 30_000_000  # how long Go's dialer tries
FOREVER_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One kind of failure: its text (of ``{manifest}``, ``{scheme}``, ``{registry}``, ``{host}``).

    ``temporary`` ones are asked for again; ``wait_us`` is how long one attempt takes, None for as long as any refusal.
    """

    text: str
    temporary: bool = False
    wait_us: int | None = None

    def told(self, reference: ImageReference) -> str:
        """The error for one image. A registry on a loopback address is asked over both schemes."""
        host, _, port = reference.registry.partition(":")
        address = f"{host if host[-1].isdigit() else _ADDRESS}:{port or 443}"
        schemes = ("https", "http") if reference.scheme == "http" and "{scheme}" in self.text else (reference.scheme,)
        return "; ".join(
            self.text.format(
                manifest=reference.manifest_url, scheme=scheme, registry=reference.registry, host=host, address=address
            )
            for scheme in schemes
        )


_ADDRESS = "203.0.113.10"  # what a registry's name stands for, where only a name is given
_RESOLVER = "10.96.0.10:53"
_PING = 'Get "{scheme}://{registry}/v2/": '
_MANIFEST = "GET {manifest}: "

ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "unauthorized": Answer(_MANIFEST + "UNAUTHORIZED: authentication required"),
        "denied": Answer(_MANIFEST + "DENIED: requested access to the resource is denied"),
        "not found": Answer(_MANIFEST + "MANIFEST_UNKNOWN: manifest unknown"),
        "rate limited": Answer(_MANIFEST + "TOOMANYREQUESTS: too many requests"),
        "server error": Answer(_MANIFEST + "unexpected status code 500 Internal Server Error", temporary=True),
        "bad gateway": Answer(_MANIFEST + "unexpected status code 502 Bad Gateway", temporary=True),
        "unavailable": Answer(_MANIFEST + "unexpected status code 503 Service Unavailable", temporary=True),
        "refused": Answer(_PING + "dial tcp {address}: connect: connection refused"),
        "reset": Answer(_PING + "read tcp 10.244.0.9:45808->{address}: read: connection reset by peer", temporary=True),
        "no such host": Answer(_PING + "dial tcp: lookup {host} on " + _RESOLVER + ": no such host"),
        "name server failure": Answer(
            _PING + "dial tcp: lookup {host} on " + _RESOLVER + ": server misbehaving", temporary=True
        ),
        "unreachable": Answer(_PING + "dial tcp {address}: i/o timeout", temporary=True, wait_us=_DIAL_US),
        "silent": Answer(_PING + "context deadline exceeded", wait_us=FOREVER_US),
    }
)
"""The kinds of answers, by the words that settings and features use for them.

Whether a 429 is asked for again depends on the release (``Version.registry_retries_429``).
"""
