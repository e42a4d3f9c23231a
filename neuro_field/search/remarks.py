"""What has to be said of a plan, as findings: its best placement, where the search ended, what conductivities do."""

from collections.abc import Iterator

import numpy as np

from neuro_field.findings import Finding, Value, worst_first
from neuro_field.search.metrics import AWAY
from neuro_field.search.plan import Plan
from neuro_field.search.stability import Stability

#: A best placement lifted by more than this above the least lift of the patch is told, mm.
LIFTED = 5.0

#: Ranked and solved values farther apart than this, relative, are told.
DIFFERENT = 0.01

#: Below this share of the field along the wanted axis the best placement is told to be doubtful (45 degrees off).
LEAST_ALONG = 0.71

#: A placement stands first for sure when it does in at least this share of draws, whatever the cavity conducts.
LEAST_FIRST = 0.5

#: Losing more than this share of the field, in the worst twentieth of draws, leaves the zone that a plan tells.
COSTLY = 0.05

#: A field that varies by more than this with the cavity's conductivity is decided by it: as a dose would be.
VARIES = 0.1

#: A reduced answer farther from the full one than this, relative, is told.
REDUCED = 0.005


def of_search(plan: Plan, *, stopped: bool, least_lift: float) -> tuple[Finding, ...]:
    """Of a search that has just ended.

    Parameters
    ----------
    plan : Plan
    stopped : bool
        Whether a better placement lies beyond the patch.
    least_lift : float
        The least by which the coil is lifted anywhere in the patch, mm.
    """
    return worst_first([*_of_best(plan, least_lift), *_of_extent(plan, stopped)])


def of_stability(plan: Plan) -> tuple[Finding, ...]:
    """A plan's findings with those of its stability, in place of any it had."""
    others = [finding for finding in plan.findings if not finding.code.startswith("stability-")]
    return worst_first([*others, *(_of_draws(plan.stability) if plan.stability is not None else ())])


def _of_best(plan: Plan, least_lift: float) -> Iterator[Finding]:
    best, metrics = plan.best, plan.best.metrics
    if best.lift - least_lift > LIFTED:
        yield Finding("search-lifted", "warn", {"lift": best.lift, "least": least_lift})
    if metrics.off_target is not None and metrics.off_target > best.magnitude:
        yield Finding(
            "search-stronger-elsewhere",
            "warn",
            {
                "target": best.magnitude, "elsewhere": metrics.off_target, "beyond": AWAY,
                "away": metrics.off_target_distance,
            },
        )  # fmt: skip
    along = best.verified / max(best.magnitude, 1e-12)
    if plan.target.direction is not None and along < LEAST_ALONG:
        yield Finding("search-aside-of-axis", "warn", {"along": along})
    if plan.report.largest_difference > DIFFERENT:
        yield Finding("search-solved-differs", "warn", {"difference": plan.report.largest_difference})


def _of_extent(plan: Plan, stopped: bool) -> Iterator[Finding]:
    radius = plan.search.grid.radius if plan.search is not None else None
    if stopped:
        yield Finding("search-stopped-at-rim", "warn", {"radius": radius})
    if plan.zone is not None and not plan.zone.closed:
        yield Finding("zone-open", "note", {"kept": plan.zone.kept, "radius": radius})
    if len(plan.ranking) == 1:
        yield Finding("search-one-maximum", "note", {"positions": plan.report.positions})
    if plan.search is not None and plan.search.symmetry == "continuous":
        yield Finding("search-handle-free", "note", {})


def _of_draws(found: Stability) -> Iterator[Finding]:
    first, lost = np.array(found.first), np.array(found.loss_p95)
    medians = np.array(found.median)[:, 0]
    cavity: dict[str, Value] = {
        "lesion_values": found.lesion_values, "medians": tuple(medians.tolist()), "lost": found.loss_p95,
    }  # fmt: skip
    moved = len(np.unique(first.argmax(axis=1))) > 1 or 0 < np.count_nonzero(lost > COSTLY) < len(lost)
    if found.lesion_values and (moved or medians.max() > (1 + VARIES) * medians.min()):
        yield Finding("stability-cavity-decides", "warn", {**cavity, "moved": bool(moved)})
    elif lost.max() > COSTLY:
        yield Finding("stability-costly", "warn", cavity)
    if first[:, 0].min() < LEAST_FIRST:
        yield Finding(
            "stability-first-open", "warn", {"first": tuple(first[:, 0].tolist()), "lesion_values": found.lesion_values}
        )
    if found.reduced_error > REDUCED:
        yield Finding("stability-reduced", "warn", {"error": found.reduced_error})
