"""``rehearse serve`` and ``rehearse clock`` from the outside."""

import base64
import json
import signal
import socket
import ssl
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from serving_process import Client, rehearse

from controller.api.lock import lock_name
from scenarios import workflows
from scenarios.cli import main


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command that ends with exit code 2, and has said nothing else, says on standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("signal.signal", lambda *_: None)  # this process goes on

    def refuse(*words: str) -> str:
        monkeypatch.setattr("sys.argv", ["rehearse", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (2, "")
        return str(said.err)

    return refuse


WFE = "/apis/kubernaut.ai/v1alpha1/namespaces/kubernaut-system/workflowexecutions"


def execution(name: str) -> Any:
    return workflows.load_folder()["increase-memory"].execution(
        name, "kubernaut-system", "payment/Deployment/payment-api"
    )


def test_a_session_from_request_to_released_lock_and_its_repetition(serving: Any, tmp_path: Path) -> None:
    server = serving("--speed", "600", "--record", "day.jsonl")
    watch = server.plain.open("GET", "/apis/kubernaut.ai/v1alpha1/workflowexecutions?watch=1&timeoutSeconds=30")

    created = server.client.ask("POST", WFE, execution("demo"))
    assert server.client.code("GET", "/api/v1/namespaces?odd=%E2%80%A8%C2%85") == 200  # some take these for line breaks
    phases = _phases_until(watch, "Completed")
    watch.close()
    released = server.clock("until", f"pipelinerun/{_lock(created)} deleted")
    paused = server.clock("status")
    code, errors = server.stop()

    assert phases == ["Pending", "Running", "Completed"]
    assert released.returncode == 0, released.stderr
    assert "paused" in paused.stdout
    assert "1 executions, 1 finished" in paused.stdout
    assert (code, errors) == (0, "")
    replayed = rehearse("run", "--replay", "day.jsonl", "--report", "again", folder=tmp_path)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "the same record, byte for byte" in replayed.stdout
    assert (tmp_path / "again/record.jsonl").read_bytes() == (tmp_path / "day.jsonl").read_bytes()
    for kept in ("day.jsonl", "again/record.jsonl"):
        assert stat.S_IMODE((tmp_path / kept).stat().st_mode) == 0o600


def _phases_until(watch: Any, last: str) -> list[str]:
    phases: list[str] = []
    for line in watch:
        phase = json.loads(line)["object"].get("status", {}).get("phase", "Pending")
        if phase not in phases:
            phases.append(phase)
        if phase == last:
            break
    return phases


def _lock(created: Any) -> str:
    return lock_name(created["spec"]["targetResource"])


def test_every_way_in_knows_who_asks(serving: Any, tmp_path: Path) -> None:
    server = serving("--with", "")
    content = yaml.safe_load(server.kubeconfig.read_text())
    certified = _certified(server.tls, content, tmp_path)
    nobody = Client(server.client.url, "", server.tls)

    assert stat.S_IMODE(server.kubeconfig.stat().st_mode) == 0o600
    assert server.client.code("GET", "/api/v1/namespaces") == 200
    assert server.plain.code("GET", "/api/v1/namespaces") == 200
    assert Client(server.client.url, "", certified).code("GET", "/api/v1/namespaces") == 200
    assert nobody.code("GET", "/api/v1/namespaces") == 403
    assert nobody.code("GET", "/version") == 200
    assert Client(server.client.url, "wrong", server.tls).code("GET", "/version") == 401


def _certified(tls: ssl.SSLContext, content: Any, folder: Path) -> ssl.SSLContext:
    user = content["users"][1]["user"]
    pair = folder / "pair.pem"
    pair.write_bytes(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
    authority = base64.b64decode(content["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    context.load_cert_chain(pair)
    return context


def test_users_of_a_token_file_are_who_it_says(serving: Any, tmp_path: Path) -> None:
    users = 'a-token,admin,1,"system:masters"\nn-token,nobody,2,"readers,others"\n'
    (tmp_path / "tokens.csv").write_text(users)
    server = serving("--with", "", "--token-file", "tokens.csv")

    refused = Client(server.plain.url, "n-token")

    assert Client(server.plain.url, "a-token").code("GET", "/api/v1/pods") == 200
    assert refused.code("GET", "/api/v1/pods") == 403
    assert refused.code("POST", "/rehearse/clock", {"do": "pause"}) == 403


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order(serving: Any, number: int) -> None:
    server = serving("--with", "gc")
    watch = server.plain.open("GET", "/api/v1/namespaces?watch=1")
    watch.readline()

    assert server.stop(number) == (0, "")
    assert b"".join(watch).endswith(b"}\n")
    watch.close()


def test_it_ends_by_itself_when_the_time_has_come(serving: Any) -> None:
    server = serving("--with", "", "--speed", "max", "--until", "1h")

    assert server.wait() == 0


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--speed", "fast"), "--speed: 'fast' is no speed; expected a factor such as 1 or 60, 0 to pause, or max"),
        (("--with", "we,us"), '--with: there is no part "us"; expected names of tekton, scheduler'),
        (("--until", "soon"), "--until: 'soon' is no condition; expected 'RESOURCE/NAME FIELD=VALUE'"),
        (("--token-file", "none.csv"), "--token-file: none.csv: cannot be read (No such file or directory)"),
        (("--token-file", "two.csv"), "--token-file: two.csv line 2: has 2 of at least 3 columns; expected token,user"),
        (("--token-file", "same.csv"), "--token-file: same.csv line 2: its token stands on an earlier line already"),
        (("--token-file", "few.csv"), "--token-file few.csv: names nobody in group system:masters"),
        (("--client-ca", "two.csv"), "--client-ca two.csv: holds no certificate"),
        (("--port", "70000"), "--port: 70000 is no port; expected a number from 0 to 65535"),
        (("--host", "0.0.0.0"), "--host: 0.0.0.0 is reachable by others, who know the default seed"),
        (("--seed", "-1"), "--seed: -1; expected a whole number"),
        (("--epoch", "noon"), '--epoch: "noon" is no time; expected now, or RFC 3339'),
        (("--record", "no/such/folder/r"), "--record no/such/folder/r: cannot be written"),
        (("no-such-workload",), "no-such-workload: unknown catalogue entry"),
        (("cooldown",), "cooldown: is not one workload scenario"),
        (("--set", "api.read"), '--set: "api.read" is not an assignment'),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    options: tuple[str, ...], line: str, tmp_path: Path, refused: Callable[..., str]
) -> None:
    (tmp_path / "two.csv").write_text("# comment\ntoken,user\n")
    (tmp_path / "same.csv").write_text("t,a,1\nt,b,2\n")
    (tmp_path / "few.csv").write_text("t,a,1\n")

    said = refused("serve", "--port", "0", *options)

    assert said.startswith(f"rehearse: {line}")
    assert said.count("\n") == 1


def test_a_port_that_is_taken_is_said(refused: Callable[..., str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        said = refused("serve", "--port", str(port))

    assert said == (
        f"rehearse: --port: cannot listen on 127.0.0.1:{port} (Address already in use); expected a free port\n"
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("status", "--kubeconfig", "nowhere"), "--kubeconfig nowhere: cannot be read"),
        (("status", "--kubeconfig", "empty"), "--kubeconfig empty: leads nowhere"),
        (("status", "--kubeconfig", "dead"), "http://127.0.0.1:1: no clock answers there"),
    ],
)
def test_a_clock_that_is_not_there_is_one_line(
    words: tuple[str, ...], line: str, tmp_path: Path, refused: Callable[..., str]
) -> None:
    (tmp_path / "empty").write_text("{}")
    dead = {"clusters": [{"cluster": {"server": "http://127.0.0.1:1"}}], "users": [{"user": {"token": "t"}}]}
    (tmp_path / "dead").write_text(yaml.safe_dump(dead))

    assert refused("clock", *words).startswith(f"rehearse: {line}")


def test_what_is_no_session_cannot_be_repeated(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "r.jsonl").write_text('{"kind":"run"}\n{"kind":"end"}\n')

    assert refused("run", "--replay", "r.jsonl") == (
        "rehearse: r.jsonl: is not the record of a session; expected a file that `rehearse serve --record` wrote\n"
    )


def test_a_client_that_keeps_its_connection_does_not_keep_the_server(serving: Any) -> None:
    server = serving()
    address = server.client.url.rpartition(":")[2]
    with (
        socket.create_connection(("127.0.0.1", int(address))) as plain,
        server.tls.wrap_socket(plain, server_hostname="127.0.0.1") as idle,
    ):
        idle.sendall(b"GET /version HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert idle.recv(100).startswith(b"HTTP/1.1 200")

        assert server.stop() == (0, "")
