"""The command that makes the whole cortex follow a coil."""

from typing import Annotated

import typer

from neuro_field.commands.arguments import (
    CoilOption,
    EdgeOption,
    HeadArgument,
    LanguageOption,
    Output,
    coil_of,
    head_of,
)
from neuro_field.console import Interrupted, Stages
from neuro_field.report.words import phrase


def live(
    head: HeadArgument,
    coil: CoilOption,
    output: Output,
    snapshots: Annotated[int, typer.Option(help="Full solves that the live field is made of, 20 to 2000.")] = 176,
    language: LanguageOption = "",
    edge: EdgeOption = 1.9,
) -> None:
    """Make the field of the whole cortex follow a coil, and say how well.

    Example: `neuro-field live HEAD --coil figure8-70mm -o LIVE`

    A few minutes. Interrupted or killed, it keeps what it has solved in LIVE.unfinished, and the same command goes on
    from there.
    """
    from neuro_field.field.solver import Solver
    from neuro_field.head.doubts import check_usable
    from neuro_field.io.atomic import check_new_folder, claimed_folder
    from neuro_field.live.building import check_snapshots, live_field
    from neuro_field.report.live import live_lines
    from neuro_field.store.lives import write_live
    from neuro_field.store.unfinished_live import UnfinishedLive

    check_new_folder(output)
    check_snapshots(snapshots)
    induced = coil_of(coil)
    with claimed_folder(output), Stages(language) as stages:
        model = head_of(head, stages, edge)
        check_usable(model)
        with stages.stage("solver set-up"):
            solver = Solver(model)
        unfinished = UnfinishedLive(f"{output.absolute()}.unfinished", solver, induced, snapshots)
        try:
            made = live_field(solver, induced, snapshots=snapshots, keeper=unfinished, progress=stages)
        except KeyboardInterrupt:
            if not unfinished.count():
                raise
            raise Interrupted(
                f"Interrupted; nothing was written to {output}. {unfinished.count()} blocks of solves are kept in "
                f"{unfinished.folder}: the same command goes on from there."
            ) from None
        with stages.stage("writing"):
            write_live(made, output)
        unfinished.discard()
    for line in live_lines(made, language):
        typer.echo(line)
    typer.echo(stages.summary())
    typer.echo(phrase("terminal.live", language, path=output))
