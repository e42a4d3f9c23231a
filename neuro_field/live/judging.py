"""How much a live field errs at placements that it has never seen, and from where on it is not to be trusted."""

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.live.packed import Packed
from neuro_field.live.reader import Reader
from neuro_field.live.sheet import Sheet
from neuro_field.nouns import noun

#: A placement is trusted up to the share of B at which fields err by this in the mean.  Of 300 placements of three
#: coils that were solved on Colin27, lifted and tilted, the trusted err by 2.5 % at most, and all 227 that err by less
#: than 1 % are trusted; at 0.018 one that errs by 3.3 % was.
TRUSTED = 0.014

#: Fields are looked at around their strongest points as far as this, mm.
NEAR = 20.0


@noun
class Judged:
    """Of every placement held out.

    Parameters
    ----------
    errors, near : tuple of float
        Relative L2 over the cortex by volume, and within 20 mm of the strongest point.
    unspanned : tuple of float
        Share of B that the snapshots do not span.
    most_unspanned : float
        At which errors are `TRUSTED`: both are proportional, as all that is not spanned is lost.
    """

    errors: tuple[float, ...]
    near: tuple[float, ...]
    unspanned: tuple[float, ...]
    most_unspanned: float

    @classmethod
    def of(
        cls, sheet: Sheet, weights: FloatArray, packed: Packed, reader: Reader, seen: FloatArray,
        truth: FloatArray,
    ) -> "Judged":  # fmt: skip
        """By full solves of B ``seen`` (h, 3 m), ``truth`` their fields (3, n, h)."""
        errors, near = [], []
        spanned = seen @ reader.span
        for k, coefficients in enumerate(spanned @ reader.coefficients):
            full = truth[:, :, k].T
            off = np.square(packed.fields(coefficients) - full).sum(axis=1) * weights
            size = np.square(full).sum(axis=1)
            around = np.linalg.norm(sheet.points - sheet.points[np.argmax(size)], axis=1) <= NEAR
            size *= weights
            errors.append(float(np.sqrt(off.sum() / size.sum())))
            near.append(float(np.sqrt(off[around].sum() / size[around].sum())))
        left = np.square(seen).sum(axis=1) - np.square(spanned).sum(axis=1)
        unspanned = np.sqrt(np.maximum(left, 0.0) / np.square(seen).sum(axis=1))
        share = float(np.sqrt(np.square(unspanned).sum() / np.square(errors).sum()))
        return cls(tuple(errors), tuple(near), tuple(unspanned.tolist()), TRUSTED * share)
