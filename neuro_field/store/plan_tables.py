"""Plans as tables, tab separated: the ranked placements of one folder, and the best of several."""

import numpy as np

from neuro_field.clinic.dose import Dose
from neuro_field.clinic.study import Study
from neuro_field.coil.placement import Placement
from neuro_field.findings import as_name
from neuro_field.report.facts import plans_of
from neuro_field.report.sentences import is_own, role_side, target_title
from neuro_field.search.plan import Plan

_AXES = ("x", "y", "z")

#: What stands in front of every row.
WHOSE = ("subject", "preset", "coil", "target", "role", "side")

#: Outputs of a dose, % of maximum.
DOSE = ("published_percent", "matched_percent", "begin_percent")

#: Columns of plan.tsv: mm in the head frame, V/m at 1 A/us, degrees.
COLUMNS = (
    *WHOSE, "rank", "ranked_V_per_m", "solved_V_per_m", "magnitude_V_per_m",
    *(f"center_{axis}_mm" for axis in _AXES), *(f"handle_{axis}" for axis in _AXES),
    *(f"initial_current_{axis}" for axis in _AXES), "angle_deg", "lift_mm", "cortex_distance_mm",
    "lesion_filled_V_per_m", "peak_V_per_m", "off_target_V_per_m", "half_volume_cm3", "homologous_V_per_m",
    "rim_V_per_m", "misplaced_mean_share", "misplaced_worst_share", "stays_first_share", *DOSE,
    *(f"head_from_coil_{i}{j}" for i in range(4) for j in range(4)),
)  # fmt: skip

#: Columns of index.tsv: one row for each plan of several folders.
INDEX_COLUMNS = (
    "folder", *WHOSE, "own", "solved_V_per_m", "magnitude_V_per_m", *(f"center_{axis}_mm" for axis in _AXES),
    "angle_deg", *DOSE, "warnings",
)  # fmt: skip


#: Columns of zone.tsv: one row for each pose that keeps the zone's share of the best.
ZONE_COLUMNS = (
    *WHOSE, "share_of_best", *(f"center_{axis}_mm" for axis in _AXES), *(f"handle_{axis}" for axis in _AXES),
    "angle_deg", *(f"head_from_coil_{i}{j}" for i in range(4) for j in range(4)),
)  # fmt: skip


def plan_table(study: Study | Plan, subject: str) -> str:
    """Ranked placements of all sides."""
    rows = [COLUMNS]
    for role, plan in plans_of(study).items():
        whose, dose = _whose(study, subject, role, plan), _doses(study, role)
        for rank, candidate in enumerate(plan.ranking, start=1):
            placement = candidate.placement
            numbers = [
                candidate.strength, candidate.verified, candidate.magnitude, *placement.center,
                *_directions(plan, placement), _angle(plan, candidate.angle), candidate.lift, *_told(plan, rank), *dose,
                *placement.head_from_coil.ravel(),
            ]  # fmt: skip
            rows.append((*whose, str(rank), *map(_cell, numbers)))
    return table_of(rows)


def _directions(plan: Plan, placement: Placement) -> list[float | None]:
    """Handle and initial current, (3,) each; none where the handle is free, no current of a coil that is not known."""
    if plan.handle_free:
        return [None] * 6
    current = [None] * 3 if plan.coil is None else placement.initial_e_direction(plan.coil).tolist()
    return [*placement.handle_direction.tolist(), *current]


def _angle(plan: Plan, angle: float) -> float | None:
    return None if plan.handle_free else angle


def zone_table(study: Study | Plan, subject: str) -> str:
    """Every pose of the zones of all sides, the best of each first; empty where no plan has one."""
    rows = []
    for role, plan in plans_of(study).items():
        zone, whose = plan.zone, _whose(study, subject, role, plan)
        if zone is None:
            continue
        for pose, strength, turn in zip(zone.poses, zone.strengths, zone.turns, strict=True):
            placement = Placement(pose)
            numbers = [
                float(strength / zone.strengths[0]), *placement.center, *_directions(plan, placement)[:3],
                _angle(plan, (plan.best.angle + turn) % 360.0), *pose.ravel(),
            ]  # fmt: skip
            rows.append((*whose, *map(_cell, numbers)))
    return table_of([ZONE_COLUMNS, *rows]) if rows else ""


def index_rows(folder: str, study: Study | Plan, subject: str) -> list[tuple[str, ...]]:
    """The best placement of every plan of a folder among others."""
    rows = []
    for role, plan in plans_of(study).items():
        best, own = plan.best, isinstance(study, Plan) or is_own(study, role)
        findings = study.findings if isinstance(study, Study) else plan.findings
        warnings = sum(finding.level != "note" for finding in findings)
        angle = _angle(plan, best.angle)
        numbers = [best.verified, best.magnitude, *best.placement.center, angle, *_doses(study, role)]
        whose = _whose(study, subject, role, plan)
        rows.append((folder, *whose, "yes" if own else "no", *map(_cell, numbers), str(warnings)))
    return rows


def _whose(study: Study | Plan, subject: str, role: str, plan: Plan) -> tuple[str, ...]:
    single = isinstance(study, Plan)
    return (
        as_name(subject),
        "n/a" if isinstance(study, Plan) else as_name(study.preset.name),
        as_name(study.coil.name) if study.coil is not None else "n/a",
        as_name(target_title(plan.target)),
        "n/a" if single else role,
        (plan.target.side or "n/a") if isinstance(study, Plan) else role_side(study, role),
    )


def _doses(study: Study | Plan, role: str) -> list[float | None]:
    dose: Dose | None = None if isinstance(study, Plan) else study.doses.get(role)
    return [None] * len(DOSE) if dose is None else [dose.published, dose.matched, dose.begin]


def _told(plan: Plan, rank: int) -> list[float | None]:
    """What is known of a ranked placement beside its field in the target, in the order of the columns."""
    candidate = plan.ranking[rank - 1]
    metrics, shaken = candidate.metrics, candidate.sensitivity
    return [
        metrics.cortex_distance, candidate.filled, metrics.peak, metrics.off_target, metrics.half_volume,
        metrics.homologous, metrics.rim, shaken.mean, shaken.worst,
        min(row[rank - 1] for row in plan.stability.first) if plan.stability is not None else None,
    ]  # fmt: skip


def _cell(value: float | None) -> str:
    return f"{value + 0.0:.6f}" if value is not None and np.isfinite(value) else "n/a"


def table_of(rows: list[tuple[str, ...]]) -> str:
    """Rows of cells as text, tab separated."""
    return "".join("\t".join(row) + "\n" for row in rows)
