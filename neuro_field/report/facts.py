"""The figures a report quotes about a plan beyond the plan itself: what needs the head and the field."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.aim.scalp import anatomical_axes
from neuro_field.arrays import FloatArray, IntArray, read_only
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.field.stored import StoredField
from neuro_field.head.landmarks import landmarks_1010
from neuro_field.head.model import HeadModel
from neuro_field.search.metrics import percentile_by_volume
from neuro_field.search.plan import Plan


@dataclass(frozen=True, eq=False)
class GreyField:
    """The field in the grey matter.

    ``elements`` (g,) of the head; ``strength`` (g,) their |E|, V/m; ``threshold`` the 99.9th percentile of |E| by
    grey-matter volume, V/m; ``hot_spot`` (3,) the centroid of the grey matter above it, mm, head frame.
    """

    elements: IntArray
    strength: FloatArray
    threshold: float
    hot_spot: FloatArray

    @classmethod
    def of(cls, field: Field | StoredField) -> "GreyField":
        """Of one computed field; raises InputError for a head without grey matter."""
        mesh = field.head.mesh
        elements = np.flatnonzero(field.head.region("grey_matter")).astype(np.int32)
        if not len(elements):
            raise InputError(f"The head {field.head.name!r} has no grey_matter to show a field in.")
        strength = np.linalg.norm(field.in_elements(elements), axis=1)
        volumes = mesh.volumes[elements]
        threshold = percentile_by_volume(strength, volumes)
        hot = strength >= threshold
        centre = np.average(mesh.centroids[elements[hot]], axis=0, weights=volumes[hot])
        return cls(elements, read_only(strength), threshold, read_only(centre))


@dataclass(frozen=True, eq=False)
class HeadFacts:
    """What words about placements need of a head.

    ``axes`` (3, 3) its right, anterior and superior; ``landmarks`` the 10-10 positions, none where they cannot be
    laid out, with the reason in ``why``; ``head`` is None for a plan read from files.
    """

    head: HeadModel | None
    axes: FloatArray
    landmarks: dict[str, FloatArray]
    why: str = ""

    @classmethod
    def of(cls, head: HeadModel | None, *, landmarks: bool = True) -> "HeadFacts":
        """Of a head, with or without its 10-10 positions; of none, the axes of the head frame (world RAS)."""
        if head is None:
            return cls(None, np.eye(3), {}, "the plan was read from files, which do not hold the head")
        if not landmarks:
            return cls(head, anatomical_axes(head), {}, "they were not asked for")
        try:
            return cls(head, anatomical_axes(head), landmarks_1010(head))
        except InputError as error:
            return cls(head, anatomical_axes(head), {}, str(error))

    def mni(self, point: FloatArray) -> FloatArray | None:
        """(3,) MNI152 mm of a point, or None for a head without a mapping."""
        if self.head is None or self.head.mapping is None:
            return None
        return self.head.to_mni(point[None])[0]

    def near(self, center: FloatArray, count: int = 2) -> list[tuple[str, float, FloatArray]]:
        """The nearest 10-10 positions to the scalp under a coil's centre: name, mm, and the offset from it (3,)."""
        if self.head is None or not self.landmarks:
            return []
        scalp = self.head.scalp
        foot = scalp.points[scalp.tree.query(center)[1]]
        found = [(name, float(np.linalg.norm(foot - place)), foot - place) for name, place in self.landmarks.items()]
        return sorted(found, key=lambda entry: entry[1])[:count]

    def cortex_distance(self, center: FloatArray) -> float | None:
        """From a casing face's centre to the nearest grey-matter node, mm."""
        return None if self._grey_nodes is None else float(self._grey_nodes.query(center)[0])

    @cached_property
    def _grey_nodes(self) -> cKDTree | None:
        if self.head is None or not self.head.region("grey_matter").any():
            return None
        mesh = self.head.mesh
        return cKDTree(mesh.nodes[np.unique(mesh.tets[self.head.region("grey_matter")])])


def plan_head(plan: Plan) -> HeadModel | None:
    """The head of a plan that still has its field."""
    return plan.field.head if plan.field is not None else None
