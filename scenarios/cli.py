"""The ``rehearse`` command."""

import signal
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from scenarios import catalogue, gherkin, workload
from scenarios.console import Narrator, counted
from scenarios.errors import BadInput
from scenarios.run import FeatureRun, RunOptions
from scenarios.serving.cli import SERVE_EXAMPLES, clock, serve
from scenarios.simulated import open_world
from scenarios.version import VERSION
from sim.clock import EPOCH
from sim.workload.durations import format_us

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 110, "help_option_names": ["-h", "--help"]},
    help="Rehearse Kubernetes controllers: the real code against a simulated cluster on virtual time.\n\n"
    "Exit codes: 0 everything held, 1 a scenario failed, 2 bad input or usage.",
)


class Backend(StrEnum):
    sim = "sim"


class Format(StrEnum):
    text = "text"
    json = "json"


_EXAMPLES = """\b
Examples:
  rehearse run                                         all features, one target
  rehearse run cooldown --scale 1000 --report out      one feature, a thousand targets, with a report
  rehearse run my.feature --set executor.cooldown=1m   your own scenarios, another cooldown
  rehearse run alert-burst --set tekton.qps=50         a workload of the catalogue, a wider throttle
"""

_GOLDEN_EXAMPLES = """\b
Examples:
  rehearse golden                                      everything that was recorded, both releases
  rehearse golden cancel success-1 --version 1.15      two situations, one release
  rehearse golden --recordings my/recordings           recordings of your own, as the recorder wrote them
  rehearse golden --kubeconfig ~/.kube/config --record my/recordings
                                                       recordings of your cluster's own Tekton
"""


@app.command(epilog=_EXAMPLES)
def run(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]…",
            help="Feature files, folders of them, workload scenarios (.yaml), or names that `rehearse list` shows. "
            "Default: all features that come with rehearse.",
        ),
    ] = None,
    backend: Annotated[Backend, typer.Option(help="The world to run in.")] = Backend.sim,
    scale: Annotated[int, typer.Option(help="Independent targets that live each scenario of a feature.")] = 1,
    seed: Annotated[
        int, typer.Option(help="The seed of everything random. Same seed, same record, byte for byte.")
    ] = 7,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a setting; `rehearse list` shows them with their defaults."
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the record and the report of the run there.")
    ] = None,
    trace: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a trace for ui.perfetto.dev.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="What to print on standard output.")] = Format.text,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Repeat the session that `rehearse serve --record FILE` recorded, instead."),
    ] = None,
) -> None:
    """Run features and workload scenarios."""
    if replay is not None:
        _replay(replay, report, paths or [])
    found = catalogue.find(paths or [])
    shown = " ".join(
        ["rehearse run", *(paths or []), f"--scale {scale}", f"--seed {seed}", *(f"--set {s}" for s in set_ or [])]
    )
    options = RunOptions(backend.value, scale, seed, tuple(set_ or ()), shown)
    narrator = Narrator(quiet=format_ is Format.json)
    feature_run = FeatureRun(options, open_world, narrator)
    if report is not None:
        _check_place(f"--report {report}", report, "a writable directory")
    if trace is not None:
        _check_place(f"--trace {trace}", trace.parent, "a writable file")
        if trace.is_dir():
            raise BadInput(f"--trace {trace}", "is a directory", "a writable file")
    for path in found.workloads:
        workload.read(path, options.overrides)  # a mistake in the last file is said before the first has run
    _header(feature_run)
    began = time.perf_counter()
    with narrator.following():
        if found.features:
            gherkin.play(found.features, feature_run)
        for path in found.workloads:
            feature_run.workload_plays(path)
    if not feature_run.outcomes:
        raise BadInput(", ".join(paths or ["features"]), "holds no scenario", "at least one scenario")
    wall_s = time.perf_counter() - began
    _finish(feature_run, narrator, wall_s, report, trace, format_)
    raise typer.Exit(any(outcome.status != "passed" for outcome in feature_run.outcomes))


def _replay(path: Path, report: Path | None, paths: list[str]) -> NoReturn:
    # Imported here: only sessions need a server.
    from scenarios.serving.replay import replay

    if paths:
        raise BadInput("--replay", f"{paths[0]} cannot be run beside it", "the record of a session alone")
    if report is not None:
        _check_place(f"--report {report}", report, "a writable directory")
    began = time.perf_counter()
    replayed = replay(path)
    wall_s = time.perf_counter() - began
    if report is not None:
        replayed.recording.wall = {"wall_seconds": round(wall_s, 3), "scenarios": {"1": round(wall_s, 3)}}
        written = report / "record.jsonl"
        replayed.recording.write(written)
        _build([written], report)
    result = replayed.different or "the same record, byte for byte"
    print(f"{counted(replayed.requests, 'request')} in {format_us(replayed.virtual_us)}, {wall_s:.1f} s: {result}")
    raise typer.Exit(bool(replayed.different))


def _header(feature_run: FeatureRun) -> None:
    options = feature_run.options
    feature_run.recording.run(
        version=VERSION,
        seed=options.seed,
        backend=options.backend,
        epoch=EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ"),
        command=options.command,
        settings={"scale": options.scale, "overrides": list(options.overrides)},
    )


def _finish(
    feature_run: FeatureRun, narrator: Narrator, wall_s: float, report: Path | None, trace: Path | None, format_: Format
) -> None:
    recording = feature_run.recording
    recording.end()
    recording.wall = {
        "wall_seconds": round(wall_s, 3),
        "scenarios": {str(number): round(s, 3) for number, s in enumerate(narrator.wall_s, start=1)},
    }
    if format_ is Format.text:
        failed = sum(outcome.status != "passed" for outcome in feature_run.outcomes)
        print(f"{counted(len(feature_run.outcomes), 'scenario')}, {failed} failed, in {wall_s:.1f} s")
    if report is not None or trace is not None or format_ is Format.json:
        _report(feature_run, report, trace, format_)


def _report(feature_run: FeatureRun, report: Path | None, trace: Path | None, format_: Format) -> None:
    # Imported here: matplotlib costs more than many a run.
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        folder = report if report is not None else Path(scratch)
        path = folder / "record.jsonl"
        feature_run.recording.write(path)
        if report is not None:
            written = _build([path], report)
            if format_ is Format.text:
                print(f"report: {next((file for file in written if file.suffix == '.html'), report)}")
        if trace is not None:
            _trace(path, trace)
        if format_ is Format.json:
            print(_summary(path))


def _build(records: list[Path], out: Path) -> list[Path]:
    from reports.build import ReportError, build
    from reports.record import RecordError

    try:
        return build(records, out)
    except (ReportError, RecordError) as error:
        raise BadInput(str(error), "") from None


def _trace(record: Path, path: Path) -> None:
    from reports.record import read
    from reports.trace import write_trace

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_trace(read(record), path)
    except OSError as error:
        raise BadInput(str(path), f"cannot be written ({error.strerror})", "a writable file") from None


def _summary(record: Path) -> str:
    from reports.record import read
    from reports.summary import summarise, to_json

    return to_json(summarise(read(record)))


def _check_place(option: str, folder: Path, expected: str) -> None:
    """Find out before an hour of simulation whether something can be written there, and leave no trace of asking."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadInput(option, f"cannot be written ({error.strerror})", expected) from None


@app.command(name="list")
def list_() -> None:
    """List features, workloads, workflows and settings."""
    for line in catalogue.lines():
        print(line)


@app.command()
def report(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORD…", help="Records written by `rehearse run --report`.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write the report.")],
) -> None:
    """Rebuild the report from records."""
    for path in _build(records, out):
        print(path)


@app.command(epilog=_GOLDEN_EXAMPLES)
def golden(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCENARIO]…", help="Names of recorded situations. Default: all of them."),
    ] = None,
    version: Annotated[
        str, typer.Option(metavar="VERSION", help="Only this release of Tekton: 1.15, v1.15.0. Default: all recorded.")
    ] = "",
    recordings: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Recordings as DIR/<version>/<scenario>.json, as the recorder wrote them or in compact form. "
            "Default: those that come with rehearse.",
        ),
    ] = None,
    json_: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the agreement as JSON.")] = None,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Play to the real Tekton of this cluster instead, one situation at a time."),
    ] = None,
    context: Annotated[str, typer.Option(metavar="NAME", help="Of the kubeconfig. Default: its current one.")] = "",
    record: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="With --kubeconfig: write what that Tekton does as new recordings."),
    ] = None,
    namespace: Annotated[
        str, typer.Option(metavar="NAME", help="With --kubeconfig: created for the plays and deleted afterwards.")
    ] = "rehearse-golden",
    use_existing_namespace: Annotated[
        bool, typer.Option("--use-existing-namespace", help="The namespace is there, unused, and stays.")
    ] = False,
    tekton_namespace: Annotated[
        str, typer.Option(metavar="NAME", help="With --kubeconfig: where Tekton is installed.")
    ] = "tekton-pipelines",
) -> None:
    """Play recordings of a real Tekton to the simulated one, or to another real one, and say how far they agree."""
    if json_ is not None:
        _check_place(f"--json {json_}", json_.parent, "a writable file")
    if kubeconfig is None:
        from scenarios.golden.command import golden as play

        given = {"--record": record, "--context": context, "--use-existing-namespace": use_existing_namespace}
        for option, value in given.items():
            if value:
                raise BadInput(option, "is for a real Tekton", "--kubeconfig FILE beside it")
        raise typer.Exit(not play(scenarios or [], version, recordings, json_))
    # Imported here: the client of a real API server costs a quarter of a second.
    from scenarios.golden.livecommand import golden_live
    from scenarios.golden.recorder import Site

    if record is not None:
        _check_place(f"--record {record}", record, "a writable directory")
    site = Site(kubeconfig, context, namespace, use_existing_namespace, tekton_namespace)
    raise typer.Exit(not golden_live(site, scenarios or [], version, recordings, record, json_))


app.command(epilog=SERVE_EXAMPLES)(serve)
app.add_typer(clock, name="clock")


@app.command()
def conformance(
    url: Annotated[str, typer.Option(metavar="URL", help="The server, such as http://127.0.0.1:8080.")],
    insecure: Annotated[bool, typer.Option("--insecure", help="Do not check the server's certificate.")] = False,
    ca: Annotated[Path | None, typer.Option(metavar="FILE", help="Trust this authority (PEM).")] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            help="Lines of token,user,uid,groups for the cases' users. Default: admin-token, we-token, nobody-token.",
        ),
    ] = None,
    cases: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Recorded cases of your own. Default: those that come with rehearse."),
    ] = None,
    area: Annotated[str, typer.Option(metavar="AREAS", help="Only these areas, separated by commas.")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what differs.")] = False,
) -> None:
    """Replay recorded exchanges with a real kube-apiserver to a server, and score it. Exit code 1 unless all agree."""
    from scenarios.conformance.command import conformance as score

    agreed = score(url, insecure=insecure, ca=ca, token_file=token_file, cases=cases, areas=area, verbose=verbose)
    raise typer.Exit(not agreed)


@app.command()
def situations(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SITUATION]…", help="Names of recorded situations. Default: all of them."),
    ] = None,
    version: Annotated[
        str, typer.Option(metavar="VERSION", help="Only this release of Tekton: 1.15, v1.15.0. Default: all recorded.")
    ] = "",
    recordings: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Recordings of your own, as for `rehearse golden`.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The seed of everything random.")] = 7,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the record and the report of the table there.")
    ] = None,
) -> None:
    """Have the executor live every recorded situation and say what it tells of each, and how soon."""
    from scenarios.situations.command import situations as live

    if report is not None:
        _check_place(f"--report {report}", report, "a writable directory")
    began = time.perf_counter()
    record = live(names or [], version, recordings, seed, " ".join(["rehearse situations", *(names or [])]))
    record.wall = {"wall_seconds": round(time.perf_counter() - began, 3), "scenarios": {}}
    if report is not None:
        path = report / "record.jsonl"
        record.write(path)
        _build([path], report)


def _refuse(message: str) -> NoReturn:
    print(f"rehearse: {message}", file=sys.stderr)
    raise SystemExit(2)


def main() -> None:
    """The entry point: one clear line and exit code 2 for anything a user got wrong."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `rehearse list | head` ends quietly, as other commands do
    try:
        app(standalone_mode=True)
    except BadInput as error:
        _refuse(str(error))


if __name__ == "__main__":
    main()
