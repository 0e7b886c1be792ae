"""Who asks for work, when, on what, how long it takes and how it ends: the inputs of a rehearsal.

Belongs here: durations and distributions, arrivals, names, mixes of outcomes; all drawn from named streams.
Never here: the cluster that receives the work, API calls, or anything that waits.
"""
