"""From a coil's pose to the coefficients of the modes, by its magnetic field just outside the brain.

The field in the head is linear in the coil's flux density B on a surface around the brain, and in nothing else of the
coil: B there is the gradient of a harmonic function and tells all of it.  Snapshots give pairs of B and field; of a new
pose's B the part that the snapshots span is read, and the rest says how much of the field they do not span.
"""

from functools import lru_cache

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, sealed
from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun

#: Probes around the brain are about this far apart, mm.
SPACING = 16.0

#: A coil is read by a simpler one that errs by at most this.
COIL_ERROR = 1e-3

#: Directions of B below this share of the largest are not read: they would be rounding.
CUT = 1e-4

#: Poses whose B is computed together.
_AT_ONCE = 256


@noun
class Reader:
    """Reads coefficients of modes off B.

    Parameters
    ----------
    probes : (m, 3) array
        mm, head frame, in the head and outside the brain.
    span : (3 m, r) array
        Orthonormal: directions of B that the snapshots span.
    coefficients : (r, K) array
        Of the K modes, for each of them.
    """

    probes: FloatArray
    span: FloatArray
    coefficients: FloatArray

    @classmethod
    def of(cls, probes: FloatArray, seen: FloatArray, coefficients: FloatArray) -> "Reader":
        """Of the B (N, 3 m) of N snapshots and the coefficients (N, K) that each has."""
        u, sizes, vt = np.linalg.svd(seen, full_matrices=False)
        kept = sizes > CUT * sizes[0]
        return cls(
            probes, sealed(np.ascontiguousarray(vt[kept].T)), sealed((u[:, kept] / sizes[kept]).T @ coefficients)
        )

    def read(self, coil: Coil, poses: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Coefficients (p, K) under poses (p, 4, 4), per A/s, and the share (p,) of B not spanned."""
        seen = flux_density(coil, poses, self.probes)
        spanned = seen @ self.span
        whole, known = np.einsum("pi,pi->p", seen, seen), np.einsum("pi,pi->p", spanned, spanned)
        share = np.sqrt(np.maximum(whole - known, 0.0) / np.maximum(whole, 1e-300))
        return spanned @ self.coefficients, share


def probes_around(head: HeadModel) -> FloatArray:
    """(m, 3) points on the inside of the skull, mm: one vertex of its surface in each cube."""
    inside = head.region("intracranial")
    if not inside.any():
        raise InputError(f"The head {head.name!r} has no brain, so its field cannot be followed.")
    points = head.mesh.boundary(inside).largest_piece().points
    first = np.unique(np.floor(points / SPACING).astype(np.int64), axis=0, return_index=True)[1]
    return sealed(points[np.sort(first)])


def flux_density(coil: Coil, poses: FloatArray, points: FloatArray) -> FloatArray:
    """(p, 3 m) B of a coil under poses (p, 4, 4) at points (m, 3) of the head, T per A."""
    out = np.empty((len(poses), 3 * len(points)))
    for first in range(0, len(poses), _AT_ONCE):
        turns, centres = poses[first : first + _AT_ONCE, :3, :3], poses[first : first + _AT_ONCE, None, :3, 3]
        local = (points - centres) @ turns
        seen = coil.flux_density_rate(local.reshape(-1, 3), didt=1.0).reshape(local.shape)
        out[first : first + _AT_ONCE] = (seen @ turns.transpose(0, 2, 1)).reshape(len(turns), -1)
    return out


@lru_cache(maxsize=16)
def lighter(coil: Coil) -> Coil:
    """The coil in fewer dipoles, by which it is read; itself where it cannot be."""
    try:
        return coil.simplified(error=COIL_ERROR)
    except InputError:  # a sampled potential, an open wire, several channels
        return coil


def greedy(seen: FloatArray, count: int) -> AnyArray:
    """Rows of B (p, 3 m), the next always the one whose share outside the span of those before is largest."""
    unit = (seen / np.linalg.norm(seen, axis=1, keepdims=True)).astype(np.float32)
    left, basis = np.ones(len(unit)), np.empty((0, unit.shape[1]))
    chosen: list[int] = []
    for _ in range(min(count, len(unit))):
        chosen.append(int(np.argmax(left)))
        along = unit[chosen[-1]].astype(np.float64)
        for _ in range(2):  # once leaves rounding
            along -= basis.T @ (basis @ along)
        along /= np.linalg.norm(along)
        basis = np.vstack([basis, along])
        left -= np.square(unit @ along.astype(np.float32), dtype=np.float64)
        left[chosen] = -1.0
    return np.array(chosen)
