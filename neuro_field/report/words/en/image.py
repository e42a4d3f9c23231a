"""Of the images a head is made of: which world they lie in, and whether they belong together."""

from collections.abc import Mapping

from neuro_field.findings import Value

#: What the codes of a form that is an atlas's mean (nifti1.h).
_ATLASES = {3: "Talairach space", 4: "MNI space", 5: "the space of a template"}

_IMAGES = {"t1": "T1", "labels": "labels", "lesion": "lesion mask"}


def _atlas(values: Mapping[str, Value]) -> str:
    code = values["form_code"]
    return _ATLASES.get(code, "the space of a template") if isinstance(code, int) else "the space of a template"


def _atlas_form(values: Mapping[str, Value]) -> str:
    return (
        f"the {_IMAGES[str(values['image'])]} states two places: the patient's own, which is used, and in its "
        f"{{other}} one in {_atlas(values)}, up to {{apart:.1f}} mm away and {{size:.2f}} times as large. "
        "Make sure that the navigator goes by the patient's."
    )


def _atlas_only(values: Mapping[str, Value]) -> str:
    return (
        f"the {_IMAGES[str(values['image'])]} lies in {_atlas(values)}, not in the patient's own: if it was brought "
        "there, the head is not of the patient's size (about 10 % too long) and no navigator's coordinates fit; give "
        "the image as the scanner made it."
    )


SENTENCES = {
    "lesion-in-atlas": (
        "the lesion mask fits the T1 better as one drawn in MNI space ({in_atlas:.2f} of its brightness explained) "
        "than where it says that it lies ({given:.2f}), {apart:.0f} mm away: look whether it lies on the lesion."
    ),
    "image-atlas-form": _atlas_form,
    "image-atlas-only": _atlas_only,
    "image-labels-unlike-t1": (
        "the labels explain little of the T1 ({ratio:.2f} of its variance, at least {least:.2f} is usual): they may be "
        "of another image, or the image is no T1. Look at the pictures."
    ),
}
