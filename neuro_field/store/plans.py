"""A study or plan as a folder: plan.json, plan.tsv, report.html and pictures."""

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.clinic.study import Study
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.atomic import new_folder
from neuro_field.io.images import Image
from neuro_field.report.opengl import PictureError
from neuro_field.report.page import DISCLAIMER, study_page
from neuro_field.report.pictures import study_pictures
from neuro_field.report.sentences import role_side
from neuro_field.report.slices import Volume
from neuro_field.search.plan import Plan
from neuro_field.store.field_images import write_field_images
from neuro_field.store.plan_records import record_of, study_of

#: A larger plan.json is not read, bytes.
LARGEST = 64_000_000

_AXES = ("x", "y", "z")

#: Columns of plan.tsv: mm in the head frame, V/m at 1 A/us, degrees.
COLUMNS = (
    "role", "side", "rank", "ranked_V_per_m", "solved_V_per_m", "magnitude_V_per_m",
    *(f"center_{axis}_mm" for axis in _AXES), *(f"handle_{axis}" for axis in _AXES),
    *(f"initial_current_{axis}" for axis in _AXES), "angle_deg", "lift_mm", "cortex_distance_mm",
    "lesion_filled_V_per_m", "peak_V_per_m", "off_target_V_per_m", "half_volume_cm3", "homologous_V_per_m",
    "rim_V_per_m", "misplaced_mean_share", "misplaced_worst_share", "stays_first_share",
    *(f"head_from_coil_{i}{j}" for i in range(4) for j in range(4)),
)  # fmt: skip


def write_study(
    study: Study | Plan, folder: str | Path, *, t1: Image | None = None, grid: Image | None = None, subject: str = "01"
) -> None:
    """Write a study or plan to a new folder.

    plan.json (schema "neuro_field/plan"), plan.tsv (one row per ranked placement), report.html and pictures/*.png.
    Where pictures cannot be drawn the report is written without them and says why.  Given a grid, also fields/*.nii.gz:
    the field of each side's best placement at 1 A/us.

    Parameters
    ----------
    study : Study or Plan
    folder : str or Path
        Must not exist, or be empty; it appears whole or not at all.
    t1 : Image, optional
        Of the head: what the report's slices cut through; without one, the tissues of the mesh.
    grid : Image, optional
        The T1 again, when its grid is to carry the fields.
    subject : str
        Label in the names of the fields, never a patient's name.

    Raises
    ------
    InputError
        If the folder holds something, or fields are asked of a plan read from files, which has none.
    """
    if not isinstance(study, Study | Plan):
        raise InputError(f"Input study of write_study must be a Study or Plan; instead received {study!r:.80}.")
    with new_folder(folder) as beside:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        stamp = {"written": now, "neuro_field": version("neuro_field"), "disclaimer": DISCLAIMER}
        (beside / "plan.json").write_text(_json(record_of(study) | stamp), encoding="utf-8", newline="\n")
        (beside / "plan.tsv").write_text(_table(study), encoding="utf-8", newline="\n")
        pictures, missing = _pictures(study)
        if pictures:
            (beside / "pictures").mkdir()
        for name, data in pictures.items():
            (beside / "pictures" / f"{name}.png").write_bytes(data)
        image = Volume(t1.values, t1.affine) if t1 is not None else None
        page = study_page(study, pictures, t1=image, no_pictures=missing, made=now)
        (beside / "report.html").write_text(page, encoding="utf-8", newline="\n")
        if grid is not None:
            _write_fields(study, beside / "fields", grid, subject)


def _write_fields(study: Study | Plan, folder: Path, grid: Image, subject: str) -> None:
    folder.mkdir()
    for role, plan in ({"": study} if isinstance(study, Plan) else study.plans).items():
        if plan.field is None:
            raise InputError("A plan that was read from files holds no field; plan again to write its fields.")
        write_field_images(plan.field, folder, grid, role=role, subject=subject)


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _pictures(study: Study | Plan) -> tuple[dict[str, bytes], str]:
    """The pictures, or why there are none."""
    plans = [study] if isinstance(study, Plan) else study.plans.values()
    if all(plan.field is None for plan in plans):
        return {}, "the plan was read from files, which hold neither the head nor the field."
    try:
        return study_pictures(study), ""
    except PictureError as error:
        return {}, str(error)


def _table(study: Study | Plan) -> str:
    """Ranked placements of both sides, tab separated."""
    if isinstance(study, Plan):
        rows = _rows(study, "", study.target.side or "")
    else:
        rows = []
        for role, plan in study.plans.items():
            rows += _rows(plan, role, role_side(study, role))
    return "".join("\t".join(row) + "\n" for row in [list(COLUMNS), *rows])


def _rows(plan: Plan, role: str, side: str) -> list[list[str]]:
    rows = []
    for rank, candidate in enumerate(plan.ranking, start=1):
        placement = candidate.placement
        current = placement.initial_e_direction(plan.coil) if plan.coil is not None else np.full(3, np.nan)
        numbers = [
            candidate.strength, candidate.verified, candidate.magnitude, *placement.center,
            *placement.handle_direction, *current, candidate.angle, candidate.lift, *_told(plan, rank),
            *placement.head_from_coil.ravel(),
        ]  # fmt: skip
        cells = [f"{value + 0.0:.6f}" if value is not None and np.isfinite(value) else "n/a" for value in numbers]
        rows.append([role, side, str(rank), *cells])
    return rows


def _told(plan: Plan, rank: int) -> list[float | None]:
    """What is known of a ranked placement beside its field in the target, in the order of the columns."""
    candidate = plan.ranking[rank - 1]
    metrics, shaken = candidate.metrics, candidate.sensitivity
    return [
        metrics.cortex_distance, candidate.filled, metrics.peak, metrics.off_target, metrics.half_volume,
        metrics.homologous, metrics.rim, shaken.mean, shaken.worst,
        min(row[rank - 1] for row in plan.stability.first) if plan.stability is not None else None,
    ]  # fmt: skip


def read_plan(folder: str | Path) -> Study | Plan:
    """The study or plan that `write_study` wrote.

    It has neither head nor field, and its coil only if that is on the shelf and unchanged.

    Parameters
    ----------
    folder : str or Path

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FileFormatError
        If it holds no plan, or a damaged one; names the entry.

    Examples
    --------
    >>> import neuro_field as nf
    >>> from neuro_field.search.candidates import Grid
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> target = nf.Target.ball(head, center=(40, 0, 50), radius=8.0)
    >>> coarse = Grid(radius=20, spacing=10, angle_step=30)
    >>> made = nf.plan(nf.Solver(head), nf.load_coil("figure8-70mm"), target, grid=coarse)
    >>> nf.write(made, "PLAN")
    >>> nf.read_plan("PLAN").best.strength == made.best.strength
    True
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}; give one that neuro-field plan wrote.")
    path = folder / "plan.json" if folder.is_dir() else folder
    if not path.is_file():
        raise FileFormatError(f"{folder} holds no plan: its plan.json is missing.")
    if path.stat().st_size > LARGEST:
        size = path.stat().st_size / 1e6
        raise FileFormatError(f"{path} is {size:.0f} MB; a plan has at most {LARGEST / 1e6:.0f} MB.")
    try:
        record = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path} is damaged: {str(error)[:120]}") from None
    return study_of(record, str(path))


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")
