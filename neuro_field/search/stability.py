"""How sure a ranking is when nobody knows the conductivities: the same placements under many draws of them.

Every draw is a full field problem, answered in a reduced space of adjoint potentials (`neuro_field.field.reduced`);
two draws are solved in full to tell how good that is.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray, read_only
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.field.probe import Probe
from neuro_field.field.reduced import Reduced, reduced
from neuro_field.field.solver import Solver
from neuro_field.nouns import noun
from neuro_field.reciprocity.response import SAMPLE_TOLERANCE, TRUNCATION, Response, probe_of, snapshots
from neuro_field.search.uncertainty import LESION, Family
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Draws of the tissues' conductivities, for every lesion value.
DRAWS = 500

#: More are not drawn.
MOST_DRAWS = 20_000

#: Leading vectors of the field in the target that draws are followed in, beside the one a target with a direction
#: measures, and the number up to which vectors are added that only another lesion calls up.
_MODES, _MOST_MODES = 5, 8

#: Those vectors come from fields of so many of the placements that are followed.
_SAMPLES = 8

#: Placements whose fields are made together.
_BLOCK = 8

#: The potential of the head as it is need not be exact: whatever it is, the answers are the same but for the adjoints'
#: error, which meets what it leaves.
_NEAR_TOLERANCE = 1e-2

#: Draws solved in full to check the others: one in so many.
_CHECKED = 2

Progress = Callable[[float], None]


@noun
class Stability:
    """What becomes of a ranking when conductivities vary.

    Parameters
    ----------
    draws : int
        Of the tissues, for every one of
    lesion_values : tuple of float
        the cavity's conductivities, S/m; empty for a head without a cavity.
    compared : int
        Placements that were followed, the ranked ones first.
    first : tuple of tuple of float
        For every lesion value (one row for a head without a cavity), and in it for each ranked placement, the share of
        draws in which it is the best of the ranked.
    median, low, high : tuple of tuple of float
        Likewise median, 5th and 95th percentile of what the target measures, V/m at 1 A/us.
    loss_mean, loss_p95 : tuple of float
        For every lesion value (or one) what is lost by keeping the planned placement, as a share of what the best of
        all compared has in each draw: mean and 95th percentile over draws.
    magnitude : (d,) array
        Mean |E| over the target of the best placement in every draw, V/m: two targets of one head meet the same draws.
    reduced_error : float
        Largest relative difference of the reduced answers (what the target measures, and mean |E|) from full solves,
        over the draws that were checked.
    """

    draws: int
    lesion_values: tuple[float, ...]
    compared: int
    first: tuple[tuple[float, ...], ...]
    median: tuple[tuple[float, ...], ...]
    low: tuple[tuple[float, ...], ...]
    high: tuple[tuple[float, ...], ...]
    loss_mean: tuple[float, ...]
    loss_p95: tuple[float, ...]
    magnitude: FloatArray
    reduced_error: float


@noun
class Case:
    """Placements to follow for one target: its `Response`, and poses (p, 4, 4), the plan's ``ranked`` ones first."""

    response: Response
    poses: FloatArray
    ranked: int


def stability(
    solver: Solver,
    coil: Coil,
    cases: Mapping[str, Case],
    *,
    draws: int = DRAWS,
    family: Family | None = None,
    progress: Progress | None = None,
) -> dict[str, Stability]:
    """Follow placements through draws of conductivities; several targets of one head share the work.

    Parameters
    ----------
    solver : Solver
        Of the head as it is.
    coil : Coil
    cases : mapping of str to Case
    draws : int
        For every lesion value.
    family : Family, optional
        What varies; `Family.of` the head when omitted.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    dict of str to Stability
    """
    say = progress or (lambda share: None)
    family = family or Family.of(solver.head)
    seen = _seen(solver, coil, cases, family)
    bases = {role: _basis(case, seen[role]) for role, case in cases.items()}
    probes = {role: probe_of(solver, case.response.target) for role, case in cases.items()}
    loads = [probes[role].adjoint_loads(_weighted(case, bases[role])) for role, case in cases.items()]
    say(0.02)
    heads = [family.head_with(row) for row in family.corners()]
    spaces = dict(zip(cases, reduced(solver, loads, heads, family.parts), strict=True))
    say(0.5)
    scales = family.scales(draws)
    answers = {}
    for done, (role, case) in enumerate(cases.items(), start=1):
        answers[role] = _followed(solver, coil, case, bases[role], probes[role], spaces.pop(role)).under(scales)
        say(0.5 + 0.4 * done / len(cases))
    errors = _checked(solver, coil, cases, family, scales, answers)
    say(1.0)
    return {role: _told(case, family, draws, *answers[role], errors[role]) for role, case in cases.items()}


def _leading(response: Response) -> FloatArray:
    """(3 r, k) orthonormal vectors: what a target with a direction measures, and the leading ones of the basis."""
    leading = response.basis[:, :_MODES]
    if response.target.direction is None:
        return leading
    return np.linalg.qr(np.concatenate([response.sought, leading], axis=1))[0].astype(np.float64, copy=False)


def _seen(solver: Solver, coil: Coil, cases: Mapping[str, Case], family: Family) -> dict[str, list[FloatArray]]:
    """Fields (3 r, p) in every target with the lesion's conductivity at its limits; one such head at a time."""
    found: dict[str, list[FloatArray]] = {role: [] for role in cases}
    for row in family.corners([LESION]):
        other = solver.retuned(family.head_with(row)).loosened(SAMPLE_TOLERANCE)
        for role, case in cases.items():
            spread = np.linspace(0, len(case.poses) - 1, min(_SAMPLES, len(case.poses))).astype(int)
            fields = other.solve_many(coil, [Placement(case.poses[i]) for i in spread])
            found[role].append(snapshots(case.response.target, fields))
    return found


def _basis(case: Case, others: Sequence[FloatArray]) -> FloatArray:
    """(3 r, k) orthonormal vectors: the leading ones, and what fields have beside them in other heads.

    A cavity that conducts like grey matter sends the current elsewhere: beside one, the vectors of the head as it is
    miss 4 % of the mean |E| then (Colin27 with a lesion by the hand area).
    """
    leading = _leading(case.response)
    if not others:
        return leading
    seen = np.concatenate(others, axis=1)
    vectors, sizes, _ = np.linalg.svd(seen - leading @ (leading.T @ seen), full_matrices=False)
    more = vectors[:, sizes > TRUNCATION * sizes[0]][:, : max(_MOST_MODES - leading.shape[1], 0)]
    return np.linalg.qr(np.concatenate([leading, more], axis=1))[0].astype(np.float64, copy=False)


def _weighted(case: Case, basis: FloatArray) -> FloatArray:
    """(r, 3, k) the vectors, each element times the root of its weight."""
    roots = case.response.target.roots
    return roots[:, None, None] * basis.reshape(len(roots), 3, -1)


@noun
class _Followed:
    """All that a draw needs: the field along the basis is direct - psi . r, with r linear in the conductivities.

    r is the load less the stiffness times a potential of the head as it is; its part that is taken off is in direct.
    """

    target: Target
    basis: FloatArray  # (3 r, k)
    direct: FloatArray  # (k, p) of -dA/dt - grad of that potential
    space: Reduced
    couplings: FloatArray  # (q, N, p)

    def under(self, scales: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What the target measures, and mean |E| over it, (d, p) V/m at 1 A/us, under conductivities (d, q)."""
        seen = np.empty((len(scales), self.direct.shape[1]))
        magnitude = np.empty_like(seen)
        for i, row in enumerate(scales):
            psi = self.space.potentials(row)
            along = self.direct - psi.T @ np.tensordot(row, self.couplings, axes=1)
            scaled = (self.basis @ along).T.reshape(along.shape[1], -1, 3)
            seen[i] = self.target.seen(scaled)
            magnitude[i] = self.target.seen_magnitude(scaled)
        return seen, magnitude


def _followed(solver: Solver, coil: Coil, case: Case, basis: FloatArray, probe: Probe, space: Reduced) -> _Followed:
    """What every placement induces, met with the basis and with the space, a block at a time."""
    target, weighted = case.response.target, _weighted(case, basis)
    rough, direct, couplings = solver.loosened(_NEAR_TOLERANCE), [], []
    for first in range(0, len(case.poses), _BLOCK):
        coils = [coil.carried(pose) for pose in case.poses[first : first + _BLOCK]]
        dadt = solver.nodal_dadt(coils)
        dadt *= AMPERE_PER_MICROSECOND
        own = np.stack([each.dadt(probe.points, didt=AMPERE_PER_MICROSECOND) for each in coils], axis=2)
        near = rough.potentials(solver.system.load(dadt))[0]
        direct.append(-np.einsum("rck,rcp->kp", weighted, own + probe.gradient(near)))
        couplings.append(space.couplings(dadt, near))
    return _Followed(target, basis, np.concatenate(direct, axis=1), space, np.concatenate(couplings, axis=2))


def _checked(
    solver: Solver,
    coil: Coil,
    cases: Mapping[str, Case],
    family: Family,
    scales: FloatArray,
    answers: Mapping[str, tuple[FloatArray, FloatArray]],
) -> dict[str, float]:
    """Largest relative difference of reduced answers from full ones: each best placement, in evenly spread draws."""
    worst = dict.fromkeys(cases, 0.0)
    for i in np.linspace(0, len(scales) - 1, _CHECKED + 2).astype(int)[1:-1]:
        drawn = solver.retuned(family.head_with(scales[i]))
        fields = drawn.solve_many(coil, [Placement(case.poses[0]) for case in cases.values()])
        for (role, case), field in zip(cases.items(), fields, strict=True):
            full = case.response.target.mean(field), case.response.target.magnitude(field)
            ratios = (float(found[i, 0] / value) for found, value in zip(answers[role], full, strict=True))
            worst[role] = max(worst[role], *(abs(ratio - 1) for ratio in ratios))
    return worst


def _told(case: Case, family: Family, draws: int, seen: FloatArray, magnitude: FloatArray, error: float) -> Stability:
    each = seen.reshape(-1, draws, seen.shape[1])  # of every lesion value: nothing is averaged over these
    ranked = each[:, :, : case.ranked]
    first = np.eye(case.ranked)[ranked.argmax(axis=2)].mean(axis=1)
    low, median, high = np.percentile(ranked, [5, 50, 95], axis=1)
    best = each.max(axis=2)
    lost = (best - each[:, :, 0]) / np.maximum(np.abs(best), 1e-12)
    return Stability(
        draws=draws,
        lesion_values=family.lesion_values,
        compared=seen.shape[1],
        first=_rows(first),
        median=_rows(median),
        low=_rows(low),
        high=_rows(high),
        loss_mean=tuple(lost.mean(axis=1).tolist()),
        loss_p95=tuple(np.percentile(lost, 95, axis=1).tolist()),
        magnitude=read_only(magnitude[:, 0]),
        reduced_error=error,
    )


def _rows(values: FloatArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in values.tolist())


def compared_poses(ranked: Sequence[Placement], poses: FloatArray, strengths: FloatArray, count: int) -> FloatArray:
    """(count, 4, 4) the ranked placements and then the best others of all poses (p, 4, 4)."""
    own = np.stack([placement.head_from_coil for placement in ranked])
    rest = [pose for pose in poses[np.argsort(-strengths, kind="stable")[: 2 * count]] if not _among(pose, own)]
    return np.concatenate([own, np.array(rest[: max(count - len(own), 0)]).reshape(-1, 4, 4)])


def _among(pose: FloatArray, others: FloatArray) -> bool:
    return bool((np.abs(others - pose).max(axis=(1, 2)) < 1e-9).any())
