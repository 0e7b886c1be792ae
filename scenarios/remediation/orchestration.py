"""The orchestrator and who decides around it, in a simulated world: started when the first remediation is asked for."""

from collections.abc import Callable, Iterable, Mapping

from controller.orchestrator.settings import Backoff, Settings, Timeouts
from controller.orchestrator.wiring import NAME, orchestrator
from controller.ports import AuditSink, Cluster
from scenarios.remediation.settings import AnalystSettings, ApproverSettings, OrchestratorSettings, ReviewerSettings
from scenarios.workflows import Workflow
from sim.apiserver.identity import service_account
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop, Process
from sim.people.analyst import Analyst, Remedy, Temper
from sim.people.approver import Approver, Habits
from sim.people.janitor import Janitor
from sim.people.reviewer import Diligence, Reviewer
from sim.streams import Streams

NAMESPACE = "kubernaut-system"
USER = service_account(NAMESPACE, NAME)
Wrap = Callable[[Cluster, Process], Cluster]


class Orchestration:
    """``replicas`` orchestrators that all believe they lead; an analyst; an approver; a reviewer.

    ``wrap`` puts a fault around the client of each orchestrator.
    """

    def __init__(
        self,
        server: ApiServer,
        loop: Loop,
        clock: Clock,
        streams: Streams,
        audit: AuditSink,
        workflows: Mapping[str, Workflow],
        settings: OrchestratorSettings,
        minds: tuple[AnalystSettings, ApproverSettings, ReviewerSettings],
        wrap: Wrap,
    ) -> None:
        self._server = server
        self._loop = loop
        self._clock = clock
        self._streams = streams
        self._audit = audit
        self._settings = settings
        self._wrap = wrap
        analyst, approver, reviewer = minds
        temper = Temper(
            analyst.latency,
            not_needed=analyst.not_needed,
            nothing_found=analyst.nothing_found,
            unsure=analyst.unsure,
            error=analyst.error,
            silent=analyst.silent,
        )
        habits = Habits(approver.latency, rejects=approver.rejects, silent=approver.silent)
        self.analyst = Analyst(server, loop, clock, remedies(workflows.values()), temper, stream=streams("analyst"))
        self.approver = Approver(server, loop, habits, stream=streams("approver"))
        self._reviewer = reviewer
        self._processes = [self._start(number) for number in range(settings.replicas)]

    def review(self) -> None:
        """From now on somebody looks at failures; without it every block stays, as stories want it."""
        diligence = Diligence(self._reviewer.latency, ignores=self._reviewer.ignores)
        Reviewer(self._server, self._loop, diligence, stream=self._streams("reviewer"))

    def tidy(self, keep_us: int) -> None:
        """From now on remediations are deleted ``keep_us`` after they have ended; otherwise all are kept."""
        Janitor(self._server, self._loop, keep_us)

    def _start(self, number: int) -> Process:
        process = self._loop.process(NAME if number == 0 else f"{NAME}-{number}")
        client = self._server.client(USER, component=NAME)
        manager = orchestrator(
            self._wrap(client, process),
            self._audit,
            self._clock,
            controller_settings(self._settings),
            random=self._streams(NAME if number == 0 else f"{NAME}-{number}"),
        )
        process.start(manager.run())
        return process

    def crash(self) -> None:
        """Kill every orchestrator without warning; new ones start after the restart delay."""
        for number, process in enumerate(self._processes):
            process.kill()
            self._loop.after(round(self._settings.restart * 1_000_000), self._restart, number)

    def _restart(self, number: int) -> None:
        self._processes[number] = self._start(number)

    def let_wait(self) -> None:
        """Start anew with the policy that requests wait for a busy target."""
        self.stop()
        self._settings = self._settings.model_copy(update={"on_busy": "wait"})
        self._processes = [self._start(number) for number in range(len(self._processes))]

    def join(self) -> None:
        """One more orchestrator, which believes that it leads, as the others do."""
        self._processes.append(self._start(len(self._processes)))

    @property
    def restart_s(self) -> float:
        return self._settings.restart

    def stop(self) -> None:
        """For good."""
        for process in self._processes:
            process.kill()


def controller_settings(settings: OrchestratorSettings) -> Settings:
    """A scenario's section as the controller takes it."""
    return Settings(
        on_busy=settings.on_busy,
        cooldown_s=settings.cooldown,
        max_failures=settings.max_failures,
        max_recoveries=settings.max_recoveries,
        workers=settings.workers,
        backoff=Backoff(base_s=settings.backoff_base, cap_s=settings.backoff_cap, jitter=settings.backoff_jitter),
        timeouts=Timeouts(
            global_s=settings.timeout,
            processing_s=settings.processing_timeout,
            analyzing_s=settings.analyzing_timeout,
            approval_s=settings.approval_timeout,
            executing_s=settings.executing_timeout,
        ),
    )


def remedies(workflows: Iterable[Workflow]) -> list[Remedy]:
    """What the analyst may recommend: the workflows of the scenario, in their order."""
    return [Remedy(each.workflow, each.version, each.image, each.parameters) for each in workflows]
