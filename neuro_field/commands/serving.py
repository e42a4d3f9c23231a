"""The command that serves a page to lead the coil on, or to follow it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from neuro_field.commands.arguments import (
    CoilOption,
    EdgeOption,
    LandmarksOption,
    LanguageOption,
    coil_of,
    head_of,
)
from neuro_field.console import Stages
from neuro_field.errors import InputError
from neuro_field.report.words import phrase


def serve(
    thing: Annotated[str, typer.Argument(metavar="PLAN|HEAD", help="A plan's folder, or anything that names a head.")],
    head: Annotated[str | None, typer.Option("--head", help="Of a plan: the head it was made from.")] = None,
    live: Annotated[
        Path | None, typer.Option("--live", help="From neuro-field live: the patient's own field at every move.")
    ] = None,
    follow: Annotated[
        str | None,
        typer.Option(
            "--follow",
            help="A tracker: igtl://HOST:PORT/DEVICE, navinibs://HOST/COIL?reference=HEAD, invesalius://localhost, "
            "brainsight://HOST:PORT/SERIAL, localite://HOST?axes=...&space=..., replay:FILE; also ?axes= and ?space=.",
        ),
    ] = None,
    registration: Annotated[
        Path | None,
        typer.Option("--registration", help="Of a tracker that knows tools alone: landmarks as they were touched."),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Of the coil: a text of 4x4 numbers, mm, from it to its tool."),
    ] = None,
    landmarks: LandmarksOption = None,
    image: Annotated[Path | None, typer.Option("--image", help="The T1 that the navigator has loaded.")] = None,
    save_to: Annotated[
        Path | None, typer.Option("--save-to", help="Folder for saved poses and sessions; else PLAN_led beside PLAN.")
    ] = None,
    to: Annotated[
        str, typer.Option("--to", help="Navigators that saved poses are written for.")
    ] = "localite,brainsight",
    role: Annotated[str | None, typer.Option(help="Of a plan: contralesional or ipsilesional.")] = None,
    coil: CoilOption = "figure8-70mm",
    target: Annotated[str, typer.Option(help="On a head: a name from `neuro-field targets`.")] = "m1-hand",
    side: Annotated[str | None, typer.Option(help="On a head: left or right.")] = None,
    host: Annotated[str, typer.Option(help="localhost, or this machine's name for others to reach it.")] = "localhost",
    port: Annotated[int, typer.Option(help="Of the page.")] = 8080,
    language: LanguageOption = "",
    edge: EdgeOption = 1.9,
) -> None:
    """Lead the coil over the patient's scalp in a browser, or follow a tracked one, and see what it does there.

    Example: `neuro-field serve PLAN --head HEAD --live LIVE --follow igtl://localhost:18944/CoilToImage`
    """
    from neuro_field.desk.server import check_aiohttp
    from neuro_field.desk.serving import Keeping, lead_page
    from neuro_field.desk.serving import serve as run
    from neuro_field.navigation.files import Export, named_systems
    from neuro_field.navigation.frames import ImageFrames
    from neuro_field.store.lives import read_live

    check_aiohttp()
    planned = (Path(thing) / "plan.json").is_file()
    if planned and head is None:
        raise InputError("A plan does not hold the head; name it: neuro-field serve PLAN --head HEAD.")
    if not planned and side is None:
        raise InputError("On a head the target needs a side: give --side left or right.")
    frames = ImageFrames.read(image) if image else None
    source = head if planned and head else thing
    address = _address(follow, frames, registration, calibration)
    with Stages(language) as stages:
        model = head_of(source, stages, edge)
        followed = _followed(address, frames, registration, calibration, landmarks, model, language)
        solver, made, steering = (_of_plan if planned else _of_head)(
            model, stages, thing=thing, role=role, coil=coil, target=target, side=side
        )
        field = None
        if live is not None:
            with stages.stage("reading the live field"):
                field = read_live(live, solver.head)
        keeping = Keeping(save_to or _beside(thing), named_systems(to), Export(frames, coil_name=steering.coil.name))
        with stages.stage("the page"):
            page = lead_page(
                solver, steering, made, keeping, live=field, followed=followed, language=language
            )  # fmt: skip
    if field is None:
        typer.echo(phrase("terminal.no-live", language))
    typer.echo(phrase("terminal.kept-session" if followed else "terminal.kept", language, path=keeping.folder))
    run(
        page, host=host, port=port, ready=lambda address: typer.echo(phrase("terminal.open", language, address=address))
    )


def _address(follow: str | None, frames: Any, registration: Path | None, calibration: Path | None) -> Any:
    """What is followed, refused before any work where it cannot be; None where nothing is."""
    from neuro_field.desk.trackers import check_tracker
    from neuro_field.navigation.addresses import address_of

    if follow is None:
        if registration or calibration:
            raise InputError("--registration and --calibration are of a tracker: give --follow as well.")
        return None
    address = address_of(follow)
    if address.reference and registration is None:
        raise InputError(f"{address.kind} tells of tools beside the head's tool: give --registration as well.")
    check_tracker(address, frames)
    return address


def _followed(
    address: Any, frames: Any, registration: Path | None, calibration: Path | None, landmarks: Path | None, model: Any,
    language: str,
) -> Any:  # fmt: skip
    """A tracker with all that brings its poses into the image; None where nothing is followed."""
    import numpy as np

    from neuro_field.arrays import as_rigid
    from neuro_field.desk.serving import Followed
    from neuro_field.navigation.fiducials import read_fiducials, read_touched
    from neuro_field.navigation.receiving import Frames
    from neuro_field.navigation.registration import Registration

    if address is None:
        return None
    made, tool = None, None
    if registration is not None:
        marked = read_fiducials(landmarks) if landmarks else model.fiducials
        if marked is None or not marked.points:
            raise InputError(
                "A registration needs the same landmarks as marked in the image, and this head has none of its own: "
                "give --landmarks."
            )
        made = Registration.of(read_touched(registration), marked.points)
        typer.echo(phrase("terminal.registration", language, miss=made.error))
    if calibration is not None:
        try:
            numbers = np.loadtxt(calibration)
        except (OSError, ValueError) as error:
            raise InputError(
                f"The calibration {calibration} must be a text of 4x4 numbers: {str(error)[:80]}"
            ) from None
        tool = as_rigid(numbers, f"calibration {calibration}")
    step = made.image_from_reference if made else None
    missed = made.error if made else 0.0
    return Followed(address, Frames(address.axes, address.space, step, tool, frames, missed))


def _of_plan(model: Any, stages: Stages, *, thing: str, role: str | None, **_: Any) -> Any:
    """Solver, plan and steering of a plan's folder."""
    from neuro_field.aim.target import check_same_mesh
    from neuro_field.clinic.study import plan_of
    from neuro_field.field.solver import Solver
    from neuro_field.store.plans import planned_head, read_plan

    model = planned_head(thing, model)
    with stages.stage("solver set-up"):
        solver = Solver(model)
    made, _dose = plan_of(read_plan(thing), role)
    check_same_mesh(model, made.target)
    if made.coil is None:
        raise InputError(f"The coil of {thing} is not on the shelf, or has changed; plan again.")
    return solver, made, _steering(solver, made, stages)


def _of_head(model: Any, stages: Stages, *, coil: str, target: str, side: str | None, **_: Any) -> Any:
    """The same of a head alone, planned for now."""
    from neuro_field.aim.axis import directed
    from neuro_field.aim.target import Target
    from neuro_field.field.solver import Solver
    from neuro_field.search.search import plan as make_plan

    with stages.stage("solver set-up"):
        solver = Solver(model)
    made = make_plan(solver, coil_of(coil), directed(model, Target.named(model, target, str(side))), progress=stages)
    return solver, made, _steering(solver, made, stages)


def _steering(solver: Any, made: Any, stages: Stages) -> Any:
    from neuro_field.search.candidates import Grid
    from neuro_field.search.steering import Steering

    with stages.stage("response of the target"):
        gap = made.search.grid.gap if made.search is not None else Grid().gap
        return Steering.of(solver, made.coil, made, gap)


def _beside(thing: str) -> Path:
    """A folder beside a plan or a head; where the head is a built-in one, here."""
    path = Path(thing).absolute()
    return path.with_name(f"{path.name}_led") if path.exists() else Path.cwd() / f"{thing.split(':')[-1]}_led"
