"""Where a coil stands on a head: a rigid pose, and how to reach one from anatomy."""

from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray, as_points, as_rigid, as_vector, read_only, transformed
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.nouns import noun

#: A point farther from the scalp than this, mm, is no point of the head it is meant for.
FARTHEST = 130.0

#: Axes that are perpendicular and of length one within this are left as they are: a pose read again is the same.
_ROUNDING = 1e-13


@noun
class Placement:
    """A pose of a coil on a head.

    Parameters
    ----------
    head_from_coil : (4, 4) array
        Proper rigid transform, mm: its columns are the coil's x, y and z axes and the centre of its casing face
        in the head frame.  +z points into the head, +y away from the handle.

    Raises
    ------
    InputError
        On shear, scale, or a left-handed matrix.

    Examples
    --------
    >>> import numpy as np
    >>> Placement(np.eye(4)).handle_direction.tolist()
    [0.0, -1.0, 0.0]
    """

    head_from_coil: FloatArray

    def __post_init__(self) -> None:
        matrix = as_rigid(self.head_from_coil, "head_from_coil of Placement")
        rotation = matrix[:3, :3]
        if np.abs(rotation.T @ rotation - np.eye(3)).max() > _ROUNDING:
            u, _, vt = np.linalg.svd(rotation)
            matrix[:3, :3] = u @ vt  # the nearest rotation: digits lost in files do not scale fields
        object.__setattr__(self, "head_from_coil", read_only(matrix))

    @classmethod
    def on(
        cls, scalp: Surface, above: Any, handle_towards: Any, gap: float = 4.0, *, coil: Coil | None = None
    ) -> "Placement":
        """A coil flat on the scalp over a point.

        Its centre stands ``gap`` mm outside the scalp point nearest to ``above``, its axis along the normal of
        the scalp smoothed over 15 mm, its handle turned towards ``handle_towards``.

        Parameters
        ----------
        scalp : Surface
            mm, head frame, normals outwards.
        above : (3,) array
            Point on, in or over the head, mm.
        handle_towards : (3,) array
            Point the **handle** is turned to, mm; the coil's +y axis points the other way.
        gap : float
            Distance from the scalp to the centre of the casing face, mm (hair, cap, foam).
        coil : Coil, optional
            Given a coil with a casing, the pose is lifted along its axis as far as it takes for no part of that
            casing to lie within ``gap`` of the scalp along the axis.  A bent coil is lifted most: its wings
            reach down to the head's sides.  A coil without a casing is not lifted.

        Raises
        ------
        InputError
            If ``above`` is far from the scalp, the scalp is inside out, or the handle would point within 3 degrees
            of the normal.
        """
        above = as_vector(above, "above of Placement.on")
        towards = as_vector(handle_towards, "handle_towards of Placement.on")
        if not (np.isfinite(gap) and 0 <= gap <= 100):
            raise InputError(f"Input gap of Placement.on must be 0 to 100 mm; instead received {gap}.")
        surface_point = _nearest_on(scalp, above)
        normal = _outward_normal(scalp, surface_point)
        centre = surface_point + gap * normal
        y, z = -_handle(towards - centre, normal), -normal
        matrix = np.eye(4)
        matrix[:3] = np.stack([np.cross(y, z), y, z, centre], axis=1)
        if coil is None or coil.casing is None:
            return cls(matrix)
        lift = lifts_to_clear(scalp.points, coil.casing, matrix[None], gap)[0]
        return cls(matrix).moved(along_z=-float(lift))

    @property
    def center(self) -> FloatArray:
        """(3,) centre of the casing face, mm, head frame."""
        return self.head_from_coil[:3, 3]

    @property
    def handle_direction(self) -> FloatArray:
        """(3,) unit vector from the centre along the handle, head frame: the coil's -y."""
        return read_only(0.0 - self.head_from_coil[:3, 1])

    @property
    def axis(self) -> FloatArray:
        """(3,) unit vector into the head, head frame: the coil's +z."""
        return self.head_from_coil[:3, 2]

    def head_points(self, points: Any) -> FloatArray:
        """Points (m, 3) of the coil frame in the head frame, mm."""
        return transformed(as_points(points, "points of Placement.head_points"), self.head_from_coil)

    def coil_points(self, points: Any) -> FloatArray:
        """Points (m, 3) of the head frame in the coil frame, mm."""
        shifted = as_points(points, "points of Placement.coil_points") - self.center
        return shifted @ self.head_from_coil[:3, :3]

    def initial_e_direction(self, coil: Coil) -> FloatArray:
        """(3,) unit vector, head frame: the primary field under this coil while its current rises."""
        return self.head_from_coil[:3, :3] @ coil.initial_e_direction

    def moved(
        self,
        along_x: float = 0.0,
        along_y: float = 0.0,
        along_z: float = 0.0,
        *,
        turned: float = 0.0,
        tilted_x: float = 0.0,
        tilted_y: float = 0.0,
    ) -> "Placement":
        """A pose shifted along the coil's own axes (mm), then turned about its own centre (degrees).

        ``turned`` is about the coil's +z by the right hand: clockwise for someone who looks at the head from
        outside.  ``tilted_x`` and ``tilted_y`` are about its x and y axes, made before the turn.
        """
        if not np.isfinite([along_x, along_y, along_z, turned, tilted_x, tilted_y]).all():
            raise InputError("Inputs of Placement.moved must be finite numbers of mm and degrees.")
        step = np.eye(4)
        step[:3, 3] = along_x, along_y, along_z
        step[:3, :3] = _rotation(2, turned) @ _rotation(1, tilted_y) @ _rotation(0, tilted_x)
        return Placement(self.head_from_coil @ step)

    def mirrored(self) -> "Placement":
        """The pose on the other side of the head, mirrored about the plane x = 0 of the head frame.

        Centre, handle (y) and axis (z) are the mirror images; x = y cross z is the image turned round, since a
        coil cannot be reflected.  A coil that is its own mirror image about its y-z plane, as figure-8 and double
        cone coils are, then induces the mirrored field.
        """
        mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
        return Placement(mirror @ self.head_from_coil @ mirror)


def _rotation(axis: int, degrees: float) -> FloatArray:
    """Right-handed rotation about a coordinate axis."""
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out = np.eye(3)
    out[i, i] = out[j, j] = cosine
    out[i, j], out[j, i] = -sine, sine
    return out


def _handle(wish: FloatArray, normal: FloatArray) -> FloatArray:
    """Unit vector along the scalp nearest to the wish; refuses one that leaves the direction open."""
    handle = wish - (wish @ normal) * normal
    length = float(np.linalg.norm(handle))
    if length <= 0.05 * np.linalg.norm(wish) or length < 1e-6:
        raise InputError(
            "Input handle_towards of Placement.on must lie to one side of the coil; instead it lies straight "
            "above or below its centre, which leaves the handle's direction open."
        )
    return handle / length


def _outward_normal(scalp: Surface, point: FloatArray) -> FloatArray:
    """Smoothed normal of the scalp; refuses a surface that is inside out."""
    centroid = scalp.points.mean(axis=0)
    volume = np.einsum("fi,fi->", scalp.points[scalp.triangles[:, 0]] - centroid, scalp.area_vectors) / 3
    if not volume > 0:
        raise InputError(
            f"Input scalp of Placement.on must have normals that point outwards; instead it encloses "
            f"{volume / 1e3:.0f} cm3. Reverse its triangles."
        )
    return scalp.smoothed_normal(point)


def _nearest_on(scalp: Surface, point: FloatArray) -> FloatArray:
    """The point of the surface nearest to a point, among the triangles of the nearest vertices."""
    if not len(scalp.triangles):
        raise InputError("Input scalp of Placement.on must have triangles; instead it has none.")
    found = scalp.nearest(point)
    distance = float(np.linalg.norm(found - point))
    if distance > FARTHEST:
        raise InputError(
            f"Input above of Placement.on must lie within {FARTHEST:g} mm of the scalp; instead it is "
            f"{distance:.0f} mm away (mm of the head frame are meant)."
        )
    return found
