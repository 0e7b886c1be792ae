"""Recordings of a real Tekton, played to another one, and how far what it writes agrees.

A recording is split into what was played (pods' statuses, the script's actions, a registry's answers, quotas) and
what Tekton wrote in answer. The first is played again on a :class:`~scenarios.golden.stage.Stage`; the second is
compared with what is written there.

Belongs here: reading recordings, playing them, comparing, telling the difference to a person.
Never here: behaviour of Tekton or of the API server; anything that makes a comparison come out better.
"""
