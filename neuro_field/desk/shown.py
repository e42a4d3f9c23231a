"""The cortex as a page shows it: few enough triangles for any browser, and the field at its vertices at once."""

from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, FloatArray, sealed
from neuro_field.coil.placement import Placement
from neuro_field.geometry.mesh import Surface
from neuro_field.live.live_field import LiveField
from neuro_field.live.sheet import Sheet
from neuro_field.nouns import noun
from neuro_field.report.scene import polydata
from neuro_field.search.steering import Steering

#: Triangles of the cortex on a page.
MOST = 60_000

#: Triangles of the scalp, which is looked through.
MOST_OF_SCALP = 20_000

#: What is shown: the patient's own field from modes, a sphere's in its place, or a full solve.
LIVE, GUESS, EXACT = "live", "guess", "exact"


@noun
class Shown:
    """What is shown of a coil's field.

    Parameters
    ----------
    surface : Surface
        The cortex, mm, its vertices those of the head's own mesh.
    sheet : Sheet
        Where the field is read for each of them.
    live : LiveField or None
        At the same points; without one the field is that of a sphere.
    steering : Steering
    """

    surface: Surface
    sheet: Sheet
    live: LiveField | None
    steering: Steering

    @classmethod
    def of(cls, steering: Steering, live: LiveField | None = None, most: int = MOST) -> "Shown":
        """Of a head as it is steered over; raises InputError where it has no grey matter."""
        whole = live.sheet if live is not None else Sheet.of(steering.head)
        chosen, triangles = fewer_triangles(whole.surface, most)
        surface = Surface(whole.surface.points[chosen], triangles)
        thin = live.chosen(chosen) if live is not None else None
        return cls(surface, thin.sheet if thin is not None else whole.thinned(chosen), thin, steering)

    def at_once(self, placement: Placement) -> FloatArray | None:
        """|E| (m,) V/m at 1 A/us; None where the live field does not know what a coil does there."""
        if self.live is None:
            return self.steering.estimate(self.sheet.points, placement)
        return self.live.magnE(placement) if self.live.trusts(placement) else None

    @cached_property
    def scalp(self) -> Surface:
        """The scalp in fewer triangles."""
        scalp = self.steering.head.scalp
        chosen, triangles = fewer_triangles(scalp, MOST_OF_SCALP)
        return Surface(scalp.points[chosen], triangles)

    @property
    def kind(self) -> str:
        """`LIVE` or `GUESS`."""
        return GUESS if self.live is None else LIVE

    @cached_property
    def strongest(self) -> float:
        """V/m at 1 A/us: where the colours end, the largest under the plan's best placement."""
        values = self.at_once(self.steering.ranked[0])
        return max(float(values.max()) if values is not None else 1.0, 1e-12)

    def difference(self, at_once: FloatArray, exact: FloatArray) -> float:
        """Relative L2 of what was shown at once against the full solve, both |E| (m,), by the volumes behind them."""
        volumes = self.sheet.volumes
        size = max(float(np.square(exact) @ volumes), 1e-300)
        return float(np.sqrt(np.square(at_once - exact) @ volumes / size))


def fewer_triangles(surface: Surface, most: int) -> tuple[AnyArray, AnyArray]:
    """Some of a surface's vertices (m,), ascending, and at most ``most`` triangles (f, 3) of them."""
    if len(surface.triangles) <= most:
        return np.arange(len(surface.points)), surface.triangles
    share = 1.0 - most / len(surface.triangles)
    while True:
        lighter = polydata(surface).decimate_pro(share, preserve_topology=False)
        faces = lighter.faces.reshape(-1, 4)[:, 1:]
        if len(faces) <= most:
            break
        share += 0.25 * (1.0 - share)  # it stops short of what it is asked for
    distance, nearest = cKDTree(surface.points).query(lighter.points)
    assert distance.max() < 1e-3, "decimation by edge collapse keeps vertices"
    chosen, place = np.unique(nearest, return_inverse=True)
    triangles = place[faces].astype(np.int32)
    distinct = (np.diff(np.sort(triangles, axis=1), axis=1) > 0).all(axis=1)
    return sealed(chosen), sealed(np.ascontiguousarray(triangles[distinct]))
