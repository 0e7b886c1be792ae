"""The ways a controller is lied to: wrappers around a port, each named after its lie.

Belongs here: what may happen between a controller and its API server.
Never here: anything the port or the server would have to know about.
"""
