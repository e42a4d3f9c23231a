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
    for p in numba.prange(head_from_coils.shape[0]):
        pose = head_from_coils[p]
        highest = -math.inf
        for i in range(points.shape[0]):
            dx = points[i, 0] - pose[0, 3]
            dy = points[i, 1] - pose[1, 3]
            dz = points[i, 2] - pose[2, 3]
            row = int((dx * pose[0, 0] + dy * pose[1, 0] + dz * pose[2, 0] - low[0]) // step)
            column = int((dx * pose[0, 1] + dy * pose[1, 1] + dz * pose[2, 1] - low[1]) // step)
            if 0 <= row < rows and 0 <= column < columns:
                height = face[row, column] - (dx * pose[0, 2] + dy * pose[1, 2] + dz * pose[2, 2])
                if height > highest:  # never so where the face is NaN
                    highest = height
        out[p] = highest
