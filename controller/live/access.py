"""How to reach an API server: from a kubeconfig file, or from inside a pod.

The certificate of the server is verified unless the kubeconfig says ``insecure-skip-tls-verify``. The kubeconfig is
never written to. ``~/.netrc`` is not asked: the client would rather fail than send two credentials.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

_MALFORMED = (ConfigException, yaml.YAMLError, OSError, AttributeError, KeyError, TypeError, ValueError)
"""What the official loader raises on files that are not as it expects them."""


class NoAccess(Exception):
    """It cannot be known how to reach the API server. Says which file, and what it lacks."""


async def from_kubeconfig(path: Path, context: str = "") -> Configuration:
    """As kubectl reads ``path``; ``context`` "" is the file's current one. Raises NoAccess."""
    if not path.is_file():
        raise NoAccess(f"kubeconfig {path}: no such file")
    configuration = Configuration()
    try:
        loader = await load_kube_config(  # type: ignore[no-untyped-call]
            str(path), context or None, configuration, persist_config=False
        )
    except _MALFORMED as error:
        raise NoAccess(f"kubeconfig {path}: {str(error) or type(error).__name__}") from None
    if not getattr(loader, "host", ""):
        raise NoAccess(f"kubeconfig {path}: the cluster of the context names no server")
    user = loader._user
    if user is not None and "exec" in user:
        _keep_fresh(path, configuration, loader)
    return _settled(configuration)


def in_cluster() -> Configuration:
    """As the service account of the pod that this runs in. Raises NoAccess outside a pod."""
    configuration = Configuration()
    try:
        load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise NoAccess(f"in-cluster configuration: {error}") from None
    return _settled(configuration)


def _keep_fresh(path: Path, configuration: Configuration, loader: Any) -> None:
    """Tokens of a plugin expire. The loader logs a plugin's failure and goes on without any credential."""
    if not configuration.api_key and not configuration.cert_file:
        raise NoAccess(f"kubeconfig {path}: its exec plugin gave no credential")
    if hasattr(loader, "exec_plugin_expiry"):

        async def refreshed(current: Configuration) -> None:
            await loader.load_from_exec_plugin()  # runs the plugin only when the token is about to expire
            if hasattr(loader, "token"):
                current.api_key["BearerToken"] = loader.token

        configuration.refresh_api_key_hook = refreshed  # type: ignore[assignment]  # declared as never set


def _settled(configuration: Configuration) -> Configuration:
    """The environment's proxy, but nothing else of the environment."""
    target = urlsplit(configuration.host)
    if configuration.proxy is None and not proxy_bypass(target.netloc):
        configuration.proxy = getproxies().get(target.scheme)
    configuration.client_session_kwargs = {"trust_env": False}
    return configuration
