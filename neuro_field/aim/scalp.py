"""Where on a scalp a coil may stand: points, normals, and the direction that handles are counted from."""

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.head.model import HeadModel
from neuro_field.kernels.patches import patch_normals
from neuro_field.nouns import noun

#: Vertices steeper than this against a patch's normal (cosine) are on an ear or a fold, not on the patch.
_FACING = 0.3

#: Radius of the patch of scalp whose mean normal a coil lies on, mm.
_SMOOTH = 15.0

#: Patches less even than this (`kernels.patches`) are ears, noses and rims; of a whole scalp more is asked.
_EVEN, _EVEN_OVERALL = 0.85, 0.93

#: Scalp over the brain is this far from what lies within the skull, mm; nearer is a cut through the head.
_OVER_BRAIN = (3.0, 25.0)

#: Scalp that looks down more than this (cosine of its normal and upwards) is no place for a coil.
_DOWNWARDS = -0.5

#: Of positions spread over a scalp none is nearer to another than this share of their spacing.
_APART = 0.95


@noun
class Spots:
    """Positions for a coil.

    Parameters
    ----------
    points : (q, 3) array
        On the scalp, mm, head frame.
    frames : (q, 3, 3) array
        Rotations of a coil that lies flat there with its handle straight back: columns x, y, z in the head frame.
    """

    points: FloatArray
    frames: FloatArray

    def __len__(self) -> int:
        return len(self.points)

    @property
    def normals(self) -> FloatArray:
        """(q, 3) outward normals of the smoothed scalp."""
        return -self.frames[:, :, 2]

    @classmethod
    def at(cls, head: HeadModel, points: FloatArray, least_even: float = _EVEN) -> "Spots":
        """Points (q, 3) of the scalp, mm, with the frames there; those on ears, noses or rims are left out."""
        normals, evenness = smoothed_normals(head.scalp, points)
        kept = evenness >= least_even
        points, normals = points[kept], normals[kept]
        right, anterior, _ = anatomical_axes(head)
        backs = normals * (normals @ anterior)[:, None] - anterior
        up = np.linalg.norm(backs, axis=1) < 0.1  # on the forehead or the occiput straight back is up
        backs[up] = right - normals[up] * (normals[up] @ right)[:, None]
        backs /= np.linalg.norm(backs, axis=1, keepdims=True)
        lefts = np.cross(backs, normals)  # seen from outside, at the vertex: the patient's left
        return cls(points, np.stack([lefts, -backs, -normals], axis=2))

    def chosen(self, which: AnyArray) -> "Spots":
        """Some of them."""
        return Spots(self.points[which], self.frames[which])


def anatomical_axes(head: HeadModel) -> FloatArray:
    """(3, 3) unit vectors right, anterior and superior in the head frame: MNI's axes where the head has a mapping."""
    if head.mapping is None:
        return np.eye(3)
    ends = head.from_mni(np.vstack([np.zeros(3), np.eye(3)]))
    axes = ends[1:] - ends[0]
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def smoothed_normals(scalp: Surface, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """`Surface.smoothed_normal` of many points (q, 3), and how even the scalp is there (q,), 1 on a plane."""
    vertices, back = np.unique(scalp.tree.query(points)[1], return_inverse=True)
    normals, evenness = np.empty((len(vertices), 3)), np.empty(len(vertices))
    patch_normals(
        vertices, np.array(scalp.points), np.array(scalp.vertex_normals), np.array(scalp.vertex_areas), _SMOOTH,
        normals, evenness,
    )  # fmt: skip
    return normals[back], evenness[back]


def around(head: HeadModel, center: FloatArray, radius: float, spacing: float) -> Spots:
    """A square grid on the scalp around the point nearest to ``center``, that point first.

    It lies in the plane that touches the scalp there and is carried onto the scalp along the plane's normal.  Where a
    head knows up from down, scalp that looks down is passed over: under a brain lies the neck, and an image ends there
    in a flat cut, however near it is to the cerebellum.
    """
    nearest = _nearest_for_a_coil(head, center)
    reach = int(radius // spacing)
    u, v = np.meshgrid(*[spacing * np.arange(-reach, reach + 1)] * 2, indexing="ij")
    places = np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float64)
    places = places[np.linalg.norm(places, axis=1) <= radius]
    places = places[np.argsort(np.linalg.norm(places, axis=1), kind="stable")]
    normal = head.scalp.smoothed_normal(nearest)
    first = np.cross(normal, [0.0, 0.0, 1.0] if abs(normal[2]) < 0.9 else [0.0, 1.0, 0.0])
    first /= np.linalg.norm(first)
    points = carried_onto(head.scalp, nearest, np.stack([first, np.cross(normal, first), normal]), places)
    spots = Spots.at(head, points)
    spots = spots.chosen(~_under(head, spots.normals))
    if not len(spots):
        raise InputError(f"No scalp was found within {radius:g} mm of the point over the target; check the mesh.")
    return spots


def _looks_down(head: HeadModel, normals: FloatArray) -> AnyArray:
    """(q,) which outward normals of the scalp (q, 3) point down."""
    return np.asarray(normals @ anatomical_axes(head)[2] < _DOWNWARDS)


def _under(head: HeadModel, normals: FloatArray) -> AnyArray:
    """The same; none of a head without a mapping, as spheres are: it knows no down."""
    return np.zeros(len(normals), dtype=bool) if head.mapping is None else _looks_down(head, normals)


def _nearest_for_a_coil(head: HeadModel, center: FloatArray) -> FloatArray:
    """(3,) the vertex of the scalp nearest to a point among those where a coil may stand."""
    scalp = head.scalp
    allowed = np.flatnonzero(~_under(head, scalp.vertex_normals))
    if not len(allowed):
        raise InputError(f"The scalp of {head.name!r} looks down everywhere; check its mapping.")
    return np.asarray(scalp.points[allowed[cKDTree(scalp.points[allowed]).query(center)[1]]])


def carried_onto(scalp: Surface, origin: FloatArray, axes: FloatArray, places: FloatArray) -> FloatArray:
    """Points (q, 3) of the scalp over or under places (q, 2) of a plane, mm; fewer where there is no scalp.

    The rows of ``axes`` (3, 3) are the plane's two axes and its normal, outwards; ``origin`` (3,) lies near the scalp.
    """
    reach = float(np.linalg.norm(places, axis=1).max())
    near = np.array(scalp.tree.query_ball_point(origin, 1.5 * reach + 10.0))
    near = near[scalp.vertex_normals[near] @ axes[2] > _FACING] if len(near) else near
    if len(near) < 3:
        return np.empty((0, 3))
    offsets = (scalp.points[near] - origin) @ axes.T
    heights = LinearNDInterpolator(offsets[:, :2], offsets[:, 2])(places)
    there = np.isfinite(heights)
    return origin + np.column_stack([places, heights])[there] @ axes


def overall(head: HeadModel, center: FloatArray, spacing: float) -> Spots:
    """Positions spread evenly over the scalp that lies over the brain, the one nearest to ``center`` first.

    Ears, face, neck and cuts through the head have none.
    """
    scalp = head.scalp
    points = _over_brain(head)
    points = points[np.argsort(np.linalg.norm(points - center, axis=1), kind="stable")]
    tree, covered, chosen = cKDTree(points), np.zeros(len(points), dtype=bool), []
    for i in range(len(points)):
        if not covered[i]:
            chosen.append(i)
            covered[tree.query_ball_point(points[i], _APART * spacing)] = True
    spots = Spots.at(head, points[chosen], _EVEN_OVERALL)
    spots = spots.chosen(~_looks_down(head, spots.normals))
    if not len(spots):
        raise InputError(
            f"No place for a coil was found on the scalp of {head.name!r} ({len(scalp.points)} vertices): none lies "
            f"{_OVER_BRAIN[0]:g} to {_OVER_BRAIN[1]:g} mm over the brain; check the mesh, or give the grid a radius."
        )
    return spots


def _over_brain(head: HeadModel) -> FloatArray:
    """(m, 3) points all over the scalp over the brain: its vertices and the middles of its triangles."""
    scalp, mesh = head.scalp, head.mesh
    inner = head.region("intracranial")
    border = mesh.nodes[mesh.touched(inner) & mesh.touched(~inner)]
    if not len(border):
        raise InputError(f"The head {head.name!r} has no brain under its scalp; give the grid a radius.")
    far = cKDTree(border).query(scalp.points)[0]
    good = (far >= _OVER_BRAIN[0]) & (far <= _OVER_BRAIN[1])
    triangles = scalp.points[scalp.triangles[good[scalp.triangles].all(axis=1)]]
    return np.concatenate([scalp.points[good], triangles.mean(axis=1)])
