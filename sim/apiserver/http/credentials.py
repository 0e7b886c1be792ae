"""Credentials and who they are: static token files, tokens made up for one server, the names in certificates."""

import csv
import secrets
from pathlib import Path
from typing import Any

from sim.apiserver.identity import User

_FORM = 'token,user,uid,"group1,group2"'
AUTHENTICATED = "system:authenticated"


class BadTokens(Exception):
    """A token file that cannot be used; one line naming file and line."""


def made_up() -> str:
    """A token that nobody can guess. Not of the world's random streams: it is a secret, and in no record."""
    return secrets.token_urlsafe(24)


def read(path: Path) -> dict[str, User]:
    """Users by token, as kube-apiserver's ``--token-auth-file`` names them. Raises BadTokens."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(reader.line_num, row) for reader in [csv.reader(file, skipinitialspace=True)] for row in reader]
    except OSError as error:
        raise BadTokens(f"{path}: cannot be read ({error.strerror}); expected a file of lines {_FORM}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadTokens(f"{path}: is no CSV ({error}); expected lines {_FORM}") from None
    users: dict[str, User] = {}
    for line, row in rows:
        if not row or row[0].startswith("#"):
            continue
        if len(row) < 3:
            raise BadTokens(f"{path} line {line}: has {len(row)} of at least 3 columns; expected {_FORM}")
        token, name, uid = (cell.strip() for cell in row[:3])
        if not token or not name:
            raise BadTokens(f"{path} line {line}: {'token' if not token else 'user'} is empty; expected {_FORM}")
        if token in users:
            raise BadTokens(f"{path} line {line}: its token stands on an earlier line already; expected one line each")
        groups = tuple(group.strip() for group in row[3].split(",") if group.strip()) if len(row) > 3 else ()
        users[token] = known(name, groups, uid)
    if not users:
        raise BadTokens(f"{path}: holds no token; expected lines {_FORM}")
    return users


def known(name: str, groups: tuple[str, ...], uid: str = "") -> User:
    """An authenticated user: one more group says so."""
    return User(name, groups if AUTHENTICATED in groups else (*groups, AUTHENTICATED), uid)


def named(peer: Any) -> User | None:
    """Whom a verified certificate, as :meth:`ssl.SSLSocket.getpeercert` tells it, names: CN, and O for each group."""
    fields = [pair for relative in (peer or {}).get("subject", ()) for pair in relative]
    name = next((value for key, value in fields if key == "commonName"), "")
    groups = tuple(value for key, value in fields if key == "organizationName")
    return known(name, groups) if name else None
