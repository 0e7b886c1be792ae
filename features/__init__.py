"""The rehearsed behaviour in Gherkin, and the steps that tell it to a World.

Belongs here: feature files in the user's words, and steps that speak to ``scenarios.story`` only.
Never here: field paths, API verbs, or anything that knows which world it is in.
"""
