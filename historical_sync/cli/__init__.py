"""The command `historical-sync`. Imports only click: each subcommand's module is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "up": "historical_sync.cli.up:up",
    "team": "historical_sync.cli.team:team",
    "sync": "historical_sync.cli.sync:sync",
    "retry": "historical_sync.cli.sync:retry",
    "reclassify": "historical_sync.cli.reclassify:reclassify",
    "status": "historical_sync.cli.status:status",
    "trends": "historical_sync.cli.trends:trends",
    "evaluate": "historical_sync.cli.evaluate:evaluate",
    "migrate": "historical_sync.cli.migrate:migrate",
    "sandbox": "historical_sync.cli.sandbox:sandbox",
    "doctor": "historical_sync.cli.doctor:doctor",
    "dagster": "historical_sync.cli.dagster:dagster",
}
"""Subcommand → module and function, in the order in which `--help` lists them."""

SUMMARIES = {
    "up": "Run everything on this machine until Ctrl-C.",
    "team": "Add, list, pause, resume, remove and link teams.",
    "sync": "Load a team's months here and now, with progress.",
    "retry": "Run again only what failed or is partial.",
    "reclassify": "Classify again with the present prompt and model.",
    "status": "Where every team's history stands.",
    "trends": "A team's monthly numbers and their direction.",
    "evaluate": "Measure the AI signatures on labelled pull requests.",
    "migrate": "Bring the database's schema up to date.",
    "sandbox": "Serve the imitation of GitHub and Groq alone.",
    "doctor": "Check database, tokens, Groq and versions.",
    "dagster": "Run one of Dagster's own commands on this instance.",
}
"""One line a subcommand, here so that `--help` imports none of them."""


class LazyGroup(click.Group):
    """A group whose commands are imported on first use, so that `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="historical_sync")
def main() -> None:
    """Load a team's pull-request history, tag its use of AI, classify it, and turn it into trends.

    \b
    historical-sync up --sandbox             see it work: no account, no database, nothing leaves this machine
    historical-sync team add acme --repo acme/api    then, beside a running `up`: a team of your own
    historical-sync status --watch           how far it is
    historical-sync doctor                   what is wrong, and how to mend it
    """
