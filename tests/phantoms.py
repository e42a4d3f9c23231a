"""A small head of ellipsoids in tissue labels, for tests that need a head but no patient."""

import numpy as np

#: Outer half-axes (x, y, z) of each tissue, mm, inside out; the centre is `CENTRE` in world mm.
HALF_AXES = {
    1: (54.0, 70.0, 56.0),
    2: (64.0, 82.0, 66.0),
    3: (69.0, 87.0, 71.0),
    4: (77.0, 95.0, 79.0),
    5: (86.0, 104.0, 89.0),
}

#: Centre of the ellipsoids, world mm: about where a brain's centre lies in MNI space.
CENTRE = (0.0, -18.0, 8.0)

#: Two eyes: centre and radius, mm; they sit in the scalp and touch no bone border.
EYES = ((-32.0, 66.0, -22.0), (32.0, 66.0, -22.0))
EYE_RADIUS = 9.0


def phantom_labels(spacing=3.0, *, scale=1.0, eyes=False, margin=6.0):
    """Tissue labels of concentric ellipsoids: 1 white, 2 grey, 3 CSF, 4 bone, 5 scalp and, if asked, 6 eyes.

    Parameters
    ----------
    spacing : float or three floats
        Voxel size, mm.
    scale : float
        Factor on every half-axis (1 is an adult head).
    eyes : bool
        Put two eyes in front of the skull.
    margin : float
        Air around the head, mm.

    Returns
    -------
    labels : (i, j, k) uint8 array
    affine : (4, 4) array
        Voxel index to world mm (RAS, x to the right).
    """
    spacing = np.broadcast_to(np.asarray(spacing, dtype=float), 3)
    half = scale * np.asarray(HALF_AXES[5]) + margin
    shape = 2 * np.ceil(half / spacing).astype(int) + 1
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = np.asarray(CENTRE) - spacing * (shape - 1) / 2
    axes = [affine[a, 3] + spacing[a] * np.arange(shape[a]) for a in range(3)]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    labels = np.zeros(tuple(shape), dtype=np.uint8)
    for tag in sorted(HALF_AXES, reverse=True):
        a, b, c = (scale * value for value in HALF_AXES[tag])
        radius = ((x - CENTRE[0]) / a) ** 2 + ((y - CENTRE[1]) / b) ** 2 + ((z - CENTRE[2]) / c) ** 2
        labels[radius <= 1] = tag
    for centre in EYES if eyes else ():
        ex, ey, ez = (CENTRE[i] + scale * (centre[i] - CENTRE[i]) for i in range(3))
        ball = (x - ex) ** 2 + (y - ey) ** 2 + (z - ez) ** 2 <= (scale * EYE_RADIUS) ** 2
        labels[ball & (labels == 5)] = 6
    return labels, affine
