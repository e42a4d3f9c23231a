"""The command line: ``neuro-field``."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from neuro_field.commands import (
    cohort,
    comparing,
    delivered,
    fields,
    heads,
    live,
    maps,
    plans,
    reports,
    serving,
    shelves,
)
from neuro_field.console import fail_plainly, joined_labels, joined_points

app = typer.Typer(
    name="neuro-field",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="The electric field of a TMS coil in a patient's head, and a ranking of coil placements after stroke. "
    "Research software, not a medical device.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"neuro_field {version('neuro_field')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options of every command."""


for _command in (
    heads.head,
    plans.plan,
    fields.simulate,
    fields.view,
    live.live,
    serving.serve,
    reports.report,
    plans.export,
    delivered.delivered,
    comparing.compare,
    maps.map,
    shelves.coils,
    shelves.targets,
    shelves.presets,
    cohort.cohort,
    heads.cache,
    fields.validate,
):
    app.command()(_command)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; a user's mistake ends in one line on stderr and status 2."""
    return fail_plainly(app, joined_labels(joined_points(sys.argv[1:] if arguments is None else arguments)))


if __name__ == "__main__":
    sys.exit(main())
