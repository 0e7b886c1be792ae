"""Who asks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """An authenticated identity, as the authenticator hands it to authorisation and admission."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


ADMIN = User("admin", ("system:masters", "system:authenticated"), "admin-uid")


def service_account(namespace: str, name: str) -> User:
    """The identity of a pod that runs under a ServiceAccount."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"system:serviceaccount:{namespace}:{name}", groups)
