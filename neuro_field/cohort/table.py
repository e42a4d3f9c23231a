"""Studies as one tidy table: a row a placement, a column a thing measured, ready for pandas without needing it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.clinic.sides import stimulated_roles
from neuro_field.clinic.study import Study
from neuro_field.coil.clock import clock_of
from neuro_field.errors import InputError
from neuro_field.findings import as_name
from neuro_field.report.facts import Facts, plans_of
from neuro_field.search.plan import Plan
from neuro_field.store.plans import read_kept

#: What each column holds; lengths mm in the head frame, fields V/m at 1 A/us, outputs % of maximum.
COLUMNS: dict[str, str] = {
    "participant": "Label of the participant",
    "session": "Label of the session",
    "side": "Hemisphere of the target: left, right or both",
    "role": "What that hemisphere is to the lesion",
    "stimulated": "Whether the preset stimulates this side: yes or no",
    "preset": "Protocol",
    "coil": "Coil",
    "target": "Site that is aimed at",
    "x_mm": "Middle of the coil's casing face, right, of the best placement",
    "y_mm": "The same, anterior",
    "z_mm": "The same, superior",
    "mni_x_mm": "The same in MNI152, right",
    "mni_y_mm": "The same in MNI152, anterior",
    "mni_z_mm": "The same in MNI152, superior",
    "handle_clock_deg": "Handle on the scalp, degrees clockwise from the nose, seen from outside",
    "field_V_per_m": "Mean |E| in the target at 1 A/us",
    "field_along_V_per_m": "What the placement is ranked by: mean component of E along the target's axis, or |E|",
    "published_percent": "Dose as published, % of maximum output",
    "matched_percent": "Output that gives the target the field of the threshold",
    "matched_low_percent": "5th percentile of that over uncertain conductivities",
    "matched_high_percent": "95th percentile of that",
    "begin_percent": "Output to begin at",
    "first_share": "Share of draws of conductivities in which the placement stays first, the least over cavities",
    "loss_p95": "What keeping it loses in 95 of 100 draws, as a share of the best",
    "misplaced_worst_share": "What is left when the coil is 5 mm or 10 degrees off, at worst",
    "zone_cm2": "Area of the scalp where at least 95 % is kept",
    "rule": "Rule of thumb that comes nearest in the field",
    "from_rule_mm": "From the placement of that rule",
    "rule_share": "Field of that rule as a share of the best",
    "target_moved_mm": "How far the target lies from its seed",
    "target_off_x_mm": "From the seed to the target in MNI152, right",
    "target_off_y_mm": "The same, anterior",
    "target_off_z_mm": "The same, superior",
    "target_from_hot_spot_mm": "From the target to where the grey matter's field is strongest",
    "coil_cortex_mm": "From the coil to the nearest grey matter",
    "lesion_cm3": "Volume of the lesion",
    "lesion_side": "Where the lesion lies",
    "affected": "Hemisphere that ipsilesional means: left or right",
    "lost_share": "Share of the target that the lesion took",
    "stops": "Codes of findings that forbid a plan on this side",
    "warnings": "Codes of findings to be read first",
    "status": "done, failed",
    "reason": "Why there is no plan",
}  # fmt: skip

Row = dict[str, Any]


def table(studies: Mapping[str, Any] | Iterable[Any]) -> dict[str, list[Any]]:
    """Studies as the columns of one table, a row for every side of each.

    Parameters
    ----------
    studies : mapping of str to Study, Plan or path, or an iterable of them
        By label of the participant; of an iterable, plans that were read from folders keep the label they were written
        with, others are counted from 1.

    Returns
    -------
    dict of str to list
        Columns of equal length (`COLUMNS` of `neuro_field.cohort.table` tells what they hold), as `pandas.DataFrame`
        takes them: None where nothing is known.  A side without a plan has a row with its reason, the code of the
        finding.

    Raises
    ------
    InputError
        If something among them is no study, plan or folder of one.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> target = nf.Target.ball(head, center=(40, 0, 50), radius=8.0)
    >>> coarse = nf.Grid(radius=10, spacing=10, angle_step=90)
    >>> made = nf.plan(nf.Solver(head), nf.load_coil("figure8-70mm"), target, grid=coarse)
    >>> columns = nf.table({"01": made})  # pandas.DataFrame(columns) is the table
    >>> columns["participant"], columns["coil"], columns["field_V_per_m"] == [made.best.magnitude]
    (['01'], ['figure8-70mm'], True)
    """
    rows: list[Row] = []
    pairs = studies.items() if isinstance(studies, Mapping) else ((None, each) for each in studies)
    for number, (label, thing) in enumerate(pairs, start=1):
        if isinstance(thing, str | Path):
            kept = read_kept(thing)
            rows += rows_of(kept.study, kept.facts, participant=label or kept.subject)
        elif isinstance(thing, Study | Plan):
            rows += rows_of(thing, Facts.of(thing), participant=label or str(number))
        else:
            raise InputError(
                f"Input studies of table must hold studies, plans or their folders; instead one is {thing!r:.60}."
            )
    return columns_of(rows)


def columns_of(rows: Iterable[Row]) -> dict[str, list[Any]]:
    """Rows as columns; what a row does not tell is None."""
    listed = list(rows)
    return {name: [row.get(name) for row in listed] for name in COLUMNS}


def rows_of(study: Study | Plan, facts: Facts, *, participant: str, session: str | None = None) -> list[Row]:
    """A row for every side of a study: those with a plan, then those without, with the reason."""
    whose: Row = {"participant": participant, "session": session, "status": "done"}
    whose["coil"] = study.coil.name if study.coil is not None else None
    if isinstance(study, Study):
        whose |= {"preset": study.preset.name, "affected": study.affected}
        if study.lesion is not None:
            whose |= {"lesion_cm3": study.lesion.volume_cm3, "lesion_side": study.lesion.side}
    rows = [whose | _of_plan(study, facts, role, plan) for role, plan in plans_of(study).items()]
    if isinstance(study, Study):
        rows += [
            whose | {"role": role, "side": study.side_of(role), "stops": finding.code, "reason": finding.code}
            for role, finding in study.why.items()
            if role not in study.plans
        ]
    return rows


def _of_plan(study: Study | Plan, facts: Facts, role: str, plan: Plan) -> Row:
    """What one plan is told by."""
    best, target = plan.best, plan.target
    placed, clock = best.placement, None
    if not plan.handle_free:
        clock = clock_of(placed.handle_direction, -placed.axis, np.asarray(facts.head.axes)[1])
    row: Row = {
        "side": target.side or "both", "role": None if isinstance(study, Plan) else role,
        "stimulated": "yes" if isinstance(study, Plan) or role in _stimulated(study) else "no",
        "target": as_name(target.name), **_places("{}_mm", placed.center), "handle_clock_deg": clock,
        **_places("mni_{}_mm", facts.head.mni(placed.center)),
        "field_V_per_m": best.magnitude, "field_along_V_per_m": best.verified,
        "misplaced_worst_share": best.sensitivity.worst, "coil_cortex_mm": best.metrics.cortex_distance,
        "zone_cm2": None if plan.zone is None else plan.zone.area_cm2,
        "target_moved_mm": target.moved, "lost_share": 1.0 - target.viable_share,
        **_places("target_off_{}_mm", _offset(plan, facts)),
    }  # fmt: skip
    row |= _dose(study, role) | _stability(plan) | _rule(plan)
    known = facts.plans.get(role)
    if known is not None:
        away = [float(np.linalg.norm(np.asarray(known.strongest.hot_spot) - center)) for center in target.centers]
        row["target_from_hot_spot_mm"] = min(away)
    return row | _said(study, plan, role)


def _offset(plan: Plan, facts: Facts) -> Any:
    """From the seed to the target in MNI152, (3,) mm; None where either is not known."""
    place = facts.head.mni(np.asarray(plan.target.center))
    seed = plan.target.seed_mni
    return None if place is None or seed is None else place - np.asarray(seed)


def _stimulated(study: Study) -> tuple[str, ...]:
    return tuple(stimulated_roles(study.preset, study.answers, study.affected))


def _places(pattern: str, point: Any) -> Row:
    values = [None] * 3 if point is None else np.asarray(point).tolist()
    return {pattern.format(axis): value for axis, value in zip("xyz", values, strict=True)}


def _dose(study: Study | Plan, role: str) -> Row:
    dose = study.doses.get(role) if isinstance(study, Study) else None
    if dose is None:
        return {}
    return {
        "published_percent": dose.published, "matched_percent": dose.matched, "matched_low_percent": dose.low,
        "matched_high_percent": dose.high, "begin_percent": dose.begin,
    }  # fmt: skip


def _stability(plan: Plan) -> Row:
    found = plan.stability
    if found is None:
        return {}
    return {"first_share": min(row[0] for row in found.first), "loss_p95": max(found.loss_p95)}


def _rule(plan: Plan) -> Row:
    """The best of the rules of thumb, and how far it is from the best placement."""
    if not plan.rules:
        return {}
    best = max(plan.rules, key=lambda rule: rule.strength)
    away = float(np.linalg.norm(best.placement.center - plan.best.placement.center))
    name = str(best.rule.values.get("electrode") or best.rule.code.removeprefix("rule-"))
    return {"rule": name, "from_rule_mm": away, "rule_share": best.strength / plan.best.strength}


def _said(study: Study | Plan, plan: Plan, role: str) -> Row:
    """Codes of what is said of a side, or of the patient."""
    if isinstance(study, Study):
        found = [each for each in study.findings if each.values.get("role") in (None, role)]
    else:
        found = [*plan.findings, *plan.target.findings]
    codes = {level: sorted({each.code for each in found if each.level == level}) for level in ("stop", "warn")}
    return {"stops": ",".join(codes["stop"]) or None, "warnings": ",".join(codes["warn"]) or None}


def table_text(rows: Iterable[Row]) -> str:
    """Rows as a tab-separated table of BIDS: n/a where nothing is known."""
    columns = columns_of(rows)
    lines = [list(columns), *(map(_cell, row) for row in zip(*columns.values(), strict=True))]
    return "".join("\t".join(line) + "\n" for line in lines)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "n/a"
    if isinstance(value, float):
        return f"{value + 0.0:.6f}"
    text = " ".join(str(value).split())
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text or "n/a"


def rows_of_text(text: str) -> list[Row]:
    """What `table_text` wrote, as texts and numbers; none of a table with other columns."""
    lines = [line.split("\t") for line in text.splitlines()]
    if not lines or lines[0] != list(COLUMNS):
        return []
    whole = [line for line in lines[1:] if len(line) == len(COLUMNS)]
    return [dict(zip(COLUMNS, map(_read, line), strict=True)) for line in whole]


def _read(cell: str) -> Any:
    if cell == "n/a":
        return None
    try:
        return float(cell) if "." in cell else cell
    except ValueError:
        return cell
