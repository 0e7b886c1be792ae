"""What a run left behind, made readable: statistics, figures, HTML, JSON, JUnit, Cucumber and trace files.

Belongs here: everything that is computed from a record, the JSON lines a run wrote.
Never here: the world that wrote it. Nothing of ours is imported, no live object is looked at, no network is used.
Every text in a record is untrusted: it is bounded, cleaned and escaped before it is shown.
"""
