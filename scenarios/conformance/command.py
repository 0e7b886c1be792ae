"""``rehearse conformance``: scores a server against the recordings."""

import signal
import ssl
from contextlib import closing
from pathlib import Path

from scenarios.conformance import recorded
from scenarios.conformance.overhttp import HttpStage, Place
from scenarios.conformance.replay import Difference
from scenarios.conformance.score import Verdict, by_area, judge, table
from scenarios.errors import BadInput
from sim.apiserver.http import credentials
from sim.apiserver.rbac import MASTERS
from sim.apiserver.rest.exchange import Request

_USERS = {
    "we": "system:serviceaccount:kubernaut-system:workflowexecution-controller",
    "nobody": "system:serviceaccount:default:nobody",
}
_DEFAULT = {"admin": "admin-token", "we": "we-token", "nobody": "nobody-token"}


def conformance(
    url: str, *, insecure: bool, ca: Path | None, token_file: Path | None, cases: Path | None, areas: str, verbose: bool
) -> bool:
    """Print the score of the server at ``url``; whether every case was answered to the letter. Raises BadInput."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a server that hangs up is a difference, not the end
    listed = recorded.bundled() if cases is None else recorded.cases(cases)
    chosen = [name.strip() for name in areas.split(",") if name.strip()]
    known = {case.area for case in listed}
    for name in chosen:
        if name not in known:
            raise BadInput("--area", f'there is no area "{name}"', f"names of {', '.join(sorted(known))}")
    tokens = _tokens(token_file)
    try:
        stage = HttpStage(Place(url, _tls(insecure, ca)), tokens, recorded.definitions())
    except ValueError as error:
        raise BadInput("--url", str(error), "one such as http://127.0.0.1:8080") from None
    with closing(stage):
        answer = _first_answer(stage, url, tokens["admin"])
        if answer in (401, 403):
            raise BadInput(
                url, f"answers {answer} to the administrator's token", "--token-file, or a server that knows it"
            )
        verdicts = judge(stage, [case for case in listed if not chosen or case.area in chosen])
    for verdict in verdicts:
        if not verdict.strict:
            print(_told(verdict, verbose))
    for line in table(by_area(verdicts)):
        print(line)
    return all(verdict.strict for verdict in verdicts)


def _first_answer(stage: HttpStage, url: str, token: str) -> int:
    try:
        return stage.ask(Request("GET", "/api/v1/namespaces", {}, {"authorization": f"Bearer {token}"})).status
    except Difference as silence:
        raise BadInput(url, str(silence), "a running API server") from None


def _told(verdict: Verdict, verbose: bool) -> str:
    title = f"{'WORDS' if verdict.semantic else 'DIFFERS'} {verdict.case.id}: {verdict.case.content.get('title', '')}"
    return title + ("\n    " + verdict.why.replace("\n", "\n    ") if verbose else "")


def _tokens(path: Path | None) -> dict[str, str]:
    if path is None:
        return dict(_DEFAULT)
    try:
        users = credentials.read(path)
    except credentials.BadTokens as error:
        raise BadInput("--token-file", str(error)) from None
    tokens: dict[str, str] = {}
    for token, user in users.items():
        if MASTERS in user.groups:
            tokens.setdefault("admin", token)
        for name, known in _USERS.items():
            if user.name == known:
                tokens[name] = token
    for name in _DEFAULT:
        if name not in tokens:
            wanted = f"somebody in group {MASTERS}" if name == "admin" else f"a line for {_USERS[name]}"
            raise BadInput(f"--token-file {path}", f"names no {name}", wanted)
    return tokens


def _tls(insecure: bool, ca: Path | None) -> ssl.SSLContext:
    try:
        tls = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise BadInput(f"--ca {ca}", f"cannot be used ({error})", "a PEM file") from None
    if insecure:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls
