"""A tape on a scalp: the lines along which it runs when it is held taut, and places along them."""

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from neuro_field.arrays import FloatArray
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface

#: Points of an outline nearer to a tape's start than this are the start, mm; the outline is looked at so far beyond its
#: end, mm.
_BESIDE, _MORE = 0.05, 12.0

#: Points of an outline lower than this over the chord of an arc are its ends, mm.
_LOWEST = 1e-3


def cut_of(surface: Surface, origin: FloatArray, normal: FloatArray) -> FloatArray:
    """(m, 3) points where the triangles' edges cross a plane."""
    heights = (surface.points - origin) @ normal
    triangles = surface.triangles
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    first, second = heights[edges[:, 0]], heights[edges[:, 1]]
    crossing = (first > 0) != (second > 0)
    edges, first, second = edges[crossing], first[crossing], second[crossing]
    share = (first / (first - second))[:, None]
    return surface.points[edges[:, 0]] * (1 - share) + surface.points[edges[:, 1]] * share


def taut(scalp: Surface, start: FloatArray, through: FloatArray, end: FloatArray) -> FloatArray:
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
    points = cut_of(scalp, start, np.cross(along, side))
    plane = np.stack([(points - start) @ along, (points - start) @ side], axis=1)
    length = float(np.linalg.norm(end - start))
    plane = np.concatenate([[[0.0, 0.0], [length, 0.0]], plane[plane[:, 1] > _LOWEST]])
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


def reached(path: FloatArray) -> FloatArray:
    """(m,) mm of a path (m, 2 or 3) from its start to each of its points."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])


def at_lengths(path: FloatArray, lengths: FloatArray) -> FloatArray:
    """(k, 3) the points of a path (m, 3) so many mm (k,) from its start."""
    return np.stack([np.interp(lengths, reached(path), path[:, i]) for i in range(3)], axis=-1)


def at_share(path: FloatArray, share: float) -> FloatArray:
    """(3,) the point at a share of a path's length."""
    return at_lengths(path, np.array(share * length_of(path)))


def share_of(path: FloatArray, point: FloatArray) -> float:
    """The share of a path's length at which it passes nearest to a point."""
    steps = np.diff(path, axis=0)
    squares = np.maximum((steps**2).sum(axis=1), 1e-30)
    along = np.clip(((point - path[:-1]) * steps).sum(axis=1) / squares, 0, 1)
    gaps = np.linalg.norm(path[:-1] + along[:, None] * steps - point, axis=1)
    nearest = int(np.argmin(gaps))
    lengths = np.concatenate([[0.0], np.cumsum(np.sqrt(squares))])
    return float((lengths[nearest] + along[nearest] * np.sqrt(squares[nearest])) / lengths[-1])


def in_halves(path: FloatArray, middle: FloatArray, parts: int) -> list[FloatArray]:
    """The points that part each half of a path, before and after its middle point, into equal lengths."""
    share = share_of(path, middle)
    steps = np.arange(1, parts) / parts
    return [at_share(path, s) for s in (*(share * steps), *(share + (1 - share) * steps))]


def length_of(path: FloatArray) -> float:
    """Of a path (m, 3), mm."""
    return float(reached(path)[-1])


def laid(scalp: Surface, start: FloatArray, forwards: FloatArray, upwards: FloatArray, length: float) -> FloatArray:
    """(m, 3) a tape of a length, mm, laid over the scalp from a point of it, in the plane of two directions.

    It is held taut like that of `taut`, between its own two ends alone: a nose beyond the end does not lift it.

    Parameters
    ----------
    scalp : Surface
    start : (3,) array
        On the scalp, mm.
    forwards, upwards : (3,) array
        Unit vectors, perpendicular: along which it sets out, and away from the head.
    """
    cut = cut_of(scalp, start, np.cross(forwards, upwards)) - start
    plane = np.stack([cut @ forwards, cut @ upwards], axis=1)
    plane = plane[(plane[:, 0] > _BESIDE) & (np.linalg.norm(plane, axis=1) <= length + _MORE)]
    plane = np.concatenate([[[0.0, 0.0]], plane])
    try:
        ring = ConvexHull(plane).vertices
    except QhullError:
        raise InputError(f"A tape of {length:.0f} mm runs off the scalp.") from None
    ring = np.roll(ring, -int(np.flatnonzero(ring == 0)[0]))  # counterclockwise, so that the upper side comes last
    path = plane[np.concatenate([ring[:1], ring[1:][::-1]])]
    lengths = reached(path)
    last = int(np.searchsorted(lengths, length))
    if last >= len(path):
        raise InputError(f"A tape of {length:.0f} mm runs off the scalp.")
    end = [np.interp(length, lengths, path[:, i]) for i in range(2)]
    path = np.concatenate([path[:last], [end]])
    return start + path[:, :1] * forwards + path[:, 1:] * upwards
