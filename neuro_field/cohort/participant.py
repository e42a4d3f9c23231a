"""One participant from images to plans, maps and a status: resumable, and never the end of anybody else's run."""

import logging
import shutil
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from threadpoolctl import threadpool_limits  # comes with nilearn

from neuro_field.clinic.case import Case
from neuro_field.clinic.study import Study, studies
from neuro_field.cohort.answers import LARGE_LESION, OPEN_SKULL, cases_of_row, yes_or_no
from neuro_field.cohort.dataset import Dataset
from neuro_field.cohort.derivatives import own_folder
from neuro_field.cohort.heads import built_head
from neuro_field.cohort.inputs import Inputs, find_inputs
from neuro_field.cohort.job import DONE, FAILED, Job, Outcome
from neuro_field.cohort.keeping_log import said_in_log, write_status
from neuro_field.cohort.results import StudyMaps, write_lesion, write_rows
from neuro_field.cohort.stages import discard, files_in, is_done, mark_done
from neuro_field.errors import ConvergenceError, InputError
from neuro_field.findings import Refusal
from neuro_field.head.model import HeadModel
from neuro_field.io.digest import fingerprint
from neuro_field.io.locks import locked
from neuro_field.report.words import said
from neuro_field.store.heads import head_images, read_head
from neuro_field.store.plan_records import COMPUTED_BY
from neuro_field.store.plans import folder_name, write_study
from neuro_field.store.unfinished import UnfinishedPlan

LOG = logging.getLogger(__name__)

#: What a run ends in that is the participant's own trouble, or the machine's, and told in a line.
_TOLD = (InputError, ConvergenceError, OSError, NotImplementedError)


def run_participant(job: Job) -> Outcome:
    """Do what is missing or out of date of one participant; whatever goes wrong is told in the outcome and the log.

    Matrices are multiplied in one thread, for their last bits depend on how many there are: alone, on Dask and on
    another machine everything comes out the same.  Kernels use all threads there are, and give the same bits with any.

    Parameters
    ----------
    job : Job

    Returns
    -------
    Outcome
        Also written to ``OUT/logs``, with what was said on the way.
    """
    began = time.perf_counter()
    own = own_folder(job.output, job.who)
    own.mkdir(parents=True, exist_ok=True)
    with said_in_log(job):
        try:
            with locked(own), threadpool_limits(1, user_api="blas"):
                kept, reasons = _work(job, own)
        except _TOLD as error:
            kept, reasons = False, [_line(error)]
            LOG.error("%s", reasons[0])
        except Exception as error:  # an unknown fault of one must not end the others
            LOG.exception("An unexpected error")
            kept, reasons = False, [f"{type(error).__name__}: {error}"]
        reason = " ".join(_without_places(each, job) for each in reasons)
        status = FAILED if reasons else DONE
        outcome = Outcome(job.who, status, reason, kept, time.perf_counter() - began)
        write_status(job, outcome)
    return outcome


def _line(error: BaseException) -> str:
    """An error in one line: the findings of a refusal in words."""
    if isinstance(error, Refusal):
        return " ".join(said(finding) for finding in error.findings)
    return str(error) or type(error).__name__


def _without_places(line: str, job: Job) -> str:
    """A line without the folders of this machine, which may tell whose it is and differ from run to run."""
    for place, name in (
        (job.out, "OUT"),
        (job.dataset, "BIDS_DIR"),
        *((each, "DERIVATIVES") for each in job.derivatives),
    ):
        for spelling in dict.fromkeys((place, str(Path(place).resolve()))):
            line = line.replace(spelling, name)
    return " ".join(line.split())[:900]


def _work(job: Job, own: Path) -> tuple[bool, list[str]]:
    """Whether all was done before, and why something could not be done."""
    dataset = Dataset.of(Path(job.dataset), [Path(each) for each in job.derivatives], job.output)
    inputs = find_inputs(dataset, job.who, job.row)
    head_key = _head_key(job, inputs)
    cases = {case_name(case): case for case in cases_of_row(job.row, job.options.presets, job.options.opened_coils())}
    keys = {name: _plan_key(job, head_key, case) for name, case in cases.items()}
    records = {name: own / "plans" / f"{name}.json" for name in cases}
    head_record, out = own / "head.json", job.output
    left = [name for name in cases if not is_done(records[name], keys[name], out)]
    if not left and is_done(head_record, head_key, out):
        LOG.info("all was done before")
        return True, []
    if not is_done(head_record, head_key, out):
        _built(job, inputs, own, head_record, head_key)
    head = read_head(own / "head")
    maps = StudyMaps.of(head, inputs.surfaces)
    reasons = []
    for wanted in _together(left, cases):
        reasons += _planned(job, head, maps, [(name, cases[name], keys[name]) for name in wanted], own)
    return False, reasons


def _together(names: Sequence[str], cases: dict[str, Case]) -> list[list[str]]:
    """Cases that share a coil share a solver."""
    out: dict[str, list[str]] = {}
    for name in names:
        out.setdefault(cases[name].coil.name, []).append(name)
    return list(out.values())


def case_name(case: Case) -> str:
    """How the plan of a case is called, as `store.plans.folder_name` of the study that is made of it."""
    return folder_name(Study(case.preset, case.coil, None, None, case.answers, None, None))


def _versions() -> list[tuple[str, str]]:
    return [(name, version(name)) for name in COMPUTED_BY]


def _head_key(job: Job, inputs: Inputs) -> str:
    options, row = job.options, job.row
    told = (options.edge, options.rim, options.nonlinear, options.segmenter, options.faceless)
    return fingerprint(_versions(), inputs.digests(), told, row.get(OPEN_SKULL), row.get(LARGE_LESION))


def _plan_key(job: Job, head_key: str, case: Case) -> str:
    return fingerprint(head_key, case, job.options.grid, job.options.draws)


def _built(job: Job, inputs: Inputs, own: Path, record: Path, key: str) -> None:
    """Build the head, and write it and its lesion in MNI152."""
    for made in sorted((own / "plans").glob("*.json")):  # of another head
        discard(made, job.output)
    discard(record, job.output)
    _remove(own / "head", own)
    built_head(inputs, own, job.options, yes_or_no(job.row, OPEN_SKULL), yes_or_no(job.row, LARGE_LESION))
    files = files_in(own / "head", job.output) + write_lesion(read_head(own / "head"), job.output, job.who)
    mark_done(record, key, files)


def _planned(
    job: Job, head: HeadModel, maps: StudyMaps, wanted: Sequence[tuple[str, Case, str]], own: Path
) -> list[str]:
    """Plan cases of one coil, and write each as it is made; why some could not be planned."""
    unfinished = UnfinishedPlan(own / "plans.unfinished")
    try:
        made = studies(
            head, [case for _, case, _ in wanted], grid=job.options.grid, draws=job.options.draws, keeper=unfinished,
            progress=_tell,
        )  # fmt: skip
        for (name, _, key), study in zip(wanted, made, strict=True):
            _written(job, study, maps, own, name, key)
    except Refusal as error:
        if len(wanted) == 1:
            LOG.error("%s: %s", wanted[0][0], _line(error))
            return [f"{wanted[0][0]}: {_line(error)}"]
        return [line for each in wanted for line in _planned(job, head, maps, [each], own)]
    unfinished.discard()
    return []


def _written(job: Job, study: Study, maps: StudyMaps, own: Path, name: str, key: str) -> None:
    """Write one plan and its maps, then that they are whole."""
    folder, options = own / "plans" / name, job.options
    folder.parent.mkdir(exist_ok=True)
    discard(own / "plans" / f"{name}.json", job.output)
    _remove(folder, own)
    write_study(
        study, folder, t1=head_images(own / "head").get("t1"), subject=job.who.participant, faceless=options.faceless,
        language=options.language,
    )  # fmt: skip
    files = files_in(folder, job.output) + write_rows(folder, job.output, job.who, name)
    files += maps.write(study, job.output, job.who, name)
    mark_done(own / "plans" / f"{name}.json", key, files)
    LOG.info("%s is written", name)


def _remove(folder: Path, own: Path) -> None:
    """Remove what is out of date; nothing that a link leads to."""
    if folder.is_symlink() or not folder.resolve().is_relative_to(own.resolve()):
        raise InputError(f"{folder} is a link or lies elsewhere; nothing was removed: remove it yourself.")
    if folder.is_dir():
        shutil.rmtree(folder)


def _tell(stage: str, share: float) -> None:
    if share in (0.0, 1.0):
        LOG.info("%s %s", stage, "begun" if share == 0.0 else "done")
