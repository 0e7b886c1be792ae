"""The commands ``serve`` and ``clock`` as the command line has them; what they do is loaded when they are called."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any

import typer

from scenarios.errors import BadInput

# ruff: noqa: PLC0415  # TLS and sockets cost a tenth of a second that other commands do not need

SERVE_EXAMPLES = """\b
Examples:
  rehearse serve                                       everything simulated, at the pace of the wall clock
  rehearse serve alert-burst --speed 60                the settings of a workload, a minute in a second
  rehearse serve --without we --http-port 8080         you play the WorkflowExecution controller
  rehearse serve --with gc                             nothing but an API server: no nodes, no kinds but its own
  rehearse serve --record day.jsonl --until 24h --speed max
                                                       a day as fast as it can, to be repeated later
Then: kubectl --kubeconfig rehearse.kubeconfig get wfe -A -w
"""
_DEFAULT_SEED = 7
_DEFAULT_KUBECONFIG = Path("rehearse.kubeconfig")

Kubeconfig = Annotated[
    Path, typer.Option(metavar="FILE", help="The file that `rehearse serve` wrote. Default: rehearse.kubeconfig.")
]


def serve(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="[SCENARIO]", help="A workload scenario whose settings, workflows and targets the world has."
        ),
    ] = "",
    port: Annotated[int, typer.Option(help="Where to serve with TLS; 0 takes any free port.")] = 8001,
    http_port: Annotated[
        int | None, typer.Option("--http-port", metavar="N", help="Serve plain HTTP on loopback, too.")
    ] = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where --port listens.")] = "127.0.0.1",
    speed: Annotated[
        str, typer.Option(metavar="FACTOR", help="Virtual seconds per second; 0 begins paused, max as fast as it can.")
    ] = "1",
    seed: Annotated[int, typer.Option(help="The seed of everything random.")] = _DEFAULT_SEED,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, as for `rehearse run`.")
    ] = None,
    with_: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="PARTS",
            help="Only these parts: tekton,scheduler,kubelet,gc,we,ro,people; or, in addition, workloads.",
        ),
    ] = None,
    without: Annotated[
        str | None, typer.Option(metavar="PARTS", help="All but these parts, so that you can play them.")
    ] = None,
    kubeconfig: Annotated[
        Path, typer.Option(metavar="FILE", help="Written for clients; its administrator's token is a secret.")
    ] = _DEFAULT_KUBECONFIG,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help='Lines of token,user,uid,"group1,group2".'),
    ] = None,
    client_ca: Annotated[
        Path | None, typer.Option("--client-ca", metavar="FILE", help="Trust client certificates of this authority.")
    ] = None,
    until: Annotated[
        str,
        typer.Option(metavar="WHEN", help="End after a virtual duration, or when 'wfe/demo phase=Completed' holds."),
    ] = "",
    epoch: Annotated[
        str, typer.Option(metavar="TIME", help="The time of day at which the world begins: now, or RFC 3339.")
    ] = "now",
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the session there at its end, for `rehearse run --replay FILE`."),
    ] = None,
) -> None:
    """Serve a simulated cluster as a Kubernetes API, for clients that know nothing of simulation."""
    from scenarios import parts
    from scenarios.serving.command import ServeOptions, epoch_of
    from scenarios.serving.command import serve as run
    from scenarios.serving.session import SessionOptions

    _check_host(host, seed)
    left = parts.without(with_, without)
    shown = " ".join(["rehearse serve", *([scenario] if scenario else []), f"--seed {seed}"])
    session = SessionOptions(scenario, seed, tuple(set_ or ()), left, epoch_of(epoch), shown)
    if record is not None:
        _check_writable("--record", record)
    options = ServeOptions(session, host, port, http_port, speed, until, kubeconfig, token_file, client_ca, record)
    raise typer.Exit(run(options))


def _check_host(host: str, seed: int) -> None:
    """Tokens of service accounts are drawn from the seed: where others can listen in, it must not be everybody's."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and seed == _DEFAULT_SEED:
        raise BadInput("--host", f"{host} is reachable by others, who know the default seed", "a --seed of your own")


def _check_writable(option: str, path: Path) -> None:
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise BadInput(f"{option} {path}", "cannot be written", "a file in a folder that exists")


clock = typer.Typer(no_args_is_help=True, help="Look at, and turn, the clock of a running `rehearse serve`.")


def _tell(kubeconfig: Path, asked: dict[str, Any] | None) -> bool:
    from scenarios.serving.clock import access, ask, told

    status = ask(access(kubeconfig), asked)
    print(told(status))
    return bool(status.get("held", True))


@clock.command()
def status(kubeconfig: Kubeconfig = _DEFAULT_KUBECONFIG) -> None:
    """What time it is there, and how it passes."""
    _tell(kubeconfig, None)


@clock.command()
def pause(kubeconfig: Kubeconfig = _DEFAULT_KUBECONFIG) -> None:
    """Let time stand still; requests are still answered."""
    _tell(kubeconfig, {"do": "pause"})


@clock.command()
def resume(kubeconfig: Kubeconfig = _DEFAULT_KUBECONFIG) -> None:
    """Go on as before the pause."""
    _tell(kubeconfig, {"do": "resume"})


@clock.command()
def speed(
    factor: Annotated[str, typer.Argument(metavar="FACTOR", help="Virtual seconds per second, or max.")],
    kubeconfig: Kubeconfig = _DEFAULT_KUBECONFIG,
) -> None:
    """Let time pass faster or slower."""
    _tell(kubeconfig, {"do": "speed", "speed": factor})


@clock.command()
def step(
    duration: Annotated[str, typer.Argument(metavar="DURATION", help="Virtual time, such as 5m.")],
    kubeconfig: Kubeconfig = _DEFAULT_KUBECONFIG,
) -> None:
    """Let some time pass as fast as it can, then pause."""
    _tell(kubeconfig, {"do": "step", "for": duration})


@clock.command()
def until(
    condition: Annotated[
        str,
        typer.Argument(
            metavar="CONDITION",
            help="RESOURCE/NAME and one of FIELD=VALUE, condition=TYPE, exists, deleted: 'wfe/demo phase=Completed'.",
        ),
    ],
    within: Annotated[str, typer.Option(metavar="DURATION", help="The most virtual time that may pass.")] = "24h",
    kubeconfig: Kubeconfig = _DEFAULT_KUBECONFIG,
) -> None:
    """Let time pass as fast as it can until a condition holds, then pause. Exit code 1 when it never did."""
    if not _tell(kubeconfig, {"do": "until", "condition": condition, "within": within}):
        raise typer.Exit(1)
