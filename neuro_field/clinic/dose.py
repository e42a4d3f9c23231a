"""How strongly to drive the coil: the protocol as published, the field-matched output, and the output to begin at.

Field-matched means that the target gets the wanted share k of the field that the threshold had in its own area.  Fields
are linear in the slope of the current, E = e dI/dt, and the slope in the output, so with the threshold's own coil A at
its anchor and the coil B that treats,
output_B = k threshold (e_A max_A) / (e_B max_B)   (HBM 2026 e70550 [src]).
"""

from dataclasses import dataclass, replace

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.clinic.anchor import Anchor, depth_of, varied
from neuro_field.clinic.envelope import envelope_findings
from neuro_field.clinic.machines import Machines, machines
from neuro_field.clinic.percentage import Percentage
from neuro_field.clinic.threshold import Threshold
from neuro_field.coil.outputs import brand_of, coil_kind
from neuro_field.errors import InputError
from neuro_field.findings import Finding, as_name, worst_first
from neuro_field.search.plan import Plan
from neuro_field.units import AMPERE_PER_MICROSECOND

#: A target of which less than this is viable is given no dose.
LEAST_VIABLE = 0.5

#: Above this share of the motor threshold a warning is due.
HIGH = 1.2

#: Above this share no output to begin at is given: the table of tested trains ends there (Rossi 2009, table 4 [lit]).
HIGHEST = 1.3

#: %MSO per mm by which the threshold grows with the depth of the cortex, lowest and highest published: a figure-8 on
#: one family of stimulators (Stokes 2005, 2007, 2013 [src]).
STOKES = (2.7, 3.0)

#: Whose stimulators and kind of coil those slopes are of [lit].
STOKES_BRAND, STOKES_KIND = "Magstim", "figure-8"

#: A threshold read by visible twitch is this much higher than one by electromyography [src].
TWITCH = 1.113

#: Field-matched and depth-matched outputs farther apart than this, %MSO, contradict one another.
_APART = 10.0

#: The ratios by |E| and along the axis that differ by more than this are told.
_RATIOS_APART = 0.1

#: Percentiles of the output over uncertain conductivities.
_PERCENTILES = (5, 95)


@dataclass(frozen=True)
class Dose:
    """Outputs of the stimulator, told apart, and what has to be said with them.

    All outputs are % of the maximum of the stimulator that treats, with the coil that is planned with.

    Parameters
    ----------
    published : float, optional
        The protocol as published: its share of the threshold, of the muscle, kind and coil it names; None where the
        threshold given is another.
    matched : float, optional
        The field-matched output, at most 100: what gives the target that share of the threshold's field.
    needed : float, optional
        The same uncapped.
    low, high : float, optional
        Interval of the matched output over uncertain conductivities (and, by a threshold of the other hemisphere, over
        what that leaves open), at most 100; None where there is none.
    begin : float, optional
        The output to begin at: the lowest of the published one, the matched one and the low end of its interval,
        divided by 1.113 for a threshold by visible twitch; None where `findings` say why.
    of_threshold : float, optional
        The matched output as a share of the threshold that this coil would have; None where that is not known.
    target_field : float, optional
        V/m in the target at the matched output, by `statistic`; None where the coil's slope is not known.
    ratio_magnitude, ratio_along : float, optional
        Field at the anchor over field in the target, at 1 A/us each, by mean |E|, and along the wanted current axes
        where both have one.
    statistic : {"magnitude", "along"}
        Which of them the dose is matched by: what the placements are ranked by, where the anchor has it too.
    stokes_low, stokes_high : float, optional
        The output by the depths of anchor and target under the scalp alone (Stokes), %; figure-8 coils only.
    anchor : {"pose", "hot-spot", "best-placement"}, optional
        Where the threshold's field was computed: at the pose where it was read, at a measured hot spot, or at the
        model's best placement over the area, which stands in.
    at_target : bool
        Whether the anchor is this very target and placement: conductivities then change nothing.
    stimulator : str, optional
        That treats; None where it was not named: outputs are then those of the machine the threshold was read with.
    findings : tuple of Finding
    """

    published: float | None = None
    matched: float | None = None
    needed: float | None = None
    low: float | None = None
    high: float | None = None
    begin: float | None = None
    of_threshold: float | None = None
    target_field: float | None = None
    ratio_magnitude: float | None = None
    ratio_along: float | None = None
    statistic: str = "magnitude"
    stokes_low: float | None = None
    stokes_high: float | None = None
    anchor: str | None = None
    at_target: bool = False
    stimulator: str | None = None
    findings: tuple[Finding, ...] = ()


def dose(
    percentage: Percentage,
    threshold: Threshold,
    anchor: Anchor,
    plan: Plan,
    *,
    stimulator: str | None = None,
    trains: tuple[tuple[float, float | None], ...] = (),
) -> Dose:
    """Outputs for the best placement of a plan, from one threshold.

    Parameters
    ----------
    percentage : Percentage
        What the protocol asks for; its ``share`` is k.
    threshold : Threshold
    anchor : Anchor
        The threshold's field in its own area, by its own coil.
    plan : Plan
        For the target, by the coil that treats.  With the stability of it and of the anchor's plan, under the same
        draws, the dose has an interval.
    stimulator : str, optional
        That treats.
    trains : tuple of (Hz, seconds)
        Judged at every output told.

    Returns
    -------
    Dose
        Without outputs where its findings say why.
    """
    if plan.coil is None:
        raise InputError("The plan of a dose must know its coil; plan again, with a coil.")
    why = _refused(percentage, threshold, plan)
    if why is not None:
        return Dose(findings=(why,))
    assert percentage.share is not None
    scale = machines(anchor.coil, threshold.stimulator, plan.coil, stimulator)
    ratios = _ratios(anchor, plan)
    statistic = "along" if "along" in ratios else "magnitude"
    made = Dose(
        ratio_magnitude=ratios["magnitude"], ratio_along=ratios.get("along"), statistic=statistic, anchor=anchor.how,
        at_target=anchor.how == "best-placement" and scale.same_coil and anchor.placement is plan.best.placement,
        stimulator=scale.stimulator, findings=(_anchored(threshold, anchor), *anchor.findings, *scale.findings),
    )  # fmt: skip
    if scale.ratio is None:
        return replace(made, findings=worst_first(made.findings))
    by = {name: percentage.share * threshold.percent * scale.ratio * ratio for name, ratio in ratios.items()}
    made = _with_published(made, percentage, threshold, scale)
    made = _with_stokes(made, percentage, threshold, anchor, plan)
    made = _with_matched(made, by, plan, scale)
    made = _with_interval(made, by, threshold, anchor, plan)
    made = _with_begin(made, threshold, _own_threshold(threshold, anchor, statistic, scale))
    return _judged(made, threshold, trains, _own_threshold(threshold, anchor, statistic, scale))


def _refused(percentage: Percentage, threshold: Threshold, plan: Plan) -> Finding | None:
    """Why there is no dose at all."""
    if percentage.share is None:
        return Finding("dose-no-intensity", "warn", {})
    if percentage.kind != threshold.kind:
        return Finding("dose-other-kind", "warn", {"wanted": percentage.kind, "given": threshold.kind})
    target = plan.target
    if target.viable_share < LEAST_VIABLE:
        head = plan.field.head if plan.field is not None else None
        left = None if head is None else float(head.mesh.volumes[target.elements].sum() / 1e3)
        return Finding("dose-target-lost", "warn", {"viable": target.viable_share, "cm3": left, "least": LEAST_VIABLE})
    return None


def _ratios(anchor: Anchor, plan: Plan) -> dict[str, float]:
    """Field at the anchor over field in the target, by mean |E|, and along the axes where both have one."""
    best, target = plan.best, {"magnitude": plan.best.magnitude}
    if plan.target.direction is not None:
        target["along"] = abs(best.verified)
    return {name: anchor.strengths[name] / target[name] for name in target if name in anchor.strengths}


def _own_threshold(threshold: Threshold, anchor: Anchor, statistic: str, scale: Machines) -> float | None:
    """The threshold that the coil that treats would have itself, % of its machine; None where it was not planned."""
    assert scale.ratio is not None
    if scale.same_coil:
        return threshold.percent * scale.ratio
    if anchor.plan is None:
        return None
    best = anchor.plan.best
    own = abs(best.verified) if statistic == "along" else best.magnitude
    return threshold.percent * scale.ratio * anchor.strengths[statistic] / own


def _anchored(threshold: Threshold, anchor: Anchor) -> Finding:
    return Finding("dose-anchored", "note", {
        "percent": threshold.percent, "kind": threshold.kind, "body": threshold.body_side, "limb": threshold.limb,
        "muscle": threshold.muscle and as_name(threshold.muscle), "method": threshold.method,
        "hemisphere": threshold.hemisphere, "coil": as_name(anchor.coil.name), "anchor": f"anchor-{anchor.how}",
    })  # fmt: skip


def _with_published(made: Dose, percentage: Percentage, threshold: Threshold, scale: Machines) -> Dose:
    """With the protocol as published, where the threshold is the one it means."""
    assert percentage.share is not None and scale.ratio is not None
    named = {"limb": percentage.limb, "muscle": percentage.muscle}
    given = {"limb": threshold.limb, "muscle": threshold.muscle}
    other = [name for name in named if named[name] and given[name] and str(named[name]) != str(given[name])]
    values = {f"wanted_{name}": value for name, value in named.items()} | {
        f"given_{name}": value and as_name(value) for name, value in given.items()
    }
    if other:
        return _saying(made, Finding("dose-other-muscle", "note", values))
    if not scale.same_coil:
        return _saying(made, Finding("dose-other-coil", "note", {"threshold_percent": threshold.percent}))
    if percentage.muscle and threshold.muscle is None:
        made = _saying(made, Finding("dose-muscle-not-told", "note", values))
    if percentage.mark == "to-be-re-read":
        made = _saying(made, Finding("dose-percentage-unread", "note", {"share": percentage.share}))
    return replace(made, published=percentage.share * threshold.percent * scale.ratio)


def _with_stokes(made: Dose, percentage: Percentage, threshold: Threshold, anchor: Anchor, plan: Plan) -> Dose:
    """With the output by depths alone: MT + m (D_target - D_M1), m 2.7 to 3.0 %MSO per mm, where it holds."""
    assert percentage.share is not None and plan.coil is not None
    depth, coils = depth_of(plan), (anchor.coil, plan.coil)
    brands = {brand_of(coil, made.stimulator or threshold.stimulator) for coil in coils}
    why = None
    if any(coil_kind(coil) != STOKES_KIND for coil in coils):
        why = "stokes-coil"
    elif anchor.coil.name != plan.coil.name or brands != {STOKES_BRAND}:
        why = "stokes-stimulator"
    elif threshold.kind != "rMT":
        why = "stokes-active"
    elif depth is None or anchor.depth is None:
        why = "stokes-depth"
    if why is not None:
        return _saying(made, Finding("dose-stokes-absent", "note", {"why": why}))
    assert depth is not None and anchor.depth is not None
    low, high = sorted(percentage.share * (threshold.percent + m * (depth - anchor.depth)) for m in STOKES)
    return replace(made, stokes_low=low, stokes_high=high)


def _with_matched(made: Dose, by: dict[str, float], plan: Plan, scale: Machines) -> Dose:
    """With the output matched by the statistic that ranks, and what the other one would say."""
    needed, best = by[made.statistic], plan.best
    matched = min(needed, 100.0)
    strength = abs(best.verified) if made.statistic == "along" else best.magnitude
    field = None if scale.slope is None else strength * matched / 100 * scale.slope / AMPERE_PER_MICROSECOND
    found = []
    if "along" in by and abs(by["along"] / by["magnitude"] - 1) > _RATIOS_APART:
        found.append(Finding("dose-ratios-differ", "warn", {"along": by["along"], "magnitude": by["magnitude"]}))
    if needed > 100:
        found.append(Finding("dose-capped", "warn", {"needed": needed, "share": 100 / needed}))
    if made.stokes_low is not None and made.stokes_high is not None:
        if not made.stokes_low - _APART <= needed <= made.stokes_high + _APART:
            values = {"low": made.stokes_low, "high": made.stokes_high, "needed": needed}
            found.append(Finding("dose-stokes-contradicts", "warn", values))
    return _saying(replace(made, needed=needed, matched=matched, target_field=field), *found)


def _with_interval(made: Dose, by: dict[str, float], threshold: Threshold, anchor: Anchor, plan: Plan) -> Dose:
    """With the interval of the matched output.

    Over uncertain conductivities: 5th to 95th percentile for each value a lesion's cavity may have, from the lowest to
    the highest of these.  A threshold of the other hemisphere leaves more open: the interval then spans the published
    output and the matched ones by |E| and along the axis as well.
    """
    assert made.needed is not None
    ends: list[float] = []
    factors = _factors(anchor, plan)
    if factors is not None:
        low, high = np.percentile(made.needed * factors, _PERCENTILES, axis=1)
        ends += [float(low.min()), float(high.max())]
    else:
        made = _saying(made, Finding("dose-no-draws", "note", {}))
    side = plan.target.side
    if side is not None and side != threshold.hemisphere:
        values = {"side": side, "hemisphere": threshold.hemisphere}
        made = _saying(made, Finding("dose-other-hemisphere", "warn", values))
        ends += [*by.values(), *([made.published] if made.published is not None else [])]
    if not ends:
        return made
    return replace(made, low=min(*ends, 100.0), high=min(max(ends), 100.0))


def _factors(anchor: Anchor, plan: Plan) -> FloatArray | None:
    """(values, draws) by what the anchor's field over the target's changes under each draw of the conductivities."""
    if anchor.plan is None:
        return None
    here, there = varied(anchor.plan), varied(plan)
    if here is None or there is None or here.shape != there.shape:
        return None
    factors: FloatArray = (here / anchor.plan.best.magnitude) / (there / plan.best.magnitude)
    return factors


def _with_begin(made: Dose, threshold: Threshold, own: float | None) -> Dose:
    """With the output to begin at, where the matched one lies within the table of tested trains."""
    assert made.matched is not None
    if own is None:
        return _saying(made, Finding("dose-share-unknown", "warn", {}))
    share = made.matched / own
    found = []
    if share > HIGH:
        found.append(Finding("dose-high", "warn", {"share": share, "kind": threshold.kind, "limit": HIGH}))
    made = replace(made, of_threshold=share)
    lowest = min(each for each in (made.published, made.low, made.matched) if each is not None)
    begin: float | None = lowest / (TWITCH if threshold.method == "twitch" else 1.0)
    if share > HIGHEST:  # of an active threshold as well: it is the lower of the two, so nothing is known there
        values = {"share": share, "kind": threshold.kind, "limit": HIGHEST}
        found.append(Finding("dose-above-table", "warn", values))
        begin = None
    if threshold.method == "twitch":
        found.append(Finding("dose-twitch", "note", {"excess": TWITCH - 1, "begin": begin}))
    return _saying(replace(made, begin=begin), *found)


def _judged(
    made: Dose, threshold: Threshold, trains: tuple[tuple[float, float | None], ...], own: float | None
) -> Dose:
    """With the verdict of the safety table on every output told."""
    outputs = {"published": made.published, "matched": made.matched, "begin": made.begin}
    shares = {name: output / own if output is not None and own else None for name, output in outputs.items()}
    made = _saying(made, *envelope_findings(trains, shares, kind=threshold.kind))
    return replace(made, findings=worst_first(made.findings))


def _saying(made: Dose, *found: Finding) -> Dose:
    return replace(made, findings=(*made.findings, *found))
