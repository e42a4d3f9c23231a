"""Where the coil would stand by the rules of thumb: what a plan is worth is told against them."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from neuro_field.aim.scalp import Spots
from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.findings import Finding
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

#: Sites over which the coil is held with its handle straight back, whatever the side [lit].
STRAIGHT_BACK = ("m1-leg",)

#: Handle of the other rules: back and away from the midline, degrees from straight back.
ANGLE = 45.0


@dataclass(frozen=True)
class RuleOfThumb:
    """A placement that needs no field computation.

    ``rule`` says which, as a finding: "rule-nearest" over the scalp nearest to the target, "rule-electrode" over the
    ``electrode``; both have ``handle``, degrees from straight back away from the midline.  ``strength`` is what the
    target measures there, V/m at 1 A/us, by reciprocity: of both areas' weaker one, as everywhere.
    """

    rule: Finding
    placement: Placement
    strength: float


def rules_of_thumb(head: HeadModel, coil: Coil, target: Target, gap: float) -> list[tuple[Finding, Placement]]:
    """The rules that apply to a target and where they put the coil.

    Over the scalp point nearest to the target, and over the site's electrode position where it has one and the head
    has 10-10 positions.  The handle points back and 45 degrees outwards; straight back for the leg areas, and for a
    target of no side or of both.
    """
    outwards = 0.0 if target.side is None or target.name in STRAIGHT_BACK else ANGLE
    scalp = head.scalp
    over = [(Finding("rule-nearest", "note", {"handle": outwards}), scalp.points[scalp.tree.query(target.center)[1]])]
    electrode = _electrode(target)
    if electrode is not None:
        with suppress(InputError):  # a head without 10-10 positions still has the other rule
            point = landmarks_1010(head)[electrode]
            over.append((Finding("rule-electrode", "note", {"electrode": electrode, "handle": outwards}), point))
    to_the_left = -outwards if target.side == "right" else outwards
    return [(rule, _over(head, coil, point, to_the_left, gap)) for rule, point in over]


def _electrode(target: Target) -> str | None:
    """The position over a target: its side's, or the one that both sides share."""
    left, right = ELECTRODES.get(target.name, (None, None))
    if target.side is None:
        return left if left == right else None
    return {"left": left, "right": right}[target.side]


def _over(head: HeadModel, coil: Coil, point: FloatArray, angle: float, gap: float) -> Placement:
    """The coil on the scalp over a point, its handle turned in the scalp's plane as `search.candidates` counts."""
    frame, turn = Spots.at(head, point[None], least_even=0.0).frames[0], np.radians(angle)
    towards = point + 50.0 * (np.sin(turn) * frame[:, 0] - np.cos(turn) * frame[:, 1])
    return Placement.on(head.scalp, above=point, handle_towards=towards, gap=gap, coil=coil)
