"""The pulses that tell apart what a map cannot yet: placements at which its candidates foretell different answers."""

from collections.abc import Sequence

import numpy as np

from neuro_field.aim.scalp import around
from neuro_field.arrays import FloatArray, IntArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.head.model import HeadModel
from neuro_field.hotspot.exposure import Fields, fields_at, sizes_of
from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.hotspot.noise import Noise, foretold, likelihoods
from neuro_field.units import AMPERE_PER_MICROSECOND

#: The candidates offered where none are given: patch and spacing, mm, handle directions, and the gap to the scalp, mm.
PATCH, SPACING, TURNS, GAP = 25.0, 9.0, 6, 4.0

#: Points of the cortex that can still be the site weigh exp(-apart / 2), down to this.
LEAST_WEIGHT = 1e-3


def next_pulses(
    source: Solver | Fields, coil: Coil, found: MotorMap, *, candidates: Sequence[Placement] | None = None,
    count: int = 5, head: HeadModel | None = None,
) -> tuple[Placement, ...]:  # fmt: skip
    """Placements whose pulses would best separate the points that can still be the site.

    Every point has its own curve, and so foretells an answer at every placement.  The placement at which these differ
    most (weighed by how likely each point is) is chosen, then the one at which they differ most given its answer, and
    so on, as for a normal model.

    Parameters
    ----------
    source, coil : as for `motor_map`
    found : MotorMap
        So far; given at the median intensity of its pulses.
    candidates : sequence of Placement, optional
        To choose from; when omitted, a grid over the best point with six handle directions.
    count : int
    head : HeadModel, optional
        With a live field.

    Returns
    -------
    tuple of Placement
        The most telling first.

    Raises
    ------
    InputError
        If the map has no site yet, or there are fewer candidates than are asked for.

    Examples
    --------
    >>> import numpy as np, neuro_field as nf
    >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
    >>> live, rng = nf.live_field(nf.Solver(head), coil, snapshots=60), np.random.default_rng(1)
    >>> first = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> poses = [first.moved(*rng.uniform(-40, 40, 2), turned=rng.uniform(0, 360)) for _ in range(80)]
    >>> muscle = int(np.argmax(live.points @ [0.2, 0.1, 1.0]))
    >>> there = np.array([live.magnE(pose)[muscle] for pose in poses])
    >>> answers = 10 ** (0.9 + 2.6 / (1 + np.exp(-9 * (there / np.median(there) - 1))))
    >>> pulses = nf.Pulses("FDI", np.stack([pose.head_from_coil for pose in poses]), np.full(80, 60.0), answers)
    >>> found = nf.motor_map(live, coil, pulses, head=head, resampled=50)
    >>> len(nf.next_pulses(live, coil, found, candidates=poses, count=3))
    3
    """
    head = source.head if isinstance(source, Solver) else head
    if found.best is None:
        raise InputError("The map has no site yet: spread further pulses over the patch and its handle directions.")
    if candidates is None:
        if head is None:
            raise InputError("Input head of next_pulses is needed with a live field and no candidates.")
        candidates = _offered(head, coil, found.best)
    if not 1 <= count <= len(candidates):
        raise InputError(
            f"Input count of next_pulses must be 1 to {len(candidates)}, the candidates; instead {count!r}."
        )
    likely = doubts(1 - found.r2, len(found.pulses), found.misfit)
    some = np.flatnonzero(likely >= LEAST_WEIGHT * likely.max())
    slope = float(np.median(found.pulses.slopes(coil))) / AMPERE_PER_MICROSECOND
    fields = fields_at(source, coil, list(candidates), found.points[some])
    sizes = slope * sizes_of(fields, found.component, head, found.points[some])
    chosen = choice(found.curves[some], sizes, likely[some], Noise(found.spread, found.sway), count)
    return tuple(candidates[index] for index in chosen)


def doubts(left: FloatArray, count: int, misfit: float) -> FloatArray:
    """(m,) how likely each point is the site, by what its curve leaves (m,), where a mesh's errors leave a misfit."""
    return likelihoods(left + misfit * left.min(), count)


def choice(
    curves: FloatArray, sizes: FloatArray, likely: FloatArray, noise: Noise, count: int
) -> IntArray:  # fmt: skip
    """(count,) indices of the placements at which curves (m, 4) foretell at fields (m, q), V/m, what differs most.

    Differences count by the scatter of the answers where they are made.
    """
    values, slopes = foretold(curves, sizes)
    shares = likely / likely.sum()
    scatter = np.sqrt(noise.variance(np.sqrt(shares @ slopes**2)))
    return telling(values / scatter, likely, 1.0, count)


def telling(foretold: FloatArray, likely: FloatArray, spread: float, count: int) -> IntArray:
    """(count,) indices of the placements at which points (m, q) differ most, each given the answers to those before."""
    centered = (foretold - likely @ foretold / likely.sum()) * np.sqrt(likely / likely.sum())[:, None]
    covariance = centered.T @ centered
    chosen: list[int] = []
    for _ in range(count):
        variance = np.diag(covariance).copy()
        variance[chosen] = -np.inf
        at = int(np.argmax(variance))
        chosen.append(at)
        covariance = covariance - np.outer(covariance[at], covariance[at]) / (covariance[at, at] + spread**2)
    return np.array(chosen, dtype=np.int32)


def _offered(head: HeadModel, coil: Coil, center: FloatArray) -> list[Placement]:
    """A grid over a point of the cortex, six handle directions at each place, clear of the scalp."""
    spots = around(head, center, PATCH, SPACING)
    poses = np.tile(np.eye(4), (len(spots) * TURNS, 1, 1))
    for index in range(len(poses)):
        spot, turn = index // TURNS, np.pi * (index % TURNS) / TURNS
        about = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        poses[index, :3, :3] = spots.frames[spot] @ about
        poses[index, :3, 3] = spots.points[spot] + GAP * spots.normals[spot]
    if coil.casing is not None:
        poses[:, :3, 3] -= lifts_to_clear(head.scalp.points, coil.casing, poses, GAP)[:, None] * poses[:, :3, 2]
    return [Placement(pose) for pose in poses]
