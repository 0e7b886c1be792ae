"""Questions to the server that are asked by creating an object which nobody stores.

Here belong the access reviews (may someone?), the token and self reviews (who is that?) and token requests. The rules
themselves are the business of :mod:`sim.apiserver.rbac`; nothing here writes to the store.
"""
