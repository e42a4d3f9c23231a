"""A slow NumPy twin of `neuro_field.kernels.local`: each source by itself, from the largest box it is far from."""

import numpy as np
import reference_biot
from numpy.polynomial import chebyshev

DEGREE, OPENING = 4, 2.0


def source_field(kind, source, points):
    """Field of one source, (position, moment) or (start, end, current), from the integrals of the other twins."""
    one = [np.atleast_1d(part)[None] if np.ndim(part) else np.array([part]) for part in source]
    name = "dipole_potential" if kind == "dipole" else "segment_potential"
    return getattr(reference_biot, name)(points, *one)


def clearance(kind, source, low, high):
    """At most the distance from a box to the place or wire where a source's field is singular."""
    position = source[0] if kind != "wire" else (source[0] + source[1]) / 2
    distance = np.linalg.norm(position - np.clip(position, low, high))
    return distance - np.linalg.norm(source[1] - source[0]) / 2 if kind == "wire" else distance


def is_far(kind, source, low, high):
    side = (high - low).max()
    if kind == "wire":
        side = max(side, np.linalg.norm(source[1] - source[0]))
    return clearance(kind, source, low, high) >= OPENING * side


def interpolated(kind, source, low, high, points):
    """Through the Chebyshev points of a box, at points in it."""
    roots = chebyshev.chebpts1(DEGREE + 1)
    grid = np.array(np.meshgrid(roots, roots, roots, indexing="ij")).reshape(3, -1).T
    vander = chebyshev.chebvander3d(*grid.T, [DEGREE] * 3)
    values = source_field(kind, source, (low + high) / 2 + grid * (high - low) / 2)
    coefficients = np.linalg.solve(vander, values)
    where = (points - (low + high) / 2) / ((high - low) / 2)
    return chebyshev.chebvander3d(*where.T, [DEGREE] * 3) @ coefficients


def local_field(kind, sources, boxes):
    """(n, 3) at the points of boxes in their order."""
    out = np.zeros_like(boxes.points)
    for leaf in np.flatnonzero(boxes.counts == 0):
        path, box = [], leaf
        while boxes.parents[box] >= 0:
            box = boxes.parents[box]
            path.insert(0, box)
        rows = slice(boxes.first[leaf], boxes.last[leaf])
        for source in sources:
            bounds = [(boxes.centres[b] - boxes.halves[b], boxes.centres[b] + boxes.halves[b]) for b in path]
            far = [b for b in bounds if is_far(kind, source, *b)]
            points = boxes.points[rows]
            out[rows] += interpolated(kind, source, *far[0], points) if far else source_field(kind, source, points)
    return out
