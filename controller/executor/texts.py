"""Foreign text: how it is cleaned, and the exact shapes that carry a meaning.

Messages and logs come from whatever ran in a pod. They are bounded, and they are matched by whole API phrases:
a namespace called ``classroom`` is no OOM and a job called ``check-quota`` is no quota.
"""

import re

from controller.api.texts import clean
from controller.api.workflowexecution import FailureReason

READ_LIMIT = 16_384  # how much of a foreign text is looked at

_OOM = re.compile(r'(?:^|")[^"\n]*" exited with code -?\d+: OOMKilled$|^OOMKilled$', re.ASCII | re.MULTILINE)
_INIT_FAILED = re.compile(r'^init container failed, "[^"\n]+" exited with code -?\d+', re.ASCII)
_STEP_TIMEOUT = re.compile(r'^"[^"\n]+" exited because the step exceeded the specified timeout limit$', re.ASCII)
_POD_DEADLINE = re.compile(r"^Pod was active on the node longer than the specified deadline$", re.ASCII)
_EVICTED = re.compile(
    r"^(?:The node was low on resource: |Usage of EmptyDir volume \"[^\"\n]+\" exceeds the limit \"|"
    r"Pod ephemeral local storage usage exceeds the total limit of containers |"
    r"Container [^\s]+ exceeded its local ephemeral storage limit \")",
    re.ASCII,
)
_EXCEEDED_QUOTA = re.compile(r"\bis forbidden: exceeded quota: \S", re.ASCII)
_ANY_QUOTA = re.compile(r"\bis forbidden: (?:exceeded|failed) quota: \S", re.ASCII)
_DENIED = re.compile(r"\bis forbidden: User \"", re.ASCII)
_ADMISSION = re.compile(r"\badmission webhook \"[^\"\n]*\" denied the request\b", re.ASCII)
_KUBECTL_DENIED = re.compile(r"\bError from server \(Forbidden\): ", re.ASCII)
_REGISTRY = re.compile(r"\bcannot retrieve the oci image: |\b(?:GET|HEAD|Get|Head) \"?https?://[^\s\"/]+/v2/", re.ASCII)
_FOREIGN_RESOLVER = re.compile(
    r"\binvalid resource request \"[^\"\n]*/bundles-[^\"\n]*\": "
    r"(?:failed to validate params: )?missing required (?!bundles? )\w+ resolver params: |"
    r"\berror getting \"(?!bundleresolver\")\w+\" \"[^\"\n]*/bundles-[^\"\n]*\": ",
    re.ASCII,
)
_RESOLUTION_TIMEOUT = re.compile(r"\bresolution took longer than global timeout of \S", re.ASCII)
PREVIOUS_STATUS = re.compile(r"\nPrevious status: \[(\w+)\] ?(.*)\Z", re.ASCII | re.DOTALL)


def task_run_text(message: str) -> FailureReason | None:
    """What the message of a failed TaskRun names: the only evidence in Tekton before 1.12."""
    if _OOM.search(message):
        return FailureReason.OOM_KILLED
    if _STEP_TIMEOUT.match(message) or _POD_DEADLINE.match(message):
        return FailureReason.DEADLINE_EXCEEDED
    if _EVICTED.match(message):
        return FailureReason.RESOURCE_EXHAUSTED
    return FailureReason.TASK_FAILED if _INIT_FAILED.match(message) else None


def pod_creation_text(message: str) -> FailureReason:
    """Why a task's pod could not be made: the API server's or the registry's words inside Tekton's."""
    if _EXCEEDED_QUOTA.search(message):
        return FailureReason.RESOURCE_EXHAUSTED
    if _DENIED.search(message):
        return FailureReason.FORBIDDEN
    return FailureReason.IMAGE_PULL_BACK_OFF if _REGISTRY.search(message) else FailureReason.CONFIGURATION_ERROR


def resolution_text(message: str) -> FailureReason:
    """Why a bundle could not be used: the registry did not give it, or it is not what it should be."""
    return FailureReason.IMAGE_PULL_BACK_OFF if _REGISTRY.search(message) else FailureReason.CONFIGURATION_ERROR


def resolver_advice(message: str) -> str:
    """What to do about a resolution that failed for no fault of the workflow; empty where the workflow is to blame."""
    if _FOREIGN_RESOLVER.search(message):
        return (
            "Try again: a resolver of another kind failed the request while Tekton's resolvers restarted; "
            "nothing is wrong with the workflow."
        )
    if _RESOLUTION_TIMEOUT.search(message):
        return "Check that Tekton's resolvers run and that the registry answers, then try again."
    return ""


def denial_line(log: str) -> tuple[FailureReason, str] | None:
    """The last line of a log in which the API server refuses, and what kind of refusal it is."""
    for line in reversed(log.splitlines()):
        if _ANY_QUOTA.search(line):
            return FailureReason.RESOURCE_EXHAUSTED, clean(line)
        if _KUBECTL_DENIED.search(line) or _DENIED.search(line):
            return FailureReason.FORBIDDEN, clean(line)
    return None


def refused_create(code: int, message: str) -> FailureReason | None:
    """The reason of a create that another try cannot mend; None when another try can."""
    message = message[:READ_LIMIT]
    if code == 403:
        if _ANY_QUOTA.search(message):
            return FailureReason.RESOURCE_EXHAUSTED
        return FailureReason.CONFIGURATION_ERROR if _ADMISSION.search(message) else FailureReason.FORBIDDEN
    return FailureReason.CONFIGURATION_ERROR if code in (400, 404, 413, 422) else None
