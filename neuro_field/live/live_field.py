"""The field of the whole cortex under a moving coil, from modes: milliseconds for each pose."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.head.model import HeadModel
from neuro_field.io.digest import fingerprint
from neuro_field.live.packed import Packed
from neuro_field.live.reader import Reader, lighter
from neuro_field.live.sheet import Sheet
from neuro_field.nouns import noun

#: Poses whose fields are computed together.
_POSES, _POINTS = 256, 2048


@dataclass(frozen=True)
class LiveReport:
    """How a live field was made, and how much it errs against full solves that it has never seen.

    Errors are relative L2 norms over the cortex, weighted by volume.  ``errors`` are of held-out placements in the
    range of the snapshots, ``near_errors`` theirs within 20 mm of the strongest point; ``strange`` are pairs of the
    share of B that is not spanned and the error, of coils lifted to 40 mm and tilted to 60 degrees.  ``bytes_read`` is
    what a frame of all points reads.
    """

    snapshots: int
    modes: int
    seconds: float
    errors: tuple[float, ...]
    near_errors: tuple[float, ...]
    strange: tuple[tuple[float, float], ...]
    bytes_read: int
    seconds_by_stage: dict[str, float]
    peak_memory: int

    @property
    def error_mean(self) -> float:
        """Mean of `errors`."""
        return float(np.mean(self.errors))

    @property
    def error_max(self) -> float:
        """Largest of `errors`."""
        return max(self.errors)


@noun
class LiveField:
    """The field that one coil induces in the cortex of one head, for any placement at once.

    Made by `live_field`.

    Parameters
    ----------
    head : HeadModel
    coil : Coil
    sheet : Sheet
        The cortex: surface, points, volumes.
    packed : Packed
        Modes of E at its points, V/m per A/s.
    reader : Reader
    most_unspanned : float
        Share of the coil's B outside the span of the snapshots beyond which a placement is not trusted.
    report : LiveReport

    Examples
    --------
    >>> import neuro_field as nf
    >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
    >>> live = nf.live_field(nf.Solver(head), coil, snapshots=20)  # 176 when omitted
    >>> placement = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> live.field(placement, didt=1e6).shape == live.points.shape  # V/m
    True
    >>> live.trusts(placement)  # 20 solves do not span what this coil can do
    False
    """

    head: HeadModel
    coil: Coil
    sheet: Sheet
    packed: Packed
    reader: Reader
    most_unspanned: float
    report: LiveReport

    @property
    def points(self) -> FloatArray:
        """(n, 3) mm, head frame: one in the grey matter under each vertex of its outer surface."""
        return self.sheet.points

    def field(self, placement: Placement, didt: float = 1e6, *, coil: Coil | None = None) -> FloatArray:
        """E (n, 3) V/m at `points`, as `Field.at` of a full solve but for the errors in `report`.

        Parameters
        ----------
        placement : Placement
        didt : float
            A/s.
        coil : Coil, optional
            Another coil, where `trusts` it.
        """
        return self.packed.fields(self._coefficients(placement, coil)) * _slope(didt)

    def magnE(self, placement: Placement, didt: float = 1e6, *, coil: Coil | None = None) -> FloatArray:
        """|E| (n,) V/m at `points`; arguments as of `field`."""
        return self.packed.magnitudes(self._coefficients(placement, coil)) * abs(_slope(didt))

    def normal_component(self, placement: Placement, didt: float = 1e6, *, coil: Coil | None = None) -> FloatArray:
        """E (n,) V/m along the cortex's outward normals, negative where it points into it; arguments as of `field`."""
        return np.einsum("nd,nd->n", self.field(placement, didt, coil=coil), self.sheet.normals)

    def trusts(self, placement: Placement, coil: Coil | None = None) -> bool:
        """Whether the snapshots span this placement, of the coil or of another one.

        By the share of the coil's B around the brain that is outside their span, held against full solves when the
        live field was made; the field's error is then 3 % at most.  It does not ask whether the coil cuts the
        head: the solver does.
        """
        return self.unspanned(placement, coil) <= self.most_unspanned

    def unspanned(self, placement: Placement, coil: Coil | None = None) -> float:
        """The share of the coil's B around the brain that the snapshots do not span."""
        return float(self._read(placement, coil)[1][0])

    def magnitudes(self, poses: FloatArray, chosen: AnyArray, didt: float = 1e6) -> AnyArray:
        """|E| (p, m) float32 V/m of many poses (p, 4, 4) at some points (m,), ascending; by blocks of products."""
        coefficients = self.reader.read(lighter(self.coil), poses)[0].astype(np.float32) * np.float32(_slope(didt))
        out = np.empty((len(poses), len(chosen)), np.float32)
        for low in range(0, len(chosen), _POINTS):
            modes = self.packed.dense(chosen[low : low + _POINTS])
            for first in range(0, len(poses), _POSES):
                x, y, z = (coefficients[first : first + _POSES] @ part.T for part in modes)
                out[first : first + _POSES, low : low + _POINTS] = np.sqrt(x * x + y * y + z * z)
        return out

    def check_of(self, head: HeadModel, coil: Coil) -> None:
        """Refuse another head, or another coil, than this was made of; InputError."""
        if head is not self.head:
            same = head.mesh.digest == self.head.mesh.digest
            if not (same and np.array_equal(head.conductivity, self.head.conductivity)):
                raise InputError(
                    f"The live field is of the head {self.head.name!r}, not of {head.name!r} as it is here; make one "
                    "of this head."
                )
        if coil is not self.coil and fingerprint(lighter(coil).elements) != fingerprint(self._light.elements):
            raise InputError(f"The live field is of the coil {self.coil.name!r}, not of {coil.name!r}; make one of it.")

    def thinned(self, count: int) -> "LiveField":
        """The same at no more than ``count`` points, spread evenly: for a page or a ranking that needs few.

        Its surface has no triangles; each point stands for the volumes of those left out around it.
        """
        return self.chosen(self.sheet.spread(count))

    def chosen(self, points: AnyArray) -> "LiveField":
        """The same at some of its points (m,), ascending, only; else as `thinned`."""
        return replace(self, sheet=self.sheet.thinned(points), packed=self.packed.thinned(points))

    def _coefficients(self, placement: Placement, coil: Coil | None) -> FloatArray:
        return self._read(placement, coil)[0][0]

    def _read(self, placement: Placement, coil: Coil | None) -> tuple[FloatArray, FloatArray]:
        if not isinstance(placement, Placement):
            raise InputError(f"Input placement of LiveField must be a Placement; instead received {placement!r:.80}.")
        if coil is not None and not isinstance(coil, Coil):
            raise InputError(f"Input coil of LiveField must be a Coil; instead received {coil!r:.80}.")
        light = self._light if coil is None or coil is self.coil else lighter(coil)
        return self.reader.read(light, placement.head_from_coil[None])

    @cached_property
    def _light(self) -> Coil:
        return lighter(self.coil)


def _slope(didt: float) -> float:
    if isinstance(didt, bool) or not isinstance(didt, int | float | np.number) or not np.isfinite(didt):
        raise InputError(f"Input didt of LiveField must be a finite number in A/s; instead received {didt!r:.80}.")
    return float(didt)
