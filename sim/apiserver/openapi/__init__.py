"""The schemas that a server publishes: OpenAPI v3 a group version at a time, and v2 in one piece.

Here belongs how kinds and paths are described; what is served comes from :mod:`sim.apiserver.discovery.catalogue`, the
fields of builtin kinds from :mod:`sim.apiserver.schemas`, those of custom kinds from their definitions. Nothing here
checks an object. Documents are made when somebody asks, and kept until what they describe changes.
"""
