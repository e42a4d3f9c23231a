"""Where the places of MNI152 and of fsaverage5 lie in one head: found once, and read in every field of that head.

Roles are compared over heads by turning the affected hemisphere to one side: what lies at (x, y, z) of MNI152 is then
looked for at (-x, y, z).
"""

from functools import cache, cached_property

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, read_only, transformed
from neuro_field.cohort.fsaverage import VERTICES, fsaverage
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.geometry.locate import locate
from neuro_field.head.cortex import mid_grey_points
from neuro_field.head.mapping import WarpedMapping
from neuro_field.head.model import HeadModel
from neuro_field.mri.template import template
from neuro_field.nouns import noun

#: The template heads are mapped to, by its name in spaces of BIDS.
TEMPLATE = "MNI152NLin2009aSym"

#: A vertex of fsaverage5 farther than this from the middle of the person's cortex has none there, mm.
FARTHEST = 10.0


@noun
class Fit:
    """How far the vertices of fsaverage5 come to lie from the middle of a person's cortex.

    ``how`` they came there: "affine", "warp" or "sphere"; ``mean`` and ``p95`` of the distances, mm, of all vertices;
    ``lost`` the share of them that is farther than `FARTHEST` and has no value.
    """

    how: str
    mean: float
    p95: float
    lost: float


@cache
def brain_points() -> tuple[BoolArray, FloatArray]:
    """The voxels of the template's brain, (i, j, k), and their places (b, 3) in MNI152, mm."""
    found = template()
    return found.brain, read_only(transformed(np.argwhere(found.brain).astype(np.float64), found.affine))


@noun
class Standard:
    """The places of one head, as it lies or with left and right exchanged.

    Parameters
    ----------
    head : HeadModel
        With a map to MNI152.
    flipped : bool
        Look on the other side: what is told of the left is the head's right.
    registered : (2 v, 3) array, optional
        Where fsaverage5 lies in this head by sphere registration, mm; else the map to MNI152 tells, approximately.
    """

    head: HeadModel
    flipped: bool = False
    registered: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.head.mapping is None:
            raise InputError(f"The head {self.head.name!r} has no map to MNI152, and no place in a group.")
        if self.flipped and self.registered is not None:
            raise InputError("Sphere registration does not exchange sides: give registered points without flipped.")

    def _from_mni(self, points: FloatArray) -> FloatArray:
        return self.head.from_mni(points * [-1.0, 1.0, 1.0] if self.flipped else points)

    @cached_property
    def brain(self) -> FloatArray:
        """(b, 3) mm where the voxels of the template's brain lie."""
        return read_only(self._from_mni(brain_points()[1]))

    @cached_property
    def lesion(self) -> AnyArray:
        """(i, j, k) of the template: 1 where the lesion lies, 0 elsewhere."""
        mask, _ = brain_points()
        out = np.zeros(mask.shape, dtype=np.uint8)
        elements = locate(self.head.mesh, self.brain)[0]
        out[mask] = (elements >= 0) & self.head.region("lesion")[elements]
        return read_only(out)

    @cached_property
    def _snapped(self) -> tuple[FloatArray, FloatArray]:
        """The middle of the cortex (2 v, 3) nearest to every vertex, on its own side, and how far that is, mm."""
        head, average = self.head, fsaverage()
        middles = mid_grey_points(
            head.mesh, head.region("grey_matter"), head.region("white_matter"), head.region("lesion")
        )  # fmt: skip
        wanted = self._from_mni(average.points) if self.registered is None else self.registered
        mapping = head.mapping
        assert mapping is not None  # __post_init__
        right = transformed(middles, np.asarray(mapping.mni_from_head, dtype=np.float64))[:, 0] > 0
        points, distances = np.full(wanted.shape, np.nan), np.full(len(wanted), np.inf)
        for of_side, vertices in ((~right, average.left), (right, ~average.left)):
            vertices = ~vertices if self.flipped else vertices
            there = middles[of_side]
            if len(there):
                distances[vertices], nearest = cKDTree(there).query(wanted[vertices])
                points[vertices] = there[nearest]
        points[distances > FARTHEST] = np.nan
        return points, distances

    @cached_property
    def fit(self) -> Fit:
        """How well fsaverage5 fits this cortex."""
        distances = np.minimum(self._snapped[1], 100.0)
        how = "warp" if isinstance(self.head.mapping, WarpedMapping) else "affine"
        return Fit(
            "sphere" if self.registered is not None else how, float(distances.mean()),
            float(np.percentile(distances, 95)), float(np.mean(distances > FARTHEST)),
        )  # fmt: skip

    def in_mni(self, field: Field) -> AnyArray:
        """(i, j, k) |E| in the template's brain, V/m; 0 outside the brain, NaN where the head has nothing there."""
        mask, _ = brain_points()
        out = np.zeros(mask.shape, dtype=np.float32)
        out[mask] = np.linalg.norm(field.at(self.brain), axis=1)
        return out

    def on_fsaverage(self, field: Field) -> AnyArray:
        """(v, 2) |E| in the middle of the cortex, left and right hemisphere, V/m; NaN where there is no cortex near."""
        points, _ = self._snapped
        known = np.isfinite(points).all(axis=1)
        out = np.full(len(points), np.nan, dtype=np.float32)
        out[known] = np.linalg.norm(field.at(points[known]), axis=1)
        return np.stack([out[:VERTICES], out[VERTICES:]], axis=1)
