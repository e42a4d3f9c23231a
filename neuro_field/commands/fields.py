"""Commands that compute a field, show things in 3D, and hold the solver against closed forms."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuro_field.commands.arguments import (
    CoilOption,
    EdgeOption,
    HeadArgument,
    ImageOption,
    LanguageOption,
    Output,
    SubjectOption,
    coil_of,
    grid_of,
    head_of,
)
from neuro_field.console import Stages, named_numbers, table
from neuro_field.errors import InputError
from neuro_field.report.words import phrase

if TYPE_CHECKING:
    from neuro_field.coil.coil import Coil
    from neuro_field.coil.placement import Placement
    from neuro_field.head.model import HeadModel


def simulate(
    head: HeadArgument,
    output: Output,
    coil: Annotated[
        str | None, typer.Option(help="A name from `neuro-field coils`, or a .ccd, .tcd or .nii.gz.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Where the coil stands: x,y,z mm in the head frame, or a position as C3.")
    ] = None,
    handle_towards: Annotated[str | None, typer.Option(help="Where the handle is turned to: the same.")] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Coil and placement of a plan of this head, on its mesh, instead of the above.")
    ] = None,
    rank: Annotated[int, typer.Option(help="Of the plan's placements, the best is 1.", min=1)] = 1,
    role: Annotated[str | None, typer.Option(help="Of a plan: contralesional or ipsilesional.")] = None,
    gap: Annotated[float, typer.Option(help="Scalp to casing, mm.")] = 4.0,
    didt: Annotated[float, typer.Option(help="Current slope, A/us.")] = 1.0,
    tilt: Annotated[float, typer.Option(help="Largest tilt to clear the scalp before lifting, degrees.")] = 0.0,
    format: Annotated[str, typer.Option(help="Any of msh,nifti,gifti,vtu with commas between.")] = "msh",
    image: ImageOption = None,
    subject: SubjectOption = "01",
    order: Annotated[int, typer.Option(help="Of the finite elements: 1, or 2 (more exact; a minute, 6 GB).")] = 1,
    language: LanguageOption = "",
    edge: EdgeOption = 1.9,
) -> None:
    """Compute the field of one placement and write it.

    Example: `neuro-field simulate HEAD --coil figure8-70mm --at 40,-20,65 --handle-towards 80,-80,60 -o OUT`, or
    `neuro-field simulate HEAD --plan PLAN --rank 2 -o OUT`
    """
    from neuro_field.field.solver import Solver
    from neuro_field.io.atomic import check_new_folder, claimed_folder
    from neuro_field.report.sentences import field_lines
    from neuro_field.store.fields import check_formats, write_field

    check_new_folder(output)
    formats = [name.strip().lower() for name in format.split(",") if name.strip()]
    grid = grid_of(head, image) if "nifti" in formats else None
    check_formats(formats, grid is not None)
    typed = {"--coil": coil, "--at": at, "--handle-towards": handle_towards}
    posed = _typed(typed, gap, tilt) if plan is None else _planned(plan, rank, role, typed)
    with claimed_folder(output), Stages(language) as stages:
        model, induced, placement, words = posed(head_of(head, stages, edge))
        with stages.stage("solver set-up"):
            solver = Solver(model, order=order)
        with stages.stage("solving"):
            field = solver.solve(induced, placement, didt=didt * 1e6)
        stages("writing", 0.0)
        write_field(
            field, output, formats=formats, grid=grid, subject=subject, progress=lambda share: stages("writing", share)
        )
        stages("writing", 1.0)
    for line in [*field_lines(field, language), words]:
        typer.echo(line)
    typer.echo(phrase("terminal.field", language, path=output))


#: From the head as it is read: the head to solve on, the coil, where it stands, and what to say of that.
_Posed = Callable[["HeadModel"], tuple["HeadModel", "Coil", "Placement", str]]


def _typed(typed: Mapping[str, str | None], gap: float, tilt: float) -> _Posed:
    """A placement as it was typed, lifted or tilted to clear the scalp."""
    from neuro_field.coil.clearing import cleared
    from neuro_field.coil.placement import Placement
    from neuro_field.commands.targets import place_form

    given = {option: text for option, text in typed.items() if text is not None}
    if len(given) < len(typed):
        missing = [option for option in typed if option not in given]
        raise InputError(f"A placement needs {', '.join(typed)}, or --plan PLAN; {', '.join(missing)} is not given.")
    induced, place = coil_of(given["--coil"]), place_form(given["--at"], "--at")
    towards = place_form(given["--handle-towards"], "--handle-towards")

    def posed(model: "HeadModel") -> tuple["HeadModel", "Coil", "Placement", str]:
        placement = Placement.on(model.scalp, above=place(model), handle_towards=towards(model), gap=gap)
        if induced.casing is None:
            return (
                model,
                induced,
                placement,
                "Whether the casing clears the scalp is not known: this coil's file has none.",
            )
        clear = cleared(placement, induced, model.scalp, gap, tilt)
        return model, induced, clear.placement, clear.words

    return posed


def _planned(plan: Path, rank: int, role: str | None, typed: Mapping[str, str | None]) -> _Posed:
    """A placement of a plan, on the mesh that it was planned on."""
    from neuro_field.clinic.study import plan_of
    from neuro_field.store.plans import planned_head, read_plan

    given = [option for option, text in typed.items() if text is not None]
    if given:
        raise InputError(f"A plan has its coil and its placements; leave out {', '.join(given)}, or --plan.")
    chosen, _ = plan_of(read_plan(plan), role)
    if rank > len(chosen.ranking):
        raise InputError(f"The plan has {len(chosen.ranking)} ranked placements; instead --rank is {rank}.")
    induced = chosen.coil
    if induced is None:
        raise InputError(f"The coil of {plan} is not on the shelf, or has changed; plan again.")
    candidate = chosen.ranking[rank - 1]
    words = f"Placement {rank} of {len(chosen.ranking)} in {plan}, planned for {chosen.target.name}."

    def posed(model: "HeadModel") -> tuple["HeadModel", "Coil", "Placement", str]:
        return planned_head(plan, model), induced, candidate.placement, words

    return posed


def view(
    thing: Annotated[
        str,
        typer.Argument(metavar="PLAN|HEAD|FIELD", help="A folder of a plan or field, or anything that names a head."),
    ],
    screenshot: Annotated[
        Path | None, typer.Option(help="Write a .png, .svg or turning .gif instead of opening a window.")
    ] = None,
    cut: Annotated[str | None, typer.Option(help="Cut the head open: axial, coronal or sagittal.")] = None,
    opacity: Annotated[list[str] | None, typer.Option(help="TISSUE=0..1, as skull=0.3; may be repeated.")] = None,
    mid_grey: Annotated[
        bool, typer.Option("--mid-grey", help="The field in the middle of the cortical sheet.")
    ] = False,
    vectors: Annotated[bool, typer.Option("--vectors", help="The field's direction where it is strong.")] = False,
) -> None:
    """Show a head, a plan or a field in 3D.

    Example: `neuro-field view FIELD --cut coronal --vectors --screenshot field.png`
    """
    from neuro_field.io.atomic import claimed_file
    from neuro_field.report.view import view as show
    from neuro_field.store.fields import CARD, read_field
    from neuro_field.store.plans import read_plan

    look: dict[str, Any] = {"cut": cut, "opacity": named_numbers(opacity, "--opacity")}
    look |= {"mid_grey": mid_grey, "vectors": vectors}
    shown: Any
    with claimed_file(screenshot) if screenshot is not None else nullcontext(), Stages() as stages:
        if (Path(thing) / "plan.json").is_file():
            shown = read_plan(thing)
        elif (Path(thing) / CARD).is_file():
            with stages.stage("reading the field"):
                shown = read_field(thing)
        else:
            shown = head_of(thing, stages)
        if screenshot is not None:
            with stages.stage("drawing"):
                show(shown, screenshot=screenshot, **look)
    if screenshot is None:
        show(shown, **look)
        return
    typer.echo(f"Picture written to {screenshot}.")


def validate(
    size: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    coil: CoilOption = "figure8-70mm",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="New folder: the table and a plot.")] = None,
) -> None:
    """Hold the solver against closed forms and laws of physics and print the errors.

    Example: `neuro-field validate --size small -o VALIDATION`
    """
    from neuro_field.field.validation import validate as run
    from neuro_field.io.atomic import claimed_folder
    from neuro_field.store.validation import write_validation

    with claimed_folder(output) if output is not None else nullcontext(), Stages() as stages:
        rows = run(coil_of(coil), size=size, progress=stages)
        if output is not None:
            write_validation(rows, output)
    shown = [(r.case, r.mesh, r.metric, f"{r.value:.3g}", f"{r.limit:.3g}", ("FAILED", "ok")[r.passed]) for r in rows]
    table(("case", "mesh", "metric", "value", "limit", ""), shown)
    if output is not None:
        typer.echo(f"Table and plot written to {output}.")
    if not all(row.passed for row in rows):
        raise typer.Exit(1)
