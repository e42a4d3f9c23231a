"""Commands that list coils, targets and presets."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from neuro_field.commands.arguments import LanguageOption
from neuro_field.console import Stages, paragraph, table


def coils(
    name: Annotated[str | None, typer.Argument(help="One coil in detail: a name, or a .ccd, .tcd or .nii.gz.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New folder for pictures and a page of the coils.")
    ] = None,
    language: LanguageOption = "",
) -> None:
    """List the coils on the shelf, or show one; with -o draw them.

    Example: `neuro-field coils figure8-70mm -o COIL`
    """
    from neuro_field.io.atomic import claimed_folder

    with claimed_folder(output) if output is not None else nullcontext():
        _coils(name, output, language)


def _coils(name: str | None, output: Path | None, language: str) -> None:
    """Tell of the shelf or of one coil, and draw them into a folder that is held."""
    from neuro_field.shelf.coils import coil_names
    from neuro_field.store.coil_folder import shelf_rows, shown_coil, write_coil_pages

    if name is None:
        table(*shelf_rows())
        typer.echo("A/us: at 100 % output. 15 mm, 20 mm: primary |E| at that depth, V/m at 1 A/us.")
        typer.echo("d1/2, S1/2: in the spherical head of Deng 2013, in brackets as printed there [lit].")
        typer.echo("handle: the induced current first runs towards it or away from it, at dI/dt above 0.")
    else:
        for key, value in shown_coil(name).facts.items():
            typer.echo(f"{key}: {value}")
    if output is not None:
        with Stages() as stages:
            write_coil_pages([name] if name else coil_names(), output, stages, language)
        typer.echo(f"Pictures and page written to {output}: open {output / 'coils.html'}.")


def targets() -> None:
    """List the named targets, with where each comes from.

    Example: `neuro-field targets`
    """
    from neuro_field.aim.atlas import SITES

    rows = [
        (s.name, *(" ".join(f"{v:g}" for v in s.seed(side)) for side in ("left", "right")), s.source, s.note)
        for s in SITES
    ]
    table(("name", "left MNI", "right MNI", "basis", "note"), rows)
    typer.echo("[src] read in the source, [lit] from the literature, not re-read, [calc] computed. Seeds, not answers.")


def presets() -> None:
    """List the treatment presets, with their sources.

    Example: `neuro-field presets`
    """
    from neuro_field.clinic.presets import PRESETS

    for preset in PRESETS:
        intensity = f"{preset.intensity:.0%} {preset.threshold}" if preset.intensity else "intensity: user must type it"
        typer.echo(preset.name)
        paragraph(f"{preset.title}; {preset.course}")
        paragraph(f"target {' or '.join(preset.sites)}; side: {preset.side}; coil {preset.coil}")
        paragraph(f"{preset.frequency}; {intensity}; pulses {preset.pulses}")
        paragraph(preset.source)
    typer.echo("[src] read in the source, [lit] from the literature, not re-read.")
    typer.echo("Not affiliated with, and not, NEURO(R).")
