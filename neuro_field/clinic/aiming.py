"""Where a case aims in one head: the target of every role, or why there is none, and the side roles are named after."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.aim.aims import joint, overlap
from neuro_field.aim.atlas import SIDES
from neuro_field.aim.axis import directed
from neuro_field.aim.scalp import anatomical_axes
from neuro_field.aim.seat import NoTargetError
from neuro_field.aim.tape import TapePlace
from neuro_field.aim.target import RADIUS, Target
from neuro_field.arrays import FloatArray
from neuro_field.clinic.case import HAND, Case
from neuro_field.clinic.sides import affected_hemisphere, side_of
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.findings import Finding, Refusal, Value
from neuro_field.head.lesion import distance_to_lesion, lesion_summary
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun

#: Grey matter is looked for within this distance of a coil's axis, and of a point, mm.
_BESIDE, _REACH = 5.0, 40.0

#: A hot spot farther than this from its expected place, mm, is told first: up to 19.5 mm were found [src].
_FAR = 20.0


@noun
class Aims:
    """What a case aims at.

    ``affected`` the hemisphere that roles are named after, None where nothing needs it; ``targets`` by role; ``why``
    the finding for every role without one; ``hands`` by side the hand areas where a threshold is anchored, measured
    where a hot spot is there; ``findings`` what has to be said of all this.
    """

    affected: str | None
    targets: Mapping[str, Target]
    why: Mapping[str, Finding]
    hands: Mapping[str, Target]
    findings: tuple[Finding, ...]

    def carried(self, head: HeadModel, finer: HeadModel) -> "Aims":
        """The same regions in a head that is refined."""
        targets, hands = (
            {key: target.carried(head, finer) for key, target in each.items()} for each in (self.targets, self.hands)
        )
        return replace(self, targets=targets, hands=hands)


def aims(head: HeadModel, case: Case, target: Target | None = None) -> Aims:
    """The aims of a case; of a target made by hand, that.

    Raises
    ------
    Refusal
        If the head or the answers leave open where to aim.
    """
    measured, told = _measured(head, case)
    if case.preset.side == "given":
        if target is None:
            raise InputError("A case for a target made by hand needs the target.")
        affected, more = _affected_if_told(head, case)
        return Aims(affected, {"target": target}, {}, measured, (*told, *more))
    if head.mapping is None:
        raise Refusal(Finding("intake-no-map", "stop", {"field": "preset", "preset": case.preset.name}))
    name = case.preset.sites[0] if case.answers.fluency != "fluent" else case.preset.sites[-1]
    places: dict[str, Target] = {}
    lost: dict[str, Finding] = {}
    for side in SIDES:
        try:
            known = measured.get(side) if name == HAND else None
            places[side] = known or directed(head, Target.named(head, name, side))
        except NoTargetError as error:
            lost[side] = error.finding.told_with(side=side)
    affected, more = affected_hemisphere(lesion_summary(head), case.answers, _near(head, places))
    sides = {role: side_of(role, affected) for role in ("contralesional", "ipsilesional")}
    targets = {role: places[side] for role, side in sides.items() if side in places}
    why = {role: lost[side].told_with(role=role) for role, side in sides.items() if side in lost}
    if case.preset.at_once and len(targets) == 2:
        first, second = targets.values()
        if shared := overlap(first, second):
            why["bilateral"] = Finding("leg-areas-overlap", "stop", {
                "site": name, "shared": shared, "moved": max(first.moved, second.moved), "role": "bilateral",
                "side": "both",
            })  # fmt: skip
        else:
            targets["bilateral"] = joint(first, second)
    elif case.preset.at_once:
        why["bilateral"] = Finding("study-one-target-missing", "stop", {"role": "bilateral", "side": "both"})
    return Aims(affected, targets, why, measured, (*told, *more))


def _affected_if_told(head: HeadModel, case: Case) -> tuple[str | None, tuple[Finding, ...]]:
    """The affected hemisphere for a target made by hand, which does without unless a threshold is the other hand's.

    Without one, what the head has to say of its lesion's sides is told as it is.
    """
    try:
        return affected_hemisphere(lesion_summary(head), case.answers)
    except Refusal as refusal:
        contradicted = any(finding.code == "intake-contradicts-lesion" for finding in refusal.findings)
        if contradicted or case.answers.rmt is not None:
            raise
        return None, tuple(found for found in head.findings if found.code.startswith("lesion-"))


def _measured(head: HeadModel, case: Case) -> tuple[dict[str, Target], tuple[Finding, ...]]:
    """By its side the hand area that was measured, and how far it lies from where it was expected."""
    if case.hot_spot is None:
        return {}, ()
    assert not isinstance(case.hot_spot, TapePlace)  # a study has found its point of the scalp
    place = _cortex_at(head, case.hot_spot)
    if head.mapping is None and head.fissure is None:
        raise Refusal(Finding("intake-no-map", "stop", {"field": "hot_spot", "preset": case.preset.name}))
    side = SIDES[int(head.right_of_midline(place[None])[0] > 0)]
    found = directed(head, Target.ball(head, place, RADIUS, name=HAND, side=side, source="measured hot spot"))
    try:
        expected = Target.named(head, HAND, side).center
    except InputError:
        return {side: found}, (Finding("study-hot-spot-alone", "note", {"side": side}),)
    offset = place - expected
    right, anterior, superior = (float(offset @ axis) for axis in anatomical_axes(head))
    distance = float(np.linalg.norm(offset))
    told: dict[str, Value] = {
        "side": side,
        "distance": distance,
        "right": right,
        "anterior": anterior,
        "superior": superior,
    }
    return {side: found}, (Finding("study-hot-spot", "warn" if distance > _FAR else "note", told),)


def _cortex_at(head: HeadModel, hot_spot: Placement | FloatArray) -> FloatArray:
    """The grey matter under a measured pose, first along the coil's axis; or nearest to a point of scalp or cortex."""
    grey = head.mesh.centroids[head.region("grey_matter")]
    if isinstance(hot_spot, Placement):
        pose = hot_spot.head_from_coil
        away = grey - pose[:3, 3]
        depth = away @ pose[:3, 2]
        beside = np.linalg.norm(away - depth[:, None] * pose[:3, 2], axis=1)
        under = np.flatnonzero((depth > 0) & (beside <= _BESIDE))
        if len(under) and depth[under].min() <= 2 * _REACH:
            return np.array(grey[under[np.argmin(depth[under])]])
        raise Refusal(Finding("intake-hot-spot-off-head", "stop", {"field": "hot_spot"}))
    distance, nearest = cKDTree(grey).query(hot_spot)
    if distance > _REACH:
        values: dict[str, Value] = {"field": "hot_spot", "distance": float(distance), "limit": _REACH}
        raise Refusal(Finding("intake-hot-spot-far", "stop", values))
    return np.array(grey[nearest])


def _near(head: HeadModel, places: Mapping[str, Target]) -> dict[str, float]:
    """By side the distance from the target there to what of the lesion lies on the same side, mm."""
    return {
        side: float(distance_to_lesion(head, target.center[None], side)[0])
        for side, target in places.items()
        if head.region("lesion").any()
    }
