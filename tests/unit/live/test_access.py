"""Which server is spoken to, as whom, and whom to believe that it is the one."""

import asyncio
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from answering import PODS, answering

from controller.live.access import NoAccess, from_kubeconfig, in_cluster
from controller.live.cluster import LiveCluster
from controller.ports import ConnectionLost


def kubeconfig(folder: Path, server: str, user: dict[str, Any], **cluster: Any) -> Path:
    path = folder / "config"
    document = {
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def credential_seen(folder: Path, user: dict[str, Any], *, tls: ssl.SSLContext | None = None, **cluster: Any) -> str:
    """The Authorization header of a request that is made as a kubeconfig says."""
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return web.json_response({})

    async def run() -> None:
        async with answering(handler, tls) as url:
            configuration = await from_kubeconfig(kubeconfig(folder, url, user, **cluster))
            async with LiveCluster(configuration, "tester") as live:
                await live.get(PODS, "n", "p")

    asyncio.run(run())
    return seen[0]


def refused(path: Path, context: str = "") -> str:
    with pytest.raises(NoAccess) as caught:
        asyncio.run(from_kubeconfig(path, context))
    return str(caught.value)


def test_a_token_is_sent_as_it_stands_in_the_file(tmp_path: Path) -> None:
    assert credential_seen(tmp_path, {"token": "abc"}) == "Bearer abc"


def test_a_token_file_is_found_from_where_the_kubeconfig_is(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file")
    assert credential_seen(tmp_path, {"tokenFile": "secret"}) == "Bearer from-file"


def plugin(folder: Path, text: str) -> dict[str, Any]:
    program = folder / "plugin.py"
    program.write_text(text)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(program)],
            "interactiveMode": "Never",
        }
    }


def test_a_plugin_is_asked_again_when_its_token_is_about_to_expire(tmp_path: Path) -> None:
    text = """
import pathlib
calls = pathlib.Path(__file__).with_name("calls")
number = len(calls.read_text()) if calls.exists() else 0
calls.write_text("x" * (number + 1))
print('{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "token-%d", '
      '"expirationTimestamp": "2020-01-01T00:00:00Z"}}' % number)
"""
    assert credential_seen(tmp_path, plugin(tmp_path, text)) == "Bearer token-1"


def test_a_plugin_that_fails_is_no_access(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", plugin(tmp_path, "raise SystemExit(1)"))
    assert refused(path) == f"kubeconfig {path}: its exec plugin gave no credential"


def test_a_netrc_file_does_not_get_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert credential_seen(tmp_path, {"token": "abc"}) == "Bearer abc"


def test_the_environments_proxy_is_used_unless_it_is_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kubeconfig(tmp_path, "https://api.example.com:6443", {"token": "t"})
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    assert asyncio.run(from_kubeconfig(path)).proxy == "http://proxy:3128"
    monkeypatch.setenv("no_proxy", ".example.com")
    assert asyncio.run(from_kubeconfig(path)).proxy is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "current-context: x",
        "{",
        "current-context: a\ncontexts: [{name: a, context: {cluster: b}}]\nclusters: []",
    ],
    ids=["nothing", "a list", "no contexts", "no YAML", "no such cluster"],
)
def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    assert refused(path).startswith(f"kubeconfig {path}: ")


def test_a_missing_file_a_missing_context_and_a_missing_server_are_told(tmp_path: Path) -> None:
    assert refused(tmp_path / "none") == f"kubeconfig {tmp_path / 'none'}: no such file"
    path = kubeconfig(tmp_path, "", {"token": "t"})
    assert "other" in refused(path, "other")
    assert refused(path) == f"kubeconfig {path}: the cluster of the context names no server"


def test_outside_a_pod_there_is_no_in_cluster_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(NoAccess, match="in-cluster configuration: Service host/port is not set"):
        in_cluster()


def test_the_kubeconfig_is_never_written_to(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", {"token": "t"})
    before = path.read_bytes()
    asyncio.run(from_kubeconfig(path))
    assert path.read_bytes() == before


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key of 127.0.0.1, beside a ``.crt`` that nobody else has signed."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(path), "-out", f"{path}.crt"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{certificate}.crt", certificate)
    return context


def test_a_server_that_nobody_vouches_for_is_sent_nothing(tmp_path: Path, tls: ssl.SSLContext) -> None:
    with pytest.raises(ConnectionLost, match="CERTIFICATE_VERIFY_FAILED"):
        credential_seen(tmp_path, {"token": "secret"}, tls=tls)


def test_the_kubeconfigs_own_authority_is_believed(tmp_path: Path, tls: ssl.SSLContext, certificate: Path) -> None:
    authority = {"certificate-authority": f"{certificate}.crt"}
    assert credential_seen(tmp_path, {"token": "abc"}, tls=tls, **authority) == "Bearer abc"


def test_verification_is_left_out_only_where_the_kubeconfig_says_so(tmp_path: Path, tls: ssl.SSLContext) -> None:
    insecure = {"insecure-skip-tls-verify": True}
    assert credential_seen(tmp_path, {"token": "abc"}, tls=tls, **insecure) == "Bearer abc"
