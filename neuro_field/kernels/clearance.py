"""How far casings must be lifted to clear a scalp; mm throughout, since nothing but lengths goes in."""

import math

import numba


@numba.njit(cache=True, parallel=True, error_model="numpy")
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
