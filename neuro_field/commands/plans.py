"""Commands that plan, hand a plan to a navigator, and compare what was delivered with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuro_field.commands.arguments import (
    EdgeOption,
    HeadArgument,
    ImageOption,
    Output,
    SubjectOption,
    coil_of,
    grid_of,
    head_of,
)
from neuro_field.console import Interrupted, Stages
from neuro_field.errors import InputError

if TYPE_CHECKING:
    from neuro_field.store.unfinished import UnfinishedPlan


def plan(
    head: HeadArgument,
    output: Output,
    preset: Annotated[str | None, typer.Option(help="A name from `neuro-field presets`.")] = None,
    target: Annotated[
        str | None,
        typer.Option(help="Instead of a preset, and with --coil: left:m1-hand, mni:x,y,z, mask:FILE ..."),
    ] = None,
    direction: Annotated[
        str, typer.Option(help="Of the current, with --target: none, sulcal (across the sulcus) or x,y,z.")
    ] = "none",
    avoid: Annotated[
        list[str] | None, typer.Option(help="A region not to reach, named as a target or by site; may be repeated.")
    ] = None,
    avoid_share: Annotated[
        float, typer.Option(help="Largest mean |E| there, as a share of the field in the target.")
    ] = 1.0,
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
    mt_method: Annotated[str, typer.Option(help="How the threshold was read: emg or twitch.")] = "emg",
    draws: Annotated[
        int, typer.Option(help="Of uncertain conductivities, for stability and the dose's interval; 0 for none.")
    ] = 500,
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
    """Rank coil placements on both hemispheres, or for one target, and write the report.

    Example: `neuro-field plan example:colin27-stroke --preset contralesional-1hz-hand -o PLAN`

    Interrupted, it keeps what it has finished in PLAN.unfinished, and the same command goes on from there.
    """
    from neuro_field.clinic.presets import preset as preset_of
    from neuro_field.clinic.study import Study, study
    from neuro_field.commands.targets import aimed, regions_of, target_of
    from neuro_field.io.atomic import check_new_folder
    from neuro_field.report.sentences import plan_lines, study_lines
    from neuro_field.search.candidates import Grid
    from neuro_field.search.plan import Plan
    from neuro_field.search.search import Avoidance
    from neuro_field.search.survey import survey
    from neuro_field.store.fields import check_formats
    from neuro_field.store.plans import write_study
    from neuro_field.store.unfinished import UnfinishedPlan

    check_new_folder(output)
    if (preset is None) == (target is None):
        raise InputError("Give either --preset, a name from `neuro-field presets`, or --target.")
    if target is not None and coil is None:
        raise InputError("With --target give the --coil, a name from `neuro-field coils` or a file.")
    t1 = grid_of(head, image)
    if fields:
        check_formats(["nifti"], t1 is not None)
    grid = Grid(radius, spacing, angle_step, gap)
    induced = coil_of(coil or preset_of(str(preset)).coil)
    made: Plan | Study
    unfinished = UnfinishedPlan(f"{output.absolute()}.unfinished")
    with Stages() as stages, _told_when_interrupted(unfinished):
        model = head_of(head, stages, edge)
        spared = Avoidance(regions_of(model, avoid or []), avoid_share)
        if target is not None:
            aim = aimed(model, target_of(model, target), direction)
            made = survey(
                model, induced, {"plan": aim}, grid=grid, avoid=spared, draws=draws, numerical_error=numerical_error,
                keeper=unfinished, progress=stages,
            )["plan"]  # fmt: skip
        else:
            made = study(
                model, preset=str(preset), coil=induced, rmt=rmt, lesion_side=lesion_side, grid=grid, avoid=spared,
                numerical_error=numerical_error, keeper=unfinished, progress=stages, side=side, fluency=fluency,
                dominant_side=dominant_side, mep_ipsilesional=mep, fma_ue=fma_ue, mt_method=mt_method, draws=draws,
                contraindications=tuple(contraindication or ()),
            )  # fmt: skip
        with stages.stage("pictures and report"):
            write_study(made, output, t1=t1, grid=t1 if fields else None, subject=subject)
        unfinished.discard()
    for line in plan_lines(made) if isinstance(made, Plan) else study_lines(made):
        typer.echo(line)
    typer.echo(f"Stages: {stages.summary()}")
    if not (output / "pictures").is_dir():
        typer.echo("The report has no pictures; its page says why.")
    typer.echo(f"Report: {output / 'report.html'}")


@contextmanager
def _told_when_interrupted(unfinished: "UnfinishedPlan") -> Iterator[None]:
    """An interruption says what is kept, and where."""
    try:
        yield
    except KeyboardInterrupt:
        kept = unfinished.roles()
        if not kept:
            raise
        raise Interrupted(
            f"Interrupted; no plan was written. What was finished ({', '.join(kept)}) is kept in {unfinished.folder}: "
            "the same command goes on from there."
        ) from None


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
    from neuro_field.navigation.files import Export, convention, export_plan
    from neuro_field.navigation.frames import ImageFrames
    from neuro_field.store.plans import read_plan

    study = read_plan(folder)
    coil_name = study.coil.name if study.coil is not None else ""
    how = Export(ImageFrames.read(image) if image else None, system, coil_name, subject)
    names = list(dict.fromkeys(name.strip().lower() for name in to.split(",") if name.strip()))
    written = export_plan(study, names, output or folder / "navigation", how)
    for name, paths in written.items():
        typer.echo(f"{name}: {convention(name, how)}")
        for path in paths:
            typer.echo(f"  {path}")


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
    from neuro_field.aim.target import check_same_mesh
    from neuro_field.clinic.ledger import delivered as ledger_of
    from neuro_field.clinic.study import plan_of
    from neuro_field.field.solver import Solver
    from neuro_field.navigation.frames import ImageFrames
    from neuro_field.navigation.sessions import recorded_poses
    from neuro_field.report.ledger import ledger_lines
    from neuro_field.store.ledgers import check_new_table, write_ledger
    from neuro_field.store.plans import read_plan

    check_new_table(output)
    study = read_plan(plan)
    chosen, dose = plan_of(study, role)
    markers, notes = recorded_poses(poses, ImageFrames.read(image) if image else None)
    induced = coil_of(coil) if coil else chosen.coil
    if induced is None:
        raise InputError(f"The coil of {plan} is not on the shelf, or has changed; give --coil.")
    didt = dose.matched / 100 * induced.didt_max if dose and dose.matched and induced.didt_max else None
    with Stages() as stages:
        model = head_of(head, stages, edge)
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
