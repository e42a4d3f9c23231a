"""Preconditioned conjugate gradients for several right-hand sides at once: double outside, single inside."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import ConvergenceError
from neuro_field.kernels.multigrid import CHUNKS, WIDTHS, add_product, chunk_dots, kernels_of_width, new_direction


@dataclass(frozen=True)
class Convergence:
    """What a block solve did: iterations until each column converged, and its relative residual there."""

    iterations: tuple[int, ...]
    residuals: tuple[float, ...]


def padded_width(columns: int) -> int:
    """The compiled width that holds a number of columns."""
    return next((width for width in WIDTHS if width >= columns), WIDTHS[-1])


def solve_block(
    matrix: tuple[AnyArray, AnyArray, AnyArray],
    preconditioner: Callable[[AnyArray], AnyArray],
    b: FloatArray,
    *,
    tolerance: float,
    most_iterations: int = 200,
) -> tuple[FloatArray, Convergence]:
    """Solve A x = b for b (n, k), k at most the widest compiled width.

    A column stands still once its own relative residual is below the tolerance, so that its answer depends neither
    on its neighbours nor on the number of threads.  A column of zeros is answered by zeros.

    Raises
    ------
    ConvergenceError
        If some column is above the tolerance after ``most_iterations``, or breaks down.
    """
    n, columns = b.shape
    width = padded_width(columns)
    r = np.zeros((n, width))
    _, exponents = np.frexp(np.abs(b).max(axis=0))  # sources of any strength: single precision ends at 1e-38
    r[:, :columns] = np.ldexp(b, -exponents)
    x, q, r_single = np.zeros_like(r), np.empty_like(r), r.astype(np.float32)
    partial = np.empty((CHUNKS, width))
    add_product(np.zeros(width), r, r, x, r, r_single, partial)
    size = np.sqrt(_total(partial))
    scale = np.where(size > 0, size, 1.0)
    residual = size / scale
    iterations = np.zeros(width, dtype=int)
    active = residual > tolerance
    z = preconditioner(r_single)
    p = z.astype(np.float64)
    rz = _dots(r, z, partial)
    product = kernels_of_width(width).product
    count = 0
    while active.any() and count < most_iterations:
        product(*matrix, p, q, partial)
        curvature = _total(partial)
        alpha = np.where(active, rz / np.where(active, curvature, 1.0), 0.0)
        if not np.isfinite(alpha).all() or (alpha < 0).any():
            break
        add_product(alpha, p, q, x, r, r_single, partial)
        residual = np.sqrt(_total(partial)) / scale
        count += 1
        iterations[active] = count
        active &= residual > tolerance
        if not active.any():
            break
        z = preconditioner(r_single)
        old, rz = rz, _dots(r, z, partial)
        new_direction(np.where(active, rz / np.where(active, old, 1.0), 0.0), z, p)
    if active.any():
        raise ConvergenceError(count, tuple(residual[:columns].tolist()), tolerance)
    found = np.ldexp(x[:, :columns], exponents)
    return found, Convergence(tuple(iterations[:columns].tolist()), tuple(residual[:columns].tolist()))


def _dots(r: FloatArray, z: AnyArray, partial: FloatArray) -> FloatArray:
    chunk_dots(r, z, partial)
    return _total(partial)


def _total(partial: FloatArray) -> FloatArray:
    """Sum over chunks, one after the other: numpy's own sum changes its order with the width."""
    return np.cumsum(partial, axis=0)[-1]
