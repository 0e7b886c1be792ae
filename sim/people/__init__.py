"""Who decides around the controllers: an analyst that goes by rules, and people who approve, review and tidy up.

Belongs here: what stands in for a language model or a person, how long they take, and how they fail.
Never here: what the controllers do about it, and who is asked when (that is the scenario's).
"""
