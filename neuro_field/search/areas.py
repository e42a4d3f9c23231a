"""A target of several areas under one coil: how evenly the best placement reaches them."""

import numpy as np

from neuro_field.aim.target import Target
from neuro_field.field.field import Field
from neuro_field.findings import Finding, as_name
from neuro_field.units import AMPERE_PER_MICROSECOND

#: The weaker area should have at least this share of the stronger one's field.
EVEN = 0.8


def of_areas(target: Target, field: Field) -> tuple[Finding, ...]:
    """What has to be said of the field in each area, V/m at 1 A/us; nothing of a target of one area."""
    if target.parts is None:
        return ()
    means = target.part_means(field) * AMPERE_PER_MICROSECOND / abs(field.didt)
    weak, strong = int(np.argmin(means)), int(np.argmax(means))
    share = float(means[weak] / max(means[strong], 1e-12))
    uneven = share < EVEN
    return (
        Finding("leg-uneven" if uneven else "leg-even", "warn" if uneven else "note", {
            "site": as_name(target.name),
            "weaker_side": target.part_names[weak], "stronger_side": target.part_names[strong],
            "weaker": float(means[weak]), "stronger": float(means[strong]), "share": share, "wanted": EVEN,
        }),
    )  # fmt: skip
