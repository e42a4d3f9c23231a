"""Of targets: what became of them on the way from a coordinate to the patient's cortex."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _side(values: Mapping[str, Value]) -> str:
    """The hemisphere is named as one: "the right hand area" could be the right hand's."""
    if not values.get("side") or values.get("site") == "cerebellum-lateral":
        return "{side} {site}" if values.get("side") else "{site}"
    return "{side}-hemisphere {site}"


def _lost(values: Mapping[str, Value]) -> str:
    taken = "the lesion took {share:.0%} of the grey matter at the " + _side(values) + " target ({cm3:.1f} cm³)"
    if values["reach"] is None:
        return taken + "."
    return taken + " and none is left within {reach:g} mm: this target is lost."


def _no_grey(values: Mapping[str, Value]) -> str:
    text = "no grey matter lies within {reach:g} mm of where the map to MNI puts the " + _side(values) + " target"
    return text + ", and no lesion took it: the map is wrong there."


def _no_grey_at_seed(values: Mapping[str, Value]) -> str:
    text = (
        "the map to MNI puts the " + _side(values) + " target where there is no grey matter; the nearest is {mm:.0f} mm"
    )
    return text + " away, and no lesion took it: check the map."


def _moved_far(values: Mapping[str, Value]) -> str:
    text = (
        "the target lies {moved:.0f} mm from the "
        + _side(values)
        + " site ({along:.0f} mm along the cortex; more than "
    )
    return text + "{least:g} mm): it is near that site, not it, and the site's current axis is not used."


def _other_gyrus(values: Mapping[str, Value]) -> str:
    text = (
        "the target lies {moved:.0f} mm from the " + _side(values) + " site, but {along:.0f} mm along the cortex: it is"
    )
    return text + " on another gyrus or wall, near that site, not it, and the site's current axis is not used."


def _disagrees(values: Mapping[str, Value]) -> str:
    text = "the affine and the warped map to MNI put the " + _side(values) + " target {mm:.0f} mm apart (more than "
    return text + "{least:g} mm); the warped one is used: check the place on the pictures."


def _beyond(values: Mapping[str, Value]) -> str:
    return "{cm3:.2f} cm³ of the mask {site} lie beyond the fissure and are left out of the {side} target."


def _axis(values: Mapping[str, Value]) -> str:
    text = (
        "the current axis of the "
        + _side(values)
        + " target is the one across the patient's own sulcus, {degrees:.0f} "
    )
    return text + "degrees from the customary one ({customary:g} degrees from forwards to the midline)."


def _axis_customary(values: Mapping[str, Value]) -> str:
    text = (
        "no sulcus with one axis is found at the " + _side(values) + " target: its current axis is the customary one, "
    )
    return text + "{customary:g} degrees from forwards to the midline."


def _axis_implausible(values: Mapping[str, Value]) -> str:
    text = (
        "the sulcus nearest to the "
        + _side(values)
        + " target runs {degrees:.0f} degrees off the customary current axis"
    )
    return text + " (more than {most:g}): another sulcus, so the customary axis, {customary:g} degrees, is used."


SENTENCES = {
    "target-lost": _lost,
    "target-no-grey": _no_grey,
    "target-no-grey-at-seed": _no_grey_at_seed,
    "target-moved-far": _moved_far,
    "target-other-gyrus": _other_gyrus,
    "target-map-disagrees": _disagrees,
    "target-beyond-fissure": _beyond,
    "target-axis-sulcal": _axis,
    "target-axis-customary": _axis_customary,
    "target-axis-implausible": _axis_implausible,
}
