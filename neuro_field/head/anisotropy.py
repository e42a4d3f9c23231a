"""From diffusion tensors to conductivity tensors of white and grey matter, element by element.

Water that diffuses more easily along fibres tells the axes of the conductivity (Tuch et al., PNAS 2001;98:11697); how
large it is along them is a matter of convention, of which there are three here.  Where no tensor is known, and in every
other tissue, conductivity stays one number.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.tissues import tags_of
from neuro_field.nouns import noun

if TYPE_CHECKING:
    from neuro_field.head.model import HeadModel

#: vn: volume-normalised (Guellmar et al., NeuroImage 2010;51:145); dir: direct mapping (Tuch 2001; Rullmann et al.,
#: NeuroImage 2009;44:399); mc: one number, the geometric mean of the direct one.
RULES = ("vn", "dir", "mc")

#: The largest of three eigenvalues is at most so many times the smallest, and at most so large, S/m.
MOST_RATIO, MOST = 10.0, 2.0

#: Entries of a tensor on either side of its diagonal may differ by this share of its largest.
SYMMETRIC = 1e-6

#: An eigenvalue smaller than this share of another is 0.
NOTHING = 1e-6

#: White and grey matter without a tensor beyond this share of theirs is to be read first.
MUCH = 0.05

#: Less of it, mm3, is not told.
LEAST_BARE = 100.0

#: Elements at a time.
_BLOCK = 200_000


class Tensors(Protocol):
    """What knows diffusion tensors in the head frame."""

    def at(self, points: FloatArray) -> FloatArray:
        """(m, 3, 3) at points (m, 3) mm, in any one unit; NaN where none is known."""

    def doubts(self, head: "HeadModel") -> tuple[Finding, ...]:
        """What has to be said of them in a head; raises InputError where they cannot be the head's."""


@noun
class Conducting:
    """Conductivities (t,) or (t, 3, 3) S/m made of diffusion tensors, their record, and what has to be said of them."""

    conductivity: FloatArray
    record: dict[str, Any]
    findings: tuple[Finding, ...]


def conducting(mesh: TetMesh, conductivity: FloatArray, tensors: Tensors, rule: str) -> Conducting:
    """Conductivities of a mesh whose white and grey matter follow diffusion tensors.

    With eigenvalues lambda_i of a tensor, the smaller raised to a tenth of the largest, and the tissue's own
    conductivity c: ``vn`` gives c lambda_i / (lambda_1 lambda_2 lambda_3)^(1/3); ``dir`` s lambda_i up to 2 S/m, where
    s = sum_t c_t d_t / sum_t d_t^2 over both tissues and d_t^3 is the volume mean of lambda_1 lambda_2 lambda_3 in t;
    ``mc`` one number, the geometric mean of s lambda_i.

    Parameters
    ----------
    mesh : TetMesh
    conductivity : (t,) or (t, 3, 3) array
        S/m; one number in white and grey matter.
    tensors : Tensors
    rule : {"vn", "dir", "mc"}

    Raises
    ------
    InputError
        If white or grey matter has tensors already, or those given are asymmetric, not finite or not positive, or
        nowhere in white and grey matter.
    """
    checked_rule(rule)
    tissues = [mesh.tags == tags_of(name)[0] for name in ("white_matter", "grey_matter")]
    brain = np.flatnonzero(tissues[0] | tissues[1])
    own = _one_number(conductivity, brain)
    found = _Eigen.of(tensors, mesh.centroids[brain])
    if not found.known.any():
        raise InputError(
            "Input tensors must lie in white and grey matter of the head; instead none of its elements has one: check "
            "that both show the same person in the same world."
        )
    volumes = mesh.volumes[brain] * found.known
    shares = [np.where(tissue[brain], volumes, 0.0) for tissue in tissues]
    scale = None if rule == "vn" else _direct_scale(found.values, own, shares)
    made, capped = _made(found, own, scale)
    out = _placed(conductivity, brain, found, made, rule)
    record = {"rule": rule, "scale": scale, "ratio_limit": MOST_RATIO, "largest_S_per_m": MOST}
    return Conducting(out, record, tuple(_told(mesh, tissues, brain, found, capped, rule)))


def checked_rule(rule: str) -> None:
    """Refuse a rule that is none of `RULES`."""
    if rule not in RULES:
        raise UnknownNameError("rule of diffusion tensors", rule, list(RULES))


def positive_definite(xx: AnyArray, xy: AnyArray, xz: AnyArray, yy: AnyArray, yz: AnyArray, zz: AnyArray) -> BoolArray:
    """(m,) whether symmetric tensors of these entries (m,) have three positive eigenvalues, by their leading minors."""
    minor = xx * yy - xy**2
    whole = xx * (yy * zz - yz**2) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    return np.asarray((xx > 0) & (minor > 0) & (whole > 0))


def is_positive(values: FloatArray) -> BoolArray:
    """(m,) whether the largest of eigenvalues (m, 3), ascending, is positive, by more than rounding."""
    return values[:, 2] > NOTHING * np.abs(values[:, 0])


def limited(values: FloatArray) -> FloatArray:
    """Eigenvalues (m, 3), ascending, the smaller ones raised to a tenth of the largest."""
    return np.maximum(values, values[:, 2:] / MOST_RATIO)


@noun
class _Eigen:
    """Eigenvalues (m, 3), ascending and within the limit, and eigenvectors (m, 3, 3), in columns, of diffusion tensors.

    ``known`` (m,) where there is one; where not, ones and the axes of the head.  ``raised`` (m,) where the limit met.
    """

    values: FloatArray
    vectors: FloatArray
    known: BoolArray
    raised: BoolArray

    @classmethod
    def of(cls, tensors: Tensors, points: FloatArray) -> "_Eigen":
        values, vectors = np.ones((len(points), 3)), np.tile(np.eye(3), (len(points), 1, 1))
        known, raised = np.zeros((2, len(points)), dtype=bool)
        for block in _blocks(len(points)):
            given = tensors.at(points[block])
            there = ~np.isnan(given).all(axis=(1, 2))
            _check(given[there])
            found, axes = np.linalg.eigh(given[there])
            _check_positive(found)
            held = limited(found)
            at = np.arange(len(points))[block][there]
            values[at], vectors[at], known[at] = held, axes, True
            raised[at] = (held > found * (1 + 1e-9)).any(axis=1)
        return cls(values, vectors, known, raised)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, count, _BLOCK))


def _check(given: FloatArray) -> None:
    scale = np.abs(given).max(axis=(1, 2), initial=0.0)
    off = np.abs(given - given.transpose(0, 2, 1)).max(axis=(1, 2), initial=0.0)
    bad = int(np.count_nonzero(~(off <= SYMMETRIC * scale) | ~np.isfinite(scale)))  # NaN compares as neither
    if bad:
        raise InputError(
            f"Diffusion tensors must be symmetric and finite; instead {bad} of {len(given)} are not: mend them, or let "
            "them be NaN all through where none is known."
        )


def _check_positive(ascending: FloatArray) -> None:
    bad = int(np.count_nonzero(~is_positive(ascending)))
    if bad:
        raise InputError(
            f"Diffusion tensors must be positive; instead {bad} of {len(ascending)} have no positive eigenvalue: mend "
            "them, or let them be NaN all through where none is known."
        )


def _one_number(conductivity: FloatArray, brain: AnyArray) -> FloatArray:
    """(m,) S/m of the brain's elements; refuses those that have tensors already."""
    own = conductivity[brain]
    if own.ndim == 1:
        return own
    size = own[:, 0, 0]
    bad = int(np.count_nonzero(np.abs(own - size[:, None, None] * np.eye(3)).max(axis=(1, 2)) > 1e-9 * size))
    if bad:
        raise InputError(
            f"White and grey matter of this head must conduct alike in all directions before they get tensors; instead "
            f"{bad} of {len(own)} elements have a tensor already: first set both to one number, with "
            'with_conductivity({"white_matter": 0.126, "grey_matter": 0.275}).'
        )
    return np.asarray(size)


def _direct_scale(values: FloatArray, own: FloatArray, shares: list[FloatArray]) -> float:
    """S/m per unit of diffusivity by which the two tissues' mean conductivities come nearest to their own."""
    product = values.prod(axis=1)
    top = bottom = 0.0
    for weights in shares:
        if weights.sum() > 0:
            mean, tissue = np.cbrt(np.average(product, weights=weights)), np.average(own, weights=weights)
            top, bottom = top + tissue * mean, bottom + mean**2
    return float(top / bottom)


def _made(found: _Eigen, own: FloatArray, scale: float | None) -> tuple[FloatArray, BoolArray]:
    """Conductivities (m, 3) along the eigenvectors, S/m, and (m,) where the largest that is allowed met."""
    if scale is None:
        return own[:, None] * found.values / np.cbrt(found.values.prod(axis=1))[:, None], np.zeros(len(own), dtype=bool)
    direct = scale * found.values
    return np.minimum(direct, MOST), found.known & (direct[:, 2] > MOST)


def _placed(
    conductivity: FloatArray, brain: AnyArray, found: _Eigen, made: FloatArray, rule: str
) -> FloatArray:  # fmt: skip
    """Conductivities of all elements, those with a tensor as made."""
    at = brain[found.known]
    if rule == "mc":
        out = np.array(conductivity)
        mean = np.cbrt(made[found.known].prod(axis=1))
        out[at] = mean if out.ndim == 1 else mean[:, None, None] * np.eye(3)
        return out
    out = conductivity[:, None, None] * np.eye(3) if conductivity.ndim == 1 else np.array(conductivity)
    for block in _blocks(len(at)):
        axes, along = found.vectors[found.known][block], made[found.known][block]
        tensor = (axes * along[:, None, :]) @ axes.transpose(0, 2, 1)
        out[at[block]] = (tensor + tensor.transpose(0, 2, 1)) / 2  # to the last bit
    return out


def _told(
    mesh: TetMesh, tissues: list[BoolArray], brain: AnyArray, found: _Eigen, capped: BoolArray, rule: str
) -> Iterator[Finding]:
    """What became of white and grey matter, by volume."""
    volumes = mesh.volumes[brain]
    whole, with_one = float(volumes.sum()), float(volumes[found.known].sum())
    white = tissues[0][brain] & found.known
    ratio = float(np.median(found.values[white, 2] / found.values[white, 0])) if white.any() else None
    yield Finding("tensor-used", "note", {"rule": rule, "share": with_one / whole, "ratio": ratio})
    if whole - with_one > LEAST_BARE:
        bare = [float(volumes[tissue[brain] & ~found.known].sum() / 1e3) for tissue in tissues]
        level = "warn" if whole - with_one > MUCH * whole else "note"
        yield Finding(
            "tensor-none-there",
            level,
            {"white_cm3": bare[0], "grey_cm3": bare[1], "share": 1 - with_one / whole},
        )
    limits = {
        name: float(volumes[which].sum()) / whole for name, which in (("raised", found.raised), ("capped", capped))
    }
    if any(limits.values()):
        level = "warn" if max(limits.values()) > MUCH else "note"
        yield Finding("tensor-limited", level, {**limits, "ratio": MOST_RATIO, "most": MOST})
