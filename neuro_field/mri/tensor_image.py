"""Diffusion tensors on voxels, along the axes of the world: read between the voxels, and moved with their image."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, as_points, read_only, transformed
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.findings import Finding
from neuro_field.geometry.voxels import as_affine
from neuro_field.head.anisotropy import is_positive, limited
from neuro_field.mri.rigid import register_rigid
from neuro_field.mri.tensor_axes import AXES, components, matrices, turned, world_from_axes
from neuro_field.mri.tensor_doubts import doubts_of
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun

if TYPE_CHECKING:
    from neuro_field.head.model import HeadModel

#: A point has a tensor where voxels with one weigh at least this much of the eight around it.
LEAST_WEIGHT = 0.5

#: Tensors stay where the header puts them if registration would move no place of theirs farther than this, mm: it is no
#: surer than that.
STAY = 1.0

#: Tensors that move farther than this, mm, are told first.
FAR = 10.0

#: Points at a time.
_BLOCK = 200_000


@noun
class TensorImage:
    """Diffusion tensors of a person.

    Parameters
    ----------
    values : (i, j, k, 6) array
        xx, xy, xz, yy, yz, zz to the right, front and up of the world (RAS), in any one unit of diffusivity; all 0 or
        all NaN in voxels without one.
    affine : (4, 4) array
        Voxel index to world mm.
    image : Volume, optional
        An image that lies with them, such as the mean of those without diffusion weighting: `moved_to` goes by it.
    axes : str
        One of `neuro_field.mri.tensor_axes.AXES`, along which the components were stored: `doubts` tries the others.
    readings : (4, 3, 3) array, optional
        To the world from each of these axes, if not by the affine.
    findings : tuple of Finding
        What reading or fitting them found.

    Raises
    ------
    InputError
        On another shape, an affine that cannot be, or tensors in no voxel.

    Examples
    --------
    >>> values = np.zeros((4, 4, 4, 6))
    >>> values[..., [0, 3, 5]] = 1.7e-3, 0.3e-3, 0.3e-3
    >>> tensors = TensorImage(values, np.eye(4))
    >>> tensors.at(np.array([[1.5, 1.5, 1.5]]))[0].diagonal().round(5)
    array([0.0017, 0.0003, 0.0003])
    """

    values: AnyArray
    affine: FloatArray
    image: Volume | None = None
    axes: str = "world"
    readings: FloatArray | None = None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        if values.ndim != 4 or values.shape[3] != 6 or min(values.shape) < 2 or values.dtype.kind != "f":
            raise InputError(
                f"Input values of TensorImage must be reals of shape (i, j, k, 6); instead {values.shape}, "
                f"{values.dtype}."
            )
        if not (np.nan_to_num(values[..., [0, 3, 5]]) != 0).any():
            raise InputError("Input values of TensorImage must hold tensors; instead all voxels are 0 or NaN.")
        object.__setattr__(self, "values", read_only(values))
        object.__setattr__(self, "affine", read_only(as_affine(self.affine, "affine of TensorImage")))
        readings = self.readings
        if readings is None:
            readings = np.array([world_from_axes(axes, self.affine) for axes in AXES])
        if self.axes not in AXES:
            raise UnknownNameError("axes of TensorImage", self.axes, list(AXES))
        object.__setattr__(self, "readings", read_only(readings, np.float64))

    def at(self, points: FloatArray) -> FloatArray:
        """Tensors (m, 3, 3) at points (m, 3) mm; NaN where there is none.

        Between voxels their logarithms are interpolated, linearly: no tensor is larger than its neighbours, nor loses
        its determinant (Arsigny et al., Magn Reson Med 2006;56:411).  Eigenvalues below a tenth of a voxel's largest
        are raised to that first.
        """
        voxels = transformed(
            as_points(points, "points of TensorImage.at"), np.asarray(np.linalg.inv(self.affine), dtype=np.float64)
        )
        blocks = [slice(start, start + _BLOCK) for start in range(0, len(voxels), _BLOCK)]
        wanted = np.zeros(self.values.shape[:3], dtype=bool).ravel()
        for block in blocks:
            wanted[_corners(voxels[block], self.values.shape)[0]] = True
        row = np.zeros(wanted.shape, dtype=np.int32)
        row[wanted] = np.arange(np.count_nonzero(wanted))
        logs, there = _logarithms(self.values.reshape(-1, 6)[wanted])
        out = np.full((len(voxels), 3, 3), np.nan)
        for block in blocks:
            corners, weights = _corners(voxels[block], self.values.shape)
            rows = row[corners]
            weights = weights * there[rows]
            total = weights.sum(axis=1)
            enough = total >= LEAST_WEIGHT
            mean = np.einsum("mc,mcd->md", weights[enough], logs[rows[enough]]) / total[enough, None]
            values, vectors = np.linalg.eigh(matrices(mean))
            found = (vectors * np.exp(values)[:, None, :]) @ vectors.transpose(0, 2, 1)
            out[block][enough] = (found + found.transpose(0, 2, 1)) / 2
        return out

    def doubts(self, head: "HeadModel") -> tuple[Finding, ...]:
        """What has to be said of these tensors in a head: `findings`, and where they lie and how they run in its brain.

        Raises
        ------
        InputError
            If many of the brain's tensors are not positive, the anisotropy lies elsewhere than the head's white matter,
            or the tensors' axes make far better fibres turned or mirrored.
        """
        return (*self.findings, *doubts_of(self.values, self.affine, self._readings, self.axes, head))

    @property
    def _readings(self) -> FloatArray:
        assert self.readings is not None  # since construction
        return self.readings

    def carried(self, t1_from_world: FloatArray) -> "TensorImage":
        """The same tensors, turned and moved by a rigid 4x4, mm."""
        turn = np.asarray(t1_from_world, dtype=np.float64)
        image = None if self.image is None else Volume(self.image.values, turn @ self.image.affine)
        return replace(
            self, values=turned(self.values, turn[:3, :3]), affine=turn @ self.affine, image=image,
            readings=turn[:3, :3] @ self._readings,
        )  # fmt: skip

    def moved_to(self, t1: Volume) -> "TensorImage":
        """The tensors where rotation and shift bring their ``image`` onto a T1; as they are without such an image.

        Raises
        ------
        InputError
            As `neuro_field.mri.rigid.register_rigid`.
        """
        if self.image is None:
            return self
        fit = register_rigid(
            self.image, t1, called="image of the diffusion tensors", otherwise="give tensors that lie on the T1"
        )
        places = transformed(np.argwhere(self.values[..., 0] != 0)[::97].astype(np.float64), self.affine)
        steps = np.linalg.norm(transformed(places, fit.t1_from_image) - places, axis=1)
        told = {"moved": float(steps.mean()), "most": float(steps.max()), "angle": fit.angle}
        told |= {"as_given": fit.as_given, "shared": fit.shared}
        if told["most"] <= STAY:
            return replace(self, findings=(*self.findings, Finding("tensor-stayed", "note", told)))
        out = self.carried(fit.t1_from_image)
        level = "warn" if told["moved"] > FAR else "note"
        return replace(out, findings=(*self.findings, Finding("tensor-moved", level, told)))


def _corners(voxels: FloatArray, shape: tuple[int, ...]) -> tuple[AnyArray, FloatArray]:
    """Flat indices (m, 8) of the voxels around points, and their weights; 0 for those outside."""
    low = np.floor(voxels)
    share = voxels - low
    corners, weights = np.zeros((len(voxels), 8), dtype=np.int64), np.zeros((len(voxels), 8))
    for c in range(8):
        step = np.array([c & 1, c >> 1 & 1, c >> 2 & 1])
        at = low + step
        inside = ((at >= 0) & (at < shape[:3])).all(axis=1)
        weights[:, c] = np.where(inside, np.where(step, share, 1 - share).prod(axis=1), 0.0)
        corners[inside, c] = np.ravel_multi_index(tuple(at[inside].astype(np.int64).T), shape[:3])
    return corners, weights


def _logarithms(given: AnyArray) -> tuple[FloatArray, FloatArray]:
    """Components (u, 6) of the logarithms of tensors, and (u,) 1 where there is one, 0 where not."""
    there = np.isfinite(given).all(axis=1) & (given != 0).any(axis=1)
    values, vectors = np.linalg.eigh(matrices(np.where(there[:, None], given, 0.0)))
    there &= is_positive(values)
    held = limited(np.where(there[:, None], values, 1.0))
    logs = components((vectors * np.log(held)[:, None, :]) @ vectors.transpose(0, 2, 1))
    return logs, there.astype(np.float64)
