"""The potential's gradient at points, recovered inside each tissue and never across a tissue boundary."""

import numpy as np

from neuro_field.arrays import FloatArray, IntArray
from neuro_field.field.system import System, unwritable
from neuro_field.kernels.recovery import COEFFICIENTS, blended_gradients, fitted_polynomials

#: More than any tissue tag.
_TAGS = 2**31


def recovered_gradient(
    system: System, potential: FloatArray, elements: IntArray, shares: FloatArray, *, divergence_free: bool = True
) -> FloatArray:
    """Gradient of a nodal potential at points given by element and barycentric coordinates.

    At every node of those elements a cubic is fitted to the potential over the node's two rings of neighbours in the
    element's own tissue, harmonic there since the potential is; a general quadratic where it is not: where conductivity
    is a tensor or varies within the tissue (`System.harmonic_tags`), or dA/dt diverges.  The gradients of the four
    nodes' cubics at the point are averaged by its barycentric coordinates.

    Relative L2 error of E (and, over |E| >= 10 % of its largest, the 99th percentile of the pointwise one), %, on
    concentric spheres (`sphere_head`, 121k / 280k nodes, edge 4 / 3 mm) under a figure-8 at 4 mm:

    ==================  ==========================  =========================  ========================
    points              this                        averages over patches      element values
    ==================  ==========================  =========================  ========================
    brain               0.12 (0.38) / 0.09 (0.27)   0.68 (2.1) / 0.43 (1.4)    2.6 (6.7) / 2.0 (5.1)
    its outer 2 mm      0.25 (0.60) / 0.18 (0.48)   1.54 (4.1) / 0.99 (2.6)    2.4 (7.3) / 1.8 (5.2)
    its surface nodes   0.35 (1.01) / 0.30 (0.86)   2.03 (5.6) / 1.43 (3.8)    3.5 (11) / 2.6 (8.3)
    ==================  ==========================  =========================  ========================

    Wider weights do still better on spheres (0.07 % at 3 mm) and worse where a boundary folds within a few elements:
    on a brain with a jagged grey-white boundary (elements of 6 mm, against the same mesh cut eightfold) widths of
    0.4 / 0.5 / 0.6 / 0.7 / 1.0 mean edges leave 2.4 / 1.9 / 2.1 / 2.6 / 3.3 %, averages over patches 3.2 %.

    Parameters
    ----------
    system : System
    potential : (n,) array
        V.
    elements : (m,) int array
        Holding each point; none negative.
    shares : (m, 4) array
        Barycentric coordinates.
    divergence_free : bool
        Of the dA/dt that drives the potential.

    Returns
    -------
    (m, 3) array
        V/m.
    """
    mesh = system.head.mesh
    slots = mesh.tets[elements].astype(np.int64) * _TAGS + mesh.tags[elements, None]
    different, places = np.unique(slots, return_inverse=True)
    tags = different % _TAGS
    harmonic = np.isin(tags, system.harmonic_tags) & divergence_free
    polynomials = np.empty((len(different), COEFFICIENTS))
    fitted_polynomials(
        system.nodes, mesh.tets, mesh.tags, system.offsets, system.slots, unwritable(potential),
        different // _TAGS, tags, harmonic, polynomials,
    )  # fmt: skip
    out = np.empty((len(elements), 3))
    blended_gradients(system.nodes, mesh.tets, elements, shares, places.reshape(-1, 4), polynomials, out)
    return out
