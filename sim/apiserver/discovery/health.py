"""``/healthz``, ``/livez`` and ``/readyz``, whole and check by check (apiserver ``healthz``)."""

from collections.abc import Mapping

_COMMON = ("ping", "log", "etcd")
_HOOKS = (
    *(
        "start-apiserver-admission-initializer",
        "generic-apiserver-start-informers",
        "priority-and-fairness-config-consumer",
    ),
    *("priority-and-fairness-filter", "storage-object-count-tracker-hook", "start-apiextensions-informers"),
    *("start-apiextensions-controllers", "crd-informer-synced", "start-system-namespaces-controller"),
    *(
        "rbac/bootstrap-roles",
        "bootstrap-controller",
        "start-kube-aggregator-informers",
        "apiservice-openapiv3-controller",
    ),
)
_READY_ONLY = ("informer-sync", "shutdown")
PATHS = ("/healthz", "/livez", "/readyz")


def checks(path: str) -> tuple[str, ...]:
    """What stands behind one of PATHS."""
    hooks = tuple(f"poststarthook/{hook}" for hook in _HOOKS)
    if path == "/readyz":
        return (*_COMMON, _READY_ONLY[0], *hooks, _READY_ONLY[1])
    return (*_COMMON, *hooks)


def health(path: str, query: Mapping[str, str]) -> str | None:
    """The text for a path below PATHS; None for a check that does not exist."""
    root = f"/{path.strip('/').partition('/')[0]}"
    rest = path.strip("/").partition("/")[2]
    found = checks(root)
    if rest:
        return "ok" if rest in found else None
    if "verbose" not in query:
        return "ok"
    excluded = {name for name in query.get("exclude", "").split(",") if name}
    lines = [f"[+]{name} excluded: ok" if name in excluded else f"[+]{name} ok" for name in found]
    unknown = sorted(excluded.difference(found))
    if unknown:
        quoted = ",".join(f'"{name}"' for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
    return "\n".join((*lines, f"{root.strip('/')} check passed\n"))
