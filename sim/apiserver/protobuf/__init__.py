"""Builtin kinds as protobuf: what typed Go clients send, and what they read when they take nothing else.

Here belong the wire format and its few special types; which fields a kind has is told by
:mod:`sim.apiserver.schemas`. Custom kinds have no protobuf.
"""
