"""What befalls Tekton's processes in a simulated world: at once, or at the times that the settings name."""

from collections.abc import Sequence
from random import Random

from scenarios.tektonsettings import PROCESSES, Incident, Mishap, Process, TektonSettings
from sim.loop import Loop
from sim.tekton.install import Tekton


class Incidents:
    """One installation's mishaps. ``befall`` returns at once; the world shows what comes of it."""

    def __init__(self, loop: Loop, tekton: Tekton, settings: TektonSettings, stream: Random) -> None:
        self._loop = loop
        self._tekton = tekton
        self._settings = settings
        self._stream = stream

    def schedule(self, incidents: Sequence[Incident]) -> None:
        """Have each befall at its time, counted from now."""
        for one in incidents:
            self._loop.after(one.at.us, self.befall, one.what, one.does, one.lasting.us)

    def befall(self, what: Process, does: Mishap, lasting_us: int) -> None:
        """``lasting_us`` counts for ``is away``; a crash lasts as long as the settings say, the others cost no time."""
        tekton, name = self._tekton, PROCESSES[what]
        if does == "is away":
            tekton.outage(name, lasting_us)
        elif does == "crashes":
            tekton.crash_leader(name, self._settings.restart.sample_us(self._stream))
        elif does == "restarts":
            tekton.restart_orderly(name)
        else:
            tekton.roll(name, ready_us=self._settings.rollout.us)
