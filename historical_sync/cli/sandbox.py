"""`historical-sync sandbox`: the imitation of GitHub and Groq, alone, in the foreground."""

from __future__ import annotations

from pathlib import Path

import click

DEFAULT_PORT = 8300


@click.command()
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="Where to listen; 0 takes a free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="This machine only, unless you say otherwise.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Serve the recorded pull requests of this folder (*.jsonl, *.jsonl.gz) instead of the demo team's.",
)
@click.option("--shift-to-now", is_flag=True, help="With --data: move all times by whole days, the newest to today.")
@click.option("--scale", type=int, help="Serve this many generated pull requests instead, in scale/repo-000 and on.")
@click.option("--repositories", default=1, show_default=True, help="With --scale: spread over this many repositories.")
@click.option("--seed", default=7, show_default=True, help="Another seed is another story and other mishaps.")
@click.option(
    "--latency",
    type=click.Choice(["none", "real"]),
    default="none",
    show_default=True,
    help="real: as long as GitHub takes, some 90 ms a pull request with its lists.",
)
@click.option("--batch-seconds", default=3.0, show_default=True, help="How long Groq's batches take.")
@click.option("--faults", default="", metavar="RULES", help="What goes wrong, and how often; see below.")
@click.option("--list-faults", is_flag=True, help="Print every kind of fault and exit.")
def sandbox(
    port: int,
    host: str,
    data: Path | None,
    shift_to_now: bool,
    scale: int | None,
    repositories: int,
    seed: int,
    latency: str,
    batch_seconds: float,
    faults: str,
    list_faults: bool,
) -> None:
    """Serve an imitation of GitHub and Groq until Ctrl-C. Nothing leaves this machine, and no account is needed.

    It answers GitHub's GraphQL API (checked against the official schema, with GitHub's prices, limits and errors) and
    Groq's files, batches and chat completions. Any token and any key will do. Point a sync at it from another terminal:

    \b
      historical-sync sandbox --port 8300
      export GITHUB_API_URL=http://127.0.0.1:8300 GITHUB_TOKEN=any
      export GROQ_BASE_URL=http://127.0.0.1:8300 GROQ_API_KEY=any
      historical-sync team add demo --repo demo/storefront --repo demo/payments --repo demo/platform
      historical-sync sync demo

    RULES are separated by commas; each is KIND[/OPERATION][:PROBABILITY][@NTH][xTIMES]:

    \b
      --faults 502:0.05                  one GraphQL answer in twenty is a 502
      --faults secondary@7               the seventh meets a secondary limit
      --faults reset:0.1x3,line_500:0.2  three resets, and a fifth of Groq's lines fail
      --faults groq_500/batches.create   no batch can be created

    While it runs, /_sandbox/state, /_sandbox/log and /_sandbox/faults tell what was asked, and take further faults.
    """
    from historical_sync.sandbox.faults import KINDS

    if list_faults:
        width = max(map(len, KINDS))
        click.echo("\n".join(f"{kind:<{width}}  {meaning}" for kind, meaning in KINDS.items()))
        return
    if shift_to_now and data is None:
        raise click.UsageError("--shift-to-now moves the times of --data, which is missing")
    _serve(host, port, data, shift_to_now, scale, repositories, seed, latency, batch_seconds, faults)


def _serve(
    host: str,
    port: int,
    data: Path | None,
    shift_to_now: bool,
    scale: int | None,
    repositories: int,
    seed: int,
    latency: str,
    batch_seconds: float,
    faults: str,
) -> None:
    from historical_sync.sandbox import scenario
    from historical_sync.sandbox.groq.batches import Durations
    from historical_sync.sandbox.server import Sandbox
    from historical_sync.sandbox.world import utc_now

    try:
        if data is not None:
            world = scenario.from_folder(data, utc_now() if shift_to_now else None)
        elif scale is not None:
            world = scenario.scale(scale, repositories, seed=seed)
        else:
            world = scenario.demo(seed)
        running = Sandbox(world, latency, faults, Durations.lasting(batch_seconds), seed)
        running.serve(
            host, port, lambda: click.echo(f"sandbox ready on http://{host}:{running.port}: {running.summary()}")
        )
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
