"""The command line: ``neuro-field``."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from neuro_field.console import Stages, fail_plainly, named_numbers, numbers, table
from neuro_field.errors import InputError

app = typer.Typer(
    name="neuro-field",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="The electric field of a TMS coil in a patient's head, and a ranking of coil placements after stroke. "
    "Research software, not a medical device.",
)

Output = Annotated[Path, typer.Option("--output", "-o", help="New folder to write; must not hold anything yet.")]
HeadArgument = Annotated[
    str, typer.Argument(metavar="HEAD", help="A head folder, a .msh file, an m2m_ folder, or example:colin27-stroke.")
]
CoilOption = Annotated[str, typer.Option("--coil", help="A name from `neuro-field coils`, or a .ccd, .tcd or .nii.gz.")]
ImageOption = Annotated[Path | None, typer.Option("--image", help="The T1; else the one that came with the head.")]
SubjectOption = Annotated[str, typer.Option("--subject", help="Label in the names of files; no patient's name.")]
EdgeOption = Annotated[float, typer.Option("--edge", help="Finest cell edge of the mesh, mm.")]


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


def _head(source: str, stages: Stages, edge: float = 1.9) -> Any:
    """The head that a command's HEAD argument names."""
    name = source.removeprefix("example:")
    if name != source:
        from neuro_field.io.examples import example_head

        return example_head(name, edge=edge, progress=stages)
    from neuro_field.io.heads import read_head

    with stages.stage("reading the head"):
        return read_head(source)


def _images(source: str) -> dict[str, Any]:
    """The images behind a built-in head; none for one that comes as a mesh."""
    from neuro_field.io.examples import example_images

    name = source.removeprefix("example:")
    return example_images(name) if name != source else {}


def _coil(source: str) -> Any:
    from neuro_field.io.coils import is_coil_file, load_coil, read_coil

    return read_coil(source) if is_coil_file(source) else load_coil(source)


def _grid(source: str, image: Path | None) -> Any:
    """The T1 whose grid a field is written on: as named, or the one that came with the head; None without one."""
    from neuro_field.io.heads import T1
    from neuro_field.io.images import read_image

    beside = Path(source) / T1
    if image is None and not beside.is_file():
        return _images(source).get("t1")
    return read_image(image or beside)


@app.command()
def head(
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="A T1 image, an m2m_ folder, a .msh, or example:colin27-stroke.")
    ],
    output: Output,
    labels: Annotated[Path | None, typer.Option(help="Tissue labels on the T1's grid or another.")] = None,
    lesion: Annotated[Path | None, typer.Option(help="Lesion mask, on any grid that overlaps.")] = None,
    t2: Annotated[Path | None, typer.Option(help="A T2 of the same person, for the segmenter.")] = None,
    segmenter: Annotated[str, typer.Option(help="What makes labels where none are given.")] = "samseg",
    rim: Annotated[float, typer.Option(help="Width of a rim to draw around the lesion's cavity, mm.")] = 0.0,
    edge: EdgeOption = 1.9,
    tissue_edge: Annotated[
        list[str] | None, typer.Option(help="Longest edge in a tissue, such as white_matter=1.9; may be repeated.")
    ] = None,
) -> None:
    """Build a head model from a T1, and write it to a folder.

    Without --labels the T1 is segmented first, in about ten minutes; what the segmenter wrote stays beside HEAD.

    Example: `neuro-field head T1.nii.gz --labels labels.nii.gz --lesion lesion.nii.gz -o HEAD`
    """
    from neuro_field.io.atomic import check_new_folder
    from neuro_field.io.heads import head_from_images, is_head, write_head
    from neuro_field.report.sentences import head_lines

    check_new_folder(output)
    with Stages() as stages:
        if image.startswith("example:") or is_head(image):
            if labels or lesion or t2 or rim or tissue_edge:
                raise InputError(
                    "Options --labels, --lesion, --t2, --rim and --tissue-edge go with a T1 image, not with a mesh."
                )
            made, files = _head(image, stages, edge), _images(image)
        elif not Path(image).is_file():
            raise InputError(f"The image {image} does not exist.")
        elif labels is not None and t2 is not None:
            raise InputError("Option --t2 is for the segmenter; with --labels nothing is segmented.")
        else:
            found = labels or _segmented(Path(image), t2, lesion, segmenter, output, stages)
            edges = named_numbers(tissue_edge, "--tissue-edge")
            made, files = head_from_images(
                image, found, lesion=lesion, rim=rim, edge=edge, tissue_edges=edges, progress=stages
            )
        with stages.stage("writing"):
            write_head(made, output, **files)
    for line in head_lines(made):
        typer.echo(line)
    typer.echo(f"Look at {output / 'qc.html'} before you plan on this head.")
    typer.echo(f"Head written to {output}. Next: neuro-field plan {output} --preset contralesional-1hz-hand -o PLAN")


def _segmented(t1: Path, t2: Path | None, lesion: Path | None, segmenter: str, output: Path, stages: Stages) -> Path:
    """Labels of a T1 from a segmenter, which works in a folder beside the head."""
    from neuro_field.io.segmentation import segment

    if lesion is not None and not lesion.is_file():
        raise InputError(f"The lesion mask {lesion} does not exist.")
    beside = output.absolute().with_name(f"{output.name}.segmentation")
    made = segment([t1, t2] if t2 else [t1], beside, segmenter=segmenter, progress=stages)
    typer.echo(f"Labels {'found' if made.reused else 'made'}: {made.labels}, log {made.log}.")
    return made.labels


@app.command()
def plan(
    head: HeadArgument,
    preset: Annotated[str, typer.Option(help="A name from `neuro-field presets`.")],
    output: Output,
    coil: Annotated[
        str | None, typer.Option(help="A name from `neuro-field coils` or a file; else the preset's.")
    ] = None,
    lesion_side: Annotated[str | None, typer.Option(help="left or right, where no mask says it.")] = None,
    rmt: Annotated[float | None, typer.Option(help="Resting motor threshold of the unaffected hand, % output.")] = None,
    side: Annotated[str | None, typer.Option(help="left or right, where the preset leaves it open.")] = None,
    fluency: Annotated[str | None, typer.Option(help="fluent or non-fluent (aphasia).")] = None,
    dominant_side: Annotated[str | None, typer.Option(help="Language-dominant side on fMRI (aphasia).")] = None,
    mep: Annotated[
        str, typer.Option(help="Ipsilesional motor evoked potential: present, absent or untested.")
    ] = "untested",
    fma_ue: Annotated[float | None, typer.Option(help="Fugl-Meyer upper extremity, 0 to 66.")] = None,
    contraindication: Annotated[
        list[str] | None, typer.Option(help="pacemaker, icd, cochlear-implant or intracranial-clip: blocks the plan.")
    ] = None,
    radius: Annotated[float, typer.Option(help="Of the scalp patch searched, mm.")] = 30.0,
    spacing: Annotated[float, typer.Option(help="Of its positions, mm.")] = 5.0,
    angle_step: Annotated[float, typer.Option(help="Between handle directions, degrees.")] = 15.0,
    gap: Annotated[float, typer.Option(help="Scalp to casing: hair, cap, mm.")] = 4.0,
    fields: Annotated[bool, typer.Option(help="Write the best placements' fields as NIfTI on the T1's grid.")] = False,
    image: ImageOption = None,
    subject: SubjectOption = "01",
    numerical_error: Annotated[
        bool, typer.Option(help="Check the best fields in second order: a minute, 6 GB.")
    ] = False,
    edge: EdgeOption = 1.9,
) -> None:
    """Rank coil placements on both hemispheres and write the report.

    Example: `neuro-field plan example:colin27-stroke --preset contralesional-1hz-hand -o PLAN`
    """
    from neuro_field.io.atomic import check_new_folder
    from neuro_field.io.fields import check_formats
    from neuro_field.io.plans import write_study
    from neuro_field.planning.candidates import Grid
    from neuro_field.planning.presets import preset as preset_of
    from neuro_field.planning.study import study
    from neuro_field.report.sentences import study_lines

    check_new_folder(output)
    on = _grid(head, image) if fields else None
    if fields:
        check_formats(["nifti"], on is not None)
    chosen = preset_of(preset)
    grid = Grid(radius, spacing, angle_step, gap)
    induced = _coil(coil or chosen.coil)
    with Stages() as stages:
        made = study(
            _head(head, stages, edge), preset=preset, coil=induced, rmt=rmt, lesion_side=lesion_side, grid=grid,
            numerical_error=numerical_error, progress=stages,
            side=side, fluency=fluency, dominant_side=dominant_side, mep_ipsilesional=mep,
            fma_ue=fma_ue, contraindications=tuple(contraindication or ()),
        )  # fmt: skip
        with stages.stage("pictures and report"):
            write_study(made, output, grid=on, subject=subject)
    for line in study_lines(made):
        typer.echo(line)
    typer.echo(f"Stages: {stages.summary()}")
    if not (output / "pictures").is_dir():
        typer.echo("The report has no pictures; its page says why.")
    typer.echo(f"Report: {output / 'report.html'}")


@app.command()
def simulate(
    head: HeadArgument,
    coil: CoilOption,
    at: Annotated[str, typer.Option(help="Point the coil stands above, x,y,z mm, head frame.")],
    handle_towards: Annotated[str, typer.Option(help="Point the handle is turned to, x,y,z mm.")],
    output: Output,
    gap: Annotated[float, typer.Option(help="Scalp to casing, mm.")] = 4.0,
    didt: Annotated[float, typer.Option(help="Current slope, A/us.")] = 1.0,
    tilt: Annotated[float, typer.Option(help="Largest tilt to clear the scalp before lifting, degrees.")] = 0.0,
    format: Annotated[str, typer.Option(help="Any of msh,nifti,gifti,vtu with commas between.")] = "msh",
    image: ImageOption = None,
    subject: SubjectOption = "01",
    order: Annotated[int, typer.Option(help="Of the finite elements: 1, or 2 (more exact; a minute, 6 GB).")] = 1,
    edge: EdgeOption = 1.9,
) -> None:
    """Compute the field of one placement and write it.

    Example: `neuro-field simulate HEAD --coil figure8-70mm --at 40,-20,65 --handle-towards 80,-80,60 -o OUT`
    """
    from neuro_field.coil.clearing import cleared
    from neuro_field.coil.placement import Placement
    from neuro_field.field.solver import Solver
    from neuro_field.io.atomic import check_new_folder
    from neuro_field.io.fields import check_formats, write_field
    from neuro_field.report.sentences import field_lines

    check_new_folder(output)
    formats = [name.strip().lower() for name in format.split(",") if name.strip()]
    grid = _grid(head, image) if "nifti" in formats else None
    check_formats(formats, grid is not None)
    induced, point, towards = _coil(coil), numbers(at, 3, "--at"), numbers(handle_towards, 3, "--handle-towards")
    with Stages() as stages:
        model = _head(head, stages, edge)
        placement = Placement.on(model.scalp, above=point, handle_towards=towards, gap=gap)
        clearance = "Whether the casing clears the scalp is not known: this coil's file has none."
        if induced.casing is not None:
            clear = cleared(placement, induced, model.scalp, gap, tilt)
            placement, clearance = clear.placement, clear.words
        with stages.stage("solver set-up"):
            solver = Solver(model, order=order)
        with stages.stage("solving"):
            field = solver.solve(induced, placement, didt=didt * 1e6)
        stages("writing", 0.0)
        write_field(
            field, output, formats=formats, grid=grid, subject=subject, progress=lambda share: stages("writing", share)
        )
        stages("writing", 1.0)
    for line in [*field_lines(field), clearance]:
        typer.echo(line)
    typer.echo(f"Field written to {output}.")


@app.command()
def view(
    thing: Annotated[str, typer.Argument(metavar="PLAN|HEAD", help="A plan folder or anything that names a head.")],
    screenshot: Annotated[Path | None, typer.Option(help="Write a PNG instead of opening a window.")] = None,
) -> None:
    """Show a head or a plan in 3D.

    Example: `neuro-field view HEAD --screenshot head.png`
    """
    from neuro_field.io.plans import read_plan
    from neuro_field.report.view import view as show

    if screenshot is not None and screenshot.exists():
        raise InputError(f"File {screenshot} exists already; name another.")
    with Stages() as stages:
        shown = read_plan(thing) if (Path(thing) / "plan.json").is_file() else _head(thing, stages)
    show(shown, screenshot=screenshot)
    if screenshot is not None:
        typer.echo(f"Picture written to {screenshot}.")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan folder.")],
    to: Annotated[str, typer.Option(help="Names of navigators with commas between: localite,brainsight,ant, ...")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write into; else PLAN/navigation.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="The T1 (NIfTI) that the navigator has loaded.")] = None,
    system: Annotated[
        str | None, typer.Option(help="Brainsight's coordinate system, as NIfTI:Aligned; else the image's own.")
    ] = None,
    subject: SubjectOption = "01",
) -> None:
    """Write a plan's ranked placements as files for navigators.

    Example: `neuro-field export PLAN --to localite,brainsight,ant --image T1.nii.gz`
    """
    from neuro_field.io.navigation.files import Export, convention, export_plan
    from neuro_field.io.navigation.frames import ImageFrames
    from neuro_field.io.plans import read_plan

    study = read_plan(folder)
    coil_name = study.coil.name if study.coil is not None else ""
    how = Export(ImageFrames.read(image) if image else None, system, coil_name, subject)
    names = list(dict.fromkeys(name.strip().lower() for name in to.split(",") if name.strip()))
    written = export_plan(study, names, output or folder / "navigation", how)
    for name, paths in written.items():
        typer.echo(f"{name}: {convention(name, how)}")
        for path in paths:
            typer.echo(f"  {path}")


@app.command()
def delivered(
    head: HeadArgument,
    plan: Annotated[Path, typer.Option(help="The plan's folder.")],
    poses: Annotated[list[Path], typer.Option(help="Recorded poses, a navigator's file; may be given several times.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="New .tsv or .csv file, one row per pulse.")],
    role: Annotated[
        str | None, typer.Option(help="contralesional or ipsilesional; else the preset's own side.")
    ] = None,
    coil: Annotated[str | None, typer.Option(help="A name or file; else the plan's coil.")] = None,
    image: Annotated[Path | None, typer.Option(help="The T1 (NIfTI) that the navigator had loaded.")] = None,
    edge: EdgeOption = 1.9,
) -> None:
    """Compute the field that recorded pulses delivered to the target, against the plan.

    Example: `neuro-field delivered HEAD --plan PLAN --poses session1.xml --poses session2.xml -o ledger.tsv`
    """
    from neuro_field.field.solver import Solver
    from neuro_field.io.ledgers import check_new_table, write_ledger
    from neuro_field.io.navigation.frames import ImageFrames
    from neuro_field.io.navigation.sessions import recorded_poses
    from neuro_field.io.plans import read_plan
    from neuro_field.planning.ledger import check_same_mesh
    from neuro_field.planning.ledger import delivered as ledger_of
    from neuro_field.planning.study import plan_of
    from neuro_field.report.ledger import ledger_lines

    check_new_table(output)
    study = read_plan(plan)
    chosen, dose = plan_of(study, role)
    markers, notes = recorded_poses(poses, ImageFrames.read(image) if image else None)
    induced = _coil(coil) if coil else chosen.coil
    if induced is None:
        raise InputError(f"The coil of {plan} is not on the shelf, or has changed; give --coil.")
    didt = dose.output / 100 * induced.didt_max if dose and dose.output and induced.didt_max else None
    with Stages() as stages:
        model = _head(head, stages, edge)
        check_same_mesh(model, chosen.target)
        with stages.stage("solver set-up"):
            solver = Solver(model)
        ledger = ledger_of(
            solver, induced, chosen.target, chosen.best.placement, markers, planned_didt=didt, progress=stages
        )
        write_ledger(ledger, output)
    for line in [*(f"Note: {note}" for note in notes), *ledger_lines(ledger)]:
        typer.echo(line)
    typer.echo(f"Stages: {stages.summary()}")
    typer.echo(f"Ledger written to {output}.")


@app.command()
def coils(
    name: Annotated[str | None, typer.Argument(help="One coil in detail: a name, or a .ccd, .tcd or .nii.gz.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New folder for pictures and a page of the coils.")
    ] = None,
) -> None:
    """List the coils on the shelf, or show one; with -o draw them.

    Example: `neuro-field coils figure8-70mm -o COIL`
    """
    from neuro_field.io.atomic import check_new_folder
    from neuro_field.io.coil_folder import shelf_rows, shown_coil, write_coil_pages
    from neuro_field.io.coils import coil_names

    if output is not None:
        check_new_folder(output)
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
            write_coil_pages([name] if name else coil_names(), output, progress=stages)
        typer.echo(f"Pictures and page written to {output}: open {output / 'coils.html'}.")


@app.command()
def targets() -> None:
    """List the named targets, with where each comes from.

    Example: `neuro-field targets`
    """
    from neuro_field.planning.atlas import SITES

    rows = [
        (s.name, *(" ".join(f"{v:g}" for v in s.seed(side)) for side in ("left", "right")), s.source, s.note)
        for s in SITES
    ]
    table(("name", "left MNI", "right MNI", "basis", "note"), rows)
    typer.echo("[src] read in the source, [lit] from the literature, not re-read, [calc] computed. Seeds, not answers.")


@app.command()
def presets() -> None:
    """List the treatment presets, with their sources.

    Example: `neuro-field presets`
    """
    from neuro_field.planning.presets import PRESETS

    rows = []
    for p in PRESETS:
        intensity = f"{p.intensity:.0%} {p.threshold}" if p.intensity is not None else "user must type it"
        dose = f"{p.frequency}, {intensity}, {p.pulses}"
        rows.append((p.name, " or ".join(p.sites), p.side, p.coil, dose, p.source))
    table(("name", "target", "side", "coil", "frequency, intensity, pulses", "source"), rows)
    typer.echo("[src] read in the source, [lit] from the literature, not re-read.")
    typer.echo("Not affiliated with, and not, NEURO(R).")


@app.command()
def cache(clear: Annotated[bool, typer.Option("--clear", help="Remove the heads that are kept.")] = False) -> None:
    """Show the built-in heads that are kept meshed, or remove them.

    Example: `neuro-field cache --clear`
    """
    from datetime import datetime

    from neuro_field.io.examples import MOST_KEPT, cache_folder, cached_heads, clear_cache

    if clear:
        typer.echo(f"{clear_cache()} heads removed from {cache_folder()}.")
        return
    heads = cached_heads()
    rows = [(k.path.name, f"{k.size / 1e6:.0f}", f"{datetime.fromtimestamp(k.used):%Y-%m-%d %H:%M}") for k in heads]
    table(("head", "MB", "last used"), rows)
    typer.echo(
        f"{len(heads)} of at most {MOST_KEPT} heads, {sum(k.size for k in heads) / 1e6:.0f} MB, {cache_folder()}"
    )


@app.command()
def validate(
    size: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    coil: CoilOption = "figure8-70mm",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="New folder: the table and a plot.")] = None,
) -> None:
    """Hold the solver against closed forms and laws of physics and print the errors.

    Example: `neuro-field validate --size small -o VALIDATION`
    """
    from neuro_field.field.validation import validate as run
    from neuro_field.io.atomic import check_new_folder
    from neuro_field.io.validation import write_validation

    if output is not None:
        check_new_folder(output)
    with Stages() as stages:
        rows = run(_coil(coil), size=size, progress=stages)
    shown = [(r.case, r.mesh, r.metric, f"{r.value:.3g}", f"{r.limit:.3g}", ("FAILED", "ok")[r.passed]) for r in rows]
    table(("case", "mesh", "metric", "value", "limit", ""), shown)
    if output is not None:
        write_validation(rows, output)
        typer.echo(f"Table and plot written to {output}.")
    if not all(row.passed for row in rows):
        raise typer.Exit(1)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; a user's mistake ends in one line on stderr and status 2."""
    return fail_plainly(app, sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
