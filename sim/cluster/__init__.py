"""What a cluster does around Tekton: scheduling, kubelets, images, memory, logs, eviction, node loss.

Belongs here: event-driven models that answer what the API server commits, write through its verbs under their own
identities (``system:kube-scheduler``, ``system:node:<node>``) and therefore count as API calls of those components.
Never here: what Tekton's controllers decide, outcomes written into objects by hand, or anything that polls per second.
"""
