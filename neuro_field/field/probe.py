"""What is measured of a field: E in some elements as a linear map of phi and dA/dt, and that map's adjoint."""

from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import FloatArray, IntArray
from neuro_field.field.system import System
from neuro_field.field.treecode import Treecode
from neuro_field.nouns import noun
from neuro_field.units import metres


@noun
class Probe:
    """E = -dA/dt - grad phi at the centroids of some elements, as `Field.recovered` gives it.

    dA/dt has no divergence: it is that of a coil made of dipoles or closed wires.  For weights w of the components of
    E, with psi the potential that K psi = G' w gives (G: `System.gradient_matrix`),
    w . E = -psi . load(dA/dt) - w . dA/dt(centroids).

    Parameters
    ----------
    system : System
    elements : (r,) int array
    """

    system: System
    elements: IntArray

    @property
    def points(self) -> FloatArray:
        """(r, 3) the centroids, mm, head frame."""
        return self.system.head.mesh.centroids[self.elements]

    @cached_property
    def _gradient(self) -> csr_matrix:
        return self.system.gradient_matrix(self.elements, np.full((len(self.elements), 4), 0.25))

    def gradient(self, potentials: FloatArray) -> FloatArray:
        """(r, 3, k) gradients of potentials (u, k) V at the centroids, V/m."""
        return np.asarray((self._gradient @ potentials).reshape(len(self.elements), 3, -1))

    def adjoint_loads(self, weights: FloatArray) -> FloatArray:
        """Sources (u, k), A, of the adjoint potentials for k sets of weights (r, 3, k)."""
        return np.asarray(self._gradient.T @ weights.reshape(-1, weights.shape[2]))

    @property
    def sources(self) -> FloatArray:
        """(u + r, 3) where the vectors of `currents` stand, m: the unknowns' points, then the centroids."""
        return metres(np.concatenate([self.system.points, self.points]))

    def currents(self, weights: FloatArray, adjoint: FloatArray) -> Treecode:
        """Vectors at `sources` whose products with dA/dt there sum to w . E, for weights (r, 3, k) and psi (u, k)."""
        vectors = np.concatenate([-self.system.load_transpose(adjoint), -np.moveaxis(weights, 2, 1)])
        return Treecode.of(self.sources, vectors)
