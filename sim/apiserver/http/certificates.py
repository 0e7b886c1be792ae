"""A certificate authority that lives as long as one server."""

import ipaddress
import os
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_LIFE = timedelta(days=3650)
_EARLY = timedelta(days=1)  # clocks differ


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates for one server and its clients, and is forgotten with it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _subject("rehearse", ())
        built = self._builder(self._name, self._key.public_key())
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        built = built.add_extension(_usage(signs=True), critical=True)
        self._certificate = built.sign(self._key, hashes.SHA256())
        self.pem = self._certificate.public_bytes(Encoding.PEM)

    def server(self, host: str) -> Pair:
        """For a listener on ``host`` and on loopback."""
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in _NAMES]
        addresses = ["127.0.0.1", "::1"]
        try:
            ipaddress.ip_address(host)
            addresses.append(host)
        except ValueError:
            alternatives.append(x509.DNSName(host))
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in dict.fromkeys(addresses)]
        extension = x509.SubjectAlternativeName(alternatives)
        return self._issue(_subject("rehearse-apiserver", ()), ExtendedKeyUsageOID.SERVER_AUTH, extension)

    def client(self, name: str, groups: tuple[str, ...]) -> Pair:
        """For a client that the server knows as ``name`` in ``groups``."""
        return self._issue(_subject(name, groups), ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def _issue(self, subject: x509.Name, purpose: x509.ObjectIdentifier, more: x509.ExtensionType | None) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        built = self._builder(subject, key.public_key())
        built = built.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        built = built.add_extension(_usage(signs=False), critical=True)
        built = built.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        built = built.add_extension(identifier, critical=False)
        if more is not None:
            built = built.add_extension(more, critical=False)
        certificate = built.sign(self._key, hashes.SHA256())
        encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Pair(certificate.public_bytes(Encoding.PEM), encoded)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)  # noqa: TID251  # read by clients, who live in wall time
        built = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        built = built.serial_number(x509.random_serial_number())
        built = built.not_valid_before(now - _EARLY).not_valid_after(now + _LIFE)
        return built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def certificates_in(data: bytes) -> bytes:
    """The certificates of a PEM file, and nothing else of it. Raises ValueError where there is none."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in x509.load_pem_x509_certificates(data))


def context(pair: Pair, authorities: bytes) -> ssl.SSLContext:
    """TLS for a listener that lets clients show certificates of ``authorities`` (PEM)."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:
        # The ssl module reads keys from files alone.
        path = Path(folder) / "pair.pem"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(pair.key + pair.certificate)
        tls.load_cert_chain(path)
    tls.load_verify_locations(cadata=authorities.decode("ascii"))
    tls.verify_mode = ssl.CERT_OPTIONAL
    return tls


def _subject(name: str, groups: tuple[str, ...]) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
