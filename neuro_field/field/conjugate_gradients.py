"""Preconditioned conjugate gradients for several right-hand sides at once.

Directions, their products and the residual are kept in single precision, the answer in double.  What rounds is the
residual: by 3e-7 of the right-hand side on a head of 950,000 nodes, for the product is one of differences
(`neuro_field.kernels.multigrid`).  Below `SINGLE` they are kept in double precision.
"""

from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray
from neuro_field.errors import ConvergenceError
from neuro_field.field.buffers import Buffers
from neuro_field.field.engine import DIRECTIONS, Engine
from neuro_field.field.multigrid import Multigrid
from neuro_field.field.split import Split

#: Relative residuals down to here are reached in single precision.
SINGLE = 5e-6


@dataclass(frozen=True)
class Convergence:
    """What a block solve did: iterations until each column converged, and its relative residual there."""

    iterations: tuple[int, ...]
    residuals: tuple[float, ...]

    def __add__(self, other: "Convergence") -> "Convergence":
        return Convergence(self.iterations + other.iterations, self.residuals + other.residuals)


def solve_block(
    matrix: Split,
    hierarchy: Multigrid,
    b: FloatArray,
    out: FloatArray,
    *,
    first: int,
    scales: FloatArray,
    engine: Engine,
    buffers: Buffers,
    tolerance: float,
    most_iterations: int = 200,
) -> Convergence:
    """Solve A x = b for columns of b (n, k) from ``first`` on, into those of out (n, k); as many as there are scales.

    A is in single precision or in double.  ``scales`` are powers of two that bring each right-hand side near one:
    sources may have any strength, and single precision ends at 1e-38.  A column stands still once its own relative
    residual is below the tolerance, so that its answer depends neither on its neighbours nor on the number of threads.
    A column of zeros is answered by zeros.

    Raises
    ------
    ConvergenceError
        If some column is above the tolerance after ``most_iterations``, or breaks down.
    """
    kind = matrix.values.dtype
    shape = len(matrix), engine.width(len(scales))
    singles = 1 if kind == np.float32 else 2
    blocks = ((shape, kind),) * (2 + DIRECTIONS) + ((shape, np.float64),) + ((shape, np.float32),) * singles
    with buffers.lent(*blocks) as (r, q, *rest):
        directions, x, z, single = rest[:DIRECTIONS], rest[DIRECTIONS], rest[DIRECTIONS + 1], rest[-1]
        engine.put(b, first, scales, r)
        engine.put(b, first, scales[:0], x)
        descent = _Descent(matrix, hierarchy, engine, buffers, r, q, directions, x, z, r if singles == 1 else single)
        convergence = descent.run(len(scales), tolerance, most_iterations)
        engine.take(x, 1 / scales, first, out)
    return convergence


@dataclass
class _Descent:
    """One block solve: its vectors, all (n, width)."""

    matrix: Split
    hierarchy: Multigrid
    engine: Engine
    buffers: Buffers
    r: AnyArray
    q: AnyArray
    directions: list[AnyArray]
    x: AnyArray
    z: AnyArray
    single: AnyArray

    def run(self, columns: int, tolerance: float, most_iterations: int) -> Convergence:
        engine = self.engine
        nothing = np.zeros(self.r.shape[1])
        size = np.sqrt(engine.dots(self.r, self.r))
        scale = np.where(size > 0, size, 1.0)
        residual = size / scale
        iterations = np.zeros(len(size), dtype=int)
        active = residual > tolerance
        rz, beta, count, alphas = self._preconditioned(), nothing, 0, []
        newest = self.z
        while active.any() and count < most_iterations:
            place = count % DIRECTIONS
            engine.turn(beta, self.z, newest, self.directions[place])
            newest = self.directions[place]
            curvature = engine.product(self.matrix, newest, self.q)
            alpha = _ratio(rz, curvature, active).astype(self.r.dtype)
            if not np.isfinite(alpha).all():
                break
            alphas.append(alpha)
            residual = np.sqrt(engine.descend(alpha, self.q, self.r)) / scale
            count += 1
            iterations[active] = count
            active &= residual > tolerance
            if len(alphas) == DIRECTIONS or not active.any():
                engine.ascend(np.array(alphas), self.directions[: len(alphas)], self.x)
                alphas.clear()
            if not active.any():
                break
            old, rz = rz, self._preconditioned()
            beta = _ratio(rz, old, active)
            if not np.isfinite(beta).all():
                break
        if active.any():
            raise ConvergenceError(count, tuple(residual[:columns].tolist()), tolerance)
        return Convergence(tuple(iterations[:columns].tolist()), tuple(residual[:columns].tolist()))

    def _preconditioned(self) -> FloatArray:
        """z from r; the sums of r.z."""
        if self.single is not self.r:
            self.engine.turn(np.zeros(self.r.shape[1]), self.r, self.r, self.single)
        return self.hierarchy.cycle(self.single, self.z, self.engine, self.buffers)


def _ratio(above: FloatArray, below: FloatArray, active: BoolArray) -> FloatArray:
    """Column by column of the active ones, 0 of others; NaN where conjugate gradients break down."""
    out = np.where(active, np.nan, 0.0)
    sound = active & np.isfinite(above) & np.isfinite(below) & (above >= 0) & (below > 0)
    out[sound] = above[sound] / below[sound]
    return out
