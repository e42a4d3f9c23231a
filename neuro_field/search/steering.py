"""A coil led over a patient's scalp by hand: where it comes to stand, and at once about what it does there."""

import numpy as np

from neuro_field.aim.scalp import Spots, carried_onto
from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.analytic import sphere_field
from neuro_field.field.solver import Solver
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.reciprocity.response import Response, response
from neuro_field.search.plan import STATISTIC, Plan

#: Sources of the simplified coil that estimates are made with err by this share.
_COIL_ERROR = 3e-3

#: Points of an estimate are drawn in to this share of the nearest source's distance from the sphere's middle.
_WITHIN = 0.97

#: A lost response is sampled around so many of a plan's placements, and so many mm beside each.
_SAMPLED = 2
_BESIDE = ((0.0, 0.0), (12.0, 0.0), (-12.0, 0.0), (0.0, 12.0), (0.0, -12.0))


@noun
class Held:
    """A coil as it is held.

    Parameters
    ----------
    placement : Placement
    foot : (3,) array
        The scalp under its centre, mm, head frame.
    angle : float
        Of its handle, degrees from straight back, clockwise seen from outside (to the left over the vertex).
    lift : float
        mm by which it stands farther off than the gap, so that its casing clears the scalp.
    """

    placement: Placement
    foot: FloatArray
    angle: float
    lift: float


@noun
class Steering:
    """What is needed to lead a coil over a head and to say at once what its target feels.

    Parameters
    ----------
    head : HeadModel
    coil : Coil
    simple : Coil
        The same with fewer sources.
    response : Response
        Of the target to the simplified coil.
    tried : (p,) array
        V/m at 1 A/us in the target of all placements that a plan tried, ascending.
    ranked : tuple of Placement
        The plan's best, in their order.
    gap : float
        From the scalp to the casing, mm.
    """

    head: HeadModel
    coil: Coil
    simple: Coil
    response: Response
    tried: FloatArray
    ranked: tuple[Placement, ...]
    gap: float

    @classmethod
    def of(cls, solver: Solver, coil: Coil, plan: Plan, gap: float = 4.0) -> "Steering":
        """From a plan of the solver's head, just computed or read from files.

        The response that a plan read from files has lost is computed again, from samples around its placements.
        """
        simple, mapping = coil.simplified(error=_COIL_ERROR), plan.response
        ranked = tuple(candidate.placement for candidate in plan.ranking)
        if mapping is None:
            samples = [
                placement.moved(along_x=x, along_y=y, turned=turn)
                for placement in ranked[:_SAMPLED]
                for x, y in _BESIDE
                for turn in (0.0, 60.0, 120.0)
            ]
            mapping = response(solver, simple, plan.target, samples)
        tried = np.sort(plan.strengths)
        if plan.search is None or plan.search.statistic != STATISTIC:  # of another: as much larger as the best one is
            tried = tried * (mapping.strengths(ranked[0].head_from_coil[None])[0] / plan.best.strength)
        return cls(solver.head, coil, simple, mapping, tried, ranked, gap)

    @property
    def planned(self) -> float:
        """V/m at 1 A/us in the target under the plan's best placement, by the statistic of `strength`."""
        return self.strength(self.ranked[0])

    @property
    def target(self) -> Target:
        """What the coil is aimed at."""
        return self.response.target

    def at(self, foot: FloatArray, angle: float) -> Held:
        """The coil flat on the scalp over a point of it (3,), mm, its handle at an angle from straight back."""
        frame = self._frame(foot)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = frame, foot - self.gap * frame[:, 2]
        flat = Placement(pose).moved(turned=angle)
        lift = 0.0
        if self.coil.casing is not None:
            lift = float(
                lifts_to_clear(self.head.scalp.points, self.coil.casing, flat.head_from_coil[None], self.gap)[0]
            )
        return Held(flat.moved(along_z=-lift), foot, (angle + 180.0) % 360.0 - 180.0, lift)

    def holding(self, placement: Placement) -> Held:
        """A given placement, as one that can be led on from."""
        axes = placement.head_from_coil[:3, :3].T * np.array([[1.0], [1.0], [-1.0]])
        foot = carried_onto(self.head.scalp, self._nearest(placement.center), axes, np.zeros((1, 2)))
        under = foot[0] if len(foot) else self._nearest(placement.center)
        left, forwards = self._frame(under)[:, :2].T
        handle = placement.handle_direction
        angle = float(np.degrees(np.arctan2(handle @ left, -handle @ forwards)))
        height = float((under - placement.center) @ placement.axis)
        return Held(placement, under, angle, max(0.0, height - self.gap))

    def stepped(self, held: Held, *, forwards: float = 0.0, right: float = 0.0, turned: float = 0.0) -> Held:
        """Led along the scalp by mm towards the patient's front and right, and turned by degrees.

        ``turned`` is clockwise for someone who looks at the head from outside.

        Raises
        ------
        InputError
            If there is no scalp to step onto.
        """
        frame = self._frame(held.foot)
        axes = np.stack([-frame[:, 0], frame[:, 1], -frame[:, 2]])  # the patient's right, front, and outwards
        foot = carried_onto(self.head.scalp, held.foot, axes, np.array([[right, forwards]]))
        if not len(foot):
            raise InputError(f"There is no scalp {forwards:g} mm in front and {right:g} mm to the right of the coil.")
        return self.at(foot[0], held.angle + turned)

    def strength(self, placement: Placement) -> float:
        """V/m at 1 A/us in the target, by reciprocity."""
        return float(self.response.strengths(placement.head_from_coil[None])[0])

    def rank(self, strength: float) -> int:
        """Which place among all placements that the plan tried a strength would take."""
        return 1 + len(self.tried) - int(np.searchsorted(self.tried, strength, side="right"))

    def estimate(self, points: FloatArray, placement: Placement) -> FloatArray:
        """About |E| at points (m, 3), mm, V/m at 1 A/us: what the coil induces in a sphere that fits the skull.

        Points beyond the nearest source are drawn in towards the sphere's middle.
        """
        centre, _ = self.head.inner_skull_sphere
        sources = placement.head_points(self.simple.dipoles[0]) - centre
        reach = _WITHIN * float(np.linalg.norm(sources, axis=1).min())
        offsets = points - centre
        distance = np.linalg.norm(offsets, axis=1, keepdims=True)
        inside = centre + offsets * np.minimum(1.0, reach / np.maximum(distance, 1e-9))
        return np.linalg.norm(sphere_field(inside, self.simple, placement, center=tuple(centre)), axis=1)

    def _nearest(self, point: FloatArray) -> FloatArray:
        return self.head.scalp.points[self.head.scalp.tree.query(point)[1]]

    def _frame(self, foot: FloatArray) -> FloatArray:
        """(3, 3) columns x, y, z of a coil that lies flat there with its handle straight back."""
        return Spots.at(self.head, foot[None], least_even=0.0).frames[0]
