"""How far a coil is off a planned placement: along the scalp, by its handle, its tilt and its gap."""

import numpy as np

from neuro_field.arrays import FloatArray, sealed
from neuro_field.coil.placement import Placement
from neuro_field.geometry.mesh import Surface
from neuro_field.nouns import noun

#: How far the scalp is looked for along a coil's axis, mm: as far as a coil may stand off, or may seem to cut in.
REACH = 40.0

#: Scalp that faces up more than this (cosine) is looked at from above.
_ABOVE = 0.5

_SIDES = (("right", "left"), ("front", "back"), ("top", "bottom"))

#: Triangles are looked through whose corners lie within this of the axis, mm.
_ASIDE = 12.0


@noun
class Seat:
    """The scalp under a coil.

    Parameters
    ----------
    foot : (3,) array
        Where the coil's axis meets it, mm, head frame.
    normal : (3,) array
        Of the smoothed scalp there, outwards.
    gap : float
        From the casing's face to it along the axis, mm; below zero where the face lies inside.
    """

    foot: FloatArray
    normal: FloatArray
    gap: float

    @classmethod
    def of(cls, scalp: Surface, placement: Placement) -> "Seat | None":
        """Under a placement; None where the coil does not look at the scalp from `REACH` mm or nearer."""
        gap = gap_along(scalp, placement.center, placement.axis)
        if gap is None:
            return None
        foot = placement.center + gap * placement.axis
        return cls(sealed(foot), sealed(scalp.smoothed_normal(foot)), gap)


@noun
class Miss:
    """A coil beside a planned placement.

    Parameters
    ----------
    along : float
        Between the two points of the scalp under them, mm, along the arc that joins them.
    upwards, across : float
        Its parts in the scalp's plane at the planned one, mm, for someone who looks at the head from outside: up and to
        the right in that view.
    up, right : str
        Which side of the patient lies that way: "front", "back", "top", "bottom", "right" or "left".
    handle : float
        Where the planned handle points in that view, degrees clockwise from up.
    turned : float
        Of the handle, degrees, clockwise for someone who looks at the head from outside.
    tilted : float
        Between both axes, degrees, each taken from the scalp under it.
    gap : float
        How much farther off the scalp than planned, mm.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> planned = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> seat = Seat.of(head.scalp, planned)
    >>> turned = Miss.of(seat, planned, Seat.of(head.scalp, planned.moved(turned=10)), planned.moved(turned=10))
    >>> round(turned.turned, 1), round(turned.along, 1)
    (10.0, 0.0)
    """

    along: float
    upwards: float
    across: float
    up: str
    right: str
    handle: float
    turned: float
    tilted: float
    gap: float

    @classmethod
    def of(
        cls, planned_seat: Seat, planned: Placement, seat: Seat, placement: Placement, axes: FloatArray | None = None
    ) -> "Miss":
        """Of a placement, with what lies under both; ``axes`` (3, 3) are the patient's right, front and top."""
        normal = planned_seat.normal
        view, names = _view(normal, np.eye(3) if axes is None else axes)
        carry = _carrying(seat.normal, planned_seat.normal)
        x, y, z = planned.head_from_coil[:3, :3].T
        own = carry @ placement.head_from_coil[:3, :3]
        upright = _carrying(own[:, 2], z) @ own
        turned = float(np.degrees(np.arctan2(-upright[:, 1] @ x, upright[:, 1] @ y)))
        tilted = float(np.degrees(np.arccos(np.clip(own[:, 2] @ z, -1.0, 1.0))))
        offset = seat.foot - planned_seat.foot
        half = np.arccos(np.clip(seat.normal @ planned_seat.normal, -1.0, 1.0)) / 2
        along = float(np.linalg.norm(offset) * (half / np.sin(half) if half > 1e-6 else 1.0))
        flat = view @ offset
        flat *= along / max(float(np.linalg.norm(flat)), 1e-12)
        handle = view @ planned.handle_direction
        return cls(
            along, float(flat[0]), float(flat[1]), *names, float(np.degrees(np.arctan2(handle[1], handle[0]))), turned,
            tilted, seat.gap - planned_seat.gap,
        )  # fmt: skip


def gap_along(scalp: Surface, start: FloatArray, axis: FloatArray) -> float | None:
    """From a point to the scalp along a unit vector into the head, mm, below zero from inside; None beyond `REACH`.

    The crossing nearest to the point counts at which the axis enters the head.
    """
    steps = np.arange(-REACH, REACH + 1.0, 2.0 * _ASIDE)
    found = scalp.tree.query_ball_point(start + steps[:, None] * axis, 1.5 * _ASIDE)
    near = np.zeros(len(scalp.points), dtype=bool)
    for indices in found:
        near[indices] = True
    triangles = scalp.triangles[near[scalp.triangles].any(axis=1)]
    if not len(triangles):
        return None
    a, b, c = (scalp.points[triangles[:, i]] - start for i in range(3))
    volume = np.einsum("fi,i->f", np.cross(b - a, c - a), axis)  # below zero: the axis enters
    weights = [np.einsum("fi,i->f", np.cross(p, q), axis) for p, q in ((b, c), (c, a), (a, b))]
    inside = (volume < 0) & np.all([weight <= 1e-9 for weight in weights], axis=0)
    if not inside.any():
        return None
    normals = np.cross(b - a, c - a)[inside]
    gaps = np.einsum("fi,fi->f", normals, a[inside]) / volume[inside]
    nearest = float(gaps[np.argmin(np.abs(gaps))])
    return nearest if abs(nearest) <= REACH else None


def _carrying(start: FloatArray, end: FloatArray) -> FloatArray:
    """(3, 3) the smallest rotation that takes one unit vector to another."""
    across, cosine = np.cross(start, end), float(start @ end)
    if cosine < -1 + 1e-9:  # opposite: any half turn about an axis across
        other = np.cross(start, [1.0, 0, 0] if abs(start[0]) < 0.9 else [0, 1.0, 0])
        other /= np.linalg.norm(other)
        return np.asarray(2 * np.outer(other, other) - np.eye(3))
    skew = np.array([[0, -across[2], across[1]], [across[2], 0, -across[0]], [-across[1], across[0], 0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1 + cosine))


def _view(normal: FloatArray, axes: FloatArray) -> tuple[FloatArray, tuple[str, str]]:
    """(2, 3) up and to the right for someone who looks at the scalp from outside, and which sides these are.

    Up is the patient's front on the top of the head, and the patient's top elsewhere.
    """
    _, front, top = axes
    up = front if normal @ top > _ABOVE else top
    up = up - (up @ normal) * normal
    up = up / np.linalg.norm(up)
    right = np.cross(up, normal)
    return np.stack([up, right]), (_side(up, axes), _side(right, axes))


def _side(direction: FloatArray, axes: FloatArray) -> str:
    """The side of the patient that lies nearest to a direction."""
    parts = axes @ direction
    axis = int(np.argmax(np.abs(parts)))
    return _SIDES[axis][0 if parts[axis] > 0 else 1]
