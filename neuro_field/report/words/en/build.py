"""Of images and labels: what building a head of them found."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _open_skull(values: Mapping[str, Value]) -> str:
    seen = {
        "labels": "no bone is drawn there",
        "t1": "the segmenter drew bone there, but the T1 is as bright as soft tissue",
    }[str(values["seen"])]
    done = {
        "open": "it was kept open, as answered.",
        "closed": "it was closed with bone, as answered: right only where a flap or plate closes it, and a metal plate "
        "is not modelled.",
        "unanswered": "it was closed with bone for inspection only.",
    }[str(values["answer"])]
    return (
        "the skull is open over {area_cm2:.0f} cm² on the {opening_side}, around ({x:.0f}, {y:.0f}, {z:.0f}) mm of the "
        f"head frame ({seen}); {done}"
    )


SENTENCES = {
    "build-tissue-lost-in-mesh": (
        "of {tissue}, {labels_cm3:.2f} cm³ in the labels, the mesh holds {mesh_cm3:.2f} cm³ only: use a shorter --edge."
    ),
    "build-skull-open": _open_skull,
    "build-no-opening": (
        "the skull was to stay open, but no opening of 5 cm² or more was found in it: check labels and T1 on the "
        "pictures."
    ),
    "build-bone-not-seen": (
        "bone is not darker than grey matter in this image: whether the skull is whole could be judged by the labels "
        "alone."
    ),
    "build-image-cuts-brain": (
        "the image cuts the brain over {area_cm2:.0f} cm²: what lies beyond is missing, and the field near the cut is "
        "wrong."
    ),
    "build-layers-invented": (
        "{cm3:.0f} cm³ of {tissue} were made up to close layers that the labels leave open, {above_cm3:.0f} "
        "cm³ of it above the middle of the brain and most around ({x:.0f}, {y:.0f}, {z:.0f}) mm; look at "
        "the labels there."
    ),
    "build-face-removed": (
        "the face seems to have been removed from these images ({filled:.0%} of where it should be is tissue, "
        "{empty:.0%} is labelled where the T1 is empty): nasion, tragi and all places of the 10-10 system are "
        "unreliable, and so are placements and fields over the forehead."
    ),
    "build-brain-removed": (
        "{cm3:.1f} cm³ that the labels call brain lie apart from the brain or outside the skull and were taken away, "
        "most of it around ({x:.0f}, {y:.0f}, {z:.0f}) mm; look whether it is brain."
    ),
    "build-label-table": (
        "the numbers of the labels fit several tables; they were read as {table} (not {others}), by which grey matter "
        "begins {grey:.0f} mm and white matter {white:.0f} mm below the air outside. If that is wrong, say --table."
    ),
    "build-labels-lesion": (
        "the labels call {cm3:.1f} cm³ a lesion (number {numbers}); without a lesion mask these are white matter. Give "
        "the mask if it is a cavity."
    ),
    "build-volume-unusual": (
        "{tissue} holds {cm3:.0f} cm³, where {least:.0f} to {most:.0f} cm³ are usual; look at the labels, and at the "
        "size of their voxels."
    ),
    "build-image-cuts-head": (
        "the image cuts the head at the {end} over {area_cm2:.1f} cm²; it was padded and closed there."
    ),
    "build-volume-changed": (
        "cleaning changed {tissue} by {change_cm3:+.0f} cm³, from {before_cm3:.0f} to {after_cm3:.0f} cm³; look at the "
        "labels."
    ),
}
