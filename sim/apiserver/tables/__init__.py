"""Tables: objects as rows of cells, as a client that prints them asks for them (``as=Table``).

Here belong the columns of each kind and what stands in them. Which representation a client gets is decided by
:mod:`sim.apiserver.rest.negotiation`; nothing here reads the store or knows a request.
"""
