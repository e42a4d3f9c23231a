"""From the frame in which a patient's landmarks were touched to the image, where the same are marked."""

from collections.abc import Mapping

import numpy as np

from neuro_field.arrays import FloatArray, sealed
from neuro_field.errors import InputError
from neuro_field.nouns import noun

#: Landmarks may miss one another by this in the mean, mm; navigators ask for 3 to 5.
LARGEST = 5.0

#: Two sets of one head are of one size within this share.
_SIZES = 0.15


@noun
class Registration:
    """A rigid step from touched landmarks to marked ones.

    Parameters
    ----------
    image_from_reference : (4, 4) array
        mm.
    misses : mapping of str to float
        How far each landmark lies off its mark afterwards, mm.
    """

    image_from_reference: FloatArray
    misses: Mapping[str, float]

    @property
    def error(self) -> float:
        """Root of the mean square of the misses, mm."""
        return float(np.sqrt(np.mean(np.square(list(self.misses.values())))))

    @classmethod
    def of(cls, touched: Mapping[str, FloatArray], marked: Mapping[str, FloatArray]) -> "Registration":
        """The rotation and shift with the least squares (Arun et al., IEEE PAMI 1987;9:698), never a mirror.

        Raises
        ------
        InputError
            If fewer than three landmarks are in both, they lie on a line, are metres, or miss one another by too much.

        Examples
        --------
        >>> import numpy as np
        >>> marked = {"Nz": np.array([0.0, 90, 0]), "LPA": np.array([-80.0, 0, 0]), "RPA": np.array([80.0, 0, 0])}
        >>> touched = {name: place[[1, 2, 0]] + 500.0 for name, place in marked.items()}
        >>> round(Registration.of(touched, marked).error, 6)
        0.0
        """
        names = sorted(touched.keys() & marked.keys())
        if len(names) < 3:
            raise InputError(
                f"A registration needs three landmarks that are touched and marked; instead {len(names)} are: "
                f"{', '.join(names) or 'none'}."
            )
        there, here = (np.array([points[name] for name in names]) for points in (touched, marked))
        a, b = there - there.mean(axis=0), here - here.mean(axis=0)
        sizes = [float(np.linalg.norm(points)) for points in (a, b)]
        if not abs(sizes[0] / sizes[1] - 1) <= _SIZES:
            raise InputError(
                f"The touched landmarks are {sizes[0] / sizes[1]:.3g} times as far apart as the marked ones; give both "
                "in millimetres, of the same person."
            )
        u, spread, vt = np.linalg.svd(b.T @ a)
        if spread[1] < 1e-3 * spread[0]:
            raise InputError("The landmarks lie on a line, which leaves a turn about it open; touch three that do not.")
        step = np.eye(4)
        step[:3, :3] = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
        step[:3, 3] = here.mean(axis=0) - step[:3, :3] @ there.mean(axis=0)
        misses = np.linalg.norm(there @ step[:3, :3].T + step[:3, 3] - here, axis=1)
        made = cls(sealed(step), dict(zip(names, misses.tolist(), strict=True)))
        if made.error > LARGEST:
            told = ", ".join(f"{name} {miss:.1f}" for name, miss in made.misses.items())
            raise InputError(
                f"The touched landmarks miss the marked ones by {made.error:.1f} mm ({told}); {LARGEST:g} mm at most "
                "may be. Touch them again, or check whether left and right are exchanged."
            )
        return made
