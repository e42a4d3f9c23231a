"""The command that finds a muscle's site from the pulses of a mapping session."""

from pathlib import Path
from typing import Annotated

import typer

from neuro_field.commands.arguments import (
    CoilOption,
    EdgeOption,
    HeadArgument,
    ImageOption,
    LanguageOption,
    Output,
    coil_of,
    head_of,
)
from neuro_field.console import Stages
from neuro_field.report.words import phrase


def map(
    head: HeadArgument,
    coil: CoilOption,
    pulses: Annotated[Path, typer.Option(help="Recorded pulses: a navigator's file.")],
    muscle: Annotated[str, typer.Option(help="Whose answers, as FDI.")],
    output: Output,
    amplitudes: Annotated[
        Path | None, typer.Option(help="A .tsv or .csv table of amplitudes, where the file of pulses holds none.")
    ] = None,
    channel: Annotated[
        int | None, typer.Option(help="Of electromyography, where a Brainsight export has several.")
    ] = None,
    component: Annotated[
        str, typer.Option(help="Regress answers on |E| (magnitude), or on its part along the cortex's normal (normal).")
    ] = "magnitude",
    image: ImageOption = None,
    confirmed: Annotated[
        list[str] | None,
        typer.Option(help="For an opened skull, what the physician has confirmed, as `neuro-field plan` asks it."),
    ] = None,
    language: LanguageOption = "",
    edge: EdgeOption = 1.9,
) -> None:
    """Find where a muscle is from its answers to recorded pulses; `plan --target map:MAP` plans for it.

    Example: `neuro-field map HEAD --coil figure8-70mm --pulses session.txt --muscle FDI -o MAP`
    """
    from neuro_field.clinic.answers import Answers, of_open_skull
    from neuro_field.errors import UnknownNameError
    from neuro_field.field.solver import Solver
    from neuro_field.findings import Refusal
    from neuro_field.head.doubts import check_usable, open_area
    from neuro_field.hotspot.exposure import COMPONENTS
    from neuro_field.hotspot.motor_map import motor_map
    from neuro_field.io.atomic import check_new_folder, claimed_folder
    from neuro_field.navigation.frames import ImageFrames
    from neuro_field.navigation.pulse_files import read_pulses
    from neuro_field.report.maps import map_lines
    from neuro_field.store.maps import write_map

    check_new_folder(output)
    if component not in COMPONENTS:
        raise UnknownNameError("component", component, list(COMPONENTS))
    induced = coil_of(coil)
    frames = ImageFrames.read(image) if image else None
    given = read_pulses(pulses, muscle=muscle, amplitudes=amplitudes, image=frames, channel=channel)
    answers = Answers(confirmed=tuple(confirmed or ()))
    with claimed_folder(output), Stages(language) as stages:
        model = head_of(head, stages, edge)
        check_usable(model)
        if unasked := tuple(of_open_skull(answers, open_area(model))):
            raise Refusal(*unasked)
        with stages.stage("solver set-up"):
            solver = Solver(model)
        found = motor_map(solver, induced, given, component=component, progress=stages)
        write_map(found, output, head=model, language=language or "en")
    for line in map_lines(found, language):
        typer.echo(line)
    typer.echo(stages.summary())
    typer.echo(phrase("terminal.map", language, path=output))
