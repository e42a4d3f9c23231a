"""Make a live field: solve snapshots, reduce them to modes, learn to read a coil, and measure the error."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Protocol

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.boxes import Boxes
from neuro_field.field.primary import add_dadt
from neuro_field.field.solver import Solver, peak_memory
from neuro_field.field.system import times
from neuro_field.head.doubts import check_usable
from neuro_field.live.judging import Judged
from neuro_field.live.live_field import LiveField, LiveReport
from neuro_field.live.packed import PATCH, Packed
from neuro_field.live.places import Range, allowed, poses_over, spots_over
from neuro_field.live.reader import Reader, flux_density, greedy, lighter, probes_around
from neuro_field.live.sheet import Sheet
from neuro_field.nouns import noun
from neuro_field.units import metres

#: Full solves that are turned into modes, and ...
SNAPSHOTS = 176

#: ... those kept out to measure the error: in the same range, and far outside it.
HELD_OUT, STRANGE = 20, 12
FAR = Range(gaps=(2.0, 40.0), tilt=60.0)

#: Poses among which the snapshots are chosen.
_POOL = 5_000

#: Snapshots are solved to this tolerance; to 1e-4 live fields err by as much.
_TOLERANCE = 1e-3

#: Of the snapshots' energy what the modes of the whole, and those of the patches, may leave out.
_GLOBAL, _LOCAL = 5e-4**2, 1e-3**2

#: Points of the cortex whose recovery is prepared together.
_AT_ONCE = 4096

#: Placements solved together: wider blocks take more memory for no less time.
BLOCK = 16

Progress = Callable[[str, float], None]


class Keeper(Protocol):
    """Keeps the solves of a live field between runs; `neuro_field.store.unfinished_live` does it in a folder."""

    def kept(self, first: int) -> AnyArray | None:
        """Potentials (u, k) float32 of the block of solves that begins with a number; None where it is to be solved."""

    def keep(self, first: int, potentials: AnyArray) -> None:
        """Keep those of a block."""


def live_field(
    solver: Solver,
    coil: Coil,
    *,
    snapshots: int = SNAPSHOTS,
    keeper: Keeper | None = None,
    progress: Progress | None = None,
) -> LiveField:
    """Make the field of the whole cortex follow a coil.

    Snapshots are full solves of placements all over the scalp above the brain, in any direction, with gaps of 2 to 15
    mm and tilts to 15 degrees; the next is always the one whose B around the brain is spanned least by those before.
    Their modes and a fit of B say the field of any placement; 20 more solves say how well.

    Parameters
    ----------
    solver : Solver
        Of either order, isotropic or not.
    coil : Coil
        Of any source.
    snapshots : int
        Full solves, 20 to 2000.
    keeper : Keeper, optional
        Asked for solves of an earlier run.
    progress : callable, optional
        Called with a stage's name and the share of it that is done.

    Returns
    -------
    LiveField
        The same every time.

    Raises
    ------
    InputError
        If an argument is of the wrong kind, the head has no grey matter, or no placement is outside the head.
    Refusal
        If something of the head has to be answered before anything is computed for a patient.

    Examples
    --------
    >>> import neuro_field as nf
    >>> solver = nf.Solver(nf.sphere_head((70, 80, 90), edge=9.0))
    >>> live = nf.live_field(solver, nf.load_coil("figure8-70mm"), snapshots=20)  # 176 when omitted
    >>> live.report.snapshots, len(live.report.errors)
    (20, 20)
    """
    for value, kind, name in ((solver, Solver, "solver"), (coil, Coil, "coil")):
        if not isinstance(value, kind):
            raise InputError(f"Input {name} of live_field must be a {kind.__name__}; instead received {value!r:.80}.")
    check_snapshots(snapshots)
    check_usable(solver.head)
    say, clock = progress or (lambda stage, share: None), _Clock()
    sheet = Sheet.of(solver.head)
    clock("cortex")
    probes = probes_around(solver.head)
    placements = _placements(solver, coil, snapshots, probes)
    clock("placements")
    gradients = list(_gradients(solver, coil, sheet, say))
    clock("recovery")
    poses = np.stack([each.head_from_coil for each in placements])
    seen = _Seen(probes, flux_density(lighter(coil), poses, probes), snapshots)
    fields = _fields(solver, coil, placements, sheet, gradients, keeper, say)
    fields /= seen.sizes.astype(np.float32)  # a coil farther off counts as much
    clock("solves")
    return _made(solver, coil, sheet, seen, fields, clock)


def check_snapshots(snapshots: int) -> None:
    """Refuse a number of snapshots that no live field is made of."""
    if isinstance(snapshots, bool) or not isinstance(snapshots, int) or not 20 <= snapshots <= 2000:
        raise InputError(f"Input snapshots of live_field must be 20 to 2000; instead received {snapshots!r:.80}.")


def how() -> tuple[object, ...]:
    """What decides which placements are solved, and how well: solves of another making are not gone on with."""
    return _POOL, HELD_OUT, STRANGE, FAR.gaps, FAR.tilt, _TOLERANCE, BLOCK


class _Clock(dict[str, float]):
    """Seconds by stage."""

    def __init__(self) -> None:
        self.start = self._last = time.perf_counter()

    def __call__(self, stage: str) -> None:
        now = time.perf_counter()
        self[stage], self._last = now - self._last, now


def _placements(solver: Solver, coil: Coil, snapshots: int, probes: FloatArray) -> list[Placement]:
    """Snapshots, the next where the last ones tell least; then those held out, in their range and far outside it."""
    rng, head = np.random.default_rng(0), solver.head
    spots = spots_over(head)
    pool = poses_over(head, spots, coil, max(_POOL, 4 * snapshots), rng)
    order = greedy(flux_density(lighter(coil), pool, probes), snapshots + snapshots // 4)
    chosen = [
        list(islice(allowed(solver, coil, poses), count))
        for poses, count in (
            (pool[order], snapshots),
            (poses_over(head, spots, coil, 4 * HELD_OUT, rng), HELD_OUT),
            (poses_over(head, spots, coil, 8 * STRANGE, rng, FAR), STRANGE),
        )
    ]
    for found, count in zip(chosen, (snapshots, HELD_OUT, STRANGE), strict=True):
        if len(found) < count:
            raise InputError(
                f"The coil {coil.name!r} stands outside the head {head.name!r} at {len(found)} of {count} placements "
                "that are needed; check the mesh and the coil's frame."
            )
    return [placement for found in chosen for placement in found]


@noun
class _Seen:
    """B (k, 3 m) at probes (m, 3) of all placements, the snapshots first."""

    probes: FloatArray
    seen: FloatArray
    snapshots: int

    @property
    def sizes(self) -> FloatArray:
        """(k,) of all that is seen."""
        return np.asarray(np.linalg.norm(self.seen, axis=1))


def _made(
    solver: Solver, coil: Coil, sheet: Sheet, seen: _Seen, fields: AnyArray, clock: _Clock
) -> LiveField:  # fmt: skip
    """Modes of the snapshots, the reader, and the error, from E (3, n, k) of all placements over the size of B."""
    count = seen.snapshots
    size = seen.sizes
    weights = sheet.volumes + 1e-2 * sheet.volumes.mean()
    patches = [(fields[:, low:high].reshape(-1, len(size)), weights[low:high]) for low, high in _bounds(len(weights))]
    energy = np.zeros((count, count))
    for patch, own in patches:
        rooted = patch[:, :count] * np.sqrt(np.tile(own, 3)).astype(np.float32)[:, None]
        energy += rooted.T @ rooted
    combined = _modes(energy)  # (N, K): what the snapshots' parts are of each mode
    total = float(np.trace(energy))
    packed = Packed.of(
        (
            (patch[:, :count] @ combined, own, _LOCAL * total * own.sum() / weights.sum()) for patch, own in patches
        ),
        3, combined.shape[1],
    )  # fmt: skip
    reader = Reader.of(seen.probes, seen.seen[:count] / size[:count, None], combined)
    clock("modes")
    truth = fields[:, :, count:].astype(np.float64)
    judged = Judged.of(sheet, weights, packed, reader, seen.seen[count:] / size[count:, None], truth)
    clock("errors")
    report = LiveReport(
        snapshots=count, modes=combined.shape[1], seconds=sum(clock.values()), errors=judged.errors[:HELD_OUT],
        near_errors=judged.near[:HELD_OUT],
        strange=tuple(zip(judged.unspanned[HELD_OUT:], judged.errors[HELD_OUT:], strict=True)),
        bytes_read=packed.nbytes, seconds_by_stage=dict(clock), peak_memory=peak_memory(),
    )  # fmt: skip
    return LiveField(solver.head, coil, sheet, packed, reader, judged.most_unspanned, report)


def _bounds(count: int, size: int = PATCH) -> Iterator[tuple[int, int]]:
    """First and last point of every patch."""
    return ((low, min(low + size, count)) for low in range(0, count, size))


def _gradients(solver: Solver, coil: Coil, sheet: Sheet, say: Progress) -> Iterator[csr_matrix]:
    """From potentials to their recovered gradients, of `_AT_ONCE` points of the cortex after the other."""
    elements, shares = sheet.elements(solver.head)
    for low, high in _bounds(len(elements), _AT_ONCE):
        say("recovery", low / len(elements))
        yield solver.system.gradient_matrix(elements[low:high], shares[low:high], divergence_free=coil.divergence_free)
    say("recovery", 1.0)


def _fields(
    solver: Solver, coil: Coil, placements: Sequence[Placement], sheet: Sheet, gradients: Sequence[csr_matrix],
    keeper: Keeper | None, say: Progress,
) -> AnyArray:  # fmt: skip
    """E (3, n, k) float32 of all placements at the cortex, V/m per A/s, read as soon as it is solved."""
    loose, boxes, count = solver.loosened(_TOLERANCE), Boxes.of(metres(sheet.points)), len(sheet.points)
    out = np.empty((3, count, len(placements)), np.float32)
    for first in range(0, len(placements), BLOCK):
        say("solves", first / len(placements))
        coils = [coil.carried(placement.head_from_coil) for placement in placements[first : first + BLOCK]]
        found = keeper.kept(first) if keeper is not None else None
        if found is None:
            found = loose.potentials(loose.system.load(loose.nodal_dadt(coils)))[0].astype(np.float32)
            if keeper is not None:
                keeper.keep(first, found)
        dadt = np.zeros((count, 3, len(coils)))
        add_dadt(coils, boxes, dadt)
        for (low, high), gradient in zip(_bounds(count, _AT_ONCE), gradients, strict=True):
            slopes = dadt[low:high]
            slopes += times(gradient, found).reshape(slopes.shape)
            out[:, low:high, first : first + len(coils)] = -slopes.transpose(1, 0, 2)
    say("solves", 1.0)
    return out


def _modes(energy: FloatArray) -> FloatArray:
    """(N, K) orthonormal combinations of snapshots, the strongest first, that leave out next to nothing."""
    energies, turned = np.linalg.eigh(energy)
    left = np.cumsum(np.maximum(energies, 0.0))
    return turned[:, left > _GLOBAL * left[-1]][:, ::-1]
