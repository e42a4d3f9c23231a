"""Where the coil would stand by the rules of thumb: what a plan is worth is told against them."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from neuro_field.aim.scalp import anatomical_axes
from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.head.landmarks import landmarks_1010
from neuro_field.head.model import HeadModel

#: Electrode positions by which sites are found without navigation: left, right [lit].
ELECTRODES = {
    "m1-hand": ("C3", "C4"),
    "m1-leg": ("Cz", "Cz"),
    "dlpfc": ("F3", "F4"),
    "ifg-triangularis": ("F7", "F8"),
    "stg-posterior": ("CP5", "CP6"),
}

#: Handle of the rules: back and away from the midline, degrees from straight back.
ANGLE = 45.0


@dataclass(frozen=True)
class RuleOfThumb:
    """A placement that needs no field computation.

    ``name`` says the rule in words; ``strength`` is what the target measures there, V/m at 1 A/us, by reciprocity.
    """

    name: str
    placement: Placement
    strength: float


def rules_of_thumb(head: HeadModel, coil: Coil, target: Target, gap: float) -> list[tuple[str, Placement]]:
    """The rules that apply to a target and where they put the coil.

    Over the scalp point nearest to the target, and over the site's electrode position where it has one and the head
    has 10-10 positions; the handle points back and, off the midline, 45 degrees outwards.
    """
    scalp = head.scalp
    points = {"the scalp point nearest to the target": scalp.points[scalp.tree.query(target.center)[1]]}
    if target.name in ELECTRODES and target.side is not None:
        electrode = ELECTRODES[target.name][("left", "right").index(target.side)]
        with suppress(InputError):  # a head without 10-10 positions still has the other rule
            points[electrode] = landmarks_1010(head)[electrode]
    return [
        (f"over {name}, {_words(target)}", _over(head, coil, point, _handle_side(target), gap))
        for name, point in points.items()
    ]


def _handle_side(target: Target) -> float:
    """Degrees of the handle from straight back, to the patient's left positive; straight back off no side."""
    return {"left": ANGLE, "right": -ANGLE, None: 0.0}[target.side]


def _words(target: Target) -> str:
    return "handle straight back" if target.side is None else f"handle back and {ANGLE:g} degrees outwards"


def _over(head: HeadModel, coil: Coil, point: FloatArray, angle: float, gap: float) -> Placement:
    """The coil on the scalp over a point."""
    right, anterior, _ = anatomical_axes(head)
    turn = np.radians(angle)
    towards = point + 50.0 * (-np.cos(turn) * anterior - np.sin(turn) * right)
    return Placement.on(head.scalp, above=point, handle_towards=towards, gap=gap, coil=coil)
