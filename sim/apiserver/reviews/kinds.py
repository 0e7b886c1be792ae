"""The kinds that can only be created: their answer is all there is of them."""

from controller.ports import Resource

AUTHORIZATION = "authorization.k8s.io"
AUTHENTICATION = "authentication.k8s.io"
SELF_ACCESS = Resource(AUTHORIZATION, "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False)
SELF_RULES = Resource(AUTHORIZATION, "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False)
ACCESS = Resource(AUTHORIZATION, "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False)
LOCAL_ACCESS = Resource(AUTHORIZATION, "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview")
SELF = Resource(AUTHENTICATION, "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)
TOKEN = Resource(AUTHENTICATION, "v1", "tokenreviews", "TokenReview", namespaced=False)
REVIEWS = (SELF_ACCESS, SELF_RULES, ACCESS, LOCAL_ACCESS, SELF, TOKEN)
_BY_PLURAL = {(one.group, one.version, one.plural): one for one in REVIEWS}


def review_of(group: str, version: str, plural: str) -> Resource | None:
    """The review kind served under these names; None where there is none."""
    return _BY_PLURAL.get((group, version, plural))
