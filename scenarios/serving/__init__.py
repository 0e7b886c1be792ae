"""A simulated world as a server: sessions that people and programs have with it, and how they are repeated.

Here belong the session (which world, whose requests, its record), ``rehearse serve``, ``rehearse clock`` and the pytest
plugin. How bytes become requests belongs to :mod:`sim.apiserver.http`, how time passes to :mod:`sim.pump`.
"""
