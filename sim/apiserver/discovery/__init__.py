"""What a server says of itself: its version, its health, and which resources it serves.

Everything is read from the registry at the moment of the question, so a CustomResourceDefinition shows at once and is
gone at once. Schemas are the business of :mod:`sim.apiserver.openapi`; nothing here changes or answers an object.
"""
