"""The composer and the laboratory: scenario files, worlds, stories, records and the ``rehearse`` command.

Belongs here: whatever puts controllers and a world together and watches what happens.
Never here: behaviour of a controller or of the cluster.
"""
