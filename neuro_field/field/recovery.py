"""The potential's gradient at points, recovered inside each tissue and never across a tissue boundary."""

import numpy as np

from neuro_field.arrays import FloatArray, IntArray
from neuro_field.field.system import System
from neuro_field.kernels.recovery import fitted_gradients


def recovered_gradient(
    system: System, potential: FloatArray, elements: IntArray, shares: FloatArray
) -> FloatArray:
    """Gradient of a nodal potential at points given by element and barycentric coordinates.

    At every node of those elements a quadratic is fitted to the potential over the node's neighbours in the
    element's own tissue (harmonic there, since the potential is, where conductivity is isotropic); between nodes the
    gradients are interpolated linearly.

    Parameters
    ----------
    system : System
    potential : (n,) array
        V.
    elements : (m,) int array
        Holding each point; none negative.
    shares : (m, 4) array
        Barycentric coordinates.

    Returns
    -------
    (m, 3) array
        V/m.
    """
    mesh = system.head.mesh
    pairs = np.stack([mesh.tets[elements].ravel(), np.repeat(mesh.tags[elements], 4)], axis=1)
    slots, where = np.unique(pairs, axis=0, return_inverse=True)
    harmonic = np.full(len(slots), system.head.conductivity.ndim == 1)
    gradients = np.empty((len(slots), 3))
    fitted_gradients(
        system.nodes, mesh.tets, mesh.tags, system.offsets, system.slots, potential,
        np.ascontiguousarray(slots[:, 0]), np.ascontiguousarray(slots[:, 1]), harmonic, gradients,
    )  # fmt: skip
    return np.einsum("ma,mac->mc", shares, gradients[where.reshape(-1, 4)])
