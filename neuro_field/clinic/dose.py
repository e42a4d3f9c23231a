"""How strongly to drive the coil: the protocol as published, the field-matched output, and the output to begin at.

Field-matched means that the target gets the wanted share k of the field that the threshold had in its own area.  Fields
are linear in the slope of the current, E = e dI/dt, and the slope in the output, so with the threshold's own coil A at
its anchor and the coil B that treats,
output_B = k threshold (e_A max_A) / (e_B max_B)   (HBM 2026 e70550 [src]).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.clinic.anchor import Anchor, depth_of, strengths_of, varied
from neuro_field.clinic.envelope import envelope_findings
from neuro_field.clinic.machines import Machines, machines
from neuro_field.clinic.percentage import Percentage
from neuro_field.clinic.threshold import Threshold
from neuro_field.coil.outputs import brand_of, coil_kind
from neuro_field.errors import InputError
from neuro_field.findings import Finding, as_name, worst_first
from neuro_field.nouns import noun
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

#: Outputs nearer than this, %MSO, are one.
_ROUNDING = 1e-9

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
        threshold given is another, or the protocol does not stimulate this target.
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
    scale = machines(anchor.coil, threshold.stimulator, plan.coil, stimulator)
    case = _Case(percentage, threshold, anchor, plan, scale)
    ratios = case.ratios
    made = Dose(
        ratio_magnitude=ratios["magnitude"], ratio_along=ratios.get("along"), statistic=case.statistic,
        anchor=anchor.how, at_target=case.at_target, stimulator=scale.stimulator,
        findings=(_anchored(case), *anchor.findings, *scale.findings),
    )  # fmt: skip
    if scale.ratio is not None:
        for step in (_with_published, _with_stokes, _with_matched, _with_interval, _with_begin, _of_protocol):
            made = step(made, case)
        made = _saying(made, *envelope_findings(trains, case.shares(made), kind=threshold.kind))
    return replace(made, findings=worst_first(made.findings))


@noun
class _Case:
    """What one dose is made from."""

    percentage: Percentage
    threshold: Threshold
    anchor: Anchor
    plan: Plan
    scale: Machines

    @property
    def at_target(self) -> bool:
        same = self.anchor.placement is self.plan.best.placement
        return same and self.scale.same_coil and self.anchor.how == "best-placement"

    @cached_property
    def ratios(self) -> dict[str, float]:
        """Field at the anchor over field in the target, by mean |E|, and along the axes where both have one."""
        there = strengths_of(self.plan)
        return {name: here / there[name] for name, here in self.anchor.strengths.items() if name in there}

    @property
    def statistic(self) -> str:
        return "along" if "along" in self.ratios else "magnitude"

    @property
    def read(self) -> float:
        """The threshold as slope of the current, in % of that of the coil that treats at its full output."""
        return self.threshold.percent * (self.scale.ratio or np.nan)

    @property
    def asked(self) -> float:
        """The share of it that the protocol asks for."""
        return self.read * (self.percentage.share or np.nan)

    @property
    def outputs(self) -> dict[str, float]:
        """Field-matched outputs by each statistic, uncapped."""
        return {name: self.asked * ratio for name, ratio in self.ratios.items()}

    @property
    def own_threshold(self) -> float | None:
        """The threshold that the coil that treats would have itself, %; None where its own area was not planned."""
        if self.scale.same_coil:
            return self.read
        if self.anchor.plan is None:
            return None
        return self.read * self.anchor.strengths[self.statistic] / strengths_of(self.anchor.plan)[self.statistic]

    def shares(self, made: Dose) -> dict[str, float | None]:
        """The outputs told as shares of that threshold."""
        told = {"published": made.published, "matched": made.matched, "begin": made.begin}
        own = self.own_threshold
        return {name: None if output is None or own is None else output / own for name, output in told.items()}


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


def _anchored(case: _Case) -> Finding:
    threshold = case.threshold
    return Finding("dose-anchored", "note", {
        "percent": threshold.percent, "kind": threshold.kind, "body": threshold.body_side, "limb": threshold.limb,
        "muscle": threshold.muscle and as_name(threshold.muscle), "method": threshold.method,
        "hemisphere": threshold.hemisphere, "coil": as_name(case.anchor.coil.name),
        "anchor": f"anchor-{case.anchor.how}",
    })  # fmt: skip


def _with_published(made: Dose, case: _Case) -> Dose:
    """With the protocol as published, where the threshold is the one it means."""
    wanted, given = case.percentage, case.threshold
    limbs, muscles = (wanted.limb, given.limb), (wanted.muscle, given.muscle)
    values = {
        "wanted_limb": wanted.limb, "wanted_muscle": wanted.muscle, "given_limb": given.limb,
        "given_muscle": given.muscle and as_name(given.muscle),
    }  # fmt: skip
    if any(None not in pair and pair[0] != pair[1] for pair in (limbs, muscles)):
        return _saying(made, Finding("dose-other-muscle", "note", values))
    if wanted.hemisphere not in (None, given.hemisphere):
        sides = {"wanted": wanted.hemisphere, "given": given.hemisphere}
        return _saying(made, Finding("dose-other-side", "note", sides))
    if not case.scale.same_coil:
        return _saying(made, Finding("dose-other-coil", "note", {"threshold_percent": given.percent}))
    if wanted.muscle and given.muscle is None:
        made = _saying(made, Finding("dose-muscle-not-told", "note", values))
    if wanted.mark == "to-be-re-read":
        made = _saying(made, Finding("dose-percentage-unread", "note", {"share": wanted.share}))
    return replace(made, published=case.asked)


def _with_stokes(made: Dose, case: _Case) -> Dose:
    """With the output by depths alone: MT + m (D_target - D_M1), m 2.7 to 3.0 %MSO per mm, where it holds."""
    coil, here, there = case.anchor.coil, case.anchor.depth, depth_of(case.plan)
    brands = {brand_of(coil, name) for name in (case.threshold.stimulator, made.stimulator)}
    why = None
    if any(coil_kind(each) != STOKES_KIND for each in (coil, case.plan.coil) if each is not None):
        why = "stokes-coil"
    elif not case.scale.same_coil:
        why = "stokes-two-coils"
    elif brands != {STOKES_BRAND}:
        why = "stokes-stimulator"
    elif case.threshold.kind != "rMT":
        why = "stokes-active"
    elif here is None or there is None:
        why = "stokes-depth"
    if here is None or there is None or why is not None:
        return _saying(made, Finding("dose-stokes-absent", "note", {"why": why}))
    share = case.asked / case.read
    low, high = sorted(share * (case.read + slope * (there - here)) for slope in STOKES)
    return replace(made, stokes_low=low, stokes_high=high)


def _with_matched(made: Dose, case: _Case) -> Dose:
    """With the output matched by the statistic that ranks, and what the other one would say."""
    outputs, slope = case.outputs, case.scale.slope
    needed = outputs[case.statistic]
    matched = min(needed, 100.0)
    found = []
    if "along" in outputs and abs(outputs["along"] / outputs["magnitude"] - 1) > _RATIOS_APART:
        values = {"along": outputs["along"], "magnitude": outputs["magnitude"]}
        found.append(Finding("dose-ratios-differ", "warn", values))
    if needed > 100:
        found.append(Finding("dose-capped", "warn", {"needed": needed, "share": 100 / needed}))
    low, high = made.stokes_low, made.stokes_high
    if low is not None and high is not None and not low - _APART <= needed <= high + _APART:
        found.append(Finding("dose-stokes-contradicts", "warn", {"low": low, "high": high, "needed": needed}))
    strength = strengths_of(case.plan)[case.statistic]
    field = None if slope is None else strength * matched / 100 * slope / AMPERE_PER_MICROSECOND
    return _saying(replace(made, needed=needed, matched=matched, target_field=field), *found)


def _with_interval(made: Dose, case: _Case) -> Dose:
    """With the interval of the matched output.

    Over uncertain conductivities: 5th to 95th percentile for each value a lesion's cavity may have, from the lowest to
    the highest of these.  A threshold of the other hemisphere leaves more open: the interval then spans the published
    output, the matched ones by |E| and along the axis, and those by depth as well.
    """
    ends: list[float] = []
    factors = _factors(case)
    if factors is not None:
        low, high = np.percentile(case.outputs[case.statistic] * factors, _PERCENTILES, axis=1)
        ends += [float(low.min()), float(high.max())]
    else:
        made = _saying(made, Finding("dose-no-draws", "note", {}))
    side, other = case.plan.target.side, case.threshold.hemisphere
    if side is not None and side != other:
        made = _saying(made, Finding("dose-other-hemisphere", "warn", {"side": side, "hemisphere": other}))
        others = (made.published, made.stokes_low, made.stokes_high)
        ends += [*case.outputs.values(), *(each for each in others if each is not None)]
    if not ends or (factors is None and np.ptp(ends) < _ROUNDING):
        return made  # one number is no interval
    return replace(made, low=min(*ends, 100.0), high=min(max(ends), 100.0))


def _factors(case: _Case) -> FloatArray | None:
    """(values, draws) by what the anchor's field over the target's changes under each draw of the conductivities."""
    if case.anchor.plan is None:
        return None
    here, there = varied(case.anchor.plan), varied(case.plan)
    if here is None or there is None or here.shape != there.shape:
        return None
    factors: FloatArray = (here / case.anchor.plan.best.magnitude) / (there / case.plan.best.magnitude)
    return factors


def _with_begin(made: Dose, case: _Case) -> Dose:
    """With the output to begin at, where the matched one lies within the table of tested trains."""
    share = case.shares(made)["matched"]
    if share is None:
        return _saying(made, Finding("dose-share-unknown", "warn", {}))
    kind, found = case.threshold.kind, []
    lowest = min(each for each in (made.published, made.low, made.matched) if each is not None)
    begin: float | None = lowest / (TWITCH if case.threshold.method == "twitch" else 1.0)
    if HIGH < share <= HIGHEST:
        found.append(Finding("dose-high", "warn", {"share": share, "kind": kind, "limit": HIGH}))
    elif share > HIGHEST:  # of an active threshold too: the resting one is higher, by how much is not known
        found.append(Finding("dose-above-table", "warn", {"share": share, "kind": kind, "limit": HIGHEST}))
        begin = None
    if case.threshold.method == "twitch":
        found.append(Finding("dose-twitch", "note", {"excess": TWITCH - 1, "begin": begin}))
    return _saying(replace(made, of_threshold=share, begin=begin), *found)


def _saying(made: Dose, *found: Finding) -> Dose:
    return replace(made, findings=(*made.findings, *found))


def _of_protocol(made: Dose, case: _Case) -> Dose:
    """Without a published output where the protocol does not stimulate this target."""
    if case.percentage.stimulates:
        return made
    return _saying(replace(made, published=None), Finding("dose-not-of-protocol", "note", {}))
