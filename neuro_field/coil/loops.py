"""Closed wires as the turns they wind, and the magnetic dipoles that each turn amounts to."""

import numpy as np

from neuro_field.arrays import FloatArray, IntArray
from neuro_field.errors import InputError
from neuro_field.units import MILLIMETRES_PER_METRE

#: Ends of wires nearer than this, mm, are one place.
_SAME = 1e-6

#: A path is cut where it comes back to itself: where a chord is shorter than this share of the way between its ends.
_COMES_BACK = 0.25

#: Ways shorter than this, mm, are not cut off.
_SHORTEST = 20.0

#: Places of a path that are looked at for a cut, at most.
_LOOKED_AT = 300

#: A cell of dipoles this weak against the strongest is empty: sheets that cancel leave rounding.
_EMPTY = 1e-9


def loops_of(starts: FloatArray, ends: FloatArray, currents: FloatArray) -> list[tuple[FloatArray, float]]:
    """Closed wires (s, 3) mm as closed paths, each of one current: corners (n, 3) mm and A per A.

    Where wires branch the currents are shared out among the paths, which together carry what the wires carry.
    """
    places = np.round(np.concatenate([starts, ends]) / _SAME).astype(np.int64)
    _, first, node = np.unique(places, axis=0, return_index=True, return_inverse=True)
    corners, node = np.concatenate([starts, ends])[first], node.reshape(2, -1)
    head, tail = np.where(currents < 0, node[::-1], node)
    left = np.abs(currents)
    least = 1e-9 * float(left.max(initial=0.0))
    leaving: dict[int, list[int]] = {}
    for wire in range(len(left)):
        if left[wire] > least and head[wire] != tail[wire]:
            leaving.setdefault(int(head[wire]), []).append(wire)
    found = []
    for begin in list(leaving):
        while leaving[begin]:
            wires = _cycle(begin, leaving, tail)
            current = float(left[wires].min())
            found.append((corners[head[wires]], current))
            left[wires] -= current
            for wire in wires:
                if left[wire] <= least:
                    leaving[int(head[wire])].remove(wire)
    return found


def _cycle(begin: int, leaving: dict[int, list[int]], tail: IntArray) -> list[int]:
    """Wires from a place along the current until a place is met again, from there on."""
    at, trail, met = begin, [], {begin: 0}
    while True:
        if not leaving.get(at):
            raise InputError("Wires that do not close cannot become dipoles; close the path, or give dipoles.")
        wire = leaving[at][0]
        trail.append(wire)
        at = int(tail[wire])
        if at in met:
            return trail[met[at] :]
        met[at] = len(trail)


def turns_of(path: FloatArray) -> list[FloatArray]:
    """A closed path (n, 3) cut into its turns, (m, 3) each: along the cuts the currents of two of them cancel."""
    done, waiting = [], [path]
    while waiting:
        path = waiting.pop()
        cut = _cut_of(path) if len(path) > 5 else None
        if cut is None:
            done.append(path)
        else:
            i, j = cut
            waiting += [path[i : j + 1], np.concatenate([path[: i + 1], path[j:]])]
    return done


def _cut_of(path: FloatArray) -> tuple[int, int] | None:
    """Between which two corners of a path to cut it: where it comes back nearest to itself for the way between."""
    steps = np.linalg.norm(np.roll(path, -1, axis=0) - path, axis=1)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    looked = np.unique(np.linspace(0, len(path) - 1, min(len(path), _LOOKED_AT)).astype(int))
    along = np.abs(way[looked][:, None] - way[looked])
    along = np.minimum(along, way[-1] - along)
    chords = np.linalg.norm(path[looked][:, None] - path[looked], axis=2)
    ratio = np.where(along > _SHORTEST, chords / np.maximum(along, 1e-12), np.inf)
    least = int(np.argmin(ratio))
    i, j = sorted(looked[list(divmod(least, len(looked)))].tolist())
    if ratio.ravel()[least] > _COMES_BACK or j - i < 3 or len(path) - (j - i) < 3:
        return None
    return i, j


def dipoles_of(turn: FloatArray, current: float, spacing: float) -> tuple[FloatArray, FloatArray]:
    """Dipoles of a surface that spans a turn, by Ampere's equivalence: positions (q, 3) mm, moments (q, 3) A m2 per A.

    Triangles from the middle of the turn to its wires, cut until their edges are no longer than ``spacing`` (mm), with
    three dipoles each.
    """
    corners = np.stack([np.broadcast_to(turn.mean(axis=0), turn.shape), turn, np.roll(turn, -1, axis=0)], axis=1)
    corners = _cut(corners, spacing)
    area_vectors = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    weights = np.array([[4, 1, 1], [1, 4, 1], [1, 1, 4]]) / 6  # exact for quadratics
    positions = np.einsum("qc,tcx->tqx", weights, corners).reshape(-1, 3)
    return positions, np.repeat(area_vectors * (current / 3 / MILLIMETRES_PER_METRE**2), 3, axis=0)


def merged(positions: FloatArray, moments: FloatArray, cell: float) -> tuple[FloatArray, FloatArray]:
    """Dipoles of a cell (mm) as one, of their summed moment at the middle of their strengths."""
    places = np.floor(positions / cell).astype(np.int64)
    _, which = np.unique(places, axis=0, return_inverse=True)
    which = which.ravel()
    strength = np.linalg.norm(moments, axis=1)
    total = np.bincount(which, strength)
    middles = np.stack([np.bincount(which, strength * positions[:, i]) for i in range(3)], axis=1) / total[:, None]
    sums = np.stack([np.bincount(which, moments[:, i]) for i in range(3)], axis=1)
    size = np.linalg.norm(sums, axis=1)
    kept = size > _EMPTY * size.max()
    return middles[kept], sums[kept]


def _cut(corners: FloatArray, spacing: float) -> FloatArray:
    """Triangles (t, 3, 3) halved at their longest edge until every edge is at most ``spacing``."""
    done: list[FloatArray] = []
    while len(corners):
        edges = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
        longest = np.argmax(edges, axis=1)
        rows = np.arange(len(corners))
        fine = edges[rows, longest] <= spacing
        done.append(corners[fine])
        corners, longest = corners[~fine], longest[~fine]
        rows = np.arange(len(corners))
        a, b = corners[rows, longest], corners[rows, (longest + 1) % 3]
        c = corners[rows, (longest + 2) % 3]
        middle = (a + b) / 2
        corners = np.concatenate([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
    return np.concatenate(done)
