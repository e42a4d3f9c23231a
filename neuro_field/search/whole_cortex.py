"""What placements do to the whole cortex, from a live field: focality, or any figure of the field's strength there.

The modes of a live field give |E| at thousands of points for thousands of placements as products of small matrices.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError
from neuro_field.head.model import HeadModel
from neuro_field.kernels.packed import reached_volumes
from neuro_field.live.live_field import LiveField
from neuro_field.live.reader import lighter
from neuro_field.nouns import noun
from neuro_field.search.metrics import HALF
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Points of the cortex that stand for all of them.
POINTS = 20_000

#: Placements, and points, whose fields are there at the same time: what fits into the processor's cache.
_POSES, _AT_ONCE = 256, 2048

#: Poses that are told of at once by `over_cortex`.
_TOLD = 1024


@noun
class WholeCortex:
    """The cortex at few points, for many placements.

    Parameters
    ----------
    live : LiveField
        Thinned to the points that are looked at.
    """

    live: LiveField

    @classmethod
    def of(cls, live: LiveField, head: HeadModel, coil: Coil, points: int = POINTS) -> "WholeCortex":
        """Of a live field, which must be of this head and coil."""
        if not isinstance(live, LiveField):
            raise InputError(f"Input live of plan must be a LiveField; instead received {live!r:.80}.")
        live.check_of(head, coil)
        return cls(live.thinned(points))

    def reached(self, poses: FloatArray, thresholds: FloatArray) -> FloatArray:
        """cm3 (p,) of cortex with at least ``thresholds`` (p,), V/m at 1 A/us, under poses (p, 4, 4).

        Infinite where the live field does not know a pose: too large a share of the coil's B is not spanned.
        """
        coefficients, unspanned = self.live.reader.read(lighter(self.live.coil), poses)
        coefficients = (coefficients * AMPERE_PER_MICROSECOND).astype(np.float32)
        volumes, out = self.live.sheet.volumes.astype(np.float32), np.zeros(len(poses))
        for low in range(0, len(volumes), _AT_ONCE):
            modes = [np.ascontiguousarray(part[low : low + _AT_ONCE].T) for part in self._modes]
            for first in range(0, len(poses), _POSES):
                some = slice(first, first + _POSES)
                parts = [coefficients[some] @ part for part in modes]
                reached_volumes(*parts, thresholds[some].astype(np.float32), volumes[low : low + _AT_ONCE], out[some])
        return np.where(unspanned <= self.live.most_unspanned, out / 1e3, np.inf)

    @cached_property
    def _modes(self) -> AnyArray:
        """(3, m, K) float32."""
        return self.live.packed.dense(np.arange(len(self.live.points)))


def over_cortex(
    live: LiveField, poses: FloatArray, functional: Callable[[AnyArray, FloatArray, FloatArray], FloatArray],
    *, points: int = POINTS,
) -> FloatArray:  # fmt: skip
    """Any figure of the field over the cortex, for many placements: the share that a parcel has, say.

    Parameters
    ----------
    live : LiveField
    poses : (p, 4, 4) array
        Of its coil, mm.
    functional : callable
        Takes |E| (b, m), V/m at 1 A/us, of some placements, the points (m, 3), mm, and the volumes (m,), mm3, that they
        stand for; gives (b,) numbers.
    points : int
        Of the cortex, at most.

    Returns
    -------
    (p,) array

    Examples
    --------
    >>> import numpy as np
    >>> import neuro_field as nf
    >>> from neuro_field.search.whole_cortex import over_cortex
    >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
    >>> live = nf.live_field(nf.Solver(head), coil, snapshots=20)
    >>> placement = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> share = lambda strength, points, volumes: strength @ (volumes * (points[:, 2] > 0)) / (strength @ volumes)
    >>> upper = over_cortex(live, np.stack([placement.head_from_coil]), share)
    >>> bool(upper[0] > 0.6)
    True
    """
    thin = live.thinned(points)
    every, out = np.arange(len(thin.points)), np.empty(len(poses))
    for first in range(0, len(poses), _TOLD):
        strength = thin.magnitudes(poses[first : first + _TOLD], every)
        out[first : first + _TOLD] = functional(strength, thin.points, thin.sheet.volumes)
    return out


def half_volumes(cortex: WholeCortex, poses: FloatArray, magnitudes: FloatArray) -> FloatArray:
    """cm3 (p,) of cortex with at least half of the mean |E| (p,) that the target has, V/m at 1 A/us."""
    return cortex.reached(poses, HALF * magnitudes)
