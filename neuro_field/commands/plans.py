"""Commands that plan, hand a plan to a navigator, and compare what was delivered with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuro_field.commands.arguments import (
    EdgeOption,
    FacelessOption,
    HeadArgument,
    ImageOption,
    LandmarksOption,
    LanguageOption,
    Output,
    SubjectOption,
    grid_of,
    head_of,
    landmarks_given,
    with_landmarks,
)
from neuro_field.console import Interrupted, Stages

if TYPE_CHECKING:
    from neuro_field.clinic.study import Study
    from neuro_field.store.unfinished import UnfinishedPlan


def plan(
    head: HeadArgument,
    output: Output,
    preset: Annotated[
        list[str] | None, typer.Option(help="A name from `neuro-field presets`; several give a folder of plans.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(help="Instead of a preset, and with --coil: left:m1-hand, mni:x,y,z, mask:FILE ..."),
    ] = None,
    direction: Annotated[
        str | None, typer.Option(help="Of the current, with --target: none, sulcal (across the sulcus) or x,y,z.")
    ] = None,
    avoid: Annotated[
        list[str] | None, typer.Option(help="A region not to reach, named as a target or by site; may be repeated.")
    ] = None,
    avoid_share: Annotated[
        float | None,
        typer.Option(help="Largest mean |E| there, as a share of the field in the target; 1 if not given."),
    ] = None,
    coil: Annotated[
        list[str] | None,
        typer.Option(help="A name from `neuro-field coils` or a file; else the preset's. May be repeated."),
    ] = None,
    lesion_side: Annotated[str | None, typer.Option(help="left or right, where no mask says it.")] = None,
    paretic_hand: Annotated[
        str | None, typer.Option(help="left or right, where the lesion's place does not say which side is affected.")
    ] = None,
    rmt: Annotated[
        float | None, typer.Option(help="Resting motor threshold of the hand that is not paretic, % output.")
    ] = None,
    mt_method: Annotated[str, typer.Option(help="How that was read: emg or twitch.")] = "emg",
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="A motor threshold, as 'percent=55 kind=rMT hand=right muscle=FDI'; may be repeated."),
    ] = None,
    stimulator: Annotated[str | None, typer.Option(help="That treats, as 'Magstim Rapid'.")] = None,
    hot_spot: Annotated[
        str | None,
        typer.Option(
            help="Where the hand's largest response was measured: FILE[:NAME] of a navigator, head:x,y,z, or by tape "
            "in mm, as 'tape: Cz 58 right, 4 front'."
        ),
    ] = None,
    landmarks: LandmarksOption = None,
    nasion_inion: Annotated[
        float | None,
        typer.Option(help="The arc over the vertex as measured on the patient, mm: scales what is printed."),
    ] = None,
    ear_ear: Annotated[
        float | None, typer.Option(help="The same from just before one ear to just before the other, mm.")
    ] = None,
    side: Annotated[str | None, typer.Option(help="left or right, where the preset leaves it open.")] = None,
    fluency: Annotated[str | None, typer.Option(help="fluent or non-fluent (aphasia).")] = None,
    dominant_side: Annotated[str | None, typer.Option(help="Language-dominant side on fMRI (aphasia).")] = None,
    mep: Annotated[
        str, typer.Option(help="Motor evoked potential of the paretic hand: present, absent or untested.")
    ] = "untested",
    fma_ue: Annotated[float | None, typer.Option(help="Fugl-Meyer upper extremity, 0 to 66.")] = None,
    contraindication: Annotated[
        list[str] | None, typer.Option(help="Such as pacemaker; may be repeated. An unknown one lists them all.")
    ] = None,
    confirmed: Annotated[
        list[str] | None,
        typer.Option(
            help="What the physician has confirmed: aneurysm-coil, stent, plate; for an opened skull "
            "no-plates-or-clips. May be repeated."
        ),
    ] = None,
    frequency: Annotated[float | None, typer.Option(help="Of the pulses, Hz, where the preset leaves it open.")] = None,
    pulses: Annotated[int | None, typer.Option(help="A session, in place of the preset's.")] = None,
    intensity: Annotated[float | None, typer.Option(help="As a share of the motor threshold, such as 0.9.")] = None,
    train_seconds: Annotated[float | None, typer.Option(help="Seconds of one train.")] = None,
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
    refine: Annotated[bool, typer.Option(help="Halve the elements' edges within 20 mm of every target.")] = False,
    numerical_error: Annotated[
        bool, typer.Option(help="Check the best fields on elements half as long around the targets.")
    ] = False,
    faceless: FacelessOption = False,
    language: LanguageOption = "",
    edge: EdgeOption = 1.9,
) -> None:
    """Rank coil placements on both hemispheres, or for one target, and write the report.

    Example: `neuro-field plan example:colin27-stroke --preset contralesional-1hz-hand -o PLAN`

    Several presets or coils are planned together, each pair into a folder of its own in PLAN, beside index.tsv.

    All answers are checked before the head is read. Interrupted, it keeps what it has finished in PLAN.unfinished, and
    the same command goes on from there.
    """
    from neuro_field.clinic.study import studies
    from neuro_field.commands.intake import Typed, cases_of
    from neuro_field.commands.targets import direction_form, region_forms, target_form
    from neuro_field.head.face import Face
    from neuro_field.io.atomic import check_new_folder, claimed_folder
    from neuro_field.report.sentences import study_lines
    from neuro_field.report.words import phrase
    from neuro_field.search.candidates import Grid
    from neuro_field.search.search import Avoidance
    from neuro_field.store.fields import check_formats
    from neuro_field.store.plans import write_studies, write_study
    from neuro_field.store.unfinished import UnfinishedPlan

    check_new_folder(output)
    given = {
        "rmt": rmt, "lesion_side": lesion_side, "paretic_hand": paretic_hand, "side": side, "fluency": fluency,
        "dominant_side": dominant_side, "mep": mep, "fma_ue": fma_ue, "mt_method": mt_method,
        "contraindications": tuple(contraindication or ()), "confirmed": tuple(confirmed or ()),
        "frequency": frequency, "pulses": pulses, "intensity": intensity, "train_seconds": train_seconds,
    }  # fmt: skip
    cases = cases_of(
        Typed(
            tuple(preset or ()), target, tuple(coil or ()), hot_spot, direction, avoid_share if avoid is None else None,
            tuple(threshold or ()), stimulator,
        ),
        given, image,
    )  # fmt: skip
    aimed_at, towards = target_form(target) if target else None, direction_form(direction or "none")
    spared, grid = region_forms(avoid or []), Grid(radius, spacing, angle_step, gap)
    share = 1.0 if avoid_share is None else avoid_share
    Avoidance((), share)  # refuses what is no share before the head is read
    marked = landmarks_given(landmarks, nasion_inion, ear_ear)
    t1 = grid_of(head, image)
    if fields:
        check_formats(["nifti"], t1 is not None)
    unfinished = UnfinishedPlan(f"{output.absolute()}.unfinished")
    with claimed_folder(output), Stages(language) as stages, _told_when_interrupted(unfinished):
        model = with_landmarks(head_of(head, stages, edge), marked)
        if faceless:
            Face.of(model)  # refuses before the work
        made = studies(
            model, cases, target=towards(model, aimed_at(model)) if aimed_at else None, grid=grid,
            avoid=Avoidance(spared(model), share), draws=draws, refine=refine,
            numerical_error=numerical_error, keeper=unfinished, progress=stages,
        )  # fmt: skip
        lines: list[str] = []
        keep = {
            "t1": t1,
            "grid": t1 if fields else None,
            "subject": subject,
            "faceless": faceless,
            "language": language,
        }
        if len(cases) == 1:
            study = next(made)
            lines += study_lines(study, language)
            with stages.stage("pictures and report"):
                write_study(study, output, **keep)
        else:
            write_studies(_named(made, lines, language), output, **keep)
        unfinished.discard()
    for line in lines:
        typer.echo(line)
    typer.echo(stages.summary())
    if not any(output.glob("**/pictures")):
        typer.echo(phrase("terminal.no-pictures", language))
    if len(cases) == 1:
        typer.echo(phrase("terminal.report", language, path=output / "report.html"))
    else:
        typer.echo(phrase("terminal.reports", language, path=output))


def _named(made: "Iterator[Study]", lines: list[str], language: str) -> "Iterator[tuple[str, Study]]":
    """Studies with the names of their folders, as they are made; what is said of each is added to the lines."""
    from neuro_field.report.sentences import study_lines
    from neuro_field.store.plans import folder_name

    for study in made:
        lines += [*([""] if lines else []), f"{folder_name(study)}:", *study_lines(study, language)]
        yield folder_name(study), study


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
    to: Annotated[str, typer.Option(help="Navigators with commas between: localite,brainsight,ant, ...; or all.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write into; else PLAN/navigation.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="The T1 (NIfTI) that the navigator has loaded.")] = None,
    system: Annotated[
        str | None, typer.Option(help="Brainsight's coordinate system, as NIfTI:Aligned; else the image's own.")
    ] = None,
    subject: SubjectOption = "01",
    zone: Annotated[
        bool, typer.Option("--zone", help="Also up to 20 poses at the rim of the zone around each side's best.")
    ] = False,
) -> None:
    """Write a plan's ranked placements as files for navigators.

    Example: `neuro-field export PLAN --to localite,brainsight,ant --image T1.nii.gz`
    """
    from neuro_field.navigation.files import Export, convention, export_plan, named_systems, pose_notes
    from neuro_field.navigation.frames import ImageFrames
    from neuro_field.store.plans import read_plan

    study = read_plan(folder)
    coil_name = study.coil.name if study.coil is not None else ""
    how = Export(ImageFrames.read(image) if image else None, system, coil_name, subject, zone)
    names = named_systems(to)
    written = export_plan(study, names, output or folder / "navigation", how)
    for note in pose_notes(study):
        typer.echo(note)
    for name, paths in written.items():
        typer.echo(f"{name}: {convention(name, how)}")
        for path in paths:
            typer.echo(f"  {path}")
