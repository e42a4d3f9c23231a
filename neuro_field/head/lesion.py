"""What a head's lesion amounts to: its volume, place and sides, and how near it comes to a point."""

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, as_points, read_only
from neuro_field.errors import UnknownNameError
from neuro_field.nouns import noun

if TYPE_CHECKING:
    from neuro_field.head.model import HeadModel

#: A lesion that is not on both sides has none if what lies in the hemispheres is centred nearer to the fissure, mm.
MIDLINE = 3.0

#: What must lie in the hemisphere that has less of it for a lesion to be on both sides, cm3.
BOTH_CM3 = 1.0

#: A piece of a lesion is on both sides when more of it than this, cm3, lies deeper than this beyond the fissure, mm.
_REACHING_CM3, _REACHING = 0.1, 5.0

#: Of a lesion at least this share lies in cerebellum and pons when it is an infratentorial one.
_MOSTLY = 0.9

#: The tentorium in MNI152, mm, behind `_FRONT`: height of the ridge, slopes to the sides and to both ends, its y.
_TENTORIUM, _FRONT = (-1.0, -0.48, -0.25, -57.0), -32.0

#: Pons and medulla in MNI152, mm: |x| below, y between, z below.
_STEM = 16.0, (-46.0, -14.0), -20.0


@noun
class LesionSummary:
    """A lesion in figures.

    ``volume_cm3``; ``centroid`` (3,) mm in the head frame; ``centroid_mni`` (3,) mm, None for a head without a mapping;
    ``side`` is "left", "right", "both" (at least 1 cm3 in either hemisphere), "midline" or "infratentorial" (at least
    nine tenths of it), None where nothing tells left from right; ``tissues_cm3`` splits the volume by kind of lesion;
    ``left_cm3`` and ``right_cm3`` are the parts of it in either hemisphere, ``infratentorial_cm3`` what lies in
    cerebellum and pons: None where `side` is.
    """

    volume_cm3: float
    centroid: FloatArray
    centroid_mni: FloatArray | None
    side: str | None
    tissues_cm3: dict[str, float]
    left_cm3: float | None = None
    right_cm3: float | None = None
    infratentorial_cm3: float | None = None

    @property
    def smaller_cm3(self) -> float | None:
        """What lies in the hemisphere that has less of it, cm3; None where nothing tells left from right."""
        return None if self.left_cm3 is None or self.right_cm3 is None else min(self.left_cm3, self.right_cm3)

    @property
    def smaller_side(self) -> str | None:
        """The hemisphere that has less of it: "left" or "right"; None where nothing tells them apart."""
        if self.left_cm3 is None or self.right_cm3 is None:
            return None
        return "left" if self.left_cm3 < self.right_cm3 else "right"


def lesion_summary(head: "HeadModel") -> LesionSummary | None:
    """Volume, centroid and sides of a head's lesion; None when the head has no lesion.

    The centroid is the mean of the lesion's elements weighted by their volume, so it may lie outside a bent
    lesion.  Sides are told by the patient's own fissure, or by MNI's midline where none is seen; see `lesion_sides`.
    """
    lesion = head.region("lesion")
    if not lesion.any():
        return None
    volumes = head.mesh.volumes[lesion]
    centroid = np.average(head.mesh.centroids[lesion], axis=0, weights=volumes)
    mapped = head.mapping is not None
    centroid_mni = read_only(head.to_mni(centroid[None])[0]) if mapped else None
    kinds = {name: cm3 for name, cm3 in head.tissue_volumes.items() if name.startswith("lesion_")}
    total = float(volumes.sum() / 1e3)
    if not mapped and head.fissure is None:
        return LesionSummary(total, read_only(centroid), centroid_mni, None, kinds)
    sides = lesion_sides(head)
    left, right, below = (float(head.mesh.volumes[sides == side].sum() / 1e3) for side in ("left", "right", "below"))
    side = _side(left, right, below, _near_midline(head, sides))
    return LesionSummary(total, read_only(centroid), centroid_mni, side, kinds, left, right, below)


def _near_midline(head: "HeadModel", sides: AnyArray) -> bool:
    """Whether what of a lesion lies in the hemispheres is centred on the fissure; cerebellum and pons have no say."""
    above = (sides == "left") | (sides == "right")
    if not above.any():
        return False
    centroid = np.average(head.mesh.centroids[above], axis=0, weights=head.mesh.volumes[above])
    return abs(float(head.right_of_midline(centroid[None])[0])) < MIDLINE


def _side(left: float, right: float, below: float, near_midline: bool) -> str:
    if below >= _MOSTLY * (left + right + below):
        return "infratentorial"
    if min(left, right) >= BOTH_CM3:
        return "both"
    if near_midline:
        return "midline"
    return "left" if left > right else "right"


def lesion_sides(head: "HeadModel") -> AnyArray:
    """(t,) "left", "right" or "below" (cerebellum and pons) for the elements of a lesion, "" for all others.

    A connected piece of the lesion that reaches less than 5 mm beyond the fissure belongs whole to the side of most of
    it: neither masks nor fissures beside a cavity are better than that.  Of any other an element is on the side where
    its centroid lies.  What lies below the tentorium is found by its place in MNI152 (`infratentorial`), and only in
    heads with a mapping.
    """
    lesion = np.flatnonzero(head.region("lesion"))
    out = np.full(len(head.mesh.tets), "", dtype="<U5")
    if not len(lesion):
        return out
    offsets = head.right_of_midline(head.mesh.centroids[lesion])
    pieces = _pieces(head, lesion)
    volumes = head.mesh.volumes[lesion]
    mostly = np.sign(np.bincount(pieces, np.sign(offsets) * volumes))[pieces]
    beyond = np.bincount(pieces, volumes * (offsets * mostly < -_REACHING)) / 1e3
    right = np.where(beyond[pieces] > _REACHING_CM3, offsets, mostly) > 0
    out[lesion] = np.where(right, "right", "left")
    if head.mapping is not None:
        out[lesion[infratentorial(head.to_mni(head.mesh.centroids[lesion]))]] = "below"
    return out


def infratentorial(points_mni: FloatArray) -> BoolArray:
    """(m,) whether points (m, 3) of MNI152, mm, lie in cerebellum, pons or medulla.

    Behind y = -32 all below z = -1 - 0.48 |x| - 0.25 |y + 57| counts; of the brain stem what lies within |x| < 16 and
    y from -46 to -14 below z = -20, so pons and medulla, not the midbrain.  On Colin27 these are the cerebellum of
    SAMSEG's labels with a Dice share of 0.97, and 18 of the 25 cm3 that they call brain stem [calc].
    """
    x, y, z = points_mni.T
    height, sideways, along, ridge = _TENTORIUM
    beside, (back, front), below = _STEM
    stem = (np.abs(x) < beside) & (y > back) & (y < front) & (z < below)
    return ((z < height + sideways * np.abs(x) + along * np.abs(y - ridge)) & (y < _FRONT)) | stem


def _pieces(head: "HeadModel", elements: AnyArray) -> AnyArray:
    """(e,) number of the connected piece, by shared nodes, that each of some elements belongs to."""
    tets = head.mesh.tets[elements]
    rows, columns = np.repeat(tets[:, 0], 3), tets[:, 1:].ravel()
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(len(head.mesh.nodes),) * 2)
    return connected_components(graph, directed=False)[1][tets[:, 0]]


def distance_to_lesion(head: "HeadModel", points: AnyArray, side: str | None = None) -> FloatArray:
    """How far points (m, 3) of the head frame are from the lesion, or from what of it lies in one hemisphere.

    Parameters
    ----------
    head : HeadModel
    points : (m, 3) array
        mm, such as the centroids of a target's elements.
    side : {"left", "right", "below"}, optional
        The part of the lesion, as `lesion_sides` tells; all of it when omitted.

    Returns
    -------
    (m,) array
        mm to the nearest node of it; infinite where there is none.
    """
    points = as_points(points, "points of distance_to_lesion")
    if side is not None and side not in ("left", "right", "below"):
        raise UnknownNameError("side of distance_to_lesion", side, ["left", "right", "below"])
    chosen = head.region("lesion") if side is None else lesion_sides(head) == side
    if not chosen.any():
        return np.full(len(points), np.inf)
    distance: FloatArray = cKDTree(head.mesh.nodes[np.unique(head.mesh.tets[chosen])]).query(points)[0]
    return distance
