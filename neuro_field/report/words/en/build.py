"""Of images and labels: what building a head of them found."""

SENTENCES = {
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
        "cleaning changed {tissue} from {before_cm3:.0f} to {after_cm3:.0f} cm³; look at the labels."
    ),
}
