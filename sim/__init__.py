"""The simulated world: a loop on virtual time, an API server, Tekton, and the cluster around them.

Belongs here: models of what surrounds a controller, implementing ``controller.ports``.
Never here: a wall clock, unseeded randomness, or ``controller.live``.
"""
