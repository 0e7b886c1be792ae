"""The live world: a real API server, spoken to over HTTP.

Belongs here: the adapters that implement :mod:`controller.ports` outside a rehearsal, and how to reach what they need.
It alone imports ``kubernetes.aio``, whose import costs a quarter of a second: import this package where it is used.
Never here: decisions of a controller, the simulation, or anything a reconciler would import.
"""
