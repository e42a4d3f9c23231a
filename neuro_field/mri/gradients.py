"""The diffusion weighting of each image of a series: how strong, and along which direction."""

import numpy as np

from neuro_field.arrays import BoolArray, FloatArray, read_only
from neuro_field.errors import InputError
from neuro_field.nouns import noun

#: Up to this, s/mm2, an image counts as one without diffusion weighting.
UNWEIGHTED = 50.0

#: b-values, s/mm2: a series' largest is at least the first, and none is beyond the second.
STRONGEST = (100.0, 50_000.0)

#: Lengths of b-vectors may miss one by this.
ROUNDING = 0.02


@noun
class Gradients:
    """b-values (n,) s/mm2, and unit directions (n, 3) along some axes; zeros in images without diffusion weighting."""

    b: FloatArray
    directions: FloatArray

    @property
    def unweighted(self) -> BoolArray:
        """(n,) whether an image is one without diffusion weighting."""
        return self.b <= UNWEIGHTED

    @property
    def design(self) -> FloatArray:
        """(n, 6) what the logarithm of the signal loses per um2/ms of xx, xy, xz, yy, yz, zz."""
        x, y, z = self.directions.T
        return np.asarray(
            self.b[:, None] / 1e3 * np.column_stack([x * x, 2 * x * y, 2 * x * z, y * y, 2 * y * z, z * z])
        )


def gradients(b: FloatArray, vectors: FloatArray, where: str = "b-values") -> Gradients:
    """b-values and b-vectors, as written, checked.

    Parameters
    ----------
    b : (n,) array
        s/mm2.
    vectors : (n, 3) array
        Of length one wherever b is above 50 s/mm2; anything, NaN too, below.
    where : str
        The files, for messages.

    Raises
    ------
    InputError
        On b-values in another unit, negative or not finite ones, and weighted images whose vector is not of length one.

    Examples
    --------
    >>> gradients(np.array([0.0, 1000.0]), np.array([[np.nan] * 3, [0.0, 0.6, 0.8]])).directions
    array([[0. , 0. , 0. ],
           [0. , 0.6, 0.8]])
    """
    bad = int(np.count_nonzero(~(np.isfinite(b) & (b >= 0))))
    if bad:
        raise InputError(f"The {where} must be finite and not negative; instead {bad} of {len(b)} are not.")
    strongest = float(b.max(initial=0.0))
    if not STRONGEST[0] <= strongest <= STRONGEST[1]:
        raise InputError(
            f"The {where} must be in s/mm2, the largest {STRONGEST[0]:g} to {STRONGEST[1]:g}; instead it is "
            f"{strongest:g} (another unit, or images without diffusion weighting?)."
        )
    weighted = b > UNWEIGHTED
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = weighted & ~(np.abs(lengths - 1) <= ROUNDING)  # NaN is none that is
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"The b-vectors of diffusion-weighted images must have length 1; instead {np.count_nonzero(wrong)} of "
            f"{np.count_nonzero(weighted)} have not, the first is number {first + 1} with b = {b[first]:g} and length "
            f"{lengths[first]:.3g}: where vectors are scaled, multiply b by the square of their length and give unit "
            "vectors; leave out averages over directions (trace images), whose vector is 0."
        )
    whole = weighted & (lengths > 0)
    safe = np.where(whole, lengths, 1.0)
    directions = np.where(whole[:, None], np.nan_to_num(vectors) / safe[:, None], 0.0)
    return Gradients(read_only(b, np.float64), read_only(directions))
