"""How sure a plan is, in words and figures: misplacement, conductivities, the lesion, and the rules of thumb."""

from typing import Any

from neuro_field.arrays import FloatArray
from neuro_field.report.directions import sector_words
from neuro_field.report.words import listed, named, phrase, said
from neuro_field.search.metrics import AWAY, RIM
from neuro_field.search.plan import Candidate, Plan
from neuro_field.search.sensitivity import SHIFT, TURN
from neuro_field.search.uncertainty import VARIATION

#: A cost, as a share of the field, below which it would be told as 0.0 %.
LEAST_COST = 0.0005


def sure_lines(plan: Plan, language: str = "en") -> list[str]:
    """One statement a line, each with its label."""
    lines = [
        misplaced_line(plan.best, language),
        stability_line(plan, language),
        lesion_line(plan, language),
        filled_line(plan, language),
        elsewhere_line(plan.best, language),
        *rule_lines(plan, language),
    ]
    return [line for line in lines if line]


def misplaced_line(candidate: Candidate, language: str = "en") -> str:
    """What the field in the target loses when the coil is not held exactly."""
    kept = candidate.sensitivity
    return phrase(
        "sure.misplaced", language, by_mm=SHIFT, by_degrees=TURN, shift=kept.shift, turn=kept.turn, tilt=kept.tilt,
        mean=kept.mean, worst=kept.worst,
    )  # fmt: skip


def stability_line(plan: Plan, language: str = "en") -> str:
    """What uncertain conductivities do to the first placement, a clause for each of the cavity's; empty if not asked.

    Costs of keeping it that would be told as 0.0 % are told as none.
    """
    found = plan.stability
    if found is None:
        return ""
    free = max(found.loss_mean) < LEAST_COST  # told once
    clauses = []
    for i, (low, high, cost) in enumerate(zip(found.low, found.high, found.loss_mean, strict=True)):
        clause = phrase("sure.range", language, low=low[0], high=high[0])
        if found.lesion_values:
            clause = phrase("sure.with", language, sigma=found.lesion_values[i], told=clause)
        if not free:
            clause += phrase(f"sure.keeping{'-free' if cost < LEAST_COST else ''}", language, cost=cost)
        clauses.append(clause)
    if free:
        clauses[-1] += phrase(f"sure.keeping-free{'-with-any' if len(clauses) > 1 else ''}", language)
    told = phrase("sure.between", language).join(clauses)
    return phrase(
        f"sure.stability{'-by-cavity' if found.lesion_values else ''}", language, draws=found.draws, told=told
    )


def zone_line(plan: Plan, axes: FloatArray, language: str = "en") -> str:
    """Where the best placement may be held and keep most of its field; empty for a plan without a zone.

    Parameters
    ----------
    plan : Plan
    axes : (3, 3) array
        Unit vectors to the patient's right, front and top (rows), head frame.
    language : str
    """
    zone = plan.zone
    if zone is None:
        return ""
    handles = ""
    if zone.handle_low is not None and zone.handle_high is not None:
        handles = _handles(plan, zone.handle_low, zone.handle_high, axes, language)
    objective = plan.search.objective if plan.search is not None else "strength"
    return phrase(
        "zone.line", language, area=zone.area_cm2, share=zone.share, handles=handles, kept=zone.kept,
        ranked=phrase(f"zone.ranked-by-{objective}", language),
        cut="" if zone.closed else phrase("zone.cut", language),
    )  # fmt: skip


def _handles(plan: Plan, low: float, high: float, axes: FloatArray, language: str) -> str:
    """A sector of handles in words; degrees from straight back."""
    zone, best = plan.zone, plan.best
    assert zone is not None
    if zone.period is not None and high - low >= zone.period - zone.angle_step:
        return phrase("zone.any-handle", language)
    own = (best.angle + 180.0) % 360.0 - 180.0
    ends = [best.placement.moved(turned=end - own) for end in (low, high)]
    return phrase("zone.handles", language, sector=sector_words(ends[0], ends[1], axes, language))


def lesion_line(plan: Plan, language: str = "en") -> str:
    """What the unknown conductivity of the cavity does to the best placement; empty for a head without one."""
    found = plan.stability
    if found is None or not found.lesion_values:
        return ""
    clauses = []
    for value, field, first in zip(found.lesion_values, found.median, found.first, strict=True):
        clause = phrase("sure.median", language, sigma=value, field=field[0])
        if len(first) > 1:  # there is another to be first
            clause += phrase("sure.first-in", language, share=first[0])
        clauses.append(clause)
    return phrase("sure.lesion", language, told=phrase("sure.between", language).join(clauses))


def filled_line(plan: Plan, language: str = "en") -> str:
    """The same placements in a head whose lesion is filled; empty where that is not known."""
    best = plan.best
    if best.filled is None:
        return ""
    known = [candidate.filled or 0.0 for candidate in plan.ranking]
    first = known.index(max(known)) + 1
    key = "sure.filled" if first == 1 else "sure.filled-other-first"
    return phrase(key, language, field=best.filled, change=_change(best), first=first)


def _change(candidate: Candidate) -> str:
    """What the lesion does to the field of a placement; empty where that is not known."""
    return "" if candidate.filled is None else f"{100 * (candidate.verified / candidate.filled - 1):+.1f} %"


def elsewhere_line(candidate: Candidate, language: str = "en") -> str:
    """The field outside the target."""
    metrics = candidate.metrics
    words = [phrase("elsewhere.peak", language, field=metrics.peak)]
    if metrics.off_target is not None:
        words.append(phrase("elsewhere.off-target", language, away=AWAY, field=metrics.off_target))
    if metrics.rim is not None:
        words.append(phrase("elsewhere.rim", language, within=RIM, field=metrics.rim))
    if metrics.lesion is not None:
        words.append(phrase("elsewhere.lesion", language, field=metrics.lesion))
    if metrics.homologous is not None:
        words.append(phrase("elsewhere.homologous", language, field=metrics.homologous))
    words += [phrase("elsewhere.avoided", language, name=name, field=value) for name, value in metrics.avoided.items()]
    return phrase("elsewhere.line", language, told=listed(words, language), volume=metrics.half_volume)


def rule_lines(plan: Plan, language: str = "en") -> list[str]:
    """What the rules of thumb would have given."""
    best = plan.best.strength
    return [
        said(
            rule.rule.told_with(strength=rule.strength, share=rule.strength / best, handle_free=plan.handle_free),
            language,
        )
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


def varied_words(language: str = "en") -> str:
    """Which conductivities were varied and by how much, for the foot of a table."""
    return listed((f"{named(name, language)} {100 * value:.0f} %" for name, value in VARIATION.items()), language)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
