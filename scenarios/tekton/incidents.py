"""What befalls Tekton's processes in a simulated world: at once, or at the times that the settings name."""

from collections.abc import Sequence
from random import Random

from scenarios.tekton.settings import PROCESSES, Incident, Mishap, Process, TektonSettings
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
            self._loop.after(one.at.us, self.befall, one.what, one.kind, one.lasting.us)

    def befall(self, what: Process, kind: Mishap, lasting_us: int) -> None:
        """``lasting_us`` counts for an outage; a crash lasts as long as the settings say, the others cost no time.

        Raises ValueError for anything but an outage of the webhook.
        """
        if what == "webhook" and kind != "outage":
            raise ValueError(f"the webhook keeps nothing to lose: expected an outage, not a {kind}")
        tekton, name = self._tekton, PROCESSES[what]
        if kind == "outage":
            tekton.outage(name, lasting_us)
        elif kind == "crash":
            tekton.crash_leader(name, self._settings.restart.sample_us(self._stream))
        elif kind == "restart":
            tekton.restart_orderly(name)
        else:
            tekton.roll(name, ready_us=self._settings.rollout.us)
