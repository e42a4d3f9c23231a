"""Of lesions: where they are."""

from collections.abc import Mapping

from neuro_field.findings import Value

_TISSUES = ("brain", "csf", "bone", "scalp", "other")

_WHY = {
    "lesion-opposite": "there is a lesion opposite",
    "skull-open-opposite": "no skull is seen opposite",
    "midline-shifted": "the midline is shifted",
    "no-symmetry": "the head is not like its mirror image",
}


def _filled(values: Mapping[str, Value]) -> str:
    text = (
        "the T1 was segmented with the lesion filled: {mirrored_cm3:.1f} cm³ with mirrored tissue of the other "
        "hemisphere"
    )
    why = values["why"]
    if not isinstance(why, tuple) or not why:
        return text + "."
    reasons = ", ".join(_WHY[str(reason)] for reason in why)
    return text + ", {nearby_cm3:.1f} cm³ from its surroundings, because " + reasons + "."


def _labelled_as(values: Mapping[str, Value]) -> str:
    shares = [f"{{{name}:.0%}} {name.replace('csf', 'CSF').replace('other', 'eye or air')}" for name in _TISSUES]
    text = "the labels as given call the lesion's voxels " + ", ".join(shares)
    outside = sum(float(str(values[name])) for name in ("bone", "scalp", "other"))
    if outside < float(str(values["most"])):
        return text + "."
    return text + ": the segmenter was misled, or the mask lies elsewhere; look at both."


SENTENCES = {
    "lesion-filled": _filled,
    "lesion-midline-shifted": (
        "the brain's midline lies {shift:.0f} mm beside the head's plane of symmetry (at most {most:g} mm is usual): "
        "there may be mass effect; the lesion was filled from its surroundings before segmenting."
    ),
    "lesion-labelled-as": _labelled_as,
    "lesion-side-unknown": (
        "nothing tells left from right in this head: the side of its lesion of {cm3:.1f} cm³ is not known."
    ),
    "lesion-clipped": (
        "{lost:.0%} of the lesion mask ({drawn_cm3:.1f} cm³ drawn, {placed_cm3:.1f} cm³ placed) lies outside brain and "
        "CSF and was left out; check how it lies."
    ),
    "lesion-both-sides": (
        "the lesion is on both sides: {left_cm3:.1f} cm³ in the left hemisphere, {right_cm3:.1f} cm³ in the right. "
        "Neither hemisphere is unaffected; which hand is paretic decides."
    ),
    "lesion-infratentorial": (
        "the lesion lies in the cerebellum or brain stem ({below_cm3:.1f} cm³): its side decides nothing; which hand "
        "is paretic decides."
    ),
    "lesion-midline": (
        "the lesion lies at the midline ({left_cm3:.1f} cm³ left, {right_cm3:.1f} cm³ right of the fissure): which "
        "hand is paretic decides."
    ),
    "lesion-small-other-side": (
        "a small part of the lesion, {cm3:.2f} cm³, lies in the {other} hemisphere as well (below {least:g} cm³)."
    ),
}
