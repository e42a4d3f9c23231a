"""The command for many people: a BIDS App."""

import shlex
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuro_field.commands.arguments import FacelessOption, LanguageOption
from neuro_field.console import Counted
from neuro_field.errors import InputError, UnknownNameError, printable

if TYPE_CHECKING:
    from neuro_field.cohort.job import Job, Outcome

LEVELS = ("participant", "group")


def cohort(
    bids_dir: Annotated[Path, typer.Argument(metavar="BIDS_DIR", help="A BIDS data set.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of derivatives; made, or gone on with.")],
    level: Annotated[str, typer.Argument(metavar="LEVEL", help="participant, then group.")],
    participant_label: Annotated[
        list[str] | None,
        typer.Option("--participant-label", "--participant_label", help="Only these, blanks between; else everybody."),
    ] = None,
    session_label: Annotated[
        list[str] | None, typer.Option("--session-label", "--session_label", help="Only these sessions.")
    ] = None,
    preset: Annotated[list[str] | None, typer.Option(help="From `neuro-field presets`; may be repeated.")] = None,
    coil: Annotated[
        list[str] | None, typer.Option(help="From `neuro-field coils` or a file, else the preset's; may be repeated.")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="Table (.tsv) of answers and thresholds, in place of participants.tsv.")
    ] = None,
    derivatives: Annotated[
        list[Path] | None, typer.Option(help="Where else lesion masks and labels lie; may be repeated.")
    ] = None,
    edge: Annotated[float, typer.Option(help="Finest cell edge of the meshes, mm.")] = 1.9,
    rim: Annotated[float, typer.Option(help="Width of a rim to draw around lesions, mm.")] = 0.0,
    nonlinear: Annotated[
        bool, typer.Option("--nonlinear/--affine", help="Map to MNI152 non-linearly; needs the extra [nonlinear].")
    ] = True,
    segmenter: Annotated[str, typer.Option(help="What makes labels where none are found.")] = "samseg",
    draws: Annotated[int, typer.Option(help="Of uncertain conductivities; 0 for none.")] = 500,
    radius: Annotated[float, typer.Option(help="Of the scalp patch searched, mm.")] = 30.0,
    spacing: Annotated[float, typer.Option(help="Of its positions, mm.")] = 5.0,
    angle_step: Annotated[float, typer.Option(help="Between handle directions, degrees.")] = 15.0,
    gap: Annotated[float, typer.Option(help="Scalp to casing: hair, cap, mm.")] = 4.0,
    dask: Annotated[str | None, typer.Option(help="local, a scheduler's address, or its scheduler.json.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Of --dask local; else as memory allows.")] = None,
    memory: Annotated[float | None, typer.Option(min=0.5, help="Of a worker or a task of --slurm, GB.")] = None,
    slurm: Annotated[
        Path | None, typer.Option(help="Write a job array for SLURM to this file, and do nothing else.")
    ] = None,
    time: Annotated[str, typer.Option(help="Limit of a task of --slurm.")] = "08:00:00",
    processors: Annotated[int, typer.Option(min=1, help="Of a task of --slurm.")] = 4,
    faceless: FacelessOption = False,
    language: LanguageOption = "",
) -> None:
    """Plan everybody of a BIDS data set, each resumable on its own; then tables, maps and a page of the group.

    Exit status 0; 1 if somebody failed, whose reason stands in OUT/logs and stops nobody else; 2 for a wrong call.
    Given again, the command does only what is missing or out of date.

    Example: `neuro-field cohort BIDS_DIR OUT participant --preset contralesional-1hz-hand --dask local`
    """
    from neuro_field.cohort.dataset import Dataset
    from neuro_field.cohort.derivatives import describe
    from neuro_field.report.words import phrase

    if level not in LEVELS:
        raise UnknownNameError("LEVEL", level, list(LEVELS))
    data = Dataset.of(bids_dir, derivatives or [], out)
    people = data.people(participant_label or [], session_label or [])
    if out.resolve() == bids_dir.resolve():
        raise InputError("OUT must be another folder than BIDS_DIR, such as BIDS_DIR/derivatives/neuro_field.")
    if level == "group":
        _group(out, people, language)
        return
    from neuro_field.cohort.options import Options
    from neuro_field.shelf.coils import is_coil_file

    coils = tuple(str(Path(each).absolute()) if is_coil_file(each) else each for each in coil or ())
    options = Options(
        tuple(dict.fromkeys(preset or ())), coils, edge, rim, radius, spacing, angle_step, gap, draws, nonlinear,
        segmenter, faceless, language,
    )  # fmt: skip
    jobs = _checked_jobs(data, people, answers, options, out, derivatives or [], language)
    describe(out, bids_dir)
    if slurm is not None:
        more = [word for each in derivatives or () for word in ("--derivatives", str(each.absolute()))]
        more += ["--answers", str(answers.absolute())] if answers is not None else []
        _write_slurm(slurm, jobs, more, (memory or 8.0) * 1e9, time, processors)
        typer.echo(phrase("cohort.submit", language, path=slurm))
        return
    from neuro_field.cohort.on_dask import LostError

    try:
        with ExitStack() as stack:
            outcomes = _outcomes(jobs, dask, workers, memory, language, stack)
            failed = _followed(outcomes, len(jobs), out, language)
    except LostError as error:
        typer.echo(f"neuro-field: {error}", err=True)
        raise typer.Exit(1) from None
    again = ["neuro-field", "cohort", str(bids_dir), str(out), "group"]
    typer.echo(phrase("cohort.then-group", language, command=shlex.join(again)))
    if failed:
        raise typer.Exit(1)


def _checked_jobs(
    data: "object", people: Sequence, answers: Path | None, options: "object", out: Path, derivatives: Sequence[Path],
    language: str,
) -> "list[Job]":  # fmt: skip
    """What is to be done, once every answer is checked; every fault is told in a line of its own."""
    from neuro_field.cohort.answers import faults_of, read_table
    from neuro_field.cohort.dataset import Dataset
    from neuro_field.cohort.job import Job
    from neuro_field.cohort.options import Options
    from neuro_field.mri.build import checked_mapping
    from neuro_field.report.words import said

    assert isinstance(data, Dataset)
    assert isinstance(options, Options)
    checked_mapping(None, options.nonlinear)
    table, coils, grid = read_table(answers, data.root), options.opened_coils(), options.grid
    del grid  # made to be checked
    faults = faults_of(table, people, options.presets, coils)
    for fault in faults:
        words = said(fault.finding, language) if fault.finding is not None else fault.text
        typer.echo(f"neuro-field: {printable(f'{fault.where}: {words}')}", err=True)
    if faults:
        raise typer.Exit(2)
    root, output = str(data.root.absolute()), str(out.absolute())
    more = tuple(str(each.absolute()) for each in derivatives)
    return [Job(root, output, who, options, table.row_of(who), more) for who in people]


def _outcomes(
    jobs: "list[Job]", dask: str | None, workers: int | None, memory: float | None, language: str, stack: ExitStack
) -> "Iterable[Outcome]":
    """Outcomes as they come, from whoever does the work."""
    from neuro_field.cohort.on_dask import cluster, on_dask
    from neuro_field.cohort.one_by_one import one_by_one
    from neuro_field.cohort.participant import run_participant
    from neuro_field.report.words import phrase

    if dask is not None:
        there = stack.enter_context(cluster(dask, workers, None if memory is None else memory * 1e9))
        told = {"workers": there.workers, "gigabytes": there.memory / 1e9, "dashboard": there.dashboard}
        typer.echo(phrase("cohort.dask", language, **told))
        return on_dask(jobs, there)
    if len(jobs) == 1:
        return [run_participant(jobs[0])]
    return one_by_one(jobs)


def _followed(outcomes: "Iterable[Outcome]", count: int, out: Path, language: str) -> int:
    """Show outcomes as they come, and say how all ended; how many failed."""
    from neuro_field.cohort.derivatives import LOGS
    from neuro_field.report.words import phrase

    failed = kept = 0
    with Counted(count) as bar:
        for outcome in outcomes:
            kept += outcome.kept
            failed += outcome.status != 0
            bar.one_more(outcome.who.label, outcome.status != 0)
            if outcome.status:
                line = phrase("cohort.failed", language, who=outcome.who.label, reason=outcome.reason)
                bar.say(printable(line))
    done = {"done": count - failed, "kept": kept, "failed": failed, "path": out / LOGS}
    typer.echo(phrase("cohort.ended", language, **done))
    return failed


def _write_slurm(path: Path, jobs: "list[Job]", more: list[str], memory: float, time: str, processors: int) -> None:
    from neuro_field.cohort.derivatives import LOGS
    from neuro_field.cohort.slurm import slurm_file
    from neuro_field.io.atomic import claimed_file, new_file

    first = jobs[0]
    text = slurm_file(
        [job.who for job in jobs], Path(first.dataset), first.output, first.options, more=more, memory=memory,
        time=time, processors=processors,
    )  # fmt: skip
    (first.output / LOGS).mkdir(exist_ok=True)
    with claimed_file(path), new_file(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def _group(out: Path, people: Sequence, language: str) -> None:
    from neuro_field.cohort.derivatives import PAGES, TABLE
    from neuro_field.cohort.group import write_group
    from neuro_field.report.words import phrase

    if not out.is_dir():
        raise InputError(f"The folder {out} does not exist; run the level participant first.")
    made = write_group(out, people, language)
    for label, reason in made.failed.items():
        typer.echo(phrase("cohort.failed", language, who=label, reason=printable(reason)))
    typer.echo(phrase("terminal.table", language, path=out / f"{TABLE}.tsv"))
    typer.echo(phrase("terminal.page", language, path=out / PAGES / "group.html"))
