"""How a command ends when something is wrong: one line that says what, one that says what to do, and exit status 1."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

from historical_sync.errors import HistoricalSyncError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def reports_errors(command: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Print a HistoricalSyncError as `error: …` with its remedy and exit 1; anything else keeps its traceback."""

    @functools.wraps(command)
    def reporting(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return command(*arguments, **options)
        except HistoricalSyncError as error:
            raise ReportedError(error) from error

    return reporting


class ReportedError(click.ClickException):
    """An error as a person reads it. Click prints it and exits with `exit_code`."""

    exit_code = 1

    def __init__(self, error: HistoricalSyncError) -> None:
        super().__init__(str(error))
        self._remedy = error.remedy

    def show(self, file: object = None) -> None:
        """Print to stderr: what is wrong, then what to do about it."""
        click.secho(f"error: {self.message}", err=True, fg="red")
        if self._remedy:
            click.echo(f"  {self._remedy}", err=True)
