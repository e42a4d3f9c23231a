"""Of heads: their map to MNI space and their midline."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _no_fissure(values: Mapping[str, Value]) -> str:
    if values["mapped"]:
        return (
            "no fissure between the hemispheres is seen in this head: left and right are told by the midline of MNI "
            "space instead, which may be off; check the side of every target on the pictures."
        )
    return "no fissure between the hemispheres is seen in this head, and it has no map to MNI: it has no sides."


def _midline_off(values: Mapping[str, Value]) -> str:
    if values["most"] is None:
        return "the map to MNI puts this head's midline outside the brain: the map is wrong; use no named target."
    return (
        "the midline of the map to MNI lies up to {most:.0f} mm (median {median:.0f} mm) beside the patient's own "
        "fissure, most at MNI y = {y:.0f}, z = {z:.0f} mm: the midline is shifted, or the map is off. Sides are told "
        "by the fissure; check where the targets lie."
    )


def _map_doubtful(values: Mapping[str, Value]) -> str:
    grey = "" if values["grey"] is None else ", its grey matter by {grey:.2f}"
    return (
        "the map to MNI is doubtful: this head's white matter overlaps the template's by {white:.2f} (Dice; at least "
        "{least:.2f} is usual)" + grey + ". Check every named target on the pictures before use."
    )


def _opening(values: Mapping[str, Value]) -> str:
    where = "" if values["opening_side"] is None else " on the {opening_side}"
    return "{area_cm2:.0f} cm²" + where + ", around ({x:.0f}, {y:.0f}, {z:.0f}) mm of the head frame"


def _open_skull(values: Mapping[str, Value]) -> str:
    return (
        "the skull is open over "
        + _opening(values)
        + ": the field beside an opening is stronger and lies elsewhere. Ask about a missing bone flap, plates and "
        "clips before anything is used."
    )


def _bone_lost(values: Mapping[str, Value]) -> str:
    return (
        "the mesh is too coarse for the bone: over "
        + _opening(values)
        + ", it has none where the labels have, and the field there is wrong. Build the head again with a shorter "
        "--edge."
    )


def _map_refused(values: Mapping[str, Value]) -> str:
    why = {
        "axes-exchanged": "the axes of its images are exchanged, so its left and right may be wrong: mend this first",
        "size": "its brain is not of a person's size: the voxel size is wrong, mend this first",
        "tissues-exchanged": "its white matter is called grey, and its grey white: mend this first",
        "overlap": "its brain does not fit the template's",
    }
    return f"no map to MNI was found for this head: {why[str(values['kind'])]}. There are no named targets in it."


def _volume_by_name(values: Mapping[str, Value]) -> str:
    number = "no tissue's number" if values["number"] is None else "{number}"
    return "volume {volume} of the mesh is {tissue} by its name {called}; by its number it would be " + number + "."


SENTENCES = {
    "head-open-skull-unanswered": (
        "the skull is open over {area_cm2:.0f} cm² in all, and nobody has answered whether it stays so: nothing is "
        "computed for a patient in this head. Look at qc.html, then build it again with --open-skull yes (the bone is "
        "missing) or --open-skull no (bone or a plate closes it)."
    ),
    "head-volume-by-name": _volume_by_name,
    "head-mesh-curved": (
        "of the mesh's tetrahedra of order {order} the corner nodes were used, with straight edges between them."
    ),
    "head-told-before": (
        "the version of neuro_field that built this head told {count} more things in sentences; its qc.html has them."
    ),
    "head-open-skull": _open_skull,
    "head-bone-lost-in-mesh": _bone_lost,
    "head-no-map": (
        "this head has no map to MNI: named targets, MNI coordinates and places of the 10-20 system cannot be used in "
        "it; targets are given in its own coordinates only."
    ),
    "head-map-refused": _map_refused,
    "head-map-doubtful": _map_doubtful,
    "head-no-fissure": _no_fissure,
    "head-midline-off": _midline_off,
}
