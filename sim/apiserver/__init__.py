"""The simulated API server: what a kube-apiserver and the controllers beside it promise, in virtual time.

Belongs here: storage, versions and watches; verbs and their refusals; validation, admission, authorisation, quota and
flow control; garbage collection and namespaces; the translation from REST. Judged by exchanges recorded from a real
server (``tests/conformance``).

Never here: sockets and HTTP framing; models of what runs in a cluster (``sim.cluster``, ``sim.tekton``); faults, which
wrap the client (``sim.faults``).
"""
