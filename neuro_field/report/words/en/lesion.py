"""Of lesions: where they are."""

SENTENCES = {
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
