"""Of pages and folders that show whose head it is, or were made not to."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _shows_face(values: Mapping[str, Value]) -> str:
    image = {"t1": "the T1 image", "tissues": "its tissues"}.get(str(values["image"]))
    held = f"the surface of the head and {image}" if image else "pictures of the head"
    return (
        f"this page shows the patient's face: it holds {held}, and a person can be recognised in them. Treat it as "
        "patient data; neuro-field report --faceless makes one without the face."
    )


def _head_shows_face(values: Mapping[str, Value]) -> str:
    also = ", and so does T1.nii.gz in the same folder" if values["t1"] else ""
    return (
        f"this page shows the patient's face{also}: a person can be recognised in its pictures. Treat it as patient "
        "data; neuro-field head --faceless makes a page without the face."
    )


def _head_faceless(values: Mapping[str, Value]) -> str:
    held = "T1.nii.gz and head.msh" if values["t1"] else "head.msh"
    return (
        "the face is left out of the pictures on this page (in front of the ears and below the brows, but for brain "
        f"and CSF). {held} in the same folder still hold{'' if values['t1'] else 's'} it: do not pass the folder on."
    )


def _mesh_unfaithful(values: Mapping[str, Value]) -> str:
    labels, mesh = float(str(values["labels_cm3"])), float(str(values["mesh_cm3"]))
    more = "more" if mesh > labels else "less"
    return (
        f"the mesh holds {abs(mesh / labels - 1):.0%} {more} {{tissue}} than the labels ({{mesh_cm3:.1f}} instead of "
        "{labels_cm3:.1f} cm³): use a shorter --edge."
    ).replace("%", " %")


SENTENCES = {
    "page-shows-face": _shows_face,
    "page-faceless": "the face is left out of this page: in front of the ears and below the brows nothing but brain "
    "and CSF is shown. The shape of the skull and of the brain is still one person's.",
    "page-pictures-left-out": "pictures that show the face were left out of this page: they were drawn before, and "
    "cannot be made again from the plan's folder.",
    "page-serves-face": "this page shows the patient's face: let nobody look over your shoulder who may not see it.",
    "page-head-shows-face": _head_shows_face,
    "page-head-faceless": _head_faceless,
    "page-head-mesh-unfaithful": _mesh_unfaithful,
    "page-head-flat-element": (
        "the flattest element of the mesh has an angle of {angle:.1f} degrees between two of its faces (5 or more is "
        "usual): the field in and beside it is less accurate."
    ),
}
