"""How uncertain conductivities are, and draws of them: multiples of a head's own, tissue by tissue."""

from collections.abc import Sequence

import numpy as np

from neuro_field.arrays import BoolArray, FloatArray
from neuro_field.errors import InputError
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import tags_of
from neuro_field.nouns import noun

#: Plausible coefficients of variation of a tissue's conductivity [lit]: no agreed values exist.
VARIATION = {"white_matter": 0.15, "grey_matter": 0.15, "csf": 0.05, "skull": 0.35, "scalp": 0.20}

#: Conductivities a lesion's cavity may have, S/m: as grey matter, between, and as CSF.  None is established.
LESION_VALUES = (0.275, 0.8, 1.654)

#: The tissue whose value is stepped through `LESION_VALUES`.
LESION = "lesion_cavity"

#: Seed of the draws: the same head gives the same plan.
SEED = 20100801


@noun
class Family:
    """The conductivities that a head may have.

    Parameters
    ----------
    head : HeadModel
    names : tuple of str
        Of the parts that vary; what is left of the head, if anything, is one more part and keeps its own.
    parts : tuple of (t,) bool arrays
        Their elements, the rest last.
    lesion_values : tuple of float
        S/m; those of the cavity, empty for a head without one.
    """

    head: HeadModel
    names: tuple[str, ...]
    parts: tuple[BoolArray, ...]
    lesion_values: tuple[float, ...]

    @classmethod
    def of(cls, head: HeadModel, lesion_values: Sequence[float] = LESION_VALUES) -> "Family":
        """Of a head, with the tissues of `VARIATION` that it has."""
        if not lesion_values or any(not np.isfinite(value) or value <= 0 for value in lesion_values):
            raise InputError(f"Lesion conductivities must be positive, S/m; instead received {list(lesion_values)}.")
        tags = head.mesh.tags
        found = {name: np.isin(tags, tags_of(name)) for name in (*VARIATION, LESION)}
        found = {name: part for name, part in found.items() if part.any()}
        rest = ~np.any(list(found.values()), axis=0)
        values = tuple(float(value) for value in lesion_values) if LESION in found else ()
        parts = (*found.values(), *([rest] if rest.any() else []))
        return cls(head, tuple(found), parts, values)

    def scales(self, draws: int, seed: int = SEED) -> FloatArray:
        """Multiples (d, q) of the parts' conductivities: `draws` log-normal ones for every lesion value in turn.

        The medians are the head's own; tissues vary independently; the same draws meet every lesion value.
        """
        rng = np.random.default_rng(seed)
        cv = np.zeros(len(self.parts))
        cv[: len(self.names)] = [VARIATION.get(name, 0.0) for name in self.names]
        once = np.exp(np.sqrt(np.log1p(cv**2)) * rng.standard_normal((draws, len(cv))))
        if not self.lesion_values:
            return once
        out = np.tile(once, (len(self.lesion_values), 1))
        out[:, self.names.index(LESION)] = np.repeat(self._of_lesion(self.lesion_values), draws)
        return out

    def corners(self, names: Sequence[str] | None = None) -> FloatArray:
        """Multiples (c, q), one part (of ``names``, or of all) far out, whose solutions span those of the family."""
        rows = []
        for i, name in enumerate(self.names):
            if names is not None and name not in names:
                continue
            steps = self._of_lesion([min(self.lesion_values), max(self.lesion_values)]) if name == LESION else (
                [np.exp(2 * np.sqrt(np.log1p(VARIATION[name] ** 2)))]
            )  # fmt: skip
            for step in steps:
                row = np.ones(len(self.parts))
                row[i] = step
                if abs(step - 1) > 1e-6:
                    rows.append(row)
        return np.array(rows).reshape(-1, len(self.parts))

    def head_with(self, scales: FloatArray) -> HeadModel:
        """The head with the conductivity of each part multiplied."""
        sigma = np.array(self.head.conductivity)
        for part, scale in zip(self.parts, scales, strict=True):
            sigma[part] *= scale
        return self.head.retuned(sigma)

    def _of_lesion(self, values: Sequence[float]) -> FloatArray:
        """Multiples of the cavity's own (mean) conductivity."""
        sigma = self.head.conductivity[self.parts[self.names.index(LESION)]]
        own = sigma if sigma.ndim == 1 else np.trace(sigma, axis1=1, axis2=2) / 3
        return np.asarray(values) / own.mean()
