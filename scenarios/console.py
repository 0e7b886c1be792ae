"""What a person sees while a run goes on: one line a scenario, and a progress line on a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn

from scenarios.run import Outcome
from scenarios.world import World
from sim.workload.durations import format_us

_REFRESH_S = 0.2


def counted(number: int, noun: str) -> str:
    """``1 execution``, ``2 executions``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


class Narrator:
    """Prints the outcome of each scenario; on a terminal also how far the current one is.

    ``wall_s`` is the only place of a run that looks at a real clock: it feeds the progress line and the side file
    of the record, never the record.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.wall_s: list[float] = []
        self._console = Console(file=sys.stderr)
        self._out = sys.stdout
        self._began = 0.0
        self._shown = 0.0
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._name = ""

    @contextmanager
    def following(self) -> Iterator["Narrator"]:
        if self._console.is_terminal and not self.quiet:
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                console=self._console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
        try:
            yield self
        finally:
            if self._progress is not None:
                self._progress.stop()

    def begins(self, feature: str, scenario: str, world: World) -> None:
        self._began = self._shown = time.perf_counter()
        self._name = f"{feature}: {scenario}"
        if self._progress is not None:
            self._task = self._progress.add_task(self._name)
            self._progress.start()
            world.on_progress(self._tick)

    def _tick(self, world: World) -> None:
        now = time.perf_counter()
        if self._progress is None or self._task is None or now - self._shown < _REFRESH_S:
            return
        self._shown = now
        finished, total = world.chronicle.finished, len(world.chronicle.executions)
        rate = finished / (now - self._began)
        self._progress.update(
            self._task,
            description=f"{format_us(world.now_us() // 1_000_000 * 1_000_000)} virtual, {finished}/{total} finished, "
            f"{rate:.0f}/s  {self._name}",
        )

    def ended(self, outcome: Outcome) -> None:
        wall_s = time.perf_counter() - self._began
        self.wall_s.append(wall_s)
        if self._progress is not None and self._task is not None:
            self._progress.remove_task(self._task)
            self._progress.stop()
        if self.quiet:
            return
        mark = "passed" if outcome.status == "passed" else "FAILED"
        virtual = format_us(outcome.virtual_us // 100_000 * 100_000)
        print(
            f"{mark}  {outcome.feature}: {outcome.name}  "
            f"({counted(outcome.executions, 'execution')}, {virtual} virtual, {wall_s:.1f} s)",
            file=self._out,
            flush=True,
        )
        if outcome.error:
            print(f"        {outcome.error[:1000]}", file=self._out, flush=True)
