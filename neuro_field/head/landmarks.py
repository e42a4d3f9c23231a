"""The 10-10 electrode positions on a head's scalp, laid out with a tape as on a person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError, cKDTree

from neuro_field.arrays import FloatArray, as_vector
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.head.model import HeadModel

#: Where the fiducials lie on the Colin27 head, MNI mm [lit]: nasion, inion, and the points before the ears
#: (positions distributed as standard_1005; Oostenveld and Praamstra, Clin Neurophysiol 2001;112:713-719).
FIDUCIALS_MNI = {
    "Nz": (0.0, 86.8, -40.0),
    "Iz": (0.0, -118.6, -23.1),
    "LPA": (-86.1, -20.0, -48.0),
    "RPA": (85.8, -20.0, -48.0),
}

#: A fiducial further than this from the scalp, mm, means that the mesh ends above it or the mapping is wrong.
FARTHEST_FIDUCIAL = 25.0

#: Rounds of finding the vertex by midline and coronal arc in turn, and the movement, mm, that ends them.
VERTEX_ROUNDS = 20
VERTEX_SETTLED = 0.05

MIDLINE = ("Fpz", "AFz", "Fz", "FCz", "Cz", "CPz", "Pz", "POz", "Oz")
CORONAL = ("T7", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "T8")
RING_LEFT = ("Fp1", "AF7", "F7", "FT7", "T7", "TP7", "P7", "PO7", "O1")
RING_RIGHT = ("Fp2", "AF8", "F8", "FT8", "T8", "TP8", "P8", "PO8", "O2")

#: Rows between the ring and the midline: left end, left names outwards in, middle, right names in outwards,
#: right.
ROWS = (
    ("AF7", ("AF3",), "AFz", ("AF4",), "AF8"),
    ("F7", ("F5", "F3", "F1"), "Fz", ("F2", "F4", "F6"), "F8"),
    ("FT7", ("FC5", "FC3", "FC1"), "FCz", ("FC2", "FC4", "FC6"), "FT8"),
    ("TP7", ("CP5", "CP3", "CP1"), "CPz", ("CP2", "CP4", "CP6"), "TP8"),
    ("P7", ("P5", "P3", "P1"), "Pz", ("P2", "P4", "P6"), "P8"),
    ("PO7", ("PO3",), "POz", ("PO4",), "PO8"),
)


@dataclass(frozen=True, eq=False)
class _Scalp:
    """A scalp that answers the nearest point on it and the points of a cut through it."""

    surface: Surface
    tree: cKDTree

    @classmethod
    def of(cls, surface: Surface) -> "_Scalp":
        corners = surface.points[surface.triangles]
        return cls(surface, cKDTree(corners.mean(axis=1)))

    def nearest(self, point: FloatArray) -> FloatArray:
        """(3,) point of the scalp nearest to a point, among the 32 triangles with the nearest centres."""
        close = np.atleast_1d(self.tree.query(point, k=min(32, self.tree.n))[1])
        candidates = _nearest_on_triangles(point, self.surface.points[self.surface.triangles[close]])
        return candidates[np.argmin(np.linalg.norm(candidates - point, axis=1))]

    def cut(self, origin: FloatArray, normal: FloatArray) -> FloatArray:
        """(m, 3) points where the triangles' edges cross a plane."""
        heights = (self.surface.points - origin) @ normal
        triangles = self.surface.triangles
        edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
        first, second = heights[edges[:, 0]], heights[edges[:, 1]]
        crossing = (first > 0) != (second > 0)
        edges, first, second = edges[crossing], first[crossing], second[crossing]
        share = (first / (first - second))[:, None]
        return self.surface.points[edges[:, 0]] * (1 - share) + self.surface.points[edges[:, 1]] * share


def _nearest_on_triangles(point: FloatArray, corners: FloatArray) -> FloatArray:
    """(f, 3) the point of each triangle (f, 3, 3) nearest to a point."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normals = np.cross(b - a, c - a)
    squares = np.maximum((normals**2).sum(axis=1), 1e-30)
    foot = point - ((point - a) * normals).sum(axis=1)[:, None] * normals / squares[:, None]
    inside = np.ones(len(corners), dtype=bool)
    on_edges = []
    for start, end in ((a, b), (b, c), (c, a)):
        inside &= (np.cross(end - start, foot - start) * normals).sum(axis=1) >= 0
        along = ((point - start) * (end - start)).sum(axis=1)
        along = np.clip(along / np.maximum(((end - start) ** 2).sum(axis=1), 1e-30), 0, 1)
        on_edges.append(start + along[:, None] * (end - start))
    edges = np.stack(on_edges, axis=1)
    best = np.argmin(np.linalg.norm(edges - point, axis=2), axis=1)
    return np.where(inside[:, None], foot, edges[np.arange(len(edges)), best])


def _arc(scalp: _Scalp, start: FloatArray, through: FloatArray, end: FloatArray) -> FloatArray:
    """(m, 3) a tape from one point to another, held taut over the scalp in the plane of three points.

    The cut of the plane is taken on the side of the chord where ``through`` lies, and its convex hull is the
    tape: it spans what a tape spans, such as the root of the nose or a hollow behind the ear, and does not
    dip into pits.
    """
    along = (end - start) / np.linalg.norm(end - start)
    side = through - start - ((through - start) @ along) * along
    height = float(np.linalg.norm(side))
    if height < 1.0:
        raise InputError("The 10-10 positions cannot be laid out: three points of an arc lie on one line.")
    side /= height
    points = scalp.cut(start, np.cross(along, side))
    plane = np.stack([(points - start) @ along, (points - start) @ side], axis=1)
    length = float(np.linalg.norm(end - start))
    plane = np.concatenate([[[0.0, 0.0], [length, 0.0]], plane[plane[:, 1] > 0]])
    plane = plane[(plane[:, 0] > -0.2 * length) & (plane[:, 0] < 1.2 * length)]
    try:
        ring = ConvexHull(plane).vertices
    except QhullError:
        raise InputError("The 10-10 positions cannot be laid out: the scalp does not reach the arc.") from None
    if 0 not in ring or 1 not in ring:
        raise InputError("The 10-10 positions cannot be laid out: a fiducial lies under the scalp's outline.")
    ring = np.roll(ring, -int(np.flatnonzero(ring == 0)[0]))  # counterclockwise from start: the chord comes first
    path = plane[np.concatenate([ring[:1], ring[1:][::-1]])]
    return start + path[:, :1] * along + path[:, 1:] * side


def _at(path: FloatArray, share: float) -> FloatArray:
    """(3,) the point at a share of a path's length."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    return np.array([np.interp(share * lengths[-1], lengths, path[:, i]) for i in range(3)])


def _share_of(path: FloatArray, point: FloatArray) -> float:
    """The share of a path's length at which it passes nearest to a point."""
    steps = np.diff(path, axis=0)
    squares = np.maximum((steps**2).sum(axis=1), 1e-30)
    along = np.clip(((point - path[:-1]) * steps).sum(axis=1) / squares, 0, 1)
    gaps = np.linalg.norm(path[:-1] + along[:, None] * steps - point, axis=1)
    nearest = int(np.argmin(gaps))
    lengths = np.concatenate([[0.0], np.cumsum(np.sqrt(squares))])
    return float((lengths[nearest] + along[nearest] * np.sqrt(squares[nearest])) / lengths[-1])


def _in_halves(path: FloatArray, middle: FloatArray, parts: int) -> list[FloatArray]:
    """The points that part each half of a path, before and after its middle point, into equal lengths."""
    share = _share_of(path, middle)
    steps = np.arange(1, parts) / parts
    return [_at(path, s) for s in (*(share * steps), *(share + (1 - share) * steps))]


def _fiducials(head: HeadModel, scalp: _Scalp, names: Sequence[str] = tuple(FIDUCIALS_MNI)) -> dict[str, FloatArray]:
    """The four fiducials, or some, carried from MNI space and set on the scalp."""
    out = {}
    for name in names:
        expected = head.from_mni(np.array([FIDUCIALS_MNI[name]]))[0]
        out[name] = scalp.nearest(expected)
        gap = float(np.linalg.norm(out[name] - expected))
        if gap > FARTHEST_FIDUCIAL:
            raise InputError(
                f"The 10-10 positions cannot be laid out on {head.name!r}: the scalp is {gap:.0f} mm from "
                "where "
                f"{name} is expected ({FARTHEST_FIDUCIAL:.0f} mm at most); the mesh ends too high or its "
                "mapping "
                "to MNI is off."
            )
    return out


def _vertex(scalp: _Scalp, points: dict[str, FloatArray], guess: FloatArray) -> FloatArray:
    """Cz: halfway along the midline arc and halfway along the coronal arc at once."""
    vertex = scalp.nearest(guess)
    for _ in range(VERTEX_ROUNDS):
        midline = _at(_arc(scalp, points["Nz"], vertex, points["Iz"]), 0.5)
        moved = _at(_arc(scalp, points["LPA"], midline, points["RPA"]), 0.5)
        step = float(np.linalg.norm(moved - vertex))
        vertex = moved
        if step < VERTEX_SETTLED:
            return vertex
    raise InputError("The 10-10 positions cannot be laid out: midline and coronal arc do not settle on a vertex.")


def fiducials(head: HeadModel, names: Sequence[str]) -> dict[str, FloatArray]:
    """Some of the root of the nose Nz, the inion Iz, and the points before the ears LPA and RPA: (3,) mm, on the scalp.

    Raises
    ------
    InputError
        As `landmarks_1010`.
    """
    return _fiducials(head, _Scalp.of(head.scalp), names)


def landmarks_1010(head: HeadModel) -> dict[str, FloatArray]:
    """The 10-10 positions on a head's scalp.

    The fiducials come from MNI space; the rest is measured as on a person (Jurcak et al., NeuroImage 2007;34:1600):
    Cz where the halves of the midline and the coronal arc meet, the midline and the coronal row in tenths,
    the ring through Fpz, T7, Oz and T8, and the rows between ring and midline in quarters. An arc is a taut
    tape, so ears, brows and pits do not bend it.

    Parameters
    ----------
    head : HeadModel
        With a mapping to MNI and a scalp down to the ears.

    Returns
    -------
    dict of str to (3,) array
        The four fiducials and 61 positions, mm, head frame, each on the scalp.

    Raises
    ------
    InputError
        If the head has no mapping, or its scalp ends above the fiducials.
    """
    scalp = _Scalp.of(head.scalp)
    points = _fiducials(head, scalp)
    points["Cz"] = _vertex(scalp, points, head.from_mni(np.array([[0.0, -10.0, 100.0]]))[0])
    midline = _arc(scalp, points["Nz"], points["Cz"], points["Iz"])
    for name, tenth in zip(MIDLINE, range(1, 10), strict=True):
        points[name] = scalp.nearest(_at(midline, tenth / 10))
    coronal = _arc(scalp, points["LPA"], points["Cz"], points["RPA"])
    for name, tenth in zip(CORONAL, range(1, 10), strict=True):
        points[name] = scalp.nearest(_at(coronal, tenth / 10))
    for ring, side in ((RING_LEFT, "T7"), (RING_RIGHT, "T8")):
        path = _arc(scalp, points["Fpz"], points[side], points["Oz"])
        halves = _in_halves(path, points[side], 5)
        for name, place in zip([name for name in ring if name != side], halves, strict=True):
            points[name] = scalp.nearest(place)
    for left, inwards, middle, outwards, right in ROWS:
        path = _arc(scalp, points[left], points[middle], points[right])
        halves = _in_halves(path, points[middle], len(inwards) + 1)
        for name, place in zip((*inwards, *outwards), halves, strict=True):
            points[name] = scalp.nearest(place)
    return points


def nearest_landmark(
    head: HeadModel, point: FloatArray, landmarks: dict[str, FloatArray] | None = None
) -> tuple[str, float]:
    """The 10-10 position nearest to a point, and how far it is, mm.

    Parameters
    ----------
    head : HeadModel
    point : (3,) array
        mm, head frame.
    landmarks : dict, optional
        What `landmarks_1010` gave for this head, to ask for many points without laying it out again.
    """
    point = as_vector(point, "point of nearest_landmark")
    known = landmarks_1010(head) if landmarks is None else landmarks
    distances = {name: float(np.linalg.norm(place - point)) for name, place in known.items()}
    name = min(distances, key=lambda key: distances[key])
    return name, distances[name]
