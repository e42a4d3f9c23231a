"""The best placement of a plan as a person with a tape finds it, and what the tape and the landmarks leave in doubt."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from neuro_field.aim.tape import VERTEX, HeadTape, TapePlace, moved_tape
from neuro_field.arrays import FloatArray
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.findings import Finding, Refusal, Value
from neuro_field.geometry.mesh import Surface
from neuro_field.head.fiducials import NAMES
from neuro_field.head.model import HeadModel
from neuro_field.search.plan import Plan
from neuro_field.search.rules import ELECTRODES

#: A tape is read to this, mm, at each of its two steps.
TAPE_ERROR = 5.0

#: A finger finds a landmark of a map to MNI152, or one of the patient's own, to this, mm.
MAPPED_ERROR, OWN_ERROR = 8.0, 5.0

#: Of so many draws of these errors the given share lies within the distance that is told.
_DRAWS, _WITHIN = 4000, 0.99

#: Of the farthest draws so many are walked.
_WALKED = 8

#: Farther in front of or behind the ear-to-ear line, mm, steps from the vertex run together: go from an electrode.
_FARTHEST = 110.0

#: From a measured hot spot farther away than this, mm, nobody goes by tape: it is that of the other hand.
_NEAR = 80.0

#: Directions in which a misplaced coil is tried.
_DIRECTIONS = 16

#: Published places on the scalp from the vertex, mm sideways (of either side) and forwards [src]: tibialis hot spot
#: (leg); pharynx, left and right.
SCALP_RULES = {
    "m1-leg": {"left": (12.9, -5.5), "right": (12.9, -5.5)},
    "m1-pharynx": {"left": (104.0, 32.0), "right": (96.5, 31.8)},
}


def tape_of(head: HeadModel) -> HeadTape | None:
    """The head as a tape measures it; None where no landmarks are known, or its scalp does not reach them.

    Raises
    ------
    Refusal
        If a measured arc is not that of this head.
    InputError
        If landmarks of the patient's own do not fit its scalp.
    """
    try:
        return HeadTape.of(head)
    except Refusal:
        raise
    except InputError:
        if head.fiducials is not None:
            raise
        return None


def tape_as_told(plan: Plan, scalp: Surface, landmarks: Mapping[str, FloatArray]) -> HeadTape | None:
    """The tape that a plan's steps were told by, made again of what is kept of its head; None of a plan without.

    Parameters
    ----------
    plan : Plan
        With its `Plan.tape`.
    scalp : Surface
        Of the head, mm.
    landmarks : mapping of str to (3,) array
        10-10 positions, as they were laid out for the plan, mm.
    """
    arcs = next((finding.values for finding in plan.tape if finding.code == "tape-arcs"), None)
    if arcs is None or not {*NAMES, VERTEX} <= landmarks.keys():
        return None
    plain = HeadTape(scalp, {name: landmarks[name] for name in NAMES})
    right, front = (float(str(arcs[name])) / getattr(plain, name) for name in ("ear_ear", "nasion_inion"))
    positions = {name: place for name, place in landmarks.items() if name not in NAMES}
    return replace(plain, own=arcs["landmarks"] == "own", scale_right=right, scale_front=front, positions=positions)


def with_tape(plan: Plan, tape: HeadTape | None, hot_spot: FloatArray | None = None) -> Plan:
    """The plan with what a person with a tape needs (`Plan.tape`).

    Parameters
    ----------
    plan : Plan
        With its field and response.
    tape : HeadTape, optional
        None for a head that has none; that is said.
    hot_spot : (3,) array, optional
        Where on the scalp the largest response of the hand was measured, mm.
    """
    if tape is None:
        return replace(plan, tape=(Finding("tape-none", "note"),))
    return replace(plan, tape=tuple(_told(plan, tape, hot_spot)))


def _told(plan: Plan, tape: HeadTape, hot_spot: FloatArray | None) -> Iterator[Finding]:
    foot = tape.scalp.nearest(plan.best.placement.center)
    own = "own" if tape.own else "mapped"
    scaled = tape.scale_right != 1.0 or tape.scale_front != 1.0
    yield Finding("tape-arcs", "note", {
        "nasion_inion": tape.nasion_inion, "ear_ear": tape.ear_ear, "landmarks": own, "scaled": scaled,
    })  # fmt: skip
    steps = _steps(tape, foot, VERTEX)
    if steps is not None and abs(steps[1]) <= _FARTHEST:
        yield Finding("tape-aside", "note", _way(steps))
        yield Finding("tape-front", "note", _way(steps))
    else:
        yield Finding("tape-far", "note", {"limit": _FARTHEST})
    electrode = min(tape.positions, key=lambda name: float(np.linalg.norm(tape.positions[name] - foot)))
    beside = _steps(tape, foot, electrode)
    if beside is not None:
        yield Finding("tape-electrode", "note", {"electrode": electrode} | _way(beside))
    if hot_spot is not None and np.linalg.norm(hot_spot - foot) <= _NEAR:
        away = _steps(tape, foot, hot_spot)
        if away is not None:
            yield Finding("tape-hot-spot", "note", _way(away))
    yield from _customary(plan, tape, foot)
    if steps is not None and abs(steps[1]) <= _FARTHEST:
        yield _doubt(plan, tape, foot, TapePlace(VERTEX, *steps))


def _steps(tape: HeadTape, point: FloatArray, origin: str | FloatArray) -> tuple[float, float] | None:
    try:
        return tape.steps(point, origin)
    except InputError:
        return None


def _way(steps: tuple[float, float]) -> dict[str, Value]:
    return {"right": steps[0], "front": steps[1]}


def _customary(plan: Plan, tape: HeadTape, foot: FloatArray) -> Iterator[Finding]:
    """Where the scalp rules in use would go, and how far from the planned spot that is."""
    site, side = plan.target.site, plan.target.side
    known = SCALP_RULES.get(site, {}).get(side or "")
    if known is not None:
        aside, front = known
        try:
            place = tape.at(TapePlace(VERTEX, aside if side == "right" else -aside, front))
        except InputError:
            return
        away = float(np.linalg.norm(place - foot))
        yield Finding("tape-rule", "note", {"aside": aside, "front": front, "side": side, "distance": away})
    left, right = ELECTRODES.get(site, (None, None))
    name = {"left": left, "right": right}.get(side or "", left if left == right else None)
    if name is not None:
        place = tape.positions.get(name, tape.vertex)
        away = float(np.linalg.norm(place - foot))
        yield Finding("tape-rule-electrode", "note", {"electrode": name, "distance": away})


def misplacement(tape: HeadTape, foot: FloatArray, place: TapePlace) -> tuple[FloatArray, FloatArray]:
    """By what a tape and the landmarks may miss a place of the scalp, mm: (draws, 3) each.

    How the place moves with each landmark along the scalp, and with each step, each by the way in which it moves more.
    Landmarks that are off together move it a little more than the sum of that: some of the farthest draws are walked,
    and all are lengthened by what the worst of these lacks.
    """
    rng, size = np.random.default_rng(0), OWN_ERROR if tape.own else MAPPED_ERROR
    shifts, by_landmark, there = {}, np.zeros((_DRAWS, 3)), tape.at(place)
    for name, at in tape.points.items():
        normal = tape.scalp.smoothed_normal(tape.scalp.points[tape.scalp.tree.query(at)[1]])
        first = np.cross(normal, [1.0, 0.0, 0.0] if abs(normal[0]) < 0.8 else [0.0, 1.0, 0.0])
        axes = np.stack([first / np.linalg.norm(first), np.cross(normal, first / np.linalg.norm(first))])
        angles = rng.uniform(0, 2 * np.pi, _DRAWS)
        turned = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        ends = [[moved_tape(tape, {name: way * size * axis}).at(place) for way in (1.0, -1.0)] for axis in axes]
        by_landmark += turned @ np.array([_larger(one - there, there - other) for one, other in ends])
        shifts[name] = size * turned @ axes
    lengths = np.linalg.norm(by_landmark, axis=1)
    lacking = 1.0
    for draw in np.flatnonzero(lengths >= np.quantile(lengths, _WITHIN))[:_WALKED]:
        moved = moved_tape(tape, {name: shift[draw] for name, shift in shifts.items()}).at(place)
        lacking = max(lacking, float(np.linalg.norm(moved - there)) / lengths[draw])
    ends = [
        [tape.at(TapePlace(place.origin, place.right + k * right, place.front + k * front)) for k in (1, -1)]
        for right, front in ((TAPE_ERROR, 0.0), (0.0, TAPE_ERROR))
    ]
    slopes = np.array([_larger(one - there, there - other) for one, other in ends])
    return rng.uniform(-1.0, 1.0, (_DRAWS, 2)) @ slopes, lacking * by_landmark


def _larger(one: FloatArray, other: FloatArray) -> FloatArray:
    """The mean of two shifts (3,), as long as the longer of them."""
    mean = (one + other) / 2
    length = float(np.linalg.norm(mean))
    return mean * (max(float(np.linalg.norm(one)), float(np.linalg.norm(other))) / length) if length else mean


def _doubt(plan: Plan, tape: HeadTape, foot: FloatArray, place: TapePlace) -> Finding:
    """How far off the coil may come to stand, and what the target keeps there."""
    told: dict[str, Value] = {"tape_error": TAPE_ERROR, "landmark_error": OWN_ERROR if tape.own else MAPPED_ERROR}
    try:
        by_tape, by_landmark = misplacement(tape, foot, place)
    except InputError:
        return Finding("tape-doubt-unknown", "note", told)
    for name, draws in (("tape", by_tape), ("landmarks", by_landmark), ("place", by_tape + by_landmark)):
        told[name] = float(np.quantile(np.linalg.norm(draws, axis=1), _WITHIN))
    told["kept"] = _kept(plan, tape, foot, by_tape + by_landmark)
    return Finding("tape-doubt", "note", told)


def _kept(plan: Plan, tape: HeadTape, foot: FloatArray, draws: FloatArray) -> float | None:
    """The least share of the field that the target keeps, the coil laid flat at the rim of where it may come to stand.

    The rim is that of the ellipse of the draws that holds the share of them; the handle keeps its direction.
    """
    best = plan.best
    if plan.response is None:
        return None
    _, values, axes = np.linalg.svd(draws - draws.mean(axis=0), full_matrices=False)
    spread = values[:2] / np.sqrt(len(draws))
    along = draws @ axes[:2].T / spread
    reach = float(np.quantile(np.linalg.norm(along, axis=1), _WITHIN))
    around = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    rim = foot + reach * np.stack([np.cos(around), np.sin(around)], axis=1) * spread @ axes[:2]
    handle, lift = best.placement.handle_direction, float(np.linalg.norm(best.placement.center - foot)) - best.lift
    poses = [best.placement.head_from_coil]
    for point in rim:
        at = tape.scalp.nearest(point)
        poses.append(
            Placement.on(tape.scalp, at, at + 50.0 * handle, gap=max(lift, 0.0), coil=plan.coil).head_from_coil
        )
    values = plan.response.strengths(np.array(poses))
    return float(values[1:].min() / values[0])


def located(place: TapePlace, tape: HeadTape | None, field: str = "hot_spot") -> FloatArray:
    """(3,) the point of the scalp that a tape's steps lead to, mm.

    Raises
    ------
    Refusal
        If the head has no landmarks to begin at, or the steps lead off its scalp; naming the ``field`` that said so.
    """
    if tape is None:
        raise Refusal(Finding("tape-no-landmarks", "stop", {"field": field}))
    try:
        return tape.at(place)
    except InputError:
        values: dict[str, Value] = {"field": field, "origin": place.origin}
        raise Refusal(Finding("tape-off-scalp", "stop", values | _way((place.right, place.front)))) from None
