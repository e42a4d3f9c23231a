"""What a turn about a coil's axis leaves as it is: measured, for coils that do not declare it."""

from collections.abc import Callable

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray
from neuro_field.coil.fit import STEP, CasingFace
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface

#: continuous: any turn about its axis leaves the coil as it is; two-fold: half a turn does, but for the sign of the
#: current; none: no turn does.
SYMMETRIES = ("continuous", "two-fold", "none")

#: A turn leaves the field as it is when it changes it by less than this share of the strongest: well above what the
#: dipoles of a symmetric winding do (0.01 %), and below what decides a rank.  Published models made from measurements
#: of figure-8 coils change by 3 to 11 %, as the bent one of the shelf does (12 %), and are searched all the way round.
LARGEST_CHANGE = 0.01

#: ... and the casing when no more than this share of its face changes by more than two squares of its height field:
#: the outline of a small coil cuts through 6 % of its squares, a handle in the face would be a fifth of a coil's.
LARGEST_CHANGE_OF_FACE = 0.1

#: Rings of points on which fields are compared: radii and depths below the face, mm, and points a ring.
_RADII, _DEPTHS, _POINTS = (10.0, 25.0, 40.0), (20.0, 35.0, 50.0), 24

#: A ring nearer to a source than this, mm, says more of that source than of the coil.
_NEAR = 10.0


def measured_symmetry(dadt: Callable[[FloatArray], FloatArray], sources: FloatArray, casing: Surface | None) -> str:
    """The symmetry of a coil: what its field on rings below the face, and its casing, have in common when turned.

    Parameters
    ----------
    dadt : callable
        From points (m, 3), mm, coil frame, to dA/dt (m, 3).
    sources : (s, 3) array
        Places of the coil's dipoles and wires, mm; rings near one are left out.
    casing : Surface, optional

    Returns
    -------
    {"continuous", "two-fold", "none"}
        "none" too where no ring can be looked at: a sampled potential that reaches nowhere below the face.
    """
    fields = _on_rings(dadt, sources)
    if not len(fields):
        return "none"
    strongest = np.linalg.norm(fields, axis=-1).max()
    face = CasingFace.of(casing) if casing is not None else None

    def same(step: int, signs: tuple[int, ...]) -> bool:
        angle = 2 * np.pi * step / _POINTS
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
        turned = np.roll(fields, step, axis=1) @ turn.T
        return any(np.linalg.norm(fields - s * turned, axis=-1).max() <= LARGEST_CHANGE * strongest for s in signs)

    every = range(1, _POINTS)
    if all(same(step, (1,)) for step in every) and all(_same_face(face, step) for step in every):
        return "continuous"
    if same(_POINTS // 2, (1, -1)) and _same_face(face, _POINTS // 2):
        return "two-fold"
    return "none"


def _on_rings(dadt: Callable[[FloatArray], FloatArray], sources: FloatArray) -> FloatArray:
    """(g, 24, 3) fields on the rings that keep clear of the sources and lie where the coil's field is known."""
    turn = 2 * np.pi * np.arange(_POINTS) / _POINTS
    out = []
    for depth in _DEPTHS:
        for radius in _RADII:
            ring = np.stack([radius * np.cos(turn), radius * np.sin(turn), np.full(_POINTS, depth)], axis=1)
            if len(sources) and np.linalg.norm(ring[:, None] - sources, axis=2).min() < _NEAR:
                continue
            try:
                out.append(dadt(ring))
            except InputError:  # outside a sampled potential
                continue
    return np.array(out).reshape(-1, _POINTS, 3)


def _same_face(face: CasingFace | None, step: int) -> bool:
    """Whether the side of the casing that faces the head looks the same after a turn by so many points of a ring."""
    if face is None:
        return True
    angle = 2 * np.pi * step / _POINTS
    radii = np.arange(STEP / 2, face.reach, STEP)
    r, a = np.meshgrid(radii, np.arange(0, 2 * np.pi, 2 * np.pi / 72), indexing="ij")
    own, turned = _heights(face, r, a), _heights(face, r, a + angle)
    either = np.isfinite(own) | np.isfinite(turned)
    changed: BoolArray = either & ~(np.abs(own - turned) <= 2 * STEP)
    return bool((changed * r).sum() <= LARGEST_CHANGE_OF_FACE * (either * r).sum())


def _heights(face: CasingFace, radii: AnyArray, angles: AnyArray) -> FloatArray:
    """z of the face at polar places, NaN where there is no casing."""
    places = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=-1)
    cells = np.floor((places - face.low) / STEP).astype(np.int64)
    there = ((cells >= 0) & (cells < face.heights.shape)).all(axis=-1)
    out = np.full(radii.shape, np.nan)
    out[there] = face.heights[tuple(cells[there].T)]
    return out
