"""Which hemisphere is the affected one: from the lesion where it says so, else from the hand that is paretic."""

from collections.abc import Mapping

import numpy as np

from neuro_field.aim.atlas import SIDES, other_side
from neuro_field.clinic.answers import Answers
from neuro_field.clinic.presets import Preset
from neuro_field.findings import Finding, Refusal, Value
from neuro_field.head.lesion import LesionSummary

#: A lesion that reaches this volume in the hemisphere with less of it, cm3, lies on both sides ...
LEAST_CM3 = 1.0

#: ... and so does one that comes this near to a target there, mm.
NEAR = 10.0


def affected_hemisphere(
    lesion: LesionSummary | None, answers: Answers, near: Mapping[str, float] | None = None
) -> tuple[str, tuple[Finding, ...]]:
    """The hemisphere that roles are named after, and what has to be said of how it was found.

    Parameters
    ----------
    lesion : LesionSummary, optional
        None for a head without a lesion.
    answers : Answers
    near : mapping of str to float, optional
        By side the distance from the target there to the lesion in the same hemisphere, mm.

    Raises
    ------
    Refusal
        If the answers do not say it where the lesion does not, or contradict it: with the volumes of both sides.
    """
    typed = _typed(answers)
    if lesion is None:
        if typed is None:
            raise Refusal(Finding("intake-no-side", "stop", {"field": "lesion_side"}))
        return typed, ()
    if lesion.side is None:
        if typed is None:
            raise Refusal(Finding("intake-side-not-told", "stop", {"field": "lesion_side", "cm3": lesion.volume_cm3}))
        return typed, ()
    volumes, found = _volumes(lesion), lesion.side if lesion.side in SIDES else None
    smaller = min(SIDES, key=lambda side: volumes[f"{side}_cm3"])
    least = volumes[f"{smaller}_cm3"]
    both = lesion.side == "both" or least >= LEAST_CM3 or (least > 0 and (near or {}).get(smaller, np.inf) < NEAR)
    told: dict[str, Value] = {"where": "both" if both else lesion.side, **volumes}
    if both or found is None:
        if answers.paretic_hand is None:
            raise Refusal(Finding("intake-which-hand", "stop", {"field": "paretic_hand", **told}))
        side = other_side(answers.paretic_hand)
        of: dict[str, Value] = {"affected": side, "hand": answers.paretic_hand, **told}
        return side, (Finding("study-lesion-on-both-sides" if both else "study-side-by-hand", "warn", of),)
    if typed is not None and typed != found:
        field = "lesion_side" if answers.lesion_side is not None else "paretic_hand"
        of = {"field": field, "typed": typed, "found": found, **told}
        raise Refusal(Finding("intake-contradicts-lesion", "stop", of))
    if least > 0:
        return found, (Finding("study-lesion-little-across", "note", {"affected": found, "across": smaller, **told}),)
    return found, ()


def own_role(preset: Preset, answers: Answers, affected: str | None) -> str:
    """The role whose side a preset stimulates (first); "bilateral" for both at once, "target" for one made by hand."""
    if preset.side == "given":
        return "target"
    if preset.at_once:
        return "bilateral"
    if preset.side in ("contralesional", "ipsilesional"):
        return preset.side
    if preset.side == "both":
        return "contralesional"
    wanted = answers.side if preset.side == "asked" else other_side(str(answers.dominant_side))
    return "ipsilesional" if wanted == affected else "contralesional"


def stimulated_roles(preset: Preset, answers: Answers, affected: str | None) -> tuple[str, ...]:
    """The roles whose sides a preset stimulates; the others are planned for comparison."""
    if preset.side == "both" and not preset.at_once:
        return ("contralesional", "ipsilesional")
    return (own_role(preset, answers, affected),)


def side_of(role: str, affected: str) -> str:
    """left or right of "ipsilesional" or "contralesional", both for "bilateral"."""
    return {"ipsilesional": affected, "contralesional": other_side(affected)}.get(role, "both")


def _typed(answers: Answers) -> str | None:
    """The affected hemisphere as the answers have it."""
    return other_side(answers.paretic_hand) if answers.paretic_hand is not None else answers.lesion_side


def _volumes(lesion: LesionSummary) -> dict[str, float]:
    """cm3 by side; of a lesion whose parts are not known, all on the side of its centroid."""
    given = {"left": lesion.left_cm3, "right": lesion.right_cm3}
    whole = {side: lesion.volume_cm3 if lesion.side == side else 0.0 for side in SIDES}
    parts = {side: whole[side] if cm3 is None else cm3 for side, cm3 in given.items()}
    return {f"{side}_cm3": float(cm3) for side, cm3 in parts.items()} | {
        "infratentorial_cm3": float(lesion.infratentorial_cm3 or 0.0)
    }
