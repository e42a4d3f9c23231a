"""Images as arrays that lie in the world; what their voxels mean is for others."""

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, FloatArray, transformed
from neuro_field.nouns import noun


@noun
class Volume:
    """An image in the world: ``values`` (i, j, k), ``affine`` (4, 4) voxel index to mm of the head frame."""

    values: AnyArray
    affine: FloatArray

    def at(self, points: FloatArray, order: int) -> AnyArray:
        """Values (m,) at points (m, 3) mm; 0 outside the image."""
        voxels = transformed(points, np.asarray(np.linalg.inv(self.affine), dtype=np.float64))
        values = self.values.astype(np.float32) if order else self.values
        return ndimage.map_coordinates(values, voxels.T, order=order, cval=0)

    @property
    def box(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest (3,) mm of what is not 0."""
        inside = np.argwhere(self.values > 0)
        ends = np.array(np.meshgrid(*zip(inside.min(axis=0), inside.max(axis=0), strict=True))).reshape(3, -1).T
        corners = transformed(ends.astype(np.float64), self.affine)
        return corners.min(axis=0), corners.max(axis=0)
