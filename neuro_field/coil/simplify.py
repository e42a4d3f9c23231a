"""Fewer dipoles with the same field in a head: what a coil costs grows with their number.

Candidates are a coil's own dipoles.  Orthogonal matching pursuit picks, one after another, the dipole whose field
says most about what those picked before leave over; least squares gives the picked ones new strengths along their
old directions; their number grows until the error allowed is met.  Flux density and potential both count (the flux
density alone decides the field in the head, but leaves the potential free by a gradient), and both are measured at
other points than those of the fit.
"""

from collections.abc import Iterator

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from neuro_field.arrays import FloatArray
from neuro_field.coil.loops import merged
from neuro_field.coil.sources import Dipoles
from neuro_field.errors import InputError
from neuro_field.units import MU0_OVER_4PI, metres

#: Radius, mm, of the ball that stands for a head, and its clearance from the casing face and from the dipoles.
HEAD_RADIUS = 85.0
CLEARANCE = 4.0
DIPOLE_CLEARANCE = 8.0

#: Dipoles to pick from, at most: their products take 8 bytes a pair.  Of more, those within a cell are one, from cells
#: of this size on, mm.
MOST_CANDIDATES = 6000
SMALLEST_CELL = 2.0


def simplified_dipoles(full: Dipoles, error: float) -> tuple[Dipoles, float]:
    """A subset of dipoles with new strengths, and its relative L2 error.

    Parameters
    ----------
    full : Dipoles
        Coil frame, mm.
    error : float
        Allowed relative L2 error of both A and B over the half of a ball of 85 mm radius next to the coil; the
        ball's top is 4 mm below the casing face, or lower where dipoles would come nearer to it than 8 mm.

    Returns
    -------
    dipoles : Dipoles
        The full ones when no set of half their number meets the error.
    measured : float
        The larger of the two errors, at points that took no part in the fit; 0 for the full set.
    """
    if not (np.isfinite(error) and 1e-5 <= error < 0.5):
        raise InputError(f"Input error of Coil.simplified must be 1e-5 to 0.5; instead received {error}.")
    positions, directions = _candidates(full)
    centre = _ball_centre(positions)
    points, others = _shells(centre, 700, 0.0), _shells(centre, 1000, 0.5)
    flux, potential = full.flux_density(points), full.potential(points)
    scales = float(np.linalg.norm(flux)), float(np.linalg.norm(potential))
    if not min(scales) > 0:
        raise InputError("A coil without a field cannot be simplified.")
    goal = np.concatenate([(flux / scales[0]).ravel(), (potential / scales[1]).ravel()])
    columns = _columns(positions, directions, points, scales)
    wanted = full.flux_density(others), full.potential(others)
    for picked, strengths in _pursuit(columns, goal, error, most=min(len(positions), len(full.positions) // 2)):
        made = Dipoles(positions[picked], strengths[:, None] * directions[picked], full.stimulator)
        found = made.flux_density(others), made.potential(others)
        pairs = zip(found, wanted, strict=True)
        measured = max(float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in pairs)
        if measured <= error:
            return made, measured
    return full, 0.0


def _candidates(full: Dipoles) -> tuple[FloatArray, FloatArray]:
    """Places and directions (s, 3) to pick from: the coil's own, or where these are too many, those of cells."""
    positions, moments, cell = full.positions, full.moments, SMALLEST_CELL
    while len(positions) > MOST_CANDIDATES:
        positions, moments = merged(full.positions, full.moments, cell)
        cell *= 1.3
    strength = np.linalg.norm(moments, axis=1)
    kept = strength > 0
    return positions[kept], moments[kept] / strength[kept, None]


def _pursuit(columns: FloatArray, goal: FloatArray, error: float, most: int) -> Iterator[tuple[list[int], FloatArray]]:
    """Growing lists of columns and their strengths, in steps of five, from the first whose best fit meets the error.

    Works on the normal equations with a Cholesky factor that grows by a row per column picked (batch OMP,
    Rubinstein, Zibulevsky & Elad 2008).  Their rounding is no matter: what comes out is measured.
    """
    lengths = np.linalg.norm(columns, axis=0)
    products = columns.T @ columns
    products /= lengths
    products /= lengths[:, None]
    wanted, square = columns.T @ goal / lengths, float(goal @ goal)
    factor, shared = np.zeros((most, most)), np.empty((most, len(wanted)))
    picked: list[int] = []
    left = wanted
    for count in range(most):
        said = np.abs(left)
        said[picked] = -1.0
        best = int(np.argmax(said))
        row = solve_triangular(factor[:count, :count], products[picked, best], lower=True, check_finite=False)
        rest = 1.0 - float(row @ row)
        if rest < 1e-12:  # says nothing that the others do not
            return
        factor[count, :count], factor[count, count] = row, np.sqrt(rest)
        shared[count] = products[best]
        picked.append(best)
        strengths = cho_solve((factor[: count + 1, : count + 1], True), wanted[picked], check_finite=False)
        left = wanted - strengths @ shared[: count + 1]
        misfit = max(square - float(strengths @ wanted[picked]), 0.0)
        if (count + 1) % 5 == 0 and misfit <= error**2:
            yield list(picked), strengths / lengths[picked]


def _ball_centre(positions: FloatArray) -> FloatArray:
    """Centre on the coil's axis of the highest ball that keeps clear of face and dipoles."""
    reach = HEAD_RADIUS + DIPOLE_CLEARANCE
    across = positions[:, 0] ** 2 + positions[:, 1] ** 2
    near = across < reach**2
    below = positions[near, 2] + np.sqrt(reach**2 - across[near])
    return np.array([0.0, 0.0, max(HEAD_RADIUS + CLEARANCE, float(below.max(initial=0.0)))])


def _shells(centre: FloatArray, count: int, offset: float) -> FloatArray:
    """Points on two half shells of the ball towards the coil, denser near its axis (golden angle)."""
    out = []
    for share, radius in ((0.7, 1.0), (0.3, 0.85)):
        here = int(count * share)
        index = np.arange(here) + 0.5 + offset / 2
        height = np.minimum(index / here, 1) ** 1.6 - 1  # towards the coil is -z
        turn = np.pi * (3 - np.sqrt(5)) * (index + 7 * offset)
        across = np.sqrt(1 - height**2)
        shell = np.stack([across * np.cos(turn), across * np.sin(turn), height], axis=1)
        out.append(centre + radius * HEAD_RADIUS * shell)
    return np.concatenate(out)


def _columns(
    positions: FloatArray, directions: FloatArray, points: FloatArray, scales: tuple[float, float]
) -> FloatArray:
    """(6 m, s) B and A at the points of unit dipoles, each over its scale."""
    s = metres(points)[:, None] - metres(positions)
    square = np.einsum("msi,msi->ms", s, s)[..., None]
    along = np.einsum("msi,si->ms", s, directions)[..., None]
    flux = MU0_OVER_4PI * (3 * s * along / square - directions) / square**1.5
    potential = MU0_OVER_4PI * np.cross(directions, s) / square**1.5
    parts = (flux / scales[0], potential / scales[1])
    return np.concatenate([part.transpose(0, 2, 1).reshape(-1, len(positions)) for part in parts])
