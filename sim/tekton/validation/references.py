"""References to Tasks, Pipelines and StepActions: by name, or through a resolver."""

import re
from collections.abc import Iterator

from controller.ports import Document
from sim.apiserver.names import qualified_name
from sim.tekton.validation.fielderrors import FieldError, both, generic, invalid_value, missing
from sim.tekton.validation.params import repeated_params
from sim.tekton.version import WebhookChecks

_SCHEME = re.compile(r"[\w-]+:\/\/*", re.ASCII)
_CONCISE = "feature flag enable-concise-resolver-syntax should be set to true to use concise resolver syntax"


def reference_errors(reference: Document, checks: WebhookChecks) -> Iterator[FieldError]:
    name, resolver = reference.get("name") or "", reference.get("resolver") or ""
    params = reference.get("params")
    if resolver or params is not None:
        if params is not None:
            if name:
                yield both("name", "params")
            if not resolver:
                yield missing("resolver")
            yield from repeated_params(params)
        if resolver and name:
            if _SCHEME.search(name):
                yield generic(_CONCISE, "")
            else:
                yield invalid_value("invalid URI for request", "name")
    elif name and _SCHEME.search(name):
        yield generic(_CONCISE, "")
        yield missing("resolver")
    elif name:
        complaints = qualified_name(name)
        if complaints:
            yield invalid_value(",".join(complaints).replace("a qualified name", checks.name_words), "name")
    else:
        yield missing("name")
