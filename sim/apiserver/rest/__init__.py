"""The REST face without sockets: a method, a path, headers and a body in; a status, headers and a body out.

Belongs here: routes, options, content negotiation, bodies in JSON, YAML and their errors, impersonation.
Never here: the verbs themselves, and HTTP framing.
"""
