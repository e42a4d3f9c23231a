"""The adjoint's magnetic field outside the head, as that of a few magnetic charges beneath the scalp.

Outside the head Q has neither curl nor divergence, so it is the field of charges under the scalp, and a thousand of
them, denser towards the target, say what the currents at a million nodes say.  Sums over nodes have a curl,
a part of the discretisation's error; charges have none.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.field.treecode import Treecode
from neuro_field.geometry.mesh import Surface
from neuro_field.kernels.charges import charge_fields
from neuro_field.nouns import noun
from neuro_field.units import MU0_OVER_4PI, metres

#: Spacing of the charges over the target, mm; it grows by `GRADE` per mm of distance beyond the nearest scalp.
SPACING = 12.0
GRADE = 0.2

#: Charges lie one spacing below the scalp; where it is thinner than this share of that (an ear) there are none.
_BURIED = 0.6

#: Q is fitted at points this high above the scalp, mm, as low as windings come; ...
HEIGHT = 8.0

#: ... their spacing as a share of the charges', and where the scalp comes nearer than this share of the height, none.
_DENSER = 0.8
_CLEAR = 0.7

#: Added to the diagonal of the normal equations, as a share of its mean.
_RIDGE = 1e-9


@noun
class Charges:
    """Magnetic charges.

    Parameters
    ----------
    places : (j, 3) array
        mm, head frame.
    strengths : (j, k) array
        Of k fields; with lengths in m their sum gives Q in T m per A m2 of dipole, whatever Q is a response to.
    """

    places: FloatArray
    strengths: FloatArray

    @classmethod
    def fitted(cls, scalp: Surface, towards: FloatArray, tree: Treecode) -> "Charges":
        """Charges with the magnetic field of a tree's currents above a scalp, by least squares.

        Parameters
        ----------
        scalp : Surface
            mm, head frame.
        towards : (r, 3) array
            Points, mm, where the currents are strongest: charges stand densest over them.
        tree : Treecode
        """
        far = cKDTree(towards).query(scalp.points)[0]
        spacing = np.maximum(SPACING, GRADE * (far - far.min()))
        places, depth = _thinned(scalp, spacing, 1.0)
        places = places - depth[:, None] * scalp.vertex_normals[_vertices(scalp, places)]
        places = np.ascontiguousarray(places[-_height(scalp, places) > _BURIED * depth])
        points, _ = _thinned(scalp, spacing, _DENSER)
        points = points + HEIGHT * scalp.vertex_normals[_vertices(scalp, points)]
        points = np.ascontiguousarray(points[_height(scalp, points) > _CLEAR * HEIGHT])
        wanted = MU0_OVER_4PI * tree.magnetic_sum(metres(points))  # (m, k, 3)
        offsets = metres(points)[:, None] - metres(places)
        columns = (offsets / np.linalg.norm(offsets, axis=2, keepdims=True) ** 3).transpose(0, 2, 1)
        columns = columns.reshape(-1, len(places))
        lengths = np.linalg.norm(columns, axis=0)
        columns /= lengths
        normal = columns.T @ columns
        normal[np.diag_indices_from(normal)] *= 1 + _RIDGE
        right = columns.T @ wanted.transpose(0, 2, 1).reshape(len(columns), -1)
        return cls(places, cho_solve(cho_factor(normal), right) / lengths[:, None])

    def field(self, points: FloatArray) -> FloatArray:
        """Q (m, 3, k) at points (m, 3) mm outside the head."""
        out = np.empty((len(points), 3, self.strengths.shape[1]))
        charge_fields(metres(points), metres(self.places), np.ascontiguousarray(self.strengths), out)
        return out


def _thinned(scalp: Surface, spacing: FloatArray, share: float) -> tuple[FloatArray, FloatArray]:
    """Vertices about ``share`` times their spacing apart, in steps of root two, and the spacing of each."""
    steps = np.floor(2 * np.log2(spacing / SPACING) + 1e-9).astype(np.int64)
    chosen, apart = [], []
    for step in np.unique(steps):
        here = np.flatnonzero(steps == step)
        wide = SPACING * 2 ** (step / 2)
        cells = np.floor(scalp.points[here] / (share * wide)).astype(np.int64)
        first = np.unique(cells, axis=0, return_index=True)[1]
        chosen.append(here[np.sort(first)])
        apart.append(np.full(len(first), wide))
    return scalp.points[np.concatenate(chosen)], np.concatenate(apart)


def _vertices(scalp: Surface, points: FloatArray) -> AnyArray:
    return scalp.tree.query(points)[1]


def _height(scalp: Surface, points: FloatArray) -> FloatArray:
    """Distance (m,) to the nearest vertex of the scalp, negative within the head."""
    distance, nearest = scalp.tree.query(points)
    outwards = np.einsum("mi,mi->m", points - scalp.points[nearest], scalp.vertex_normals[nearest])
    return np.where(outwards > 0, distance, -distance)
