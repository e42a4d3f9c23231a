"""Several plans beside one another: coils, days, presets; from their records alone, those of different heads apart."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from neuro_field.clinic.sides import stimulated_roles
from neuro_field.clinic.study import Study
from neuro_field.coil.clock import clock_of, hour_of
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.nouns import noun
from neuro_field.report.card import views_of
from neuro_field.report.card_pictures import Drawn
from neuro_field.report.facts import plans_of
from neuro_field.report.kept import Kept
from neuro_field.report.markup import rendered
from neuro_field.report.sentences import leveled
from neuro_field.report.words import named
from neuro_field.search.plan import Plan

#: Of the table; lengths in mm, fields in V/m at 1 A/us, outputs in % of maximum, the clock in degrees from the nose.
COLUMNS = (
    "head", "number", "plan", "written", "preset", "coil", "role", "side", "stimulated", "site", "radius_mm",
    "field_mean", "field_along", "x", "y", "z", "from_cz_right_mm", "from_cz_front_mm", "electrode",
    "electrode_right_mm", "electrode_front_mm", "handle_clock_deg", "zone_cm2", "coil_cortex_mm", "published",
    "matched", "matched_low", "matched_high", "begin", "stimulator", "stops", "warnings", "from_first_mm",
    "handle_from_first_deg", "plan_digest", "head_digest",
)  # fmt: skip

#: Of those, what the page shows.
SHOWN = (
    "number", "plan", "written", "preset", "coil", "side", "site", "field_mean", "from_cz", "clock", "zone_cm2",
    "coil_cortex_mm", "matched", "begin", "warnings", "from_first_mm", "handle_from_first_deg",
)  # fmt: skip


@noun
class Compared:
    """One plan of one folder among those compared.

    ``name`` of its folder; ``kept`` what the folder holds; ``role`` as of `report.facts.plans_of`; ``number`` by which
    pictures call it; ``first`` the plan that it is measured against: the first of the same head, side and site; None
    for that one.
    """

    name: str
    kept: Kept
    role: str
    plan: Plan
    number: int
    first: Plan | None

    @property
    def stimulated(self) -> bool:
        """Whether the protocol stimulates this side; others are planned for comparison."""
        study = self.kept.study
        if not isinstance(study, Study):
            return True
        return self.role in stimulated_roles(study.preset, study.answers, study.affected)


def compared(folders: Sequence[tuple[str, Kept]]) -> list[list[Compared]]:
    """Every plan of every folder, those of one head together.

    Parameters
    ----------
    folders : sequence of (str, Kept)
        At least two, by what they are called.

    Raises
    ------
    InputError
        If there are fewer, or one is given twice.
    """
    if len(folders) < 2:
        raise InputError(f"At least two plans are needed to compare; instead received {len(folders)}.")
    digests = [kept.digest for _, kept in folders]
    if len(set(digests)) < len(digests):
        twice = [name for name, kept in folders if digests.count(kept.digest) > 1]
        raise InputError(f"One plan is given twice: {' and '.join(twice[:2])} hold the same.")
    heads: dict[str, list[Compared]] = {}
    firsts: dict[tuple[Any, ...], Plan] = {}
    number = 0
    for place, (name, kept) in enumerate(folders):
        head = kept.head_digest.get("mesh") or f"unknown {place}"  # of none that is not known, another
        for role, plan in plans_of(kept.study).items():
            number += 1
            key = (head, plan.target.side, plan.target.site)
            first = firsts.get(key)
            firsts.setdefault(key, plan)
            heads.setdefault(head, []).append(Compared(name, kept, role, plan, number, first))
    return list(heads.values())


def comparison_findings(heads: Sequence[Sequence[Compared]]) -> tuple[Finding, ...]:
    """What has to be said before anything is compared: other heads, other tissues, other ways of summing up."""
    out = []
    if len(heads) > 1:
        out.append(Finding("compare-other-heads", "warn", {"heads": len(heads)}))
    for index, plans in enumerate(heads):
        for part, code in (("tags", "compare-other-tissues"), ("conductivity", "compare-other-conductivities")):
            if len({each.kept.head_digest[part] for each in plans if part in each.kept.head_digest}) > 1:
                out.append(Finding(code, "warn", {"head": _letter(index)}))
        if len({each.plan.search.statistic for each in plans if each.plan.search is not None}) > 1:
            out.append(Finding("compare-other-statistics", "warn", {"head": _letter(index)}))
    return tuple(out)


def comparison_table(heads: Sequence[Sequence[Compared]]) -> list[tuple[str, ...]]:
    """Heading and one row a plan."""
    rows = [_cells(each, _letter(index)) for index, plans in enumerate(heads) for each in plans]
    return [COLUMNS, *(tuple(row.get(name, "") or "n/a" for name in COLUMNS) for row in rows)]


def comparison_page(heads: Sequence[Sequence[Compared]], language: str = "en") -> str:
    """The page as HTML, self-contained and without scripts."""
    found = comparison_findings(heads)
    return rendered(
        "comparison.html.j2",
        language=language,
        warnings=[leveled(finding, language) for finding in found],
        heads=[
            {
                "letter": _letter(index),
                "name": _head_name(plans[0].kept),
                "rows": [_shown(each, language) for each in plans],
                "pictures": _pictures(plans, language),
            }
            for index, plans in enumerate(heads)
        ],
        several=len(heads) > 1,
        columns=SHOWN,
    )


def _letter(index: int) -> str:
    return chr(ord("A") + index) if index < 26 else f"H{index + 1}"


def _head_name(kept: Kept) -> str:
    return kept.facts.head.figures.name if kept.facts.head.figures is not None else "-"


def _cells(each: Compared, head: str) -> dict[str, str]:
    """One plan as texts by column; what is not known is left out."""
    study, plan = each.kept.study, each.plan
    best, placed = plan.best, plan.best.placement
    steps = {finding.code: finding.values for finding in plan.tape}
    degrees = clock_degrees(each)
    dose = study.doses.get(each.role) if isinstance(study, Study) else None
    levels = [finding.level for finding in _findings(each)]
    numbers = {
        "radius_mm": plan.target.radius, "field_mean": best.magnitude,
        "field_along": best.verified if plan.target.direction is not None else None,
        **dict(zip("xyz", placed.center.tolist(), strict=True)),
        "from_cz_right_mm": steps.get("tape-aside", {}).get("right"),
        "from_cz_front_mm": steps.get("tape-front", {}).get("front"),
        "electrode_right_mm": steps.get("tape-electrode", {}).get("right"),
        "electrode_front_mm": steps.get("tape-electrode", {}).get("front"),
        "handle_clock_deg": degrees, "zone_cm2": plan.zone.area_cm2 if plan.zone is not None else None,
        "coil_cortex_mm": best.metrics.cortex_distance,
    }  # fmt: skip
    if dose is not None:
        outputs = ("published", "matched", "matched_low", "matched_high", "begin")
        fields = ("published", "matched", "low", "high", "begin")
        numbers |= {name: getattr(dose, field) for name, field in zip(outputs, fields, strict=True)}
    if each.first is not None:
        numbers |= {"from_first_mm": float(np.linalg.norm(placed.center - each.first.best.placement.center))}
        if not plan.handle_free and not each.first.handle_free:
            cosine = placed.handle_direction @ each.first.best.placement.handle_direction
            numbers |= {"handle_from_first_deg": float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))}
    return {
        "head": head, "number": str(each.number), "plan": each.name, "written": each.kept.written,
        "preset": study.preset.name if isinstance(study, Study) else "",
        "coil": study.coil.name if study.coil is not None else "",
        "role": each.role, "side": plan.target.side or "both", "stimulated": "yes" if each.stimulated else "no",
        "site": plan.target.name, "electrode": str(steps.get("tape-electrode", {}).get("electrode") or ""),
        "stimulator": (dose.stimulator or "") if dose is not None else "",
        "stops": str(levels.count("stop")), "warnings": str(levels.count("warn")),
        "plan_digest": each.kept.digest[:16], "head_digest": (each.kept.head_digest.get("mesh") or "")[:16],
        **{name: f"{float(str(value)):.6g}" for name, value in numbers.items() if value is not None},
    }  # fmt: skip


def clock_degrees(each: Compared) -> float | None:
    """Of the handle by the clock on the scalp; None of a coil without one."""
    placed = each.plan.best.placement
    if each.plan.handle_free:
        return None
    return clock_of(placed.handle_direction, -placed.axis, np.asarray(each.kept.facts.head.axes)[1])


def _findings(each: Compared) -> Iterable[Finding]:
    """What is said of a plan's side, and of the patient."""
    study = each.kept.study
    if not isinstance(study, Study):
        return (*study.findings, *study.target.findings)
    return [found for found in study.findings if found.values.get("role") in (None, each.role)]


def _shown(each: Compared, language: str) -> dict[str, Any]:
    """One plan as the page's table has it."""
    cells, degrees = _cells(each, ""), clock_degrees(each)
    rounded = {name: f"{float(cells[name]):.1f}" for name in SHOWN if name in _ONE_DECIMAL and name in cells}
    texts = {name: cells.get(name) or "-" for name in SHOWN} | rounded
    texts["number"] += " *" if each.stimulated else ""
    texts["field_mean"] = f"{float(cells['field_mean']):.3f}"
    texts["site"] = named(each.plan.target.name, language)
    texts["side"] = named(cells["side"], language)
    texts["clock"] = "-" if degrees is None else hour_of(degrees)
    right, front = cells.get("from_cz_right_mm"), cells.get("from_cz_front_mm")
    texts["from_cz"] = "-" if right is None or front is None else f"{float(right):+.0f}, {float(front):+.0f}"
    texts["matched"] = _output(cells.get("matched"))
    if "matched_low" in cells and _output(cells["matched_low"]) != _output(cells["matched_high"]):
        texts["matched"] += f" ({float(cells['matched_low']):.0f}-{float(cells['matched_high']):.0f})"
    texts["begin"] = _output(cells.get("begin"))
    texts["warnings"] = f"{cells['stops']} + {cells['warnings']}"
    return {"cells": texts, "stimulated": each.stimulated}


#: Spots nearer than this, mm, with handles this near (cosine: 10 degrees), are one in a picture.
_ONE_SPOT, _ONE_WAY = 3.0, float(np.cos(np.radians(10.0)))

#: Told with one decimal.
_ONE_DECIMAL = ("zone_cm2", "coil_cortex_mm", "from_first_mm", "handle_from_first_deg")


def _output(text: str | None) -> str:
    return "-" if text is None else f"{float(text):.0f} %"


def _marked(plans: Sequence[Compared]) -> list[tuple[str, Plan]]:
    """What is written at each spot; those that lie on one another share a mark, as in "1,3"."""
    out: list[tuple[str, Plan]] = []
    for each in plans:
        if not each.stimulated:
            continue
        same = (i for i, (_, plan) in enumerate(out) if _one_spot(plan, each.plan))
        found = next(same, None)
        if found is None:
            out.append((str(each.number), each.plan))
        else:
            out[found] = (f"{out[found][0]},{each.number}", out[found][1])
    return out


def _one_spot(one: Plan, other: Plan) -> bool:
    first, second = one.best.placement, other.best.placement
    near = float(np.linalg.norm(first.center - second.center)) < _ONE_SPOT
    return near and float(first.handle_direction @ second.handle_direction) > _ONE_WAY


def _pictures(plans: Sequence[Compared], language: str) -> list[dict[str, str]]:
    """The head from above and from the sides, with the stimulated spots by their numbers."""
    drawn = Drawn.of(plans[0].kept.facts.head)
    marked = _marked(plans)
    if drawn is None or not marked:
        return []
    return views_of(drawn, marked, language)
