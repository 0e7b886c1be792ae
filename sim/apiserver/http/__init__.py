"""The simulated API server behind HTTP: what a byte stream needs, and nothing that a request means.

Here belong reading a request, who sent it (tokens, certificates), limits, encoding an answer, streams that many slow
clients read, listening sockets, the kubeconfig that leads to them, and the handle on the clock. What a path, a verb or
a media type means belongs to :mod:`sim.apiserver.rest.rest`; when a request happens is decided by :mod:`sim.pump`.
Nothing of the simulation imports this package: a world that is not served does not know of it.
"""
