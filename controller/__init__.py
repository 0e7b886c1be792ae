"""The controllers that ship in the pod, and nothing of the rehearsal.

Belongs here: the kinds we own, the ports, the runtime and the reconcilers, all of them plain asyncio.
Never here: simpy, matplotlib, faker, a wall clock, or any other of our top-level packages.
"""
