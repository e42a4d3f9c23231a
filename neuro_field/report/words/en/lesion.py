"""Of lesions: how their masks were read, where they are, and what of them is in the mesh."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _listed(values: Mapping[str, Value], first: str) -> str:
    """Each number or name of a mask with its volume, as "2 (5.1 cm³, 1 piece)"."""
    pieces = values.get("pieces") or (None,) * len(values[first])  # type: ignore[arg-type]
    shown = [
        f"{each} ({cm3:.2f} cm³" + ("" if n is None else f", {n} piece" + ("" if n == 1 else "s")) + ")"
        for each, cm3, n in zip(values[first], values["cm3"], pieces, strict=True)  # type: ignore[arg-type]
    ]
    return ", ".join(shown) + (f" and {values['more']} more" if values["more"] else "")


def _numbers(values: Mapping[str, Value]) -> str:
    if len(values["numbers"]) == 1 and not values["more"]:  # type: ignore[arg-type]
        return f"the lesion mask holds the number {_listed(values, 'numbers')}; it was taken as a cavity."
    return (
        f"the lesion mask holds the numbers {_listed(values, 'numbers')}: they were taken as pieces, all of them "
        "cavity. If they mean cavity, rim and acute lesion, write 21, 22 and 23, or name them in a file beside it."
    )


def _named(values: Mapping[str, Value]) -> str:
    rows = {**values, "told": tuple(f"{n} as {k}" for n, k in zip(values["names"], values["kinds"], strict=True))}  # type: ignore[arg-type]
    return f"the lesion mask's parts were taken by their names: {_listed(rows, 'told')}."


def _threshold(values: Mapping[str, Value]) -> str:
    return (
        "the lesion mask holds shares up to {highest:.3g}: what reaches {threshold:g} was taken as a cavity, "
        "{cm3:.1f} cm³ (from {lower:g}: {lower_cm3:.1f} cm³; from {higher:g}: {higher_cm3:.1f} cm³)."
    )


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


def _other_grid(values: Mapping[str, Value]) -> str:
    sizes = " x ".join(f"{size:.3g}" for size in values["sizes_mm"])  # type: ignore[union-attr]
    return (
        f"the lesion mask has other voxels ({sizes} mm) than the T1: it was put where its own header says. If it was "
        "drawn on another image, as a FLAIR, give that with --lesion-image: a patient moves between scans. Check its "
        "outline on the T1."
    )


SENTENCES = {
    "lesion-other-grid": _other_grid,
    "lesion-filled": _filled,
    "lesion-midline-shifted": (
        "the brain's midline lies {shift:.0f} mm beside the head's plane of symmetry (at most {most:g} mm is usual): "
        "there may be mass effect; the lesion was filled from its surroundings before segmenting."
    ),
    "lesion-labelled-as": _labelled_as,
    "lesion-numbers": _numbers,
    "lesion-named": _named,
    "lesion-threshold": _threshold,
    "lesion-blank": (
        "{share:.0%} of the lesion mask's voxels hold no number (NaN); they were taken as outside the lesion."
    ),
    "lesion-lost-in-mesh": (
        "{pieces} of the lesion's pieces, {labels_cm3:.3f} cm³ together, are in the mesh with {after_cm3:.3f} cm³ "
        "only: use a shorter --edge."
    ),
    "lesion-meshed-finer": (
        "{pieces} small or thin of the lesion's pieces, {labels_cm3:.3f} cm³ together, were given finer elements: "
        "{after_cm3:.3f} cm³ in the mesh, {before_cm3:.3f} cm³ without them."
    ),
    "lesion-image-moved": (
        "the image the lesion was drawn on was brought to the T1: the lesion moved by {moved:.1f} mm (at most "
        "{most:.1f} mm, turned by {angle:.1f} degrees), and both images now share {shared:.3f} instead of "
        "{as_given:.3f} (normalised mutual information). Check its outline on the T1."
    ),
    "lesion-in-old-mesh": (
        "the lesion, {cm3:.2f} cm³, was put into a finished mesh: {mesh_cm3:.2f} cm³ of whole elements, which overlap "
        "it by {overlap:.2f} (Dice)."
    ),
    "lesion-meshed-again": (
        "the finished mesh was too coarse for the lesion of {cm3:.2f} cm³ (its elements overlap it by {overlap:.2f}, "
        "Dice; pieces lost: {lost}): the head was meshed again from its tissues, {mesh_cm3:.2f} cm³ in the mesh."
    ),
    "lesion-large": (
        "the lesion takes {share:.0%} of the brain ({cm3:.0f} cm³), more than the usual limit of {usual:.0%}; it was "
        "allowed as asked. Check that it is no brain mask."
    ),
    "lesion-side-unknown": (
        "nothing tells left from right in this head: the side of its lesion of {cm3:.1f} cm³ is not known."
    ),
    "lesion-clipped": (
        "{lost:.0%} of the lesion mask, {lost_cm3:.1f} cm³ ({drawn_cm3:.1f} cm³ drawn, {placed_cm3:.1f} cm³ placed), "
        "lies outside brain and CSF and was left out; check how it lies."
    ),
    "lesion-pieces-lost": (
        "{pieces} separate pieces of the lesion mask, {cm3:.3f} cm³ together (the largest {largest:.3f} cm³), lie "
        "outside brain and CSF, or are smaller than the labels' voxels, and were left out."
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
