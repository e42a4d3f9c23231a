"""Of images and labels: what building a head of them found."""

SENTENCES = {
    "build-image-cuts-head": (
        "the image cuts the head at the {end} over {area_cm2:.1f} cm²; it was padded and closed there."
    ),
    "build-volume-changed": (
        "cleaning changed {tissue} from {before_cm3:.0f} to {after_cm3:.0f} cm³; look at the labels."
    ),
}
