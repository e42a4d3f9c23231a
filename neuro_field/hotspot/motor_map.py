"""A motor map: at which point of the cortex the field explains a muscle's answers best.

At every point the answers are regressed on |E| there (Weise 2020, Numssen 2021): where the share of their variance
that a sigmoid explains is largest, the muscle is.  A map that no better than shuffled answers make has no site.
"""

from dataclasses import replace
from functools import cached_property

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, read_only
from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.findings import Finding, worst_first
from neuro_field.head.doubts import check_usable
from neuro_field.head.model import HeadModel
from neuro_field.hotspot.curves import CRITERION, Curve, logged, refined
from neuro_field.hotspot.exposure import COMPONENTS, Fields, Progress, cortex_around, fields_at, sizes_of
from neuro_field.hotspot.fit import Fit
from neuro_field.hotspot.pulses import Pulses
from neuro_field.hotspot.sureness import FIELD_ERROR, alike, area_of, chance_of, convergence_of, edge_at
from neuro_field.nouns import noun
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Random pulses for a stable site (Numssen 2021 [lit]).
ENOUGH_PULSES = 180

#: With fewer pulses, or answers above the criterion, nothing is mapped.
LEAST_PULSES, LEAST_ANSWERS = 20, 8

#: The chance below which a map is more than shuffled answers make.
CHANCE = 0.01

#: Resampled sessions.
RESAMPLED = 500

#: How far from under the middle of the coil's centres the cortex is mapped, mm, and how deep under them that lies.
REACH, _DEPTH = 35.0, 25.0

#: A coil farther from the scalp than this was not held to the head, mm.
_OFF_HEAD = 40.0

#: Above this share of the pulses on the plateau a map is told to be saturated; the plateau begins at this of the rise.
_SATURATED, _PLATEAU = 0.5, 0.9

#: Handles that stay within so many degrees are of one direction.
_ONE_DIRECTION = 30.0

#: Pulses on the other side of the head, of all of them, that are no slip.
_OTHER_SIDE = 0.1


@noun
class MotorMap:
    """What a mapping session found.

    Parameters
    ----------
    muscle : str
    side : {"left", "right"}, optional
        Hemisphere that was stimulated; None where nothing tells left from right.
    points : (m, 3) array
        Of the cortex, mm, head frame.
    r2 : (m,) array
        Share of the variance of log10 amplitude that |E| at the point explains, each pulse weighed by what it tells
        (`neuro_field.hotspot.noise`); 0 where no climbing curve does.
    best : (3,) array, optional
        The point that explains most; None where the answers have no relation to the field: no site.
    area : (m,) bool array
        Points that hold the site in 95 % of resampled sessions; none without a site.
    alike : (m,) bool array
        Points whose |E| correlates above 0.98 with the best point's: this session cannot tell them from it.
    curve : Curve, optional
        At the best point.
    threshold : float, optional
        V/m at the best point at which the fitted median amplitude is 50 uV; None where the curve never is.
    chance : float
        The share of shuffled sessions that explain as much.
    curves : (m, 4) array
        Low and rise of log10 uV, midpoint (V/m) and steepness (per V/m) of the grid's best curve at each point.
    fields : (p,) array
        |E| at the best point under each pulse, V/m; empty without a site.
    convergence : tuple of (int, float)
        Numbers of pulses, and how far from the site the first so many would have put it, mm.
    pulses : Pulses
        That were mapped.
    coil : str
    mesh : str
        `TetMesh.digest` of the head's.
    findings : tuple of Finding
    component : {"magnitude", "normal"}
        What of the field its V/m are: |E|, or the size of its part along the cortex's normal.
    spread, sway : float
        Standard deviations of log10 amplitude, and of the field as a share of it, fitted to the session.
    misfit : float
        What errors of the mesh's field can leave at the true site, of the least that is left anywhere.

    Examples
    --------
    >>> import numpy as np, neuro_field as nf
    >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
    >>> first = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> poses = np.stack([first.moved(turned=9.0 * k).head_from_coil for k in range(20)])
    >>> pulses = nf.Pulses("FDI", poses, np.full(20, 60.0), np.zeros(20))  # the muscle never answered
    >>> found = nf.motor_map(nf.live_field(nf.Solver(head), coil, snapshots=20), coil, pulses, head=head)
    >>> found.best is None, found.findings[0].code
    (True, 'map-no-responses')
    """

    muscle: str
    side: str | None
    points: FloatArray
    r2: FloatArray
    best: FloatArray | None
    area: BoolArray
    alike: BoolArray
    curve: Curve | None
    threshold: float | None
    chance: float
    curves: FloatArray
    fields: FloatArray
    convergence: tuple[tuple[int, float], ...]
    pulses: Pulses
    coil: str
    mesh: str
    findings: tuple[Finding, ...] = ()
    component: str = "magnitude"
    spread: float = 0.25
    sway: float = 0.0
    misfit: float = 0.0

    @property
    def midpoint(self) -> float | None:
        """V/m at the middle of the curve: well above the threshold, and never to dose by."""
        return None if self.curve is None else self.curve.midpoint

    @cached_property
    def area95(self) -> FloatArray:
        """(k, 3) the points of the area, mm."""
        return read_only(self.points[self.area])

    @property
    def strongest_pulse(self) -> int | None:
        """The pulse whose pose reaches the site best per A/us; None without a site."""
        if self.best is None:
            return None
        return int(np.argmax(self.fields / np.maximum(self.pulses.intensities, 1e-9)))


def motor_map(
    source: Solver | Fields,
    coil: Coil,
    pulses: Pulses,
    *,
    head: HeadModel | None = None,
    component: str = "magnitude",
    reach: float = REACH,
    resampled: int = RESAMPLED,
    rng: np.random.Generator | None = None,
    progress: Progress | None = None,
) -> MotorMap:
    """Where a muscle is, from its answers to pulses at many poses.

    Parameters
    ----------
    source : Solver or Fields
        Of the head; or a live field of this coil in it, with ``points`` and ``field(placement, didt)``.
    coil : Coil
        That the pulses were given with.
    pulses : Pulses
        Of one side of the head.
    head : HeadModel, optional
        With a live field: the head it is of.
    component : {"magnitude", "normal"}
        Answers are regressed on |E|, or on the size of its part along the cortex's normal, which explained answers
        less well in 14 and 10 people.
    reach : float
        How far from under the middle of the coil's centres the cortex is mapped, mm, 10 to 200.
    resampled : int
        Sessions drawn from this one for the area.
    rng : numpy Generator, optional
        For shuffles and resampling; seeded when omitted, so that a session gives one map.
    progress : callable, optional
        Called with a stage's name and the share of it that is done.

    Returns
    -------
    MotorMap
        Whose ``best`` is None where the muscle did not answer, or its answers have no relation to the field.

    Raises
    ------
    InputError
        If there are fewer than 20 pulses over the head, they lie on both of its sides, or nothing says how steep the
        current was.
    Refusal
        If something of the head has to be answered before anything is computed for a patient.

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
    >>> bool(np.linalg.norm(found.best - live.points[muscle]) < 6.0)
    True
    """
    if isinstance(source, Solver):
        head = source.head
    if head is None:
        raise InputError("Input head of motor_map is needed with a live field: the head that it is of.")
    if component not in COMPONENTS:
        raise InputError(
            f"Input component of motor_map must be {' or '.join(COMPONENTS)}; instead received {component!r:.40}."
        )
    if not 10 <= reach <= 200:
        raise InputError(f"Input reach of motor_map must be 10 to 200 mm; instead received {reach!r:.40}.")
    check_usable(head)
    rng = rng or np.random.default_rng(0)
    slopes = pulses.slopes(coil)
    there, side, findings = _over_one_side(head, pulses)
    pulses, slopes = pulses.chosen(there), slopes[there]
    if len(pulses) < LEAST_PULSES:
        raise InputError(
            f"A map needs {LEAST_PULSES} pulses over the head; instead there are {len(pulses)}: record more."
        )
    findings += _of_session(pulses)
    points = _points(source, head, pulses, reach)
    if np.count_nonzero(pulses.amplitudes >= CRITERION) < LEAST_ANSWERS:
        answered = int(np.count_nonzero(pulses.amplitudes >= CRITERION))
        values = {"answered": answered, "pulses": len(pulses), "least": LEAST_ANSWERS, "microvolts": CRITERION}
        return _without(pulses, points, side, coil, head, (*findings, Finding("map-no-responses", "stop", values)))
    given = fields_at(source, coil, pulses.placements, points, progress=progress)
    sizes = sizes_of(given, component, head, points) * (slopes / AMPERE_PER_MICROSECOND)
    return replace(
        _fitted(sizes, points, pulses, side, coil, head, findings, resampled, reach, rng), component=component
    )


def _fitted(
    sizes: FloatArray, points: FloatArray, pulses: Pulses, side: str | None, coil: Coil, head: HeadModel,
    findings: tuple[Finding, ...], resampled: int, reach: float, rng: np.random.Generator,
) -> MotorMap:  # fmt: skip
    """The map of |E| (m, p), V/m, at the points."""
    answers = logged(pulses.amplitudes)
    chance, fit = chance_of(sizes, answers, rng), Fit.of(sizes, answers)
    best = fit.best
    if chance > CHANCE:
        values = {"chance": chance, "limit": CHANCE, "share": float(fit.r2[best])}
        why = Finding("map-no-relation", "stop", values)
        return _without(pulses, points, side, coil, head, (*findings, why), r2=fit.r2, chance=chance)
    curve = refined(sizes[best], answers, fit.weights, fit.chosen[best])
    threshold = curve.reaching(CRITERION)
    found = worst_first((*findings, *_of_curve(curve, threshold, sizes[best], points, best, reach)))
    edge = edge_at(head, points[best])
    area = area_of(fit, points, resampled, edge, rng)
    return MotorMap(
        pulses.muscle, side, read_only(points), read_only(fit.r2), read_only(points[best]), read_only(area),
        read_only(alike(sizes, best)), curve, threshold, chance, read_only(fit.curves), read_only(sizes[best]),
        convergence_of(fit, points, LEAST_PULSES), pulses, coil.name, head.mesh.digest, found,
        spread=fit.noise.spread, sway=fit.noise.sway, misfit=fit.misfit(FIELD_ERROR * edge),
    )  # fmt: skip


def _without(
    pulses: Pulses, points: FloatArray, side: str | None, coil: Coil, head: HeadModel, findings: tuple[Finding, ...],
    *, r2: FloatArray | None = None, chance: float = 1.0,
) -> MotorMap:  # fmt: skip
    """A map without a site."""
    nothing = np.zeros(len(points), dtype=bool)
    return MotorMap(
        pulses.muscle, side, read_only(points), read_only(np.zeros(len(points)) if r2 is None else r2), None,
        read_only(nothing), read_only(nothing), None, None, chance,
        read_only(np.zeros((len(points), 4))), read_only(np.empty(0)), (), pulses, coil.name,
        head.mesh.digest, worst_first(findings),
    )  # fmt: skip


def _over_one_side(head: HeadModel, pulses: Pulses) -> tuple[AnyArray, str | None, tuple[Finding, ...]]:
    """Indices of the pulses over the head, the side they are on, and how many were not over it."""
    centers, axes = pulses.poses[:, :3, 3], pulses.poses[:, :3, 2]
    distance, nearest = head.scalp.tree.query(centers)
    over = (distance <= _OFF_HEAD) & (np.einsum("pi,pi->p", axes, head.scalp.vertex_normals[nearest]) < 0)
    if np.count_nonzero(over) * 2 < len(over):
        raise InputError(
            f"Only {np.count_nonzero(over)} of {len(over)} poses are held to the head (within {_OFF_HEAD:g} mm of the "
            f"scalp, z into the head); the nearest lies {distance.min():.0f} mm away. Check that they are in its frame."
        )
    there = np.flatnonzero(over)
    off = len(over) - len(there)
    findings = (Finding("map-off-head", "warn", {"off": off, "pulses": len(over)}),) if off else ()
    if head.fissure is None and head.mapping is None:
        return there, None, findings
    right = head.right_of_midline(centers[there] + _DEPTH * axes[there])
    on_right = np.count_nonzero(right > 0)
    fewer = min(on_right, len(there) - on_right)
    if fewer > _OTHER_SIDE * len(there):
        raise InputError(
            f"The pulses lie on both sides of the head, {len(there) - on_right} left and {on_right} right; map each "
            "side's own, for a map is of one hemisphere and is never carried over."
        )
    return there, "right" if on_right * 2 > len(there) else "left", findings


def _of_session(pulses: Pulses) -> tuple[Finding, ...]:
    """What a session's plan leaves open."""
    out = list(pulses.findings)
    if len(pulses) < ENOUGH_PULSES:
        out.append(Finding("map-few-pulses", "warn", {"pulses": len(pulses), "least": ENOUGH_PULSES}))
    handles = pulses.poses[:, :3, 1]
    axis = np.linalg.eigh(handles.T @ handles)[1][:, 2]  # either way along it is one direction of the current
    spread = float(np.degrees(np.arccos(np.clip(np.abs(handles @ axis), 0, 1))).max())
    if spread < _ONE_DIRECTION / 2:
        out.append(Finding("map-one-direction", "warn", {"degrees": 2 * spread, "least": _ONE_DIRECTION}))
    return tuple(out)


def _of_curve(
    curve: Curve,
    threshold: float | None,
    fields: FloatArray,
    points: FloatArray,
    best: int,
    reach: float = REACH,
) -> tuple[Finding, ...]:
    """What the curve leaves open."""
    out = []
    plateau = curve.midpoint + np.log(_PLATEAU / (1 - _PLATEAU)) / curve.steepness
    share = float(np.mean(fields > plateau))
    if share > _SATURATED:
        out.append(Finding("map-saturated", "warn", {"share": share, "limit": _SATURATED}))
    if threshold is None or threshold < fields.min():
        values = {"threshold": threshold, "lowest": float(fields.min()), "microvolts": CRITERION}
        out.append(Finding("map-threshold-outside", "warn", values))
    away = float(np.linalg.norm(points[best] - (points.min(axis=0) + points.max(axis=0)) / 2))
    if away > reach - 4.0:
        out.append(Finding("map-site-at-rim", "warn", {"distance": away, "reach": reach}))
    return tuple(out)


def _points(source: Solver | Fields, head: HeadModel, pulses: Pulses, reach: float) -> FloatArray:
    """Of the cortex around where the coil was held; of a live field its own."""
    under = np.median(pulses.poses[:, :3, 3] + _DEPTH * pulses.poses[:, :3, 2], axis=0)
    if isinstance(source, Solver):
        return cortex_around(head, under, reach)
    near = np.linalg.norm(source.points - under, axis=1) <= reach
    if np.count_nonzero(near) < 10:
        raise InputError(f"The live field has no points within {reach:g} mm of {np.round(under, 1).tolist()}.")
    return np.asarray(source.points[near], dtype=np.float64)
