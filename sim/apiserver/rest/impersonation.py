"""Acting as someone else: whom the Impersonate headers name, and who may (apiserver ``filters/impersonation``)."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from controller.ports import ApiError, Resource
from sim.apiserver.errors import bad_request
from sim.apiserver.identity import User

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_USER, _GROUP, _UID = "impersonate-user", "impersonate-group", "impersonate-uid"
_EXTRA = "impersonate-extra-"
_ANONYMOUS = "system:anonymous"
_AUTHENTICATED, _UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
_ACCOUNT, _NODE = "system:serviceaccount:", "system:node:"
_AUTHENTICATION = "authentication.k8s.io"
_Wanted = tuple[Resource, str, str]
"""What one would be: a resource, its namespace and its name."""


def wanted_user(headers: Mapping[str, str]) -> User | None:
    """Whom the headers name; repeated headers come joined by commas. Raises ApiError 400."""
    name = headers.get(_USER, "")
    groups = tuple(part.strip() for part in headers[_GROUP].split(",")) if _GROUP in headers else ()
    uid = headers.get(_UID, "")
    if name:
        return User(name, groups, uid)
    if groups or uid or any(key.startswith(_EXTRA) for key in headers):
        raise bad_request(f"requested {groups or uid or 'extras'} without impersonating a user name")
    return None


def impersonate(
    server: "ApiServer", asker: User, wanted: User, headers: Mapping[str, str], on: Callable[[str], None]
) -> User:
    """The user to act as. ``on`` checks one verb on what the request is about. Raises ApiError 403.

    First the constrained mode that fits the name is tried, then the older one that needs ``impersonate`` alone; when
    neither is allowed, the first refusal is told.
    """
    extras = [key.removeprefix(_EXTRA) for key in headers if key.startswith(_EXTRA)]
    refusal: ApiError | None = None
    mode = _mode(wanted, extras)
    if mode:
        try:
            on(mode)
            _check(server, asker, wanted, extras, f"impersonate:{mode}", constrained=True)
            return _completed(wanted, constrained=True)
        except ApiError as error:
            refusal = error
    try:
        _check(server, asker, wanted, extras, "impersonate", constrained=False)
    except ApiError as error:
        raise refusal or error from None
    return _completed(wanted, constrained=False)


def _mode(wanted: User, extras: list[str]) -> str:
    """The constrained mode for such a user; empty where none applies."""
    alone = not (wanted.groups or wanted.uid or extras)
    if wanted.name.startswith(_NODE):
        return "arbitrary-node" if alone else ""
    if wanted.name.startswith(_ACCOUNT):
        return "serviceaccount" if alone else ""
    return "user-info"


def _check(server: "ApiServer", asker: User, wanted: User, extras: list[str], verb: str, *, constrained: bool) -> None:
    if server.authorizer is None:
        return
    check = server.authorizer.for_user(asker)
    for resource, namespace, name in _asked(wanted, constrained):
        if constrained and (resource.plural, name) == ("groups", "system:masters"):
            raise _refused(asker, verb, "impersonating the system:masters group is not allowed")
        check(verb, resource, namespace, name, "")
    for key in extras:
        check(verb, Resource(_AUTHENTICATION, "v1", "userextras", "UserExtra", namespaced=False), "", "", key)


def _asked(wanted: User, constrained: bool) -> Iterator[_Wanted]:
    group = _AUTHENTICATION if constrained else ""
    if wanted.name.startswith(_ACCOUNT):
        namespace, _, name = wanted.name.removeprefix(_ACCOUNT).partition(":")
        yield Resource(group, "v1", "serviceaccounts", "ServiceAccount"), namespace, name
    elif constrained and wanted.name.startswith(_NODE):
        yield Resource(group, "v1", "nodes", "Node", namespaced=False), "", wanted.name.removeprefix(_NODE)
    else:
        yield Resource(group, "v1", "users", "User", namespaced=False), "", wanted.name
    if wanted.uid:
        yield Resource(_AUTHENTICATION, "v1", "uids", "UID", namespaced=False), "", wanted.uid
    for one in wanted.groups:
        yield Resource(group, "v1", "groups", "Group", namespaced=False), "", one


def _refused(asker: User, verb: str, why: str) -> ApiError:
    text = (
        f'groups.{_AUTHENTICATION} "system:masters" is forbidden: User "{asker.name}" cannot {verb} resource "groups" '
        f'in API group "{_AUTHENTICATION}" at the cluster scope: {why}'
    )
    details = {"name": "system:masters", "group": _AUTHENTICATION, "kind": "groups"}
    return ApiError(403, "Forbidden", text, details)


def _completed(wanted: User, *, constrained: bool) -> User:
    """The groups that come with a name."""
    groups = list(wanted.groups)
    if wanted.name.startswith(_ACCOUNT) and not groups:
        namespace = wanted.name.removeprefix(_ACCOUNT).partition(":")[0]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    if constrained and wanted.name.startswith(_NODE):
        groups = ["system:nodes"]
    known = _UNAUTHENTICATED if wanted.name == _ANONYMOUS else _AUTHENTICATED
    if known not in groups and _UNAUTHENTICATED not in groups:
        groups.append(known)
    return User(wanted.name, tuple(groups), wanted.uid)
