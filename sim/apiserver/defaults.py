"""The admission plugins and controllers that every cluster runs by default."""

from typing import TYPE_CHECKING

from controller.ports import Document
from sim.apiserver.admission.limitrange import LimitRanger
from sim.apiserver.admission.podsecurity import PodSecurity
from sim.apiserver.admission.policies import Policies
from sim.apiserver.admission.quota import RESOURCE_QUOTAS, QuotaAdmission, Quotas
from sim.apiserver.admission.quotacontroller import QuotaController
from sim.apiserver.escalation import RESOURCES, EscalationCheck
from sim.apiserver.identity import User
from sim.apiserver.standard import standard

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_APISERVER = User("system:apiserver", ("system:masters",))


def install(server: "ApiServer") -> None:
    """The builtin kinds' strategies, policies, webhooks, LimitRanger, PodSecurity, ResourceQuota with its controller,
    RBAC's check of escalation."""
    standard(server.registry)
    admission = server.admission
    Policies(server)
    server.webhooks.validate_first()
    ranger = LimitRanger(server)
    admission.mutate(ranger.default, resources={"pods"})
    server.webhooks.mutate_last()
    admission.validate(ranger.check, resources={"pods"})
    security = PodSecurity(server)
    admission.validate(security.check, resources={"pods"}, active=security.any)
    security.on_change = admission.reconsider
    if server.authorizer is not None:
        admission.validate(EscalationCheck(server.authorizer), resources=RESOURCES, operations=("CREATE", "UPDATE"))

    def write_status(namespace: str, name: str, status: Document) -> None:
        quota = server.find(RESOURCE_QUOTAS, namespace, name)
        if quota is not None:
            body = {**quota, "status": status}
            server.update(_APISERVER, RESOURCE_QUOTAS, namespace, name, body, subresource="status")

    quotas = Quotas(server)
    # Without quotas nothing is built for the plugin to look at: it covers every create there is.
    admission.validate(QuotaAdmission(quotas, write_status), active=quotas.any)
    observers, stream = server.store.observers, server.streams("apiserver.quota")
    controller = QuotaController(server.loop, server, quotas, observers, write_status, stream)
    quotas.on_change = (admission.reconsider, controller.reconsider)
