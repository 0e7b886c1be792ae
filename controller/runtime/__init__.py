"""The machinery every controller runs on, the same in a pod and in a rehearsal.

Belongs here: work queue, back-off, cache, reflector, manager, client-side throttle, event recorder; plain asyncio,
time from the running loop, randomness from a stream that is passed in.
Never here: knowledge of any kind of object beyond its metadata, an API client, metrics or log formats.
"""
