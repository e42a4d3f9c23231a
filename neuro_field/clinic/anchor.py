"""Where the field of a motor threshold is known: at the pose where it was read, or where the model stands in for it."""

from functools import cached_property
from typing import Any

import numpy as np

from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.findings import Finding, as_name
from neuro_field.geometry.mesh import Surface
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.search.plan import Plan

#: A coil whose centre is farther than this from the scalp, mm, was not held to the head.
FARTHEST = 40.0

#: A pose whose centre lies farther than this from the scalp over its area is told to be doubtful, mm.
FAR = 30.0

#: A casing that cuts the scalp by more than this, mm, is told to have been moved back.
_LIFTED = 1.0


@noun
class Anchor:
    """The field of the threshold's own coil in the area whose threshold it was.

    Parameters
    ----------
    how : {"pose", "hot-spot", "best-placement"}
        The measured pose, a measured hot spot, or the model's best placement over the area.
    coil : Coil
        The threshold was read with.
    target : Target
        The area.
    placement : Placement
        Where the coil stood.
    magnitude : float
        Mean |E| over the area, V/m at 1 A/us.
    along : float, optional
        Size of the mean of E along the area's wanted axis, V/m at 1 A/us; None without an axis.
    plan : Plan, optional
        Of the coil that treats for the same area: what that coil's own threshold would be, and how uncertain
        conductivities change the field there.
    depth : float, optional
        Of the area under the scalp, mm.
    findings : tuple of Finding
    """

    how: str
    coil: Coil
    target: Target
    placement: Placement
    magnitude: float
    along: float | None = None
    plan: Plan | None = None
    depth: float | None = None
    findings: tuple[Finding, ...] = ()

    @classmethod
    def on(cls, plan: Plan, *, treating: Plan | None = None) -> "Anchor":
        """At the best placement of a plan for the area by the threshold's coil, which stands in for a measured pose.

        ``treating`` is the plan of the coil that treats for the same area, where that is another coil.
        """
        if plan.coil is None:
            raise InputError("The plan of an anchor must know its coil; plan the area again, with a coil.")
        best, target = plan.best, plan.target
        along = best.verified if target.direction is not None else None
        found = Finding("dose-anchor-stands-in", "note", {"hemisphere": target.side, "site": as_name(target.name)})
        return cls(
            "best-placement", plan.coil, target, best.placement, best.magnitude, along, treating or plan,
            depth_of(plan), (found,),
        )  # fmt: skip

    @cached_property
    def strengths(self) -> dict[str, float]:
        """V/m at 1 A/us by "magnitude", and "along" the axis where there is one."""
        return {"magnitude": self.magnitude} | ({} if self.along is None else {"along": abs(self.along)})


def anchor_at(
    solver: Solver, coil: Coil, pose: Any, target: Target, *, how: str = "pose", plan: Plan | None = None
) -> Anchor:
    """The field at a measured pose, by one full solve.

    Parameters
    ----------
    solver : Solver
        Of the target's head.
    coil : Coil
        The threshold was read with.
    pose : (4, 4) array
        head_from_coil, mm.  A casing that cuts the scalp there (registration, pressure) is moved back along its axis.
    target : Target
        The area whose threshold it was.
    how : {"pose", "hot-spot"}
    plan : Plan, optional
        Of the coil that treats for the same area.

    Raises
    ------
    InputError
        If the pose is not rigid, is not held to the head, or looks out of it.
    """
    scalp, placement = solver.head.scalp, Placement(pose)
    check_pose(scalp, placement)
    findings = []
    if coil.casing is not None:
        lift = float(lifts_to_clear(scalp.points, coil.casing, placement.head_from_coil[None])[0])
        moved = placement.head_from_coil.copy()
        moved[:3, 3] -= lift * moved[:3, 2]
        placement = Placement(moved)
        if lift > _LIFTED:
            findings.append(Finding("dose-pose-lifted", "note", {"lift": lift}))
    above = scalp.points[scalp.tree.query(target.center)[1]]
    away = float(np.linalg.norm(placement.center - above))
    if away > FAR:
        values = {"distance": away, "limit": FAR, "hemisphere": target.side, "site": as_name(target.name)}
        findings.append(Finding("dose-pose-far", "warn", values))
    field = solver.solve(coil, placement)
    along = target.mean(field) if target.direction is not None else None
    return Anchor(
        how, coil, target, placement, target.magnitude(field), along, plan, depth_under_scalp(solver.head, target),
        tuple(findings),
    )  # fmt: skip


def check_pose(scalp: Surface, placement: Placement) -> None:
    """Refuse a pose that no coil was held in on this head; says by how much."""
    distance, nearest = scalp.tree.query(placement.center)
    if distance > FARTHEST:
        raise InputError(
            f"The pose of the threshold lies {distance:.0f} mm from the scalp, more than {FARTHEST:g} mm; check that "
            "it was read in the frame of this head."
        )
    if placement.head_from_coil[:3, 2] @ scalp.vertex_normals[nearest] > 0:
        raise InputError("The z axis of the threshold's pose points out of the head; it must point into it.")


def depth_under_scalp(head: HeadModel, target: Target) -> float:
    """Mean distance of a target's elements from the nearest scalp, mm, by their shares of its volume."""
    distance, _ = head.scalp.tree.query(head.mesh.centroids[target.elements])
    return float(distance @ target.weights)


def depth_of(plan: Plan) -> float | None:
    """The same of a plan's target; None for a plan read from files."""
    return None if plan.field is None else depth_under_scalp(plan.field.head, plan.target)


def strengths_of(plan: Plan) -> dict[str, float]:
    """V/m at 1 A/us in the target at a plan's best placement: by "magnitude", and "along" its axis where it has one."""
    best = plan.best
    return {"magnitude": best.magnitude} | ({} if plan.target.direction is None else {"along": abs(best.verified)})


def varied(plan: Plan) -> FloatArray | None:
    """(values, draws) mean |E| in the target of a plan, one row for each conductivity of a lesion's cavity."""
    found = plan.stability
    return None if found is None else found.magnitude.reshape(-1, found.draws)
