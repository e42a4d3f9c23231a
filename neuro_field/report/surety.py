"""How sure a plan is, in words and figures: misplacement, conductivities, the lesion, and the rules of thumb."""

from collections.abc import Sequence
from typing import Any

from neuro_field.arrays import FloatArray
from neuro_field.report.directions import sector_words
from neuro_field.report.words import said
from neuro_field.search.metrics import AWAY, RIM
from neuro_field.search.plan import Candidate, Plan
from neuro_field.search.sensitivity import SHIFT, TURN
from neuro_field.search.uncertainty import VARIATION

#: A cost, as a share of the field, below which it would be told as 0.0 %.
LEAST_COST = 0.0005


def sure_lines(plan: Plan) -> list[str]:
    """One statement a line, each with its label."""
    lines = [
        misplaced_line(plan.best),
        stability_line(plan),
        lesion_line(plan),
        filled_line(plan),
        elsewhere_line(plan.best),
        *rule_lines(plan),
    ]
    return [line for line in lines if line]


def misplaced_line(candidate: Candidate) -> str:
    """What the field in the target loses when the coil is not held exactly."""
    shaken = candidate.sensitivity
    shift, turn, tilt, mean, worst = (
        f"{100 * share:.0f} %" for share in (shaken.shift, shaken.turn, shaken.tilt, shaken.mean, shaken.worst)
    )
    return (
        f"If misplaced: {SHIFT:g} mm off it keeps at least {shift} of the field in the target, turned by {TURN:g}° "
        f"{turn}, tilted by {TURN:g}° {tilt}; all three together {mean} on average and {worst} at worst."
    )


def stability_line(plan: Plan) -> str:
    """What uncertain conductivities do to the first placement, a clause for each of the cavity's; empty if not asked.

    Costs of keeping it that would be told as 0.0 % are told as none.
    """
    found = plan.stability
    if found is None:
        return ""
    clauses = []
    for i, (low, high, cost) in enumerate(zip(found.low, found.high, found.loss_mean, strict=True)):
        value = f"{found.lesion_values[i]:g} S/m: " if found.lesion_values else ""
        costs = "nothing" if cost < LEAST_COST else f"{100 * cost:.1f} % on average"
        clauses.append(f"{value}{low[0]:.3f}-{high[0]:.3f} V/m, keeping the first costs {costs}")
    if max(found.loss_mean) < LEAST_COST:  # told once
        clauses = [clause.partition(", keeping")[0] for clause in clauses]
        clauses[-1] += ", keeping the first costs nothing" + " with any of them" * (len(clauses) > 1)
    cavity = ", by what the lesion's cavity conducts" if found.lesion_values else ""
    return (
        f"Stability: field at 1 A/µs over {found.draws} draws of the tissues' conductivities (5th-95th percentile)"
        f"{cavity}: {'; '.join(clauses)}."
    )


#: What a zone keeps a share of, by what placements are ranked by.
_RANKED_BY = {"strength": "field in the target", "ratio": "ratio to the regions compared", "focality": "focality"}


def zone_line(plan: Plan, axes: FloatArray) -> str:
    """Where the best placement may be held and keep most of its field; empty for a plan without a zone.

    Parameters
    ----------
    plan : Plan
    axes : (3, 3) array
        Unit vectors to the patient's right, front and top (rows), head frame.
    """
    zone = plan.zone
    if zone is None:
        return ""
    ranked = _RANKED_BY[plan.search.objective if plan.search is not None else "strength"]
    words = f"Zone: within {zone.area_cm2:.1f} cm2 of scalp ({100 * zone.share:.0f} % of the positions searched)"
    if zone.handle_low is not None and zone.handle_high is not None:
        words += f" and, at the best one, with {_handles(plan, zone.handle_low, zone.handle_high, axes)}"
    words += f" the coil keeps at least {100 * zone.kept:.0f} % of the best {ranked}"
    cut = "; the zone is cut off at the rim of the search and may go on beyond it"
    return f"{words}{'' if zone.closed else cut}."


def _handles(plan: Plan, low: float, high: float, axes: FloatArray) -> str:
    """A sector of handles in words; degrees from straight back."""
    zone, best = plan.zone, plan.best
    assert zone is not None
    if zone.period is not None and high - low >= zone.period - zone.angle_step:
        return "any handle"
    own = (best.angle + 180.0) % 360.0 - 180.0
    ends = [best.placement.moved(turned=end - own) for end in (low, high)]
    return f"handles from {sector_words(ends[0], ends[1], axes)},"


def lesion_line(plan: Plan) -> str:
    """What the unknown conductivity of the cavity does to the best placement; empty for a head without one."""
    found = plan.stability
    if found is None or not found.lesion_values:
        return ""
    pairs = zip(found.lesion_values, found.median, found.first, strict=True)
    told = "; ".join(f"{value:g} S/m {field[0]:.3f} V/m{_first(first)}" for value, field, first in pairs)
    return f"Lesion's conductivity: {told} (medians; no value is established)."


def _first(shares: Sequence[float]) -> str:
    """How often the first placement stays first, where there is another to be first."""
    return f", first in {100 * shares[0]:.0f} %" if len(shares) > 1 else ""


def filled_line(plan: Plan) -> str:
    """The same placements in a head whose lesion is filled; empty where that is not known."""
    best = plan.best
    if best.filled is None:
        return ""
    known = [candidate.filled or 0.0 for candidate in plan.ranking]
    first = known.index(max(known)) + 1
    words = (
        f"Lesion filled: with the lesion made the tissue around it the best placement has {best.filled:.3f} V/m, "
        f"{_change(best)} with the lesion"
    )
    also = "would be first as well" if first == 1 else f"would give way to placement {first}"
    return f"{words}; without the lesion it {also}."


def _change(candidate: Candidate) -> str:
    """What the lesion does to the field of a placement; empty where that is not known."""
    return "" if candidate.filled is None else f"{100 * (candidate.verified / candidate.filled - 1):+.1f} %"


def elsewhere_line(candidate: Candidate) -> str:
    """The field outside the target."""
    metrics = candidate.metrics
    words = [f"Elsewhere: 99.9th percentile in all viable grey matter {metrics.peak:.3f} V/m"]
    if metrics.off_target is not None:
        words.append(f"farther than {AWAY:g} mm from the target {metrics.off_target:.3f}")
    if metrics.rim is not None:
        words.append(f"in the brain within {RIM:g} mm of the lesion {metrics.rim:.3f}")
    if metrics.lesion is not None:
        words.append(f"mean in the lesion's cavity {metrics.lesion:.3f}")
    if metrics.homologous is not None:
        words.append(f"mean in the same target of the other hemisphere {metrics.homologous:.3f}")
    words += [f"mean in {name}, to be avoided, {value:.3f}" for name, value in metrics.avoided.items()]
    return (
        f"{', '.join(words)} V/m at 1 A/µs; {metrics.half_volume:.1f} cm³ of grey matter has at least half of the "
        "target's field."
    )


def rule_lines(plan: Plan) -> list[str]:
    """What the rules of thumb would have given."""
    best = plan.best.strength
    return [
        said(rule.rule.told_with(strength=rule.strength, share=rule.strength / best, handle_free=plan.handle_free))
        for rule in plan.rules
    ]


def sure_rows(plan: Plan) -> list[dict[str, Any]]:
    """The table of ranked placements: how sure each is, and its field elsewhere."""
    rows = []
    for i, candidate in enumerate(plan.ranking):
        metrics, shaken, found = candidate.metrics, candidate.sensitivity, plan.stability
        rows.append({
            "rank": i + 1,
            "range": f"{min(r[i] for r in found.low):.3f} - {max(r[i] for r in found.high):.3f}" if found else "-",
            "first": ", ".join(f"{100 * row[i]:.0f} %" for row in found.first) if found else "-",
            "mean": f"{100 * shaken.mean:.0f} %",
            "worst": f"{100 * shaken.worst:.0f} %",
            "filled": _change(candidate) or "-",
            "distance": f"{metrics.cortex_distance:.1f}",
            "volume": f"{metrics.half_volume:.1f}",
            **{name: _number(getattr(metrics, name)) for name in ("peak", "off_target", "homologous", "rim")},
        })  # fmt: skip
    return rows


def varied_words() -> str:
    """Which conductivities were varied and by how much, for the foot of a table."""
    return ", ".join(f"{name.replace('_', ' ')} {100 * value:.0f} %" for name, value in VARIATION.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
