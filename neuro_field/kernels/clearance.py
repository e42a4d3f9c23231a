"""How far casings must be lifted to clear a scalp; mm throughout, since nothing but lengths goes in."""

import math

import numba
import numpy

from neuro_field.kernels.turns import parallel


@parallel(error_model="numpy")
def lifts(points, head_from_coils, face, low, step, out):
    """Largest height of scalp points over the casing's face along each coil's axis, into ``out`` (p,), mm.

    ``points`` (m, 3) mm, head frame; ``head_from_coils`` (p, 4, 4); ``face`` (i, j) the largest z of the casing over
    squares of side ``step`` from the corner ``low`` (2,), NaN where there is no casing.  Minus infinity where no
    point lies over the casing.
    """
    rows, columns = face.shape
    per_mm = 1.0 / step
    top = -math.inf
    for row in range(rows):
        for column in range(columns):
            if face[row, column] > top:
                top = face[row, column]
    for p in numba.prange(head_from_coils.shape[0]):
        xx, yx, zx, cx = head_from_coils[p, 0]
        xy, yy, zy, cy = head_from_coils[p, 1]
        xz, yz, zz, cz = head_from_coils[p, 2]
        highest = -math.inf
        for i in range(points.shape[0]):
            dx = points[i, 0] - cx
            dy = points[i, 1] - cy
            dz = points[i, 2] - cz
            z = dx * zx + dy * zy + dz * zz
            if top - z <= highest:
                continue  # below the highest already, even under the casing's deepest part
            u = (dx * xx + dy * xy + dz * xz - low[0]) * per_mm
            v = (dx * yx + dy * yy + dz * yz - low[1]) * per_mm
            if 0.0 <= u < rows and 0.0 <= v < columns:
                height = face[int(u), int(v)] - z
                if height > highest:  # never so where the face is NaN
                    highest = height
        out[p] = highest


@parallel(error_model="numpy")
def turning_lifts(points, centres, frames, cosines, sines, face, low, step, lowest, highest, out):
    """As `lifts`, for poses that turn about their own axes: into ``out`` (q, a), for turns (a,) about axes (q,).

    ``centres`` (q, 3) and ``frames`` (q, 3, 3) are the poses before the turn, ``cosines`` and ``sines`` (a,) those of
    the turns about z.  ``lowest`` and ``highest`` (r,) bound the face on circles about the axis, by whole ``step`` of
    radius: minus infinity where some of a circle has no casing, or none has.  Points that cannot be highest at any turn
    are dropped once per axis.
    """
    rows, columns = face.shape
    per_mm = 1.0 / step
    reach = len(highest) * step
    top, most = -math.inf, -math.inf
    for r in range(len(highest)):
        top, most = max(top, highest[r]), max(most, lowest[r])
    for q in numba.prange(centres.shape[0]):
        local = numpy.empty((points.shape[0], 4))
        surely = -math.inf
        for sweep in range(2):  # first what some point reaches at every turn, then the points that may exceed it
            kept = 0
            for i in range(points.shape[0]):
                dx, dy, dz = points[i, 0] - centres[q, 0], points[i, 1] - centres[q, 1], points[i, 2] - centres[q, 2]
                z = dx * frames[q, 0, 2] + dy * frames[q, 1, 2] + dz * frames[q, 2, 2]
                if (most if sweep == 0 else top) - z < surely:
                    continue
                x = dx * frames[q, 0, 0] + dy * frames[q, 1, 0] + dz * frames[q, 2, 0]
                y = dx * frames[q, 0, 1] + dy * frames[q, 1, 1] + dz * frames[q, 2, 1]
                radius = math.sqrt(x * x + y * y)
                if radius >= reach:
                    continue
                ring = int(radius * per_mm)
                if sweep == 0:
                    surely = max(surely, lowest[ring] - z)
                elif highest[ring] - z >= surely:
                    local[kept, 0], local[kept, 1], local[kept, 2], local[kept, 3] = x, y, z, highest[ring] - z
                    kept += 1
        for a in range(len(cosines)):
            found = -math.inf
            for i in range(kept):
                if local[i, 3] <= found:
                    continue
                x, y = local[i, 0], local[i, 1]
                u = (x * cosines[a] + y * sines[a] - low[0]) * per_mm
                v = (y * cosines[a] - x * sines[a] - low[1]) * per_mm
                if 0.0 <= u < rows and 0.0 <= v < columns:
                    height = face[int(u), int(v)] - local[i, 2]
                    if height > found:  # never so where the face is NaN
                        found = height
            out[q, a] = found
